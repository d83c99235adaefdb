import assert from "node:assert/strict";
import { test } from "node:test";
import { EventReader } from "./event-reader.ts";

const TEXT =
  'retry: 2000\n\n: nothing new\n\nevent: overview\nid: r-7\ndata: {"a":\ndata: "ä"}\n\ndata:x\n\n';

test("events are read however their bytes are cut", () => {
  const bytes = new TextEncoder().encode(TEXT);
  const whole = new EventReader().receive(bytes);
  assert.deepEqual(whole, [
    { name: "overview", id: "r-7", data: '{"a":\n"ä"}' },
    { name: "message", id: null, data: "x" },
  ]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const reader = new EventReader();
    assert.deepEqual(
      [...reader.receive(bytes.subarray(0, cut)), ...reader.receive(bytes.subarray(cut))],
      whole,
    );
  }
});
