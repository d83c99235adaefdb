import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeFrameHead,
  encodeClose,
  encodeFrame,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from "./frame.ts";
import { type WebSocketEvent, WebSocketReceiver } from "./receiver.ts";

const MASK = Buffer.of(0x37, 0xfa, 0x21, 0x3d);
const LIMIT = 100_000;

function eventsOf(bytes: Uint8Array, step: number = bytes.length): WebSocketEvent[] {
  const receiver = new WebSocketReceiver({ messageBytesMax: LIMIT });
  for (let at = 0; at < bytes.length; at += step) receiver.receive(bytes.subarray(at, at + step));
  const events: WebSocketEvent[] = [];
  for (let event = receiver.nextEvent(); event !== null; event = receiver.nextEvent()) events.push(event);
  return events;
}

const frame = (opcode: number, payload: string | Uint8Array) =>
  encodeFrame(opcode, Buffer.from(payload), MASK);
/** A frame that is not the last of its message. */
function fragment(opcode: number, payload: string): Buffer {
  const bytes = frame(opcode, payload);
  bytes[0]! &= 0x7f;
  return bytes;
}
const codeOf = (bytes: Uint8Array) => {
  const last = eventsOf(bytes).at(-1);
  return last?.kind === "fault" ? last.code : null;
};

test("the masked Hello of RFC 6455, section 5.7, is read and written to the letter", () => {
  const hello = Buffer.from("818537fa213d7f9f4d5158", "hex");
  assert.deepEqual(frame(OPCODE_TEXT, "Hello"), hello);
  assert.deepEqual(eventsOf(hello), [{ kind: "message", isText: true, bytes: Buffer.from("Hello") }]);
  assert.deepEqual(encodeFrame(OPCODE_TEXT, Buffer.from("Hello")), Buffer.from("810548656c6c6f", "hex"));
});

test("messages, fragments with a ping between, and a close are the same whole and byte by byte", () => {
  const bytes = Buffer.concat([
    frame(OPCODE_BINARY, Buffer.alloc(70_000, 7)),
    fragment(OPCODE_TEXT, "Gr"),
    frame(OPCODE_PING, "still there?"),
    fragment(OPCODE_CONTINUATION, ""),
    frame(OPCODE_CONTINUATION, "üße"),
    frame(OPCODE_PONG, ""),
    frame(OPCODE_BINARY, ""),
    frame(OPCODE_BINARY, Buffer.alloc(126)),
    frame(OPCODE_CLOSE, encodeClose(1001, "going away")),
    frame(OPCODE_TEXT, "behind the end"),
  ]);
  const expected: WebSocketEvent[] = [
    { kind: "message", isText: false, bytes: Buffer.alloc(70_000, 7) },
    { kind: "ping", bytes: Buffer.from("still there?") },
    { kind: "message", isText: true, bytes: Buffer.from("Grüße") },
    { kind: "pong", bytes: Buffer.alloc(0) },
    { kind: "message", isText: false, bytes: Buffer.alloc(0) },
    { kind: "message", isText: false, bytes: Buffer.alloc(126) },
    { kind: "close", code: 1001, reason: "going away" },
  ];
  for (const step of [bytes.length, 1, 2, 3, 1000]) assert.deepEqual(eventsOf(bytes, step), expected);
});

test("what breaks the protocol ends it with 1002", () => {
  const change = (index: number, bits: number) => {
    const bytes = frame(OPCODE_TEXT, "a");
    bytes[index]! ^= bits;
    return bytes;
  };
  assert.equal(codeOf(change(0, 0x40)), 1002, "reserved bit");
  assert.equal(codeOf(change(1, 0x80)), 1002, "no mask");
  assert.equal(codeOf(frame(0x3, "")), 1002, "unknown opcode");
  assert.equal(codeOf(frame(0xb, "")), 1002, "unknown control opcode");
  assert.equal(codeOf(frame(OPCODE_CONTINUATION, "a")), 1002, "nothing to continue");
  assert.equal(codeOf(Buffer.concat([fragment(OPCODE_TEXT, "a"), frame(OPCODE_TEXT, "b")])), 1002);
  assert.equal(codeOf(fragment(OPCODE_PING, "a")), 1002, "ping in fragments");
  assert.equal(codeOf(frame(OPCODE_PING, Buffer.alloc(126))), 1002, "long ping");
  assert.equal(codeOf(Buffer.from("82fe000537fa213d", "hex")), 1002, "length not shortest");
  assert.equal(codeOf(frame(OPCODE_CLOSE, Buffer.of(3))), 1002, "half a code");
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000])
    assert.equal(codeOf(frame(OPCODE_CLOSE, encodeClose(code, ""))), 1002, String(code));
});

test("text that is not UTF-8 ends it with 1007, a long message with 1009 before its bytes come", () => {
  assert.equal(codeOf(frame(OPCODE_TEXT, Buffer.of(0xc3))), 1007);
  assert.equal(codeOf(frame(OPCODE_CLOSE, Buffer.of(3, 232, 0xff))), 1007);
  const huge = Buffer.from("82ffffffffffffffffff37fa213d", "hex");
  assert.equal(codeOf(huge), 1009);
  const parts = [fragment(OPCODE_BINARY, "x".repeat(60_000)), frame(OPCODE_CONTINUATION, "x".repeat(60_000))];
  assert.equal(codeOf(Buffer.concat(parts)), 1009);
});

test("lengths at their borders come back as they were written", () => {
  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536]) {
    for (const mask of [MASK, null]) {
      const bytes = encodeFrame(OPCODE_BINARY, Buffer.alloc(length), mask);
      const head = decodeFrameHead(bytes);
      assert.equal(head?.length, length);
      assert.equal(head?.isShortest, true);
      assert.equal(bytes.length, head.headBytes + length);
    }
  }
});

test("a close's reason is cut between characters", () => {
  const payload = encodeClose(1000, "ü".repeat(100));
  assert.ok(payload.length <= 125);
  assert.deepEqual(eventsOf(frame(OPCODE_CLOSE, payload)), [
    { kind: "close", code: 1000, reason: "ü".repeat(61) },
  ]);
});

test("garbage gives events and nothing else", () => {
  let state = 1;
  const random = () => (state = (state * 48_271) % 0x7fffffff);
  for (let i = 0; i < 2000; i++) {
    const bytes = Buffer.from(Array.from({ length: random() % 60 }, () => random() & 0xff));
    assert.deepEqual(eventsOf(bytes, 1), eventsOf(bytes));
  }
});
