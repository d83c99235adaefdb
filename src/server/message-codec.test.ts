import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../io/memory/seeded-random.ts";
import { encodeMessage, MessageDecoder } from "./message-codec.ts";

const MESSAGES: readonly unknown[] = [
  { kind: "hello", workerIndex: 1, pid: 42, engine: "uring", engineNote: null },
  {
    kind: "prepare",
    key: new Uint8Array([0, 255, 1]),
    list: [1.5, -1, "ä\u0000"],
    nested: { map: new Map([["a", 1n]]) },
  },
  "",
  null,
  { text: "x".repeat(70_000) },
];

function concatenated(messages: readonly unknown[]): Uint8Array {
  return Buffer.concat(messages.map(encodeMessage));
}

test("a message comes out as it went in, whole and byte by byte", () => {
  for (const message of MESSAGES) {
    const bytes = encodeMessage(message);
    assert.deepEqual(new MessageDecoder().receive(bytes), [message]);
    const decoder = new MessageDecoder();
    const received: unknown[] = [];
    for (const byte of bytes) received.push(...decoder.receive(Uint8Array.of(byte)));
    assert.deepEqual(received, [message]);
  }
});

test("several messages in one piece all come out, in their order", () => {
  assert.deepEqual(new MessageDecoder().receive(concatenated(MESSAGES)), MESSAGES);
});

test("however a row of messages is cut into pieces, the same messages come out", () => {
  const bytes = concatenated(MESSAGES);
  for (let seed = 1; seed <= 50; seed++) {
    const random = seededRandom(seed);
    const decoder = new MessageDecoder();
    const received: unknown[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + Math.floor(random() * 9000));
      received.push(...decoder.receive(bytes.subarray(at, end)));
      at = end;
    }
    assert.deepEqual(received, MESSAGES, `seed ${seed}`);
  }
});

test("the decoder keeps nothing of the memory that it was lent", () => {
  const bytes = encodeMessage({ kind: "admin", command: "show stat" });
  const decoder = new MessageDecoder();
  const lent = bytes.slice(0, 10);
  assert.deepEqual(decoder.receive(lent), []);
  lent.fill(0);
  assert.deepEqual(decoder.receive(bytes.subarray(10)), [{ kind: "admin", command: "show stat" }]);
});

test("a length that no message has is a defect", () => {
  assert.throws(() => new MessageDecoder().receive(Uint8Array.of(255, 255, 255, 255)), /4294967295 bytes/);
});
