import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyDecoder, CHUNK_HEAD_BYTES_MAX, LAST_CHUNK, writeChunkHead } from "./body.ts";
import { FRAMING_CHUNKED, FRAMING_LENGTH, FRAMING_NONE, FRAMING_UNTIL_CLOSE } from "./message-head.ts";

interface Verdict {
  readonly taken: number;
  readonly isComplete: boolean;
  readonly payload: string;
}

function decode(text: string, step: number): Verdict {
  const bytes = Buffer.from(text, "latin1");
  const decoder = new BodyDecoder();
  decoder.reset(FRAMING_CHUNKED, -1);
  const parts: Uint8Array[] = [];
  let taken = 0;
  for (let at = 0; at < bytes.length && !decoder.isComplete; at += step) {
    const count = decoder.collect(bytes, at, Math.min(at + step, bytes.length), parts);
    if (count < 0) {
      assert.equal(decoder.feed(bytes, 0, bytes.length), -1, "malformed stays malformed");
      return { taken: -1, isComplete: false, payload: "" };
    }
    taken += count;
  }
  const payload = Buffer.concat(parts).toString("latin1");
  assert.equal(payload.length, decoder.payloadBytes);
  return { taken, isComplete: decoder.isComplete, payload };
}

const WELL_FORMED: readonly [body: string, payload: string][] = [
  ["0\r\n\r\n", ""],
  ["5\r\nhello\r\n0\r\n\r\n", "hello"],
  ['5;a=b\r\nhello\r\n6 ; c="d"\r\n world\r\n0\r\n\r\n', "hello world"],
  ["00005\r\nhello\r\n000\r\n\r\n", "hello"],
  ["a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"],
  ["5  \r\n\r\n\r\n\r\r\n0\r\n\r\n", "\r\n\r\n\r"],
  ["1\r\nx\r\n0;last\r\nTrailer: 1\r\nX-Empty:\r\n\r\n", "x"],
];

test("a well formed chunked body is measured and unwrapped, whole, byte by byte, and with bytes behind it", () => {
  for (const [body, payload] of WELL_FORMED) {
    for (const step of [1, 2, 3, 7, 1000]) {
      const expected = { taken: body.length, isComplete: true, payload };
      assert.deepEqual(decode(body, step), expected, JSON.stringify(body));
      assert.deepEqual(decode(`${body}GET / HTTP/1.1\r\n`, step), expected, JSON.stringify(body));
    }
    for (let cut = 0; cut < body.length; cut++)
      assert.equal(decode(body.slice(0, cut), 1000).isComplete, false);
  }
});

const MALFORMED: readonly string[] = [
  "\r\nhello",
  ";a\r\nhello\r\n",
  " 5\r\nhello\r\n0\r\n\r\n",
  "x\r\n",
  "0x5\r\nhello\r\n",
  "-5\r\nhello\r\n",
  "+5\r\nhello\r\n",
  "5\nhello\r\n0\r\n\r\n",
  "5\rhello",
  "5 5\r\nhello\r\n",
  "5\r\nhello0\r\n\r\n",
  "5\r\nhello\n0\r\n\r\n",
  "5\r\nhello\rx0\r\n\r\n",
  "5\r\nhello!\r\n0\r\n\r\n",
  "5;a\nb\r\nhello\r\n",
  "5;a\rb\r\nhello\r\n",
  "5;a\0\r\nhello\r\n",
  "10000000000000\r\n",
  "00000000000005\r\nhello",
  "FFFFFFFFFFFFFFFFF\r\n",
  `5;${"a".repeat(2000)}\r\nhello\r\n`,
  `5${" ".repeat(2000)}\r\nhello\r\n`,
  "0\n\r\n",
  "0\r\n\n",
  "0\r\n\rx",
  "0\r\nno colon\r\n\r\n",
  "0\r\n: empty name\r\n\r\n",
  "0\r\nX : y\r\n\r\n",
  "0\r\n X: folded\r\n\r\n",
  "0\r\nX: y\n\r\n",
  "0\r\nX: a\0\r\n\r\n",
  "0\r\nX: a\rb\r\n\r\n",
  "0\r\nContent-Length: 5\r\n\r\n",
  "0\r\nTRANSFER-ENCODING: chunked\r\n\r\n",
  "0\r\nHost: b\r\n\r\n",
  `0\r\nX: ${"a".repeat(9000)}\r\n\r\n`,
];

test("a malformed chunked body is refused, whole and byte by byte", () => {
  for (const body of MALFORMED) {
    for (const step of [1, 3, 100_000]) {
      assert.equal(decode(body, step).taken, -1, JSON.stringify(body.slice(0, 60)));
    }
  }
});

test("a body with a length takes exactly that many bytes", () => {
  const decoder = new BodyDecoder();
  decoder.reset(FRAMING_LENGTH, 10);
  const bytes = Buffer.from("0123456789ABC");
  assert.equal(decoder.feed(bytes, 0, 4), 4);
  assert.equal(decoder.remaining, 6);
  assert.equal(decoder.finishAtClose(), false);
  assert.equal(decoder.feed(bytes, 4, 13), 6);
  assert.equal(decoder.isComplete, true);
  assert.equal(decoder.feed(bytes, 10, 13), 0);
  assert.equal(decoder.payloadBytes, 10);
  decoder.reset(FRAMING_LENGTH, 0);
  assert.equal(decoder.isComplete, true);
});

test("no body is complete at once, and a body until close ends with the connection", () => {
  const decoder = new BodyDecoder();
  decoder.reset(FRAMING_NONE, -1);
  assert.equal(decoder.isComplete, true);
  assert.equal(decoder.feed(Buffer.from("abc"), 0, 3), 0);
  decoder.reset(FRAMING_UNTIL_CLOSE, -1);
  assert.equal(decoder.feed(Buffer.from("abc"), 0, 3), 3);
  assert.equal(decoder.isComplete, false);
  assert.equal(decoder.finishAtClose(), true);
  assert.equal(decoder.isComplete, true);
});

test("what the chunk writer writes, the decoder reads", () => {
  for (const length of [1, 9, 10, 15, 16, 255, 256, 4095, 65536, 1_000_000]) {
    const target = Buffer.alloc(CHUNK_HEAD_BYTES_MAX + length + 7, 97);
    let end = writeChunkHead(length, target, 0);
    assert.equal(target.toString("latin1", 0, end), `${length.toString(16)}\r\n`);
    end += length;
    target.write("\r\n", end);
    target.set(LAST_CHUNK, end + 2);
    const decoder = new BodyDecoder();
    decoder.reset(FRAMING_CHUNKED, -1);
    assert.equal(decoder.feed(target, 0, target.length), end + 7);
    assert.equal(decoder.payloadBytes, length);
    assert.equal(decoder.isComplete, true);
  }
  const target = Buffer.alloc(CHUNK_HEAD_BYTES_MAX);
  assert.equal(target.toString("latin1", 0, writeChunkHead(2 ** 52 - 1, target, 0)), "fffffffffffff\r\n");
});
