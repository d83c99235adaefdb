// Addresses that nobody wrote: where they come from, and that they stay what they are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { resolved } from "./ask.ts";

function addressesOf(text: string): Map<string, string> {
  const { machines, edges } = resolved(text);
  const places = [
    ...machines.map(
      ({ name, interfaces }) => [name, interfaces.flatMap(({ addresses }) => addresses)] as const,
    ),
    ...edges.map(
      ({ name, interfaces }) => [`edge ${name}`, interfaces.flatMap(({ addresses }) => addresses)] as const,
    ),
  ];
  return new Map(places.map(([name, addresses]) => [name, addresses.map(({ ip }) => ip).join(" ")]));
}

test("machines of a copy without written addresses have the same in all copies, and none of the parent's", () => {
  const text = `
networks:
  org: {subnet: 10.0.0.0/29, gateway: 10.0.0.1, pool: 10.0.0.2-10.0.0.5}
machines:
  nas: {network: org, address: 10.0.0.6}
vapps:
  shop:
    network: {parent: org, fenced: true}
    machines: {web: {}}
    copies: [a, b]
    nat: port-forwarding
`;
  const addresses = addressesOf(text);
  assert.equal(addresses.get("shop.a/web"), addresses.get("shop.b/web"));
  assert.match(addresses.get("shop.a/web")!, /^10\.0\.0\.[2-5]$/);
});

test("a pool may be written generously: no network, broadcast or gateway address is given", () => {
  const given = new Set<string>();
  for (let seed = 0; seed < 40; seed++) {
    const machines = Array.from({ length: 5 }, (_, i) => `  m-${seed}-${i}: {network: lan}`).join("\n");
    const text = `
networks:
  lan: {subnet: 10.0.0.0/29, gateway: 10.0.0.1, pool: 10.0.0.0-10.0.0.7}
machines:
${machines}
`;
    for (const ip of addressesOf(text).values()) given.add(ip);
  }
  assert.deepEqual([...given].sort(), ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"]);
});

test("with pools of both families a machine has an address of each, and a fence one of its machines' family", () => {
  const text = `
networks:
  org:
    subnet: [10.0.0.0/24, "2001:db8::/64"]
    pool: [10.0.0.100-10.0.0.199, "2001:db8::100-2001:db8::ffff"]
machines:
  alone: {network: org}
vapps:
  shop:
    network: {parent: org, fenced: true}
    machines: {web: {address: 10.0.0.11}}
    copies: [a, b, c, d, e, f]
`;
  const addresses = addressesOf(text);
  assert.match(addresses.get("alone")!, /^10\.0\.0\.1\d\d 2001:db8::[\da-f]+$/);
  for (const copy of "abcdef")
    assert.match(addresses.get(`edge shop.${copy}`)!, /^10\.0\.0\.1\d\d 10\.0\.0\.1\d\d$/);
});

test("a router goes out by another's gateway, not by the one that it is itself", () => {
  const { machines } = resolved(`
networks:
  lan: {subnet: 10.0.0.0/24, gateway: 10.0.0.1}
  up: {subnet: 10.1.0.0/24, gateway: 10.1.0.1}
machines:
  router:
    interfaces: {eth0: {network: lan, address: 10.0.0.1}, eth1: {network: up, address: 10.1.0.2}}
    forwarding: true
`);
  assert.deepEqual(
    machines[0]!.gateways.map(({ ip }) => ip),
    ["10.1.0.1"],
  );
});

test("ports of a fence stay what they are when another machine comes to serve the same", () => {
  const ports = (machines: string) => {
    const { edges } = resolved(`
networks:
  org: {subnet: 10.0.0.0/24, pool: 10.0.0.100-10.0.0.199}
vapps:
  shop:
    network: {parent: org, fenced: true}
    machines: {${machines}}
    copies: [a, b]
    nat: port-forwarding
`);
    const [a, b] = edges.map(({ nat }) =>
      nat.flatMap(({ action, ports: [range] }) =>
        action.kind === "dnat" ? [[`${action.to}:${action.toPort}`, range!.first] as const] : [],
      ),
    );
    assert.deepEqual(a, b);
    return new Map<string, number>(a);
  };
  const before = ports("web: {address: 10.0.0.11, listen: 80}, db: {address: 10.0.0.12, listen: 80}");
  const after = ports(
    "web: {address: 10.0.0.11, listen: 80}, app: {address: 10.0.0.13, listen: 80}, db: {address: 10.0.0.12, listen: 80}",
  );
  assert.equal(before.get("10.0.0.11:80"), 80);
  assert.equal(after.get("10.0.0.12:80"), before.get("10.0.0.12:80"));
  assert.equal(new Set(after.values()).size, 3);
});
