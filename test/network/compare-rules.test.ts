import assert from "node:assert/strict";
import { test } from "node:test";
import { compareRules, type TracedPacket, type TracedStep } from "../../src/network/explain/compare-rules.ts";
import { ask, resolved } from "./ask.ts";

const KEY = 40_000;
const DATACENTER = resolved(`
networks:
  internet: {external: true, subnet: 203.0.113.0/24, gateway: 203.0.113.1}
  org: {subnet: 10.0.0.0/24, gateway: 10.0.0.1}
edges:
  edge:
    interfaces: {internet: 203.0.113.10, org: 10.0.0.1}
    routes: [{to: default, via: 203.0.113.1}]
    firewall:
      rules:
        - {allow: icmp, to: 203.0.113.10}
        - {allow: tcp, to: 203.0.113.10, ports: 80}
    nat:
      - {dnat: 203.0.113.10, protocol: tcp, port: 22, to: 10.0.0.12}
      - {dnat: 203.0.113.10, protocol: tcp, port: 80, to: 10.0.0.11}
machines:
  a: {network: org, address: 10.0.0.11, listen: 80}
`);
const TRACE = ask(DATACENTER, "internet to 203.0.113.10 tcp 80");

function step(
  table: string,
  chain: string,
  rule: string | null,
  verdict: string,
  comment: string | null,
): TracedStep {
  return { table, chain, rule, verdict, comment };
}

const SELF = step("sallyport_trace", "prerouting", "meta nftrace set 1", "continue", null);
const NAT = step("sallyport_nat", "sp_prerouting", "dnat to ip daddr map @sp_dnat_1", "accept", "rule 2");
const JUMP = step(
  "sallyport_filter",
  "sp_forward",
  "ip daddr vmap @sp_forward_1",
  "jump sp_rule_2_ports_1",
  null,
);
const PASS = step("sallyport_filter", "sp_rule_2_ports_1", "th dport 80 accept", "accept", null);
const DENY = step("sallyport_filter", "sp_forward", null, "drop", null);

/** `stage: line of the file, line of the kernel's rule` of what does not agree. */
function compared(...steps: TracedStep[]): string[] {
  const packet: TracedPacket = { key: KEY, isAnswer: false, steps };
  const again: TracedPacket = { ...packet, steps: [SELF, JUMP, PASS] };
  const other: TracedPacket = { ...packet, key: KEY + 1, steps: [DENY] };
  return compareRules(TRACE, DATACENTER, KEY, new Map([["edge", [packet, again, other]]]))
    .filter(({ agrees }) => !agrees)
    .map(({ stage, explained, kernel }) => `${stage}: ${explained?.span?.line}, ${kernel?.span?.line}`);
}

test("rules that were made of the lines that are named agree, whatever comes again or belongs to others", () => {
  assert.deepEqual(compared(SELF, NAT, JUMP, PASS), []);
});

test("another rule, another verdict, no rule, and one where none is explained are told", () => {
  assert.deepEqual(compared(SELF, { ...NAT, comment: "rule 1" }, JUMP, PASS), ["destination NAT: 15, 14"]);
  assert.deepEqual(compared(SELF, NAT, JUMP, { ...PASS, chain: "sp_rule_1" }), ["firewall: 12, 11"]);
  assert.deepEqual(compared(SELF, NAT, DENY), ["firewall: 12, 10"]);
  assert.deepEqual(compared(SELF, JUMP, PASS), ["destination NAT: 15, undefined"]);
  const source = step("sallyport_nat", "sp_postrouting", "masquerade", "accept", null);
  assert.deepEqual(compared(SELF, NAT, JUMP, PASS, source), ["source NAT: undefined, undefined"]);
});

test("edges that were not asked are not compared", () => {
  assert.deepEqual(compareRules(TRACE, DATACENTER, KEY, new Map()), []);
});

test("what no line has decided agrees with a firewall that is named as a whole", () => {
  const trace = ask(DATACENTER, "internet to 203.0.113.10 udp 53");
  const invalid = step("sallyport_filter", "sp_input", "ct state invalid drop", "drop", null);
  const packet: TracedPacket = { key: KEY, isAnswer: false, steps: [SELF, invalid] };
  const [only, ...more] = compareRules(trace, DATACENTER, KEY, new Map([["edge", [packet]]]));
  assert.deepEqual([only?.stage, only?.agrees, more.length], ["firewall", true, 0]);
});
