import assert from "node:assert/strict";
import { test } from "node:test";
import type { TopologyNode } from "../../../src/model/dashboard-datacenter.ts";
import { findNodes, nextBeginningWith } from "./find-nodes.ts";

const node = (name: string, line = "") => ({ name, lines: [line] }) as unknown as TopologyNode;
const NODES = [node("web-10"), node("old-web-1"), node("web-1"), node("db", "10.0.0.21"), node("WEB-1x")];

test("the name itself comes first, then what begins so, has it, or has it below its name", () => {
  const names = (text: string, most = 9) => findNodes(NODES, text, most).hits.map(({ name }) => name);
  assert.deepEqual(names("Web-1"), ["web-1", "web-10", "WEB-1x", "old-web-1"]);
  assert.deepEqual(names("0.21"), ["db"]);
  assert.deepEqual(names("  "), []);
  assert.deepEqual(findNodes(NODES, "web", 2), { hits: [NODES[0], NODES[2]], count: 4 });
});

test("a letter goes to the next that begins with it and around, more letters stay while they are right", () => {
  const order = ["alpha", "beta", "bravo", "gamma"].map((title) => ({ id: title, title }));
  assert.equal(nextBeginningWith(order, "alpha", "b"), "beta");
  assert.equal(nextBeginningWith(order, "beta", "b"), "bravo");
  assert.equal(nextBeginningWith(order, "bravo", "b"), "beta");
  assert.equal(nextBeginningWith(order, "beta", "br"), "bravo");
  assert.equal(nextBeginningWith(order, "beta", "be"), "beta");
  assert.equal(nextBeginningWith(order, null, "G"), "gamma");
  assert.equal(nextBeginningWith(order, null, "x"), null);
});
