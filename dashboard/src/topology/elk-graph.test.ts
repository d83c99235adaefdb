import assert from "node:assert/strict";
import { test } from "node:test";
import Elk from "elkjs/lib/elk.bundled.js";
import type { ElkNode } from "elkjs/lib/elk-api";
import { elkGraph, layoutOf, sizeOf } from "./elk-graph.ts";
import type { Drawn, DrawnNode } from "./grouping.ts";

const box = (id: string, inside: string | null = null) =>
  ({
    id,
    node: null,
    title: id,
    lines: ["a line that is as long as a few words are"],
    vlan: null,
    inside,
    layer: 0,
    members: [],
  }) as DrawnNode;

test("boxes do not overlap, children lie in their fence, and links end at boxes", async () => {
  const drawn: Drawn = {
    nodes: [box("top"), box("fence"), box("in", "fence"), box("below", "fence"), box("other")],
    links: [
      { id: "1", from: "top", to: "fence", vlan: null, kind: "interface", carries: [], members: [] },
      { id: "2", from: "in", to: "below", vlan: null, kind: "interface", carries: [], members: [] },
      { id: "3", from: "top", to: "other", vlan: null, kind: "interface", carries: [], members: [] },
    ],
    drawnBy: new Map(),
  };
  const layouter = new Elk() as unknown as { layout(graph: ElkNode): Promise<ElkNode> };
  const { boxes, ways, labels, width, height } = layoutOf(
    await layouter.layout(elkGraph(drawn, "RIGHT")),
    "RIGHT",
  );
  const down = layoutOf(await layouter.layout(elkGraph(drawn, "DOWN")), "DOWN");
  for (const layout of [down, layoutOf(await layouter.layout(elkGraph(drawn, "RIGHT")), "RIGHT")])
    assert.ok(layout.boxes.get("fence")!.width >= sizeOf(drawn.nodes[1]!).width, "its words have room");
  assert.ok(down.boxes.get("top")!.y + down.boxes.get("top")!.height < down.boxes.get("fence")!.y);
  const at = (id: string) => boxes.get(id)!;
  const holds = (outer: string, inner: string) =>
    at(inner).x >= at(outer).x &&
    at(inner).y >= at(outer).y &&
    at(inner).x + at(inner).width <= at(outer).x + at(outer).width &&
    at(inner).y + at(inner).height <= at(outer).y + at(outer).height;
  assert.ok(holds("fence", "in") && holds("fence", "below"));
  assert.ok(!holds("fence", "other"));
  assert.ok(at("top").x + at("top").width < at("fence").x);
  for (const { x, y, width: w, height: h } of boxes.values())
    assert.ok(x >= 0 && y >= 0 && x + w <= width && y + h <= height);
  const [start, end] = [ways.get("2")![0]!, ways.get("2")!.at(-1)!];
  assert.ok(Math.abs(start.x - (at("in").x + at("in").width)) < 1, "begins at the right edge");
  assert.ok(Math.abs(end.x - at("below").x) < 1, "ends at the left edge");
  for (const { x, y } of labels.values())
    for (const name of ["top", "in", "below", "other"]) {
      const { x: left, y: upper, width: w, height: h } = at(name);
      assert.ok(x < left || x > left + w || y < upper || y > upper + h, "no label lies on a box");
    }
  assert.equal(labels.size, 3);
});
