import assert from "node:assert/strict";
import { test } from "node:test";
import type { Box, Layout } from "./elk-graph.ts";
import type { Drawn } from "./grouping.ts";
import { areaFor, hasAnyIn, linksIn, nodeAt, nodesIn, sightOf, viewShowing } from "./visible.ts";

const box = (x: number, y: number, width = 10, height = 10): Box => ({ x, y, width, height });
const layout: Layout = {
  direction: "RIGHT",
  width: 1000,
  height: 100,
  boxes: new Map([
    ["near", box(0, 0)],
    ["far", box(900, 0)],
    ["fence", box(500, 0, 100, 100)],
    ["in", box(520, 20)],
  ]),
  ways: new Map([
    [
      "long",
      [
        { x: 10, y: 5 },
        { x: 900, y: 5 },
      ],
    ],
    [
      "away",
      [
        { x: 910, y: 5 },
        { x: 950, y: 5 },
      ],
    ],
  ]),
  labels: new Map(),
};
const drawn = {
  nodes: ["near", "far", "fence", "in"].map((id) => ({ id })),
  links: ["long", "away", "nowhere"].map((id) => ({ id })),
} as unknown as Drawn;
const ids = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id);

test("boxes and lines out of sight are left out, and a line that crosses the sight is there", () => {
  assert.deepEqual(ids(nodesIn(drawn, layout, box(-50, -50, 200, 200))), ["near"]);
  assert.deepEqual(ids(linksIn(drawn, layout, box(300, 0, 100, 100))), ["long"]);
  assert.deepEqual(ids(linksIn(drawn, layout, box(0, 50, 100, 100))), []);
});

test("a place between all boxes has none", () => {
  assert.ok(hasAnyIn(layout, box(890, 0)));
  assert.ok(!hasAnyIn(layout, box(700, 0)));
});

test("moving a bit makes nothing new, moving far does, and so does coming much nearer", () => {
  const sight = sightOf({ x: 0, y: 0, scale: 2 }, { width: 200, height: 100 });
  assert.deepEqual(sight, { x: -0, y: -0, width: 100, height: 50 });
  const area = areaFor(sight, null);
  assert.deepEqual(area, box(-35, -17.5, 170, 85));
  assert.equal(areaFor(box(30, 10, 100, 50), area), area);
  assert.notEqual(areaFor(box(60, 0, 100, 50), area), area);
  assert.notEqual(areaFor(box(0, 0, 10, 5), area), area);
});

test("the innermost box is the one that is meant", () => {
  assert.equal(nodeAt(layout, { x: 525, y: 25 }), "in");
  assert.equal(nodeAt(layout, { x: 580, y: 80 }), "fence");
  assert.equal(nodeAt(layout, { x: 700, y: 80 }), null);
});

test("a box that is in sight moves nothing, and one that is not is brought to the edge", () => {
  const view = { x: 0, y: 0, scale: 1 };
  const size = { width: 400, height: 300 };
  assert.deepEqual(viewShowing(box(50, 50), view, size, 20), view);
  assert.deepEqual(viewShowing(box(900, 50), view, size, 20), { x: -530, y: 0, scale: 1 });
  assert.deepEqual(viewShowing(box(-100, 400), view, size, 20), { x: 120, y: -130, scale: 1 });
});
