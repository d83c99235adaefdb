import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeHeartbeat, encodeHeartbeat, type Heartbeat } from "./heartbeat.ts";

const HEARTBEAT: Heartbeat = {
  cluster: "192.168.30.50",
  member: 2,
  sequence: 1_700_000_000_000,
  wish: "run",
  isReady: true,
  isLeaving: false,
  rules: "0123456789abcdef",
  view: { present: [1, 2, 3], active: [1, 2] },
  held: new Map([["tcp 80", [0, 1, 59]]]),
  heard: new Map([[1, 1_700_000_000_017]]),
};

test("a heartbeat comes out as it went in", () => {
  assert.deepEqual(decodeHeartbeat(encodeHeartbeat(HEARTBEAT)), HEARTBEAT);
});

test("what is cut, or is something else, is none", () => {
  const text = encodeHeartbeat(HEARTBEAT);
  for (let length = 0; length < text.length; length++)
    assert.equal(decodeHeartbeat(text.slice(0, length)), null, text.slice(0, length));
  for (const other of ["null", "[]", "7", '"x"', "{}", `${text}x`, "\0"])
    assert.equal(decodeHeartbeat(other), null);
});

test("each value is looked at", () => {
  const record = JSON.parse(encodeHeartbeat(HEARTBEAT)) as Record<string, unknown>;
  const wrong: Record<string, unknown[]> = {
    version: [2, null],
    cluster: [5],
    member: [0, 33, 1.5, "2"],
    sequence: [-1, 2 ** 53, null],
    wish: ["sleep"],
    isReady: [1],
    isLeaving: [null],
    rules: [[]],
    view: [null, [1], { present: [1] }, { present: [40], active: [] }],
    held: [
      {},
      [["tcp 80", [60]]],
      [["tcp 80"]],
      [[5, "1"]],
      [["tcp 80", "1000000000000000"]],
      [["tcp 80", ""]],
    ],
    heard: [[[1]], [[1, -1]], [[99, 1]]],
  };
  for (const [key, values] of Object.entries(wrong)) {
    for (const value of values)
      assert.equal(decodeHeartbeat(JSON.stringify({ ...record, [key]: value })), null, `${key}: ${value}`);
  }
});
