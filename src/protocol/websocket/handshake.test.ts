import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptKey, handshakeAnswer, readHandshake } from "./handshake.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const HEADERS = {
  upgrade: "websocket",
  connection: "keep-alive, Upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": KEY,
};
const read = (change: object, rest: object = {}) =>
  readHandshake({ method: "GET", version: "1.1", headers: { ...HEADERS, ...change }, ...rest });

test("the key of RFC 6455, section 1.3, gives the answer that stands there", () => {
  assert.equal(acceptKey(KEY), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  assert.match(
    handshakeAnswer(KEY, "chat"),
    /^HTTP\/1\.1 101 .*\r\n(.+\r\n)*sec-websocket-protocol: chat\r\n\r\n$/,
  );
});

test("a request in order gives its key and protocols", () => {
  assert.deepEqual(read({ "sec-websocket-protocol": "a, b.c" }), {
    ok: true,
    value: { key: KEY, protocols: ["a", "b.c"] },
  });
});

test("what is no WebSocket request is refused, an old version with 426", () => {
  for (const wrong of [
    { upgrade: "h2c" },
    { connection: "close" },
    { "sec-websocket-key": "short" },
    { "sec-websocket-key": undefined },
    { "sec-websocket-protocol": "a b" },
  ]) {
    const reading = read(wrong);
    assert.ok(!reading.ok && reading.error.status === 400, JSON.stringify(wrong));
  }
  assert.equal(read({}, { method: "POST" }).ok, false);
  assert.equal(read({}, { version: "1.0" }).ok, false);
  const old = read({ "sec-websocket-version": "8" });
  assert.ok(!old.ok && old.error.status === 426);
});
