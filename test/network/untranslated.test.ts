// What seeds of the agreement with the kernel (live/agreement.test.ts) have found: packets that leave
// untranslated, answers that go past the router, and which IPv6 address a router sends from.
import assert from "node:assert/strict";
import { test } from "node:test";
import { desiredState } from "../../src/network/plan/desired-state.ts";
import { ask, resolved } from "./ask.ts";

const office = (nat: string) => `
networks:
  internet:
    external: true
    subnet: [203.0.113.0/24, "2001:db8:0:1::/64"]
    gateway: [203.0.113.1, "2001:db8:0:1::1"]
  org: {subnet: [10.0.0.0/24, "fd00::/64"], gateway: [10.0.0.1, "fd00::1"]}
machines:
  a: {network: org, address: [10.0.0.11, "fd00::11"], listen: 80}
edges:
  edge:
    interfaces:
      internet: [203.0.113.10, "2001:db8:0:1::10", "2001:db8:0:1::11"]
      org: [10.0.0.1, "fd00::1"]
    routes: [{to: 0.0.0.0/0, via: 203.0.113.1}, {to: "::/0", via: "2001:db8:0:1::1"}]
    firewall: {default: allow}
    nat: [${nat}]
`;

for (const [family, target, source] of [
  ["IPv4", "8.8.8.8", "10.0.0.11"],
  ["IPv6", "2001:db8:ffff::9", "fd00::11"],
] as const) {
  test(`nobody on the internet can answer a private ${family} address`, () => {
    const { there, back } = ask(office(""), `a to ${target} tcp 443`);
    assert.equal(there.disposition, "source-unreachable");
    assert.match(there.summary, new RegExp(`^${source} came untranslated: it is private`));
    assert.equal(back, null);
    const translated = ask(office("{masquerade: org, out: internet}"), `a to ${target} tcp 443`);
    assert.equal(translated.back?.disposition, "delivered");
  });
}

test("who asks himself through a router and answers himself has asked somebody else", () => {
  const nat = `{dnat: "2001:db8:0:1::11", protocol: tcp, port: 80, to: "fd00::11"}`;
  const { there, back } = ask(office(nat), "a to 2001:db8:0:1::11 tcp 80");
  assert.equal(there.disposition, "delivered");
  assert.equal(back?.disposition, "source-unreachable");
});

test("a router that has asked through another and hears from behind itself has asked somebody else", () => {
  const { there, back } = ask(
    `
networks:
  org: {subnet: "fd00::/64"}
  deep: {subnet: "fd00:2::/64", gateway: "fd00:2::1"}
machines:
  web: {network: deep, address: "fd00:2::11", listen: 80}
edges:
  border:
    interfaces: {org: ["fd00::1", "fd00::9"]}
    routes: [{to: "fd00:2::/64", via: "fd00::2"}]
    firewall: {default: allow}
    nat: [{dnat: "fd00::9", protocol: tcp, port: 80, to: "fd00:2::11"}]
  inner:
    interfaces: {org: "fd00::2", deep: "fd00:2::1"}
    firewall: {default: allow}
`,
    "inner to fd00::9 tcp 80",
  );
  assert.equal(there.hops[there.end]?.node.name, "web");
  assert.equal(back?.disposition, "source-unreachable");
});

test("of two IPv6 addresses in a subnet the first is the one that is sent from", () => {
  const { state } = desiredState(resolved(office("")), {
    host: null,
    isVlanAware: false,
    hasVlanDevices: false,
    loadBalancers: new Map(),
    program: ["sallyport"],
    dataDirectory: "/nonexistent",
    absolutePath: (path) => path,
  });
  const edge = state.namespaces.find(({ words }) => words === "edge edge");
  const deprecated = edge?.addresses.filter(({ isDeprecated }) => isDeprecated).map(({ ip }) => ip);
  assert.deepEqual(deprecated, ["2001:db8:0:1::11"]);
});
