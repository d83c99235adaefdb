// What is derived from a datacentre file: addresses, fences, publications, and what cannot be derived.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readDatacenter } from "../../src/language/datacenter/reader.ts";
import type { LoadBalancerBind } from "../../src/network/resolve/resolution.ts";
import { resolveDatacenter } from "../../src/network/resolve/resolve.ts";
import { resolved } from "./ask.ts";

function faultsOf(lines: string, loadBalancerBinds: readonly LoadBalancerBind[] = []): string[] {
  const environment = { variables: {}, readFile: () => null, listFiles: () => [] };
  const reading = readDatacenter([{ name: "test.yaml", text: `datacenter: test${lines}` }], environment);
  assert.deepEqual(reading.diagnostics, []);
  const { diagnostics } = resolveDatacenter(reading.datacenter!, { loadBalancerBinds });
  return diagnostics.map(
    ({ code, span, message, help }) => `${span.line} ${code}: ${message}${help === null ? "" : ` | ${help}`}`,
  );
}

const SHOP = `
networks:
  internet: {external: true, subnet: 203.0.113.0/24, gateway: 203.0.113.1}
  org: {subnet: 192.168.10.0/24, gateway: 192.168.10.1, pool: 192.168.10.100-192.168.10.199}
edges:
  org-edge: {interfaces: {internet: [203.0.113.10, 203.0.113.11], org: 192.168.10.1}}
vapps:
  shop:
    network: {parent: org, fenced: true}
    machines:
      web: {address: 192.168.10.11, mac: "00:50:56:00:00:11", listen: 80}
      db: {address: 192.168.10.12}
    copies: [test-a, test-b]
`;

test("copies are the same inside and different outside", () => {
  const { machines, edges, networks } = resolved(SHOP);
  const web = ["shop.test-a/web", "shop.test-b/web"].map(
    (name) => machines.find((one) => one.name === name)!.interfaces[0]!,
  );
  assert.deepEqual(
    web[0]!.addresses.map(({ ip }) => ip),
    web[1]!.addresses.map(({ ip }) => ip),
  );
  assert.equal(web[0]!.mac, web[1]!.mac);
  const db = ["shop.test-a/db", "shop.test-b/db"].map(
    (name) => machines.find((one) => one.name === name)!.interfaces[0]!,
  );
  assert.equal(db[0]!.mac, db[1]!.mac);
  const fences = edges.filter(({ kind }) => kind === "fence");
  const outside = fences.flatMap(({ fence }) => [
    fence!.address,
    ...fence!.pairs.map((pair) => pair.outside),
  ]);
  assert.equal(new Set(outside).size, 6);
  assert.equal(new Set(fences.map(({ interfaces }) => interfaces[1]!.mac)).size, 2);
  assert.deepEqual(
    networks.map(({ name }) => name),
    ["internet", "org", "shop.test-a", "shop.test-b"],
  );
});

test("a third copy moves nobody", () => {
  const before = resolved(SHOP).edges;
  const after = resolved(SHOP.replace("[test-a, test-b]", "[test-a, test-b, test-c]")).edges;
  for (const edge of before) {
    const same = after.find(({ name }) => name === edge.name)!;
    assert.deepEqual(
      same.fence?.pairs.map(({ outside }) => outside),
      edge.fence?.pairs.map(({ outside }) => outside),
    );
  }
});

test("port-forwarding takes one address and gives each service a port", () => {
  const text = SHOP.replace("copies:", "nat: port-forwarding\n    copies:").replace(
    "db: {address: 192.168.10.12}",
    "db: {address: 192.168.10.12, listen: [80, 5432]}",
  );
  const { edges } = resolved(text);
  const { nat, fence } = edges.find(({ name }) => name === "shop.test-a")!;
  const forwards = nat.flatMap(({ stage, ports, action }) =>
    stage === "prerouting" && action.kind === "dnat"
      ? [`${ports[0]!.first} ${action.to}:${action.toPort}`]
      : [],
  );
  assert.deepEqual(forwards, ["80 192.168.10.11:80", "12316 192.168.10.12:80", "5432 192.168.10.12:5432"]);
  assert.ok(fence!.pairs.every(({ outside }) => outside === fence!.address));
});

test("a publication is a translation and an opening at each edge, before what is written", () => {
  const { edges, publications } = resolved(
    `${SHOP}publish:\n  - {machine: shop.test-a/web, port: 80, at: "203.0.113.10:8001"}\n`,
  );
  const [{ steps }] = publications as [(typeof publications)[number]];
  const outside = edges.find(({ name }) => name === "shop.test-a")!.fence!.pairs[0]!.outside;
  assert.deepEqual(steps, [
    { edge: "org-edge", from: { ip: "203.0.113.10", port: 8001 }, to: { ip: outside, port: 80 } },
    { edge: "shop.test-a", from: { ip: outside, port: 80 }, to: { ip: "192.168.10.11", port: 80 } },
  ]);
  const [first] = edges.find(({ name }) => name === "org-edge")!.firewall.rules;
  assert.equal(first?.origin.kind, "publication");
  assert.deepEqual(first?.to, [{ first: "203.0.113.10", last: "203.0.113.10" }]);
});

test("a publication without a place gets the machine's own port, or one that is free", () => {
  const { publications } = resolved(
    `${SHOP}publish:\n  - {machine: shop.test-a/web, port: 80}\n  - {machine: shop.test-b/web, port: 80}\n`,
  );
  const places = publications.map(({ at }) => `${at.ip}:${at.port}`);
  assert.equal(places[0], "203.0.113.10:80");
  assert.match(places[1]!, /^203\.0\.113\.10:2\d{4}$/);
});

