import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageHead, prepareHeader } from "./message-head.ts";
import { parseRequestHead } from "./request-parser.ts";
import { parseResponseHead } from "./response-parser.ts";

function request(text: string): MessageHead {
  const head = new MessageHead();
  const bytes = Buffer.from(text, "latin1");
  assert.equal(parseRequestHead(head, bytes, 0, bytes.length), bytes.length);
  return head;
}

function encode(head: MessageHead): string {
  const target = new Uint8Array(head.encodedLengthMax() + 3);
  const end = head.encodeInto(target, 3);
  return Buffer.from(target.subarray(3, end)).toString("latin1");
}

test("an untouched head is written with names in lower case and everything else as it came", () => {
  const head = request("GET /a HTTP/1.1\r\nHost: A.example\r\nX-Y: Z\r\n\r\n");
  assert.equal(encode(head), "GET /a HTTP/1.1\r\nhost: A.example\r\nx-y: Z\r\n\r\n");
});

test("a head in another form is written in ours", () => {
  const head = request("GET  /a\tHTTP/1.1\nHost:a\nX:   b  \r\nY:\r\n\n");
  assert.equal(encode(head), "GET /a HTTP/1.1\r\nhost: a\r\nx: b\r\ny: \r\n\r\n");
});

test("headers can be added, set, removed and changed where they stand", () => {
  const head = request("GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nA: 3\r\nC: 4\r\n\r\n");
  assert.equal(head.addHeader("X-New", "5"), true);
  assert.equal(head.removeHeader("A"), 2);
  head.setValueAt(head.indexOf("c"), "six");
  head.setHeader("b", "7");
  assert.equal(encode(head), "GET / HTTP/1.1\r\nc: six\r\nx-new: 5\r\nb: 7\r\n\r\n");
  assert.equal(head.firstValue("x-new"), "5");
  assert.equal(head.firstValue("a"), null);
  assert.equal(head.isRemovedAt(0), true);
});

test("no value that is set can inject a header", () => {
  const head = request("GET / HTTP/1.1\r\nA: 1\r\n\r\n");
  head.addHeader("x", "a\r\nEvil: 1\0");
  head.setValueAt(0, "b\nEvil: 2");
  assert.equal(head.addHeader("x\r\ny", "1"), false);
  assert.equal(head.addHeader("", "1"), false);
  assert.equal(head.setHeader("a b", "1"), false);
  assert.equal(encode(head), "GET / HTTP/1.1\r\na: b Evil: 2\r\nx: a  Evil: 1 \r\n\r\n");
});

test("characters above 0xff are written as UTF-8", () => {
  const head = request("GET / HTTP/1.1\r\n\r\n");
  head.addHeader("x", "€\r");
  assert.equal(encode(head), "GET / HTTP/1.1\r\nx: \xe2\x82\xac \r\n\r\n");
});

test("target, method and version can be changed; a target cannot leave its place", () => {
  const head = request("GET /a HTTP/1.1\r\nA: 1\r\n\r\n");
  head.target = "/b c\r\n\xe9€";
  head.method = "POST";
  head.method = "BAD METHOD";
  head.versionMinor = 0;
  assert.equal(head.target, "/b%20c%0D%0A%C3%A9%E2%82%AC");
  assert.equal(encode(head), "POST /b%20c%0D%0A%C3%A9%E2%82%AC HTTP/1.0\r\na: 1\r\n\r\n");
});

test("the version alone can be changed", () => {
  const head = request("GET /a HTTP/1.0\r\nA: 1\r\n\r\n");
  assert.equal(head.versionMinor, 0);
  head.versionMinor = 1;
  assert.equal(encode(head), "GET /a HTTP/1.1\r\na: 1\r\n\r\n");
});

test("status and reason can be changed", () => {
  const head = new MessageHead();
  const bytes = Buffer.from("HTTP/1.1 404 Not Found\r\nA: 1\r\n\r\n");
  assert.equal(parseResponseHead(head, bytes, 0, bytes.length, "GET"), bytes.length);
  head.status = 200;
  assert.equal(encode(head), "HTTP/1.1 200 Not Found\r\na: 1\r\n\r\n");
  head.reason = "Fine\r\nX: y";
  head.status = 20;
  assert.equal(encode(head), "HTTP/1.1 200 Fine  X: y\r\na: 1\r\n\r\n");
});

test("a detached head no longer needs the buffer that it came in", () => {
  const head = new MessageHead();
  const bytes = Buffer.from("..GET /path HTTP/1.1\r\nHost: a\r\nX:b\r\n\r\n..");
  assert.equal(parseRequestHead(head, bytes, 2, bytes.length), bytes.length - 4);
  head.detach();
  bytes.fill(0);
  assert.equal(head.target, "/path");
  assert.equal(head.firstValue("host"), "a");
  assert.equal(encode(head), "GET /path HTTP/1.1\r\nhost: a\r\nx: b\r\n\r\n");
});

test("a head of our own making is written from nothing", () => {
  const head = request("GET /old HTTP/1.1\r\nOld: 1\r\n\r\n");
  head.startResponse(302, "Found");
  head.addHeader("Location", "/x");
  assert.equal(encode(head), "HTTP/1.1 302 Found\r\nlocation: /x\r\n\r\n");
  head.startRequest("OPTIONS", "*", 0);
  assert.equal(encode(head), "OPTIONS * HTTP/1.0\r\n\r\n");
});

test("more headers than there was room for at first are kept", () => {
  const lines = Array.from({ length: 90 }, (_, i) => `X-${i}: ${i}\r\n`).join("");
  const head = request(`GET / HTTP/1.1\r\n${lines}\r\n`);
  for (let i = 0; i < 60; i++) head.addHeader(`y-${i}`, String(i));
  assert.equal(head.headerCount, 150);
  assert.equal(head.firstValue("x-89"), "89");
  assert.equal(head.firstValue("y-59"), "59");
  assert.match(encode(head), /x-0: 0\r\n[\s\S]*x-89: 89\r\ny-0: 0\r\n[\s\S]*y-59: 59\r\n\r\n$/);
});

test("prepared headers are written, replaced and changed like any other", () => {
  const head = new MessageHead();
  head.startResponse(200, "OK");
  head.addHeader("X-Tag", "old");
  const prepared = prepareHeader("X-Tag", "new\r\nvalue")!;
  head.setPrepared(prepared);
  head.addPrepared(prepareHeader("Cache-Control", "private")!);
  assert.equal(head.firstValue("x-tag"), "new  value");
  const out = new Uint8Array(head.encodedLengthMax());
  const text = () => Buffer.from(out.subarray(0, head.encodeInto(out, 0))).toString("latin1");
  assert.equal(text(), "HTTP/1.1 200 OK\r\nx-tag: new  value\r\ncache-control: private\r\n\r\n");
  head.setValueAt(head.indexOf("x-tag"), "z");
  assert.equal(text(), "HTTP/1.1 200 OK\r\nx-tag: z\r\ncache-control: private\r\n\r\n");
  assert.equal(prepareHeader("no token", "x"), null);
});
