import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIp } from "../../base/ip.ts";
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { ResolvedFirewall, ResolvedFirewallRule } from "../../model/resolved-datacenter.ts";
import { FreePorts, firewallRuleOfChain, firewallTable } from "./firewall-table.ts";

function rule(given: Partial<ResolvedFirewallRule>): ResolvedFirewallRule {
  return {
    action: "allow",
    in: null,
    out: null,
    protocol: null,
    from: null,
    to: null,
    ports: [],
    isLogged: false,
    origin: { kind: "file", text: "", span: NO_SPAN },
    ...given,
  };
}

function tableOf(rules: readonly ResolvedFirewallRule[], given: Partial<ResolvedFirewall> = {}): string {
  const firewall: ResolvedFirewall = { default: "deny", match: "original", rules, span: NO_SPAN, ...given };
  const deviceOf = (network: string) => (network === "elsewhere" ? null : `n-${network}`);
  return firewallTable(firewall, { deviceOf, inputRules: [], forwardRules: [] }).text!;
}

const at = (text: string) => [{ first: parseIp(text)!, last: parseIp(text)! }];
const port = (first: number, last = first) => [{ first, last }];

/** Lines of the chain that decides about what is forwarded, without those that are always there. */
function forwardOf(text: string): string[] {
  return linesOf(text, "sp_forward").slice(3, -1);
}

function linesOf(text: string, chain: string): string[] {
  const [, body = ""] = new RegExp(`chain ${chain} \\{\\n(.*?)\\n {2}\\}`, "s").exec(text) ?? [];
  return body.split("\n").map((line) => line.trim());
}

test("a thousand rules of one shape cost one lookup", () => {
  const rules = Array.from({ length: 1000 }, (_, i) =>
    rule({ protocol: "tcp", to: at(`203.0.113.${i % 200}`), ports: port(1000 + i) }),
  );
  const lines = forwardOf(tableOf(rules));
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /^ct original ip daddr \. meta l4proto vmap @sp_forward_\d+$/);
});

test("the order of the file is kept where shapes differ", () => {
  const lines = forwardOf(
    tableOf([
      rule({ action: "deny", protocol: "tcp", to: at("203.0.113.10"), ports: port(22) }),
      rule({ in: "org" }),
      rule({ action: "deny", protocol: "udp", to: at("203.0.113.10") }),
    ]),
  );
  assert.equal(lines.length, 3);
  assert.equal(lines[1], 'iifname "n-org" goto sp_rule_2');
});

test("of two rules for one port the first counts, also where ranges overlap", () => {
  const text = tableOf([
    rule({ action: "deny", protocol: "tcp", to: at("203.0.113.10"), ports: port(80) }),
    rule({ protocol: "tcp", to: at("203.0.113.10"), ports: port(1, 100) }),
    rule({ action: "deny", protocol: "tcp", to: at("203.0.113.10") }),
    rule({ protocol: "tcp", to: at("203.0.113.10"), ports: port(5000) }),
  ]);
  const compared = "meta l4proto tcp ct original proto-dst";
  assert.deepEqual(linesOf(text, "sp_ports_1"), [
    `${compared} 80 goto sp_rule_1`,
    `${compared} 1-79 goto sp_rule_2`,
    `${compared} 81-100 goto sp_rule_2`,
    "goto sp_rule_3",
  ]);
  assert.ok(!text.includes("5000"));
});

test("whether addresses are compared before or after translation is the firewall's setting", () => {
  const rules = [rule({ protocol: "tcp", to: at("203.0.113.10"), ports: port(80) })];
  const original = tableOf(rules);
  assert.match(original, /ct original ip daddr/);
  assert.match(original, /ct original proto-dst 80 counter accept/);
  const translated = tableOf(rules, { match: "translated" });
  assert.ok(!translated.includes("ct original"));
  assert.match(translated, /th dport 80 counter accept/);
});

test("a rule that names a network where the edge is not can never match, and is left out", () => {
  assert.deepEqual(forwardOf(tableOf([rule({ in: "elsewhere" })])), []);
});

test("each rule has a chain that counts it, by which its place in the file's list is known", () => {
  const text = tableOf([
    rule({ in: "elsewhere" }),
    rule({ action: "deny", from: at("192.0.2.1") }),
    rule({ protocol: "tcp", to: at("203.0.113.10"), ports: port(1, 9) }),
    rule({ action: "deny", isLogged: true }),
  ]);
  const chains = [...text.matchAll(/chain (sp_rule\S+) \{\n\s+(.*)\n/g)].map(([, name, line]) => [
    firewallRuleOfChain(name!),
    line!.replace(/.* counter/, "counter"),
  ]);
  assert.deepEqual(
    chains.sort(([a], [b]) => Number(a) - Number(b)),
    [
      [1, "counter drop"],
      [2, "counter accept"],
      [3, "counter drop"],
    ],
  );
  assert.equal(firewallRuleOfChain("sp_forward"), null);
});

test("ten thousand ports of one address are worked out at once", () => {
  const free = new FreePorts();
  for (let i = 0; i < 10_000; i++) assert.deepEqual(free.take({ first: 5 * i, last: 5 * i }).length, 1);
  assert.deepEqual(free.take({ first: 0, last: 9 }), [
    { first: 1, last: 4 },
    { first: 6, last: 9 },
  ]);
  assert.deepEqual(free.take({ first: 0, last: 9 }), []);
});