test("a place that is taken is an error that says by whom", () => {
  const publish = `${SHOP}publish:\n  - {machine: shop.test-a/web, port: 80, at: "203.0.113.10:8001"}\n`;
  assert.match(
    faultsOf(`${publish}  - {machine: shop.test-b/web, port: 80, at: "203.0.113.10:8001"}\n`).join(),
    /^16 port-taken: tcp port 8001 of 203\.0\.113\.10 is taken: shop\.test-a\/web is published there/,
  );
  const span = { file: "a.cfg", line: 3, column: 1, endColumn: 2 };
  assert.match(
    faultsOf(publish, [{ edge: "org-edge", ip: null, port: 8001, span }]).join(),
    /the load balancer of org-edge listens there/,
  );
  assert.match(
    faultsOf(`${publish}consoles:\n  proxy: {address: "203.0.113.10:8001"}\n`).join(),
    /the console proxy is there/,
  );
});

test("names that nothing has are told with the nearest", () => {
  const faults = faultsOf(`
networks:
  lan: {subnet: 10.0.0.0/24}
edges:
  edge:
    interfaces: {lann: 10.0.0.1}
    firewall: {rules: [{allow: tcp, from: web-1, to: nobody, ports: 80}]}
machines:
  web-01: {network: lam, address: 10.0.0.11}
clusters:
  farm: {machines: [web-02, web-01], address: 10.0.0.50}
publish:
  - {machine: web-3, port: 80, at: 203.0.113.10}
`);
  for (const expected of [
    "6 unknown-network: there is no network `lann` | Did you mean `lan`?",
    "7 unknown-name: there is no name `web-1` | Did you mean `web-01`?",
    "9 unknown-network: there is no network `lam` | Did you mean `lan`?",
    "11 unknown-machine: there is no machine `web-02` | Did you mean `web-01`?",
    "13 unknown-machine: there is no machine `web-3` | There are web-01.",
  ])
    assert.ok(faults.includes(expected), `${expected}\n${faults.join("\n")}`);
});

test("a pool that is missing or too small says how to mend it", () => {
  assert.match(
    faultsOf(SHOP.replace(", pool: 192.168.10.100-192.168.10.199", "")).join("\n"),
    /no-pool: org has no pool.*pin the address/,
  );
  assert.match(
    faultsOf(SHOP.replace("192.168.10.199", "192.168.10.102")).join("\n"),
    /pool-exhausted: no address is left.*It holds 3/,
  );
});

test("a cluster's MACs come from its address and mode", () => {
  const text = `
networks:
  farm: {subnet: 10.1.0.0/24}
machines:
  a: {network: farm, address: 10.1.0.11}
  b: {network: farm, address: 10.1.0.12}
clusters:
  web: {machines: [a, b], address: 10.1.0.100, mode: unicast}
`;
  const [cluster] = resolved(text).clusters;
  assert.equal(cluster?.mac, "02:bf:0a:01:00:64");
  assert.deepEqual(
    cluster?.members.map(({ maskMac }) => maskMac),
    ["02:01:0a:01:00:64", "02:02:0a:01:00:64"],
  );
  assert.equal(resolved(text.replace("unicast", "multicast")).clusters[0]?.mac, "03:bf:0a:01:00:64");
  assert.equal(resolved(text.replace("unicast", "igmp")).clusters[0]?.mac, "01:00:5e:7f:00:64");
  const six = text.replaceAll("10.1.0.0/24", "'fd00::/64'").replaceAll(/10\.1\.0\.(\d+)/g, "'fd00::a:$1'");
  assert.equal(resolved(six).clusters[0]?.mac, "02:bf:00:0a:01:00");
  assert.equal(resolved(six.replace("unicast", "multicast")).clusters[0]?.mac, "03:bf:00:0a:01:00");
  assert.equal(resolved(six.replace("unicast", "igmp")).clusters[0]?.mac, "33:33:00:0a:01:00");
});

test("DHCP is answered by the edge with the gateway, and by one made for it where there is none", () => {
  const text = `
networks:
  lan: {subnet: 10.0.0.0/24, gateway: 10.0.0.1, dhcp: {range: 10.0.0.50-10.0.0.60}}
  lab: {subnet: 10.1.0.0/24, dhcp: {range: 10.1.0.50-10.1.0.60, lease: 1h}}
edges:
  edge: {interfaces: {lan: 10.0.0.1}}
machines:
  a: {network: lan, address: dhcp}
  b: {network: lab, address: 10.1.0.7}
`;
  const { networks, edges } = resolved(text);
  const [lan, lab] = networks.map(({ dhcp }) => dhcp!);
  assert.equal(lan!.server, "edge");
  assert.equal(lan!.leaseMs, 43_200_000);
  assert.match(lan!.reservations[0]!.ip, /^10\.0\.0\.(5\d|60)$/);
  assert.equal(lab!.server, "dhcp-lab");
  assert.ok(edges.some(({ name }) => name === "dhcp-lab"));
  assert.deepEqual(
    lab!.reservations.map(({ machine }) => machine),
    ["b"],
  );
});

test("what is wrong with a machine of a vApp is told once, and not for each copy", () => {
  const faults = faultsOf(`
hosts: {a: {}, b: {}}
networks:
  org: {subnet: 10.0.0.0/24, pool: 10.0.0.100-10.0.0.199}
vapps:
  shop:
    network: {parent: org, fenced: true}
    machines: {web: {address: 10.0.0.11}}
    firewall: {rules: [{allow: tcp, from: nobody}]}
    copies: [x, y, z]
`);
  assert.deepEqual(
    faults.map((fault) => fault.split(" ").slice(0, 2).join(" ")),
    ["8 which-host:", "9 unknown-name:"],
  );
});
