import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeState } from "../../model/dashboard-datacenter.ts";
import type { ResolvedDatacenter } from "../../model/resolved-datacenter.ts";
import { cardTraffic, portTraffic, withHost, withPorts, withServices } from "./topology-ports.ts";

const port = (name: string, network: string) => ({ name, network });
const RESOLVED = {
  machines: [
    { name: "web-001", interfaces: [port("eth0", "org")] },
    { name: "shop.test-a/web", interfaces: [port("eth0", "shop.test-a")] },
  ],
  edges: [
    {
      name: "org-edge",
      kind: "edge",
      interfaces: [port("org", "org"), port("internet", "internet")],
      nat: [{}],
    },
    {
      name: "shop.test-a",
      kind: "fence",
      interfaces: [port("in", "shop.test-a"), port("out", "org")],
      nat: [],
    },
  ],
  networks: [
    { name: "internet", isExternal: true, dhcp: null },
    { name: "org", isExternal: false, dhcp: { server: "org-edge" } },
    { name: "mgmt", isExternal: false, dhcp: null },
  ],
} as unknown as ResolvedDatacenter;

const count = (bytes: number, dropped = 0) => ({ packets: 1, bytes, dropped });

test("what the kernel has counted at a port is its owner's, beside what the load balancer knows of it", () => {
  const known: NodeState = {
    state: "degraded",
    text: "app/web-001 is DRAIN",
    servers: ["app/web-001"],
    counters: [],
  };
  const nodes = withPorts({ "machine/web-001": known }, RESOLVED, [
    { link: "p1", owner: "web-001/eth0", sent: count(100), received: count(200, 3) },
    { link: "p2", owner: "shop.test-a/web/eth0", sent: count(1), received: count(2) },
    { link: "p3", owner: "org-edge/org", sent: count(5), received: count(6) },
    { link: "p4", owner: "org-edge/internet", sent: count(7), received: count(8) },
    { link: "p5", owner: "somebody/else", sent: count(9), received: count(9) },
  ]);
  assert.deepEqual(Object.keys(nodes).sort(), [
    "edge/org-edge",
    "machine/shop.test-a/web",
    "machine/web-001",
  ]);
  assert.equal(nodes["machine/web-001"]!.state, "degraded");
  assert.deepEqual(
    nodes["machine/web-001"]!.counters.map(({ label, value }) => `${label} ${value}`),
    ["eth0 sent 100", "eth0 received 200", "eth0 dropped 3"],
  );
  assert.equal(nodes["edge/org-edge"]!.counters.length, 6);
  assert.equal(nodes["machine/shop.test-a/web"]!.text, "is made on this machine");
});

test("what passed a port is the traffic of its owner's link, and a stranger's port is nobody's", () => {
  const ports = [
    { link: "p1", owner: "shop.test-a/web/eth0", sent: count(1), received: count(2) },
    { link: "p2", owner: "shop.test-a/out", sent: count(3), received: count(4) },
    { link: "p3", owner: "org-edge/internet", sent: count(5), received: count(6) },
    { link: "p4", owner: "internet/outside", sent: count(7), received: count(8) },
    { link: "p5", owner: "somebody/eth0", sent: count(9), received: count(9) },
  ];
  assert.deepEqual(
    portTraffic(RESOLVED, ports).map(({ link, countedBy, sent }) => `${link}: ${countedBy} ${sent.bytes}`),
    [
      "interface machine shop.test-a/web eth0: kernel 1",
      "interface fence shop.test-a out: kernel 3",
      "interface edge org-edge internet: kernel 5",
      "port-group internet: kernel 7",
    ],
  );
});

test("counts of services are those of the edge that has them", () => {
  const nodes = withServices({}, RESOLVED, [
    { owner: "org-edge", kind: "connections", value: 12 },
    { owner: "shop.test-a", kind: "connections", value: 3 },
    { owner: "org", kind: "leases", value: 2 },
    { owner: "mgmt", kind: "leases", value: 9 },
    { owner: "somebody", kind: "sessions", value: 9 },
    { owner: "org-edge", kind: "requests", value: 40 },
  ]);
  const words = (id: string) =>
    nodes[id]!.counters.map(({ service, value, unit }) => `${service}: ${value} ${unit}`);
  assert.deepEqual(Object.keys(nodes), ["edge/org-edge", "fence/shop.test-a"]);
  assert.deepEqual(words("edge/org-edge"), [
    "firewall: 12 connections",
    "NAT: 12 connections",
    "DHCP: 2 leases",
    "load balancer: 40 per second",
  ]);
  assert.deepEqual(words("fence/shop.test-a"), ["firewall: 3 connections"]);
});

test("a card's traffic is that of its cable, and of the switch whose uplink it is, on the host that is here", () => {
  const value = (text: string) => ({ value: text });
  const uplink = (host: string) => ({ host: value(host), link: value("bond0") });
  const source = {
    switches: [{ name: "dvs0", uplinks: [uplink("me"), uplink("other")] }],
    fabric: [
      {
        name: "tor",
        ports: [
          { name: "1", to: value("me/eth0") },
          { name: "2", to: value("other/eth0") },
          { name: "3", to: null },
        ],
      },
    ],
  };
  const cards = ["bond0", "eth0", "eth1"].map((link) => ({ link, sent: count(1), received: count(2) }));
  const linksOf = (host: string | null) =>
    cardTraffic({ source } as unknown as ResolvedDatacenter, { host, cards }).map(
      ({ link, sent }) => `${link}: ${sent.bytes}`,
    );
  assert.deepEqual(linksOf("me"), ["uplink dvs0 me: 1", "cable fabric:tor 1: 1"]);
  assert.deepEqual(linksOf("other"), ["uplink dvs0 other: 1", "cable fabric:tor 2: 1"]);
  assert.deepEqual(linksOf(null), []);
  const { state, text, counters } = withHost({}, { host: "other", cards })["host/other"]!;
  assert.deepEqual([state, text, counters.length], ["up", "is this machine", 6]);
  assert.deepEqual(withHost({}, { host: null, cards: [] }), {});
});
