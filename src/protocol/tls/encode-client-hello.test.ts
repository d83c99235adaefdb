import assert from "node:assert/strict";
import { test } from "node:test";
import { readClientHello } from "./client-hello.ts";
import { encodeClientHello } from "./encode-client-hello.ts";

test("what is written is read again", () => {
  const bytes = encodeClientHello("www.example.com", ["h2", "http/1.1"]);
  const read = readClientHello(bytes, 0, bytes.length);
  assert.equal(read.kind, "hello");
  assert.equal(read.hello.serverName, "www.example.com");
  assert.deepEqual(read.hello.alpn, ["h2", "http/1.1"]);
  assert.equal(read.hello.version, 0x0304);
});

test("without a name and protocols there are no such extensions", () => {
  const bytes = encodeClientHello("");
  const read = readClientHello(bytes, 0, bytes.length);
  assert.equal(read.kind, "hello");
  assert.deepEqual([read.hello.serverName, read.hello.alpn, read.hello.extensions], ["", [], [43]]);
});
