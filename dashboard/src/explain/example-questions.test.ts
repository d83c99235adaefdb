import assert from "node:assert/strict";
import { test } from "node:test";
import type { TopologyNode } from "../../../src/model/dashboard-datacenter.ts";
import { exampleQuestions } from "./example-questions.ts";

function node(kind: TopologyNode["kind"], name: string, services: readonly string[] = []): TopologyNode {
  const span = { file: "d.yaml", line: 1, column: 1, endColumn: 2 };
  const empty = { inside: null, vlan: null, lines: [], details: [], layer: 0 };
  return { id: `${kind}/${name}`, kind, name, reference: name, services, span, ...empty };
}

test("what can be asked first is asked of what the file has", () => {
  const outside = node("external", "internet");
  const edge = node("edge", "org-edge");
  const machines = [node("machine", "desk"), node("machine", "web", ["cluster c", "tcp 80"])];
  const words = (nodes: readonly TopologyNode[]) => exampleQuestions({ nodes }).map((one) => one.words);
  assert.deepEqual(words([outside, edge, ...machines]), [
    "internet → org-edge, tcp 443",
    "desk → web, tcp 80",
    "desk → internet, tcp 443",
  ]);
  assert.deepEqual(words(machines), ["desk → web, tcp 80"]);
  assert.deepEqual(words([]), []);
  assert.equal(exampleQuestions({ nodes: machines })[0]!.query, "from=desk&to=web&port=80");
});
