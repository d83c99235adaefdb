import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerNames } from "./server-names.ts";

test("an exact name goes before a wildcard, whatever their order", () => {
  const names = new ServerNames();
  names.add(["*.example.com"], 0);
  names.add(["www.example.com"], 1);
  assert.equal(names.find("www.example.com"), 1);
  assert.equal(names.find("WWW.Example.Com."), 1);
  assert.equal(names.find("mail.example.com"), 0);
});

test("a wildcard stands for exactly one label", () => {
  const names = new ServerNames();
  names.add(["*.example.com"], 0);
  for (const name of ["example.com", "a.b.example.com", ".example.com", "com", ""])
    assert.equal(names.find(name), -1);
});

test("the first certificate with a name keeps it", () => {
  const names = new ServerNames();
  names.add(["example.com"], 0);
  names.add(["EXAMPLE.com"], 1);
  assert.equal(names.find("example.com"), 0);
});

test("a name taken out of a wildcard goes to the next certificate that has it", () => {
  const names = new ServerNames();
  names.add(["*.example.com", "!www.example.com"], 0);
  assert.equal(names.find("www.example.com"), -1);
  names.add(["*.example.com"], 1);
  assert.equal(names.find("www.example.com"), 1);
  assert.equal(names.find("mail.example.com"), 0);
  names.add(["www.example.com", "!www.example.com"], 2);
  assert.equal(names.find("www.example.com"), 2);
});
