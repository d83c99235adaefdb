import assert from "node:assert/strict";
import { test } from "node:test";
import { gridLayout } from "./grid-layout.ts";
import type { Drawn, DrawnNode } from "./grouping.ts";

const box = (id: string, layer: number) =>
  ({ id, node: null, title: id, lines: [], vlan: null, inside: null, layer, members: [] }) as DrawnNode;

test("a thousand boxes lie beside each other, layers from left to right, none on another", () => {
  const nodes = [box("switch", 3), ...Array.from({ length: 1000 }, (_, index) => box(`n${index}`, 4))];
  const links = nodes
    .slice(1)
    .map(
      ({ id }) =>
        ({ id, from: "switch", to: id, vlan: null, kind: "uplink", carries: [], members: [] }) as const,
    );
  const drawn: Drawn = { nodes, links, drawnBy: new Map() };
  const { boxes, ways, labels, width, height } = gridLayout(drawn);
  const all = [...boxes.values()];
  assert.equal(all.length, 1001);
  assert.ok(width / height < 6 && height / width < 6, `${width} by ${height}`);
  const places = new Set(all.map(({ x, y }) => `${x} ${y}`));
  assert.equal(places.size, 1001);
  for (const { x, y, width: w, height: h } of all)
    assert.ok(x >= 0 && y >= 0 && x + w <= width && y + h <= height);
  const own = boxes.get("switch")!;
  assert.ok(all.every((one) => one === own || one.x > own.x + own.width));
  assert.equal(ways.get("n999")!.length, 2);
  assert.equal(labels.size, 1000);
});

test("nothing has no size", () => {
  assert.deepEqual(gridLayout({ nodes: [], links: [], drawnBy: new Map() }), {
    direction: "RIGHT",
    width: 0,
    height: 0,
    boxes: new Map(),
    ways: new Map(),
    labels: new Map(),
  });
});
