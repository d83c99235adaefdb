// IPv6 beside IPv4 and alone: through switches and VLANs, routers and firewalls, and which of two families is
// meant by a name.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../src/base/ip.ts";
import { compileNetwork, explain } from "../../src/network/explain/explain.ts";
import { ask, endOf, resolved } from "./ask.ts";

const VLANS = `
hosts:
  one: {interfaces: {eth0: {}}}
  two: {interfaces: {eth0: {}}}
fabric: {tor: {ports: {1: {to: one/eth0, trunk: [10, 20]}, 2: {to: two/eth0, trunk: [10, 20]}}}}
switches:
  dvs:
    uplinks: {one: eth0, two: eth0}
    port-groups: {ten: {vlan: 10}, twenty: {vlan: 20}}
networks:
  ten: {subnet: "2001:db8:10::/64", gateway: "2001:db8:10::1", port-group: dvs/ten}
  twenty: {subnet: "2001:db8:20::/64", gateway: "2001:db8:20::1", port-group: dvs/twenty}
machines:
  a: {host: one, network: ten, address: "2001:db8:10::11"}
  b: {host: two, network: ten, address: "2001:db8:10::12"}
  c: {host: two, network: twenty, address: "2001:db8:20::11"}
edges:
  edge:
    host: one
    interfaces: {ten: "2001:db8:10::1", twenty: "2001:db8:20::1"}
    firewall: {rules: [{allow: tcp, from: ten, to: c, ports: 80}, {allow: icmp}]}
`;

const BOTH = `
networks:
  internet: {external: true, subnet: [203.0.113.0/24, "2001:db8:f::/64"], gateway: [203.0.113.1, "2001:db8:f::1"]}
  lan: {subnet: [10.0.0.0/24, "fd00::/64"], gateway: [10.0.0.1, "fd00::1"]}
machines:
  a: {network: lan, address: ["fd00::11", 10.0.0.11]}
  b: {network: lan, address: 10.0.0.12}
  c: {network: lan, address: "fd00::12"}
edges:
  edge:
    interfaces: {internet: [203.0.113.10, "2001:db8:f::10"], lan: [10.0.0.1, "fd00::1"]}
    firewall: {default: allow}
    routes: [{to: default, via: 203.0.113.1}, {to: "::/0", via: "2001:db8:f::1"}]
    nat: [{masquerade: lan, out: internet}]
`;

function ends(text: string, question: string): string {
  const trace = ask(text, question);
  return `${trace.there.disposition} at ${endOf(trace)}, back: ${trace.back?.disposition ?? "nothing"}`;
}

test("neighbours are found across two hosts, and a router with a firewall lies between two VLANs", () => {
  assert.equal(ends(VLANS, "a to b tcp 80"), "delivered at b, back: delivered");
  assert.equal(ends(VLANS, "a to c tcp 80"), "delivered at c, back: delivered");
  assert.equal(ends(VLANS, "a to c"), "delivered at c, back: delivered");
  assert.equal(ends(VLANS, "a to c tcp 81"), "dropped-by-firewall at edge, back: nothing");
  assert.equal(ends(VLANS, "a to 2001:db8:10::99"), "arp-unanswered at a, back: nothing");
});

test("of a name with two families the one is meant that the asker has", () => {
  assert.equal(ends(BOTH, "b to a tcp 80"), "delivered at a, back: delivered");
  assert.equal(ends(BOTH, "c to a tcp 80"), "delivered at a, back: delivered");
  assert.equal(ends(BOTH, "b to internet tcp 80"), "delivered at internet, back: delivered");
  assert.equal(ends(BOTH, "c to internet tcp 80"), "delivered at internet, back: delivered");
  assert.equal(ends(BOTH, "b to c"), "no-address at b, back: nothing");
});

test("loopback is oneself, link-local is the cable, and a group is no single receiver", () => {
  assert.equal(ends(VLANS, "a to ::1"), "delivered at a, back: nothing");
  assert.equal(ends(VLANS, "a to fe80::99"), "arp-unanswered at a, back: nothing");
  const network = compileNetwork(resolved(BOTH));
  const { question } = ask(BOTH, "a to b");
  for (const to of ["ff02::1", "224.0.0.5", "255.255.255.255"] as Ip[]) {
    const answer = explain(network, { ...question, to });
    assert.ok("kind" in answer);
    assert.match(answer.message, /is for many at once/);
  }
});
