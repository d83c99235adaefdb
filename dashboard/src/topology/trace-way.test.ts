import assert from "node:assert/strict";
import { test } from "node:test";
import type { Drawn } from "./grouping.ts";
import { hopsToEnd, onlyWays, type PathJson, wayOf } from "./trace-way.ts";

const hop = (kind: string, name: string, parent: number | null) => ({ node: { kind, name }, parent });
const path = (hops: readonly object[], end: number) => ({ hops, end }) as unknown as PathJson;
const link = (from: string, to: string) =>
  ({ id: `${from}→${to}`, from, to, vlan: null, kind: "interface", carries: [], members: [] }) as const;
const node = (id: string, inside: string | null = null) =>
  ({ id, inside }) as unknown as Drawn["nodes"][number];

function drawnOf(nodes: Drawn["nodes"], links: Drawn["links"]): Drawn {
  return { nodes, links, drawnBy: new Map(nodes.map(({ id }) => [id, id])) };
}

test("a flooded frame's other branches are not the way", () => {
  const hops = [
    hop("machine", "a", null),
    hop("switch", "s", 0),
    hop("machine", "x", 1),
    hop("machine", "b", 1),
  ];
  assert.deepEqual(hopsToEnd(path(hops, 3)), [0, 1, 3]);
  assert.deepEqual(hopsToEnd(path(hops, -1)), []);
});

test("between two hops without a link lies the shortest way over others", () => {
  const drawn = drawnOf(
    [node("machine/a"), node("network/n"), node("edge/e"), node("machine/b")],
    [link("network/n", "machine/a"), link("network/n", "edge/e"), link("network/n", "machine/b")],
  );
  const way = wayOf(path([hop("machine", "a", null), hop("edge", "e", 0), hop("machine", "b", 1)], 2), drawn);
  assert.deepEqual(way.nodes, ["machine/a", "network/n", "edge/e", "network/n", "machine/b"]);
  assert.deepEqual(
    way.links.map(({ isReverse }) => isReverse),
    [true, false, true, false],
  );
});

test("into a fence one comes through its box, and who is in a group stands for it", () => {
  const drawn = drawnOf(
    [node("edge/e"), node("fence/f"), node("group/n", "fence/f")],
    [link("edge/e", "fence/f")],
  );
  const grouped: Drawn = { ...drawn, drawnBy: new Map([...drawn.drawnBy, ["machine/f/web", "group/n"]]) };
  const way = wayOf(
    path([hop("edge", "e", null), hop("fence", "f", 0), hop("machine", "f/web", 1)], 2),
    grouped,
  );
  assert.deepEqual(way.nodes, ["edge/e", "fence/f", "group/n"]);
  assert.deepEqual(
    way.links.map(({ id }) => id),
    ["edge/e→fence/f", ""],
  );
});

test("without all that is not on the way, its boxes are those that it meets and those that they are in", () => {
  const drawn = drawnOf(
    [node("machine/a"), node("network/n"), node("fence/f"), node("network/f", "fence/f"), node("machine/x")],
    [link("network/n", "machine/a"), link("network/n", "machine/x"), link("network/n", "fence/f")],
  );
  const way = { nodes: ["machine/a", "network/n", "network/f"], links: [], hops: [] };
  const only = onlyWays(drawn, [way]);
  assert.deepEqual(
    only.nodes.map(({ id }) => id),
    ["machine/a", "network/n", "fence/f", "network/f"],
  );
  assert.deepEqual(
    only.links.map(({ id }) => id),
    ["network/n→machine/a", "network/n→fence/f"],
  );
});
