import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { ERROR, FLAG, FRAME, PREFACE, writeFrameHead } from "./frames.ts";

/** What is read of these bytes, in pieces of that size; data of one frame is put together again. */
function read(bytes: Uint8Array, pieceBytes: number): { seen: string[]; error: number } {
  const seen: string[] = [];
  let data = "";
  let windowTotal = 0;
  const text = (from: Uint8Array, start: number, end: number): string =>
    Buffer.from(from.subarray(start, end)).toString("latin1");
  let piece = bytes;
  const sink: FrameSink = {
    receiveData(streamId, start, end, windowBytes, isLast, isEndOfStream) {
      data += text(piece, start, end);
      windowTotal += windowBytes;
      if (!isLast) return 0;
      seen.push(`data ${streamId} ${data} window ${windowTotal}${isEndOfStream ? " end" : ""}`);
      data = "";
      windowTotal = 0;
      return 0;
    },
    receiveHeaders(streamId, block, start, end, isEndOfStream, dependency) {
      seen.push(`headers ${streamId} ${text(block, start, end)} ${dependency}${isEndOfStream ? " end" : ""}`);
      return 0;
    },
    receiveControl(type, flags, streamId, payload, start, end) {
      seen.push(`control ${type} ${flags} ${streamId} ${text(payload, start, end)}`);
      return 0;
    },
  };
  const reader = new FrameReader(sink);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    piece = bytes.slice(at, at + pieceBytes);
    const error = reader.receive(piece, 0, piece.length);
    if (error !== 0) return { seen, error };
  }
  return { seen, error: 0 };
}

function frame(type: number, flags: number, streamId: number, payload: string): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  bytes.set(Buffer.from(payload, "latin1"), writeFrameHead(payload.length, type, flags, streamId, bytes, 0));
  return bytes;
}

const CONNECTION = Buffer.concat([
  PREFACE,
  frame(FRAME.settings, 0, 0, "\0\x04\0\0\0\x01"),
  frame(FRAME.headers, FLAG.padded | FLAG.priority, 1, "\x02\0\0\0\x03\x10one\0\0"),
  frame(FRAME.continuation, 0, 1, ""),
  frame(FRAME.continuation, FLAG.endHeaders, 1, "two"),
  frame(FRAME.data, FLAG.padded, 1, "\x03body\0\0\0"),
  frame(FRAME.data, 0, 1, ""),
  frame(FRAME.data, FLAG.padded, 1, "\0"),
  frame(0xbe, 0xff, 77, "unknown"),
  frame(FRAME.data, FLAG.endStream, 1, "last"),
  frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 3, "whole"),
  frame(FRAME.ping, 0, 0, "12345678"),
]);
const SEEN = [
  "control 4 0 0 \0\x04\0\0\0\x01",
  "headers 1 onetwo 3",
  "data 1 body window 8",
  "data 1  window 0",
  "data 1  window 1",
  "data 1 last window 4 end",
  "headers 3 whole -1 end",
  "control 6 0 0 12345678",
];

test("frames are the same whole, byte by byte, and in pieces of any size", () => {
  for (let pieceBytes = 1; pieceBytes <= CONNECTION.length; pieceBytes++)
    assert.deepEqual(read(CONNECTION, pieceBytes), { seen: SEEN, error: 0 }, `${pieceBytes}`);
});

test("what breaks the order or the size of frames is an error, in pieces too", () => {
  const cases: [error: number, ...frames: Uint8Array[]][] = [
    [ERROR.protocol, frame(FRAME.continuation, FLAG.endHeaders, 1, "a")],
    [ERROR.protocol, frame(FRAME.headers, 0, 1, "a"), frame(FRAME.data, 0, 1, "a")],
    [ERROR.protocol, frame(FRAME.headers, 0, 1, "a"), frame(FRAME.continuation, FLAG.endHeaders, 3, "a")],
    [ERROR.protocol, frame(FRAME.data, FLAG.padded, 1, "\x05abc")],
    [ERROR.frameSize, frame(FRAME.data, FLAG.padded, 1, "")],
    [ERROR.frameSize, frame(FRAME.headers, FLAG.priority, 1, "abc")],
    [ERROR.protocol, frame(FRAME.headers, FLAG.padded, 1, "\x05abc")],
    [ERROR.frameSize, frame(FRAME.ping, 0, 0, "x".repeat(16_385))],
    [ERROR.protocol, frame(FRAME.pushPromise, 0, 1, "abcd")],
    [
      ERROR.enhanceYourCalm,
      frame(FRAME.headers, 0, 1, ""),
      ...Array(40).fill(frame(FRAME.continuation, 0, 1, "")),
    ],
  ];
  for (const [error, ...frames] of cases) {
    const bytes = Buffer.concat([PREFACE, ...frames]);
    for (const pieceBytes of [1, 7, bytes.length]) assert.equal(read(bytes, pieceBytes).error, error);
  }
});

test("garbage is frames or an error, and nothing is thrown", () => {
  let state = 11;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let round = 0; round < 2000; round++) {
    const garbage = Array.from({ length: 6 }, () =>
      frame(
        random(11),
        random(256),
        random(4),
        "x".repeat(random(12)).replaceAll("x", () => String.fromCharCode(random(256))),
      ),
    );
    read(Buffer.concat([PREFACE, ...garbage]), 1 + random(40));
  }
});
