import assert from "node:assert/strict";
import { test } from "node:test";
import type { Box } from "./elk-graph.ts";
import { nextInDirection } from "./next-box.ts";

const at = (x: number, y: number): Box => ({ x, y, width: 10, height: 10 });
const BOXES = new Map([
  ["top", at(50, 0)],
  ["left", at(0, 50)],
  ["middle", at(50, 50)],
  ["right", at(100, 52)],
  ["bottom", at(55, 100)],
]);

test("arrow keys go to the nearest box in their direction, and nowhere where there is none", () => {
  const next = (key: string) => nextInDirection(BOXES, "middle", key, [], "RIGHT");
  assert.deepEqual(["Up", "Down", "Left", "Right"].map(next), ["top", "bottom", "left", "right"]);
  assert.equal(nextInDirection(BOXES, "top", "Up", [], "RIGHT"), null);
  assert.equal(nextInDirection(BOXES, null, "Up", [], "RIGHT"), "top");
  assert.equal(nextInDirection(new Map(), null, "Up", [], "RIGHT"), null);
});

test("along the drawing a line is followed before what lies nearer, across it is not", () => {
  const next = (key: string) => nextInDirection(BOXES, "left", key, ["right", "top"], "RIGHT");
  assert.equal(next("Right"), "right");
  assert.equal(next("Up"), "top");
  assert.equal(nextInDirection(BOXES, "middle", "Left", ["right"], "RIGHT"), "left");
  assert.equal(nextInDirection(BOXES, "left", "Right", ["nowhere"], "RIGHT"), "middle");
  assert.equal(nextInDirection(BOXES, "top", "Down", ["bottom"], "DOWN"), "bottom");
  assert.equal(nextInDirection(BOXES, "left", "Right", ["right"], "DOWN"), "middle");
});
