import assert from "node:assert/strict";
import { test } from "node:test";
import type { PacketExplanation } from "../../../src/model/dashboard-datacenter.ts";
import type { Drawn } from "../topology/grouping.ts";
import { legsOf, metBy, wayOfLegs } from "./legs.ts";

const path = (...names: readonly string[]) => ({
  hops: names.map((name, index) => ({
    node: { kind: name.split("/")[0], name: name.split("/")[1] },
    parent: index === 0 ? null : index - 1,
  })),
  end: names.length - 1,
});
const THERE = path("external/internet", "edge/e");
const BACK = path("edge/e", "external/internet");
const plain = { trace: { there: THERE, back: BACK }, beyond: null } as unknown as PacketExplanation;
const balanced = {
  trace: { there: THERE, back: BACK },
  beyond: { onward: { there: path("edge/e", "machine/web"), back: path("machine/web", "edge/e") } },
} as unknown as PacketExplanation;

test("beyond a load balancer a way has two legs, whose hops are counted on", () => {
  const words = (which: "there" | "back") =>
    legsOf(balanced, which).map(({ title, first }) => `${title} from ${first}`);
  assert.deepEqual(words("there"), ["To the load balancer from 1", "On to the server from 3"]);
  assert.deepEqual(words("back"), ["From the server from 1", "From the load balancer from 3"]);
  assert.deepEqual(
    legsOf(plain, "there").map(({ title }) => title),
    [""],
  );
});

test("all legs are one line, and whoever is met by one of them is met once", () => {
  const link = (from: string, to: string) => ({ id: `${from}→${to}`, from, to });
  const ids = ["external/internet", "edge/e", "machine/web"];
  const drawn = {
    nodes: ids.map((id) => ({ id, inside: null })),
    links: [link("external/internet", "edge/e"), link("edge/e", "machine/web")],
    drawnBy: new Map(ids.map((id) => [id, id])),
  } as unknown as Drawn;
  const way = wayOfLegs(legsOf(balanced, "there"), drawn)!;
  assert.deepEqual(
    way.links.map(({ id }) => id),
    ["external/internet→edge/e", "edge/e→machine/web"],
  );
  assert.deepEqual(way.hops, ["external/internet", "edge/e", "edge/e", "machine/web"]);
  assert.equal(wayOfLegs([], drawn), null);
  assert.deepEqual(metBy(balanced), ids);
});
