import assert from "node:assert/strict";
import { test } from "node:test";
import { MadeCertificates } from "./made-certificates.ts";

const DAY_MS = 86_400_000;

function cacheOf(countMax: number) {
  const made: string[] = [];
  const closed: string[] = [];
  const maker = {
    id: "",
    countMax,
    make: (name: string) => {
      made.push(name);
      return { name, certificatePem: "", keyPem: "" };
    },
  };
  const open = ({ name }: { name: string }) => (name === "bad" ? null : name);
  return { cache: new MadeCertificates(maker, open, (name) => closed.push(name)), made, closed };
}

test("a certificate is made once, and those that were asked for last are kept", () => {
  const { cache, made, closed } = cacheOf(2);
  for (const name of ["a", "b", "a", "c"]) assert.equal(cache.find(name, 0), name);
  assert.deepEqual(made, ["a", "b", "c"]);
  assert.deepEqual(closed, ["b"]);
  cache.find("a", 1);
  assert.deepEqual(made, ["a", "b", "c"]);
});

test("one that was made long ago is made anew", () => {
  const { cache, made, closed } = cacheOf(2);
  cache.find("a", 0);
  cache.find("a", 29 * DAY_MS);
  assert.deepEqual(made, ["a"]);
  cache.find("a", 31 * DAY_MS);
  assert.deepEqual([made, closed], [["a", "a"], ["a"]]);
});

test("where none is to be kept the one in use is, until the next", () => {
  const { cache, closed } = cacheOf(0);
  cache.find("a", 0);
  assert.deepEqual(closed, []);
  cache.find("b", 0);
  assert.deepEqual(closed, ["a"]);
});

test("what cannot be used is not kept", () => {
  const { cache, made } = cacheOf(2);
  assert.equal(cache.find("bad", 0), null);
  assert.equal(cache.find("bad", 0), null);
  assert.deepEqual(made, ["bad", "bad"]);
});
