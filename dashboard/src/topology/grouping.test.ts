import assert from "node:assert/strict";
import { test } from "node:test";
import type { TopologyAnswer, TopologyLink, TopologyNode } from "../../../src/model/dashboard-datacenter.ts";
import { drawnOf, SHOWN_MAX } from "./grouping.ts";

const node = (id: string, layer: number, inside: string | null = null) =>
  ({
    id,
    kind: id.split("/")[0],
    name: id.slice(id.indexOf("/") + 1),
    layer,
    inside,
    lines: [],
    vlan: 7,
  }) as unknown as TopologyNode;
const link = (from: string, to: string) =>
  ({ id: `${from}${to}`, from, to, vlan: 7, kind: "interface", label: "" }) as TopologyLink;

function datacenter(machines: number): TopologyAnswer {
  const members = Array.from({ length: machines }, (_, index) => node(`machine/m${index}`, 7));
  return {
    nodes: [node("network/org", 4), node("network/two", 4), node("machine/both", 7), ...members],
    links: [
      link("network/org", "machine/both"),
      link("machine/both", "network/two"),
      ...members.map(({ id }) => link("network/org", id)),
    ],
  } as unknown as TopologyAnswer;
}

test("a few machines are drawn one by one", () => {
  const { nodes, links } = drawnOf(datacenter(SHOWN_MAX), new Set());
  assert.equal(nodes.length, 3 + SHOWN_MAX);
  assert.equal(links.length, 2 + SHOWN_MAX);
});

test("of many their number is drawn, until their network is opened; who is in two networks stays", () => {
  const many = datacenter(500);
  const { nodes, links, drawnBy } = drawnOf(many, new Set());
  assert.deepEqual(
    nodes.map(({ title }) => title),
    ["org", "two", "both", "500 machines"],
  );
  assert.deepEqual(
    links.map(({ id }) => id),
    ["network/org→machine/both", "network/two→machine/both", "network/org→group/network/org"],
  );
  assert.equal(drawnBy.get("machine/m77"), "group/network/org");
  assert.equal(links[2]!.members.length, 500);
  assert.equal(drawnOf(many, new Set(["network/org"])).nodes.length, 503);
});

test("a machine that somebody asks about is drawn beside the others of its group", () => {
  const { nodes, links, drawnBy } = drawnOf(datacenter(500), new Set(), new Set(["machine/m77"]));
  assert.deepEqual(
    nodes.map(({ title }) => title),
    ["org", "two", "both", "m77", "499 others"],
  );
  assert.equal(drawnBy.get("machine/m77"), "machine/m77");
  assert.ok(links.some(({ id }) => id === "network/org→machine/m77"));
});

test("what a fence holds is joined with it by its box", () => {
  const answer = {
    nodes: [node("fence/f", 6), node("network/f", 4, "fence/f"), node("machine/f/web", 7, "fence/f")],
    links: [link("network/f", "fence/f"), link("network/f", "machine/f/web")],
  } as unknown as TopologyAnswer;
  const { links, nodes } = drawnOf(answer, new Set());
  assert.deepEqual(
    links.map(({ id }) => id),
    ["network/f→machine/f/web"],
  );
  assert.equal(nodes[2]!.title, "web");
});

test("of very many networks each has its machines in its own box", () => {
  const networks = Array.from({ length: 100 }, (_, index) => node(`network/n${index}`, 4));
  const machines = networks.flatMap(({ name }) => [0, 1].map((index) => node(`machine/${name}-${index}`, 7)));
  const answer = {
    nodes: [...networks, ...machines],
    links: machines.map(({ id, name }) => link(`network/${name.slice(0, name.lastIndexOf("-"))}`, id)),
  } as unknown as TopologyAnswer;
  const { nodes, links, drawnBy } = drawnOf(answer, new Set());
  assert.equal(nodes.length, 100);
  assert.equal(links.length, 0);
  assert.equal(drawnBy.get("machine/n7-1"), "network/n7");
  assert.ok(nodes[7]!.lines.includes("2 machines"));
  assert.equal(drawnOf(answer, new Set(["network/n7"])).nodes.length, 102);
  const alone = drawnOf(answer, new Set(), new Set(["machine/n7-1"]));
  assert.equal(alone.nodes.length, 101);
  assert.ok(alone.nodes[7]!.lines.includes("1 machine"));
});
