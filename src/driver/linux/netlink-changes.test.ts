import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ip, parseIp, parseSubnet } from "../../base/ip.ts";
import { parseMac } from "../../base/mac.ts";
import type { AddressState, LinkState, RouteState } from "../../model/network-state.ts";
import type { Change } from "../../network/plan/plan.ts";
import { addressesOf, linksOf, routesOf, rulesOf } from "./ip-json.ts";
import { requestsOf } from "./netlink-changes.ts";
import { linkList, routeList, ruleList } from "./netlink-lists.ts";

const INDEXES = new Map([
  ["lo", 1],
  ["eth0", 2],
  ["b-org", 3],
]);
const NAMES = new Map([...INDEXES].map(([name, index]) => [index, name]));

/** The messages of a change; they have the form of those by which a kernel tells the same. */
function bodies(change: Change): Uint8Array[] {
  const requests = requestsOf(change, (name) => name === "bond0");
  return requests!.map(({ body }) => body((link) => INDEXES.get(link)!));
}

const ip = (text: string): Ip => parseIp(text)!;
const subnet = (text: string) => parseSubnet(text)!.subnet;

function link(given: Partial<LinkState>): LinkState {
  const none = { mac: null, alias: null, master: null, port: null, isDhcpClient: false } as const;
  return { name: "eth0", kind: { kind: "veth", peer: null }, mtu: 1500, isUp: true, ...none, ...given };
}

test("routes that are written read as what was meant, of both families, in any table, to somewhere or nowhere", () => {
  const plain = {
    via: null,
    link: "eth0",
    table: 254,
    source: null,
    isOnlink: false,
    type: "unicast",
  } as const;
  const routes: RouteState[] = [
    { ...plain, to: subnet("10.0.0.0/8") },
    { ...plain, to: subnet("0.0.0.0/0"), via: ip("192.0.2.1"), isOnlink: true, source: ip("192.0.2.9") },
    { ...plain, to: subnet("10.1.2.3/32"), table: 100_000 },
    { ...plain, to: subnet("::/0"), via: ip("2001:db8::1") },
    { ...plain, to: subnet("fd00::/48"), table: 101 },
    { ...plain, to: subnet("0.0.0.0/0"), link: "lo", type: "local" },
    { ...plain, to: subnet("10.0.0.0/8"), link: "lo", type: "unreachable" },
  ];
  for (const route of routes) {
    const written = bodies({ kind: "add-route", namespace: "n", route });
    assert.deepEqual(routesOf(routeList(written, NAMES)), [route]);
  }
});

test("addresses that are written read as what was meant", () => {
  const addresses: AddressState[] = [
    { link: "eth0", ip: ip("192.0.2.1"), prefix: 24, isBare: false, isDeprecated: false },
    { link: "eth0", ip: ip("192.0.2.1"), prefix: 32, isBare: true, isDeprecated: false },
    { link: "eth0", ip: ip("fd00::5"), prefix: 64, isBare: false, isDeprecated: false },
  ];
  const device = bodies({ kind: "set-link", namespace: "n", link: link({}), before: null })[0]!;
  new DataView(device.buffer).setInt32(4, 2, true);
  for (const address of addresses) {
    const written = bodies({ kind: "add-address", namespace: "n", address });
    assert.deepEqual(addressesOf(linkList([device], written)!), [address]);
  }
});

test("rules and settings of devices that are written read as what was meant", () => {
  const rule = { priority: 90, inLink: "eth0", mark: 16, table: 300 };
  assert.deepEqual(rulesOf(ruleList(bodies({ kind: "add-rule", namespace: "n", rule }))), [rule]);
  const mac = parseMac("02:00:00:00:00:01");
  const wanted = link({ mac, mtu: 9000, alias: "sallyport:x web/eth0" });
  const [written] = bodies({ kind: "set-link", namespace: "n", link: wanted, before: null });
  const [read] = linksOf(linkList([written!], [])!);
  // Of what kind it is, only who makes it says.
  assert.deepEqual(read, { ...wanted, kind: { kind: "physical" } });
});

test("what changes little says little, and what netlink is not asked for is left to programs", () => {
  const before = link({ mtu: 1500, alias: "a" });
  const change = { kind: "set-link", namespace: "n", link: link({ mtu: 1400, alias: "a" }), before } as const;
  // Head, name and MTU.
  assert.equal(bodies(change)[0]!.length, 16 + 12 + 8);
  const isBond = (name: string) => name === "bond0";
  const member = { ...change, link: link({ master: "bond0" }) };
  assert.equal(requestsOf(member, isBond), null);
  const vlans = [{ first: 10, last: 10, isNative: true }];
  assert.equal(requestsOf({ ...change, link: link({ port: { isLearning: true, vlans } }) }, isBond), null);
});
