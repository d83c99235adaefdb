import assert from "node:assert/strict";
import { test } from "node:test";
import { Wires } from "./domains.ts";

test("what is joined has one root, and a cable that closes a ring joins nothing", () => {
  const wires = new Wires();
  assert.notEqual(wires.rootOf("a"), wires.rootOf("b"));
  assert.ok(wires.join("a", "b"));
  assert.ok(wires.join("c", "d"));
  assert.ok(wires.join("b", "c"));
  assert.equal(wires.rootOf("a"), wires.rootOf("d"));
  assert.ok(!wires.join("d", "a"));
  assert.ok(!wires.join("a", "a"));
});
