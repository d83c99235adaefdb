import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderCase } from "./header-case.ts";

const CASE = new HeaderCase(["Content-Length", "X-A", "WWW-Authenticate"]);

test("names that are known are written as wanted, whole names only, and nothing else is touched", () => {
  const head = [
    "HTTP/1.1 200 x-a: ok",
    "content-length: 5",
    "content-length-2: content-length: 7",
    "x-a:x-a: 1",
    "x-b: 1",
    "x-a: 2",
    "",
    "x-a: body",
    "",
  ];
  const wanted = [...head];
  wanted[1] = "Content-Length: 5";
  wanted[3] = "X-A:x-a: 1";
  wanted[5] = "X-A: 2";
  assert.equal(CASE.adjustText(head.join("\r\n")), wanted.join("\r\n"));
});

test("a head in the middle of memory is adjusted there only", () => {
  const text = "x-a: 1\r\nGET / HTTP/1.1\r\nx-a: 1\r\n\r\nx-a: 1\r\n";
  const bytes = Buffer.from(text);
  CASE.adjust(bytes, 8, text.length - 8);
  assert.equal(bytes.toString(), text.replace("1.1\r\nx-a", "1.1\r\nX-A"));
});

test("what is no head ends the pass without harm", () => {
  for (const text of [
    "",
    "x",
    "GET / HTTP/1.1",
    "GET / HTTP/1.1\r\n",
    "GET / HTTP/1.1\r\nx-a",
    "\r\n\r\n: x\r\n",
  ])
    assert.equal(CASE.adjustText(text), text);
});
