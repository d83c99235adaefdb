// What port groups let through in the simulation: found by random datacentres whose kernel did otherwise
// (seeds 104 and 119 of live/agreement.test.ts).
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Trace } from "../../src/model/trace.ts";
import { ask } from "./ask.ts";

function farm(promiscuous: string): string {
  return `
switches:
  dvs:
    version: "5.5"
    port-groups:
      lan:
        vlan: 10
        notify-switches: false
        security: {mac-changes: accept, forged-transmits: accept${promiscuous}}
networks:
  lan: {subnet: 10.0.0.0/24, port-group: dvs/lan}
machines:
  one: {network: lan, address: 10.0.0.21}
  two: {network: lan, address: 10.0.0.22}
  other: {network: lan, address: 10.0.0.11}
  bystander: {network: lan, address: 10.0.0.12}
clusters:
  farm: {machines: [one, two], address: 10.0.0.30, mode: unicast}
`;
}

/** Machines to whose cards the first packet came. */
function reached({ there }: Trace): string[] {
  return there.hops
    .filter(({ node, ingress }) => node.kind === "machine" && ingress !== null)
    .map(({ node }) => node.name);
}

test("what is flooded comes to whose MAC it is for, and to promiscuous ports", () => {
  assert.deepEqual(reached(ask(farm(""), "other to one")), ["one", "two"]);
  assert.deepEqual(reached(ask(farm(", promiscuous: reject"), "other to one")), ["one", "two"]);
  assert.deepEqual(reached(ask(farm(", promiscuous: accept"), "other to one")), ["one", "two", "bystander"]);
});

const MARKED = `
switches:
  dvs:
    version: "5.5"
    port-groups:
      lan: {vlan: 10, filters: [{mark: any, from: a, dscp: 46}]}
networks:
  lan: {subnet: 10.0.0.0/24, port-group: dvs/lan}
machines:
  a: {network: lan, address: 10.0.0.11}
  b: {network: lan, address: 10.0.0.12, listen: [80, udp 53]}
`;

/** Of the first packet as it comes, and of the answer as it leaves. */
function marks(question: string): (number | undefined)[] {
  const { there, back } = ask(MARKED, question);
  const frames = [there.hops.at(-1)?.captures[0], back?.hops[0]?.captures[0]];
  // The byte behind version and length of the IP header, of which the upper six bits are the mark.
  return frames.map((capture) => capture && capture.frame[15]! >> 2);
}

test("echoes and refusals bear the mark of the question, what programs answer does not", () => {
  assert.deepEqual(marks("a to b"), [46, 46]);
  assert.deepEqual(marks("a to b tcp 81"), [46, 46]);
  assert.deepEqual(marks("a to b tcp 80"), [46, 0]);
  assert.deepEqual(marks("a to b udp 53"), [46, 0]);
});
