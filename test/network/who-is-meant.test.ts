// Who is meant by a name in a rule: it depends on where the rule stands.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AddressSet, ResolvedFirewallRule } from "../../src/model/resolved-datacenter.ts";
import { ask, endOf, resolved } from "./ask.ts";

const INSIDE = "192.168.10.11";

function textWith({ edgeRules = "", vappRules = "" }): string {
  return `
networks:
  internet: {external: true, subnet: 203.0.113.0/24, gateway: 203.0.113.1}
  transit: {subnet: 10.9.0.0/30}
  org: {subnet: 192.168.10.0/24, gateway: 192.168.10.1, pool: 192.168.10.100-192.168.10.199}
  mgmt: {subnet: 10.7.0.0/24}
edges:
  border:
    interfaces: {internet: 203.0.113.10, transit: 10.9.0.1}
    routes: [{to: default, via: 203.0.113.1}, {to: 192.168.10.0/24, via: 10.9.0.2}]
    firewall: {default: allow}
    nat: [{dnat: 203.0.113.10, protocol: tcp, port: 8080, to: nas, to-port: 80}]
  org-edge:
    interfaces: {transit: 10.9.0.2, org: 192.168.10.1}
    routes: [{to: default, via: 10.9.0.1}]
    firewall: {rules: [${edgeRules}]}
machines:
  nas: {network: org, address: 192.168.10.30}
vapps:
  shop:
    network: {parent: org, fenced: true}
    machines:
      web:
        interfaces:
          eth1: {network: mgmt, address: 10.7.0.11}
          eth0: {address: ${INSIDE}}
        listen: 80
    copies: [test-a, test-b]
    firewall: {rules: [${vappRules}]}
`;
}

function rulesOf(text: string, edge: string): readonly ResolvedFirewallRule[] {
  return resolved(text).edges.find(({ name }) => name === edge)!.firewall.rules;
}

function words(set: AddressSet): string {
  return set === null
    ? "any"
    : set.map(({ first, last }) => (first === last ? first : `${first}-${last}`)).join(" ");
}

test("outside, a copy is what its fence answers for, and not the subnet that it has inside", () => {
  const text = textWith({ edgeRules: "{allow: tcp, from: shop.test-a, ports: 22}" });
  const fence = resolved(text).edges.find(({ name }) => name === "shop.test-a")!.fence!;
  const [rule] = rulesOf(text, "org-edge");
  assert.equal(words(rule!.from), [fence.address, fence.pairs[0]!.outside, "10.7.0.11"].join(" "));
});

test("a machine with a leg outside its fence is behind it with the other only", () => {
  const { edges } = resolved(textWith({}));
  const { pairs } = edges.find(({ name }) => name === "shop.test-a")!.fence!;
  assert.deepEqual(
    pairs.map(({ inside }) => inside),
    [INSIDE],
  );
});

test("at its own fence a copy is whoever comes from inside", () => {
  const [rule] = rulesOf(textWith({ vappRules: "{deny: tcp, from: shop, ports: 25}" }), "shop.test-b");
  assert.equal(rule!.in, "shop.test-b");
  assert.equal(words(rule!.from), "any");
});

test("at a fence the parent's name means who comes from outside, though inside has the same subnet", () => {
  const [rule] = rulesOf(textWith({ vappRules: "{deny: any, from: org}" }), "shop.test-a");
  assert.equal(rule!.in, "org");
  assert.equal(words(rule!.from), "192.168.10.0-192.168.10.255");
  const text = textWith({ vappRules: "{deny: any, from: org}" });
  assert.equal(endOf(ask(text, "shop.test-a/web to nas tcp 80")), "nas");
});

test("an edge that is not in the external network knows who is outside by the address", () => {
  const text = textWith({ edgeRules: "{allow: tcp, from: internet, to: nas, ports: 80}" });
  const [rule] = rulesOf(text, "org-edge");
  assert.equal(rule!.in, null);
  assert.equal(
    words(rule!.from).split(" ").slice(0, 3).join(" "),
    "0.0.0.0-10.6.255.255 10.7.1.0-10.8.255.255 10.9.0.4-192.168.9.255",
  );
  assert.equal(endOf(ask(text, "internet to 203.0.113.10 tcp 8080")), "nas");
});

test("at a fence a machine's name is the address that who sends to it has used", () => {
  for (const match of ["original", "translated"]) {
    const rule = "{allow: tcp, from: org, to: web, ports: 80}";
    const text = textWith({ vappRules: rule }).replace(`[${rule}]`, `[${rule}], match: ${match}`);
    const { fence } = resolved(text).edges.find(({ name }) => name === "shop.test-a")!;
    const [{ outside }] = fence!.pairs as [NonNullable<typeof fence>["pairs"][number]];
    const [first] = rulesOf(text, "shop.test-a");
    assert.equal(words(first!.to), match === "original" ? outside : INSIDE);
    assert.equal(endOf(ask(text, `nas to ${outside} tcp 80`)), "shop.test-a/web");
    assert.notEqual(endOf(ask(text, `nas to ${outside} tcp 22`)), "shop.test-a/web");
  }
});
