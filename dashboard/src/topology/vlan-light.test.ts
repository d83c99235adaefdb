import assert from "node:assert/strict";
import { test } from "node:test";
import type { Drawn } from "./grouping.ts";
import { litBy } from "./vlan-light.ts";

const link = (id: string, vlan: number | null, ...carries: string[]) => ({
  id,
  from: `${id} upper`,
  to: `${id} lower`,
  vlan,
  carries,
});
const drawn = {
  nodes: [
    { id: "org", vlan: 20 },
    { id: "farm", vlan: 30 },
  ],
  links: [
    link("own", 20),
    link("other", 30),
    link("trunk", null, "5", "10-25"),
    link("elsewhere", null, "30-40"),
    link("everything", null, "all"),
  ],
} as unknown as Drawn;

test("a VLAN's own lines and boxes are lit, and the trunks that carry it", () => {
  const lit = litBy(20, drawn)!;
  assert.deepEqual([...lit.links], ["own", "trunk", "everything"]);
  assert.deepEqual(
    [...lit.nodes],
    ["org", "own upper", "own lower", "trunk upper", "trunk lower", "everything upper", "everything lower"],
  );
  assert.equal(litBy(null, drawn), null);
});

test("of two tags a trunk has to carry the outer one", () => {
  assert.deepEqual([...litBy(25 * 4096 + 20, drawn)!.links], ["trunk", "everything"]);
  assert.deepEqual([...litBy(50 * 4096 + 20, drawn)!.links], ["everything"]);
});
