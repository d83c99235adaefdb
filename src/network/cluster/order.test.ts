import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeOrder, encodeOrder, OrderGate, type OrderMessage } from "./order.ts";

const ORDER: OrderMessage = { cluster: "192.168.30.50", from: 1, to: 2, order: "drain", answers: 1000 };

test("an order comes out as it went in; what is cut, or is something else, is none", () => {
  const text = encodeOrder(ORDER);
  assert.deepEqual(decodeOrder(text), ORDER);
  for (let length = 0; length < text.length; length++) assert.equal(decodeOrder(text.slice(0, length)), null);
  const record = JSON.parse(text) as Record<string, unknown>;
  const wrong = {
    version: 2,
    kind: "heartbeat",
    cluster: 1,
    from: -1,
    to: "2",
    order: "explode",
    answers: 0.5,
  };
  for (const [key, value] of Object.entries(wrong))
    assert.equal(decodeOrder(JSON.stringify({ ...record, [key]: value })), null, key);
});

test("an order holds for a heartbeat of a moment ago, may be repeated, and cannot be played again later", () => {
  const gate = new OrderGate();
  assert.equal(gate.takes(ORDER, 1003), true);
  assert.equal(gate.takes(ORDER, 1003), true, "nothing came of it yet");
  assert.equal(gate.takes({ ...ORDER, order: "run" }, 1003), false, "a heartbeat is answered by one order");
  assert.equal(gate.takes({ ...ORDER, order: "run", answers: 1002 }, 1004), true);
  assert.equal(gate.takes(ORDER, 1004), false, "recorded");
  assert.equal(gate.takes({ ...ORDER, answers: 1005 }, 1004), false, "never sent");
  assert.equal(gate.takes({ ...ORDER, answers: 1005 }, 1100), false, "long ago");
});
