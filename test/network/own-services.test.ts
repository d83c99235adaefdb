// What edges and members of clusters do with packets that are for themselves: found by random datacentres
// whose kernel did otherwise (seeds 1, 3 and 5 of test/network/live/agreement.test.ts).
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask } from "./ask.ts";

const DHCP = `
networks:
  internet: {external: true, subnet: 203.0.113.0/24, gateway: 203.0.113.1}
  org: {subnet: [10.0.0.0/24, "fd00::/64"], gateway: [10.0.0.1, "fd00::1"], dhcp: {range: 10.0.0.50-10.0.0.79}}
  dmz: {subnet: [10.1.0.0/24, "fd00:1::/64"], gateway: [10.1.0.1, "fd00:1::1"]}
edges:
  edge:
    interfaces: {internet: 203.0.113.10, org: [10.0.0.1, "fd00::1"], dmz: [10.1.0.1, "fd00:1::1"]}
    firewall: {rules: [{allow: udp, from: dmz}]}
machines:
  a: {network: org, address: [10.0.0.11, "fd00::11"]}
  b: {network: dmz, address: [10.1.0.11, "fd00:1::11"]}
`;

function told(text: string, question: string): string {
  const { there } = ask(text, question);
  return `${there.disposition}: ${there.summary}`;
}

test("who gives addresses and names lets questions for them in before any rule of the file", () => {
  const { there } = ask(DHCP, "a to 10.0.0.1 udp 53");
  assert.equal(there.disposition, "delivered");
  const steps = there.hops.flatMap(({ steps }) => steps).filter(({ kind }) => kind === "firewall");
  assert.deepEqual(
    steps.map(({ text, span }) => [text, span?.line]),
    [["edge lets it in: it gives addresses and names to org", 4]],
  );
  assert.match(told(DHCP, "a to fd00::1 udp 53"), /^delivered: reaches the DHCP and DNS server of edge/);
  assert.match(told(DHCP, "a to 10.0.0.1 udp 54"), /^dropped-by-firewall/);
  assert.match(told(DHCP, "a to 10.0.0.1 tcp 53"), /^dropped-by-firewall/);
});

test("names are served at the addresses of their own network, and by IPv6 to it alone", () => {
  assert.match(told(DHCP, "a to 203.0.113.10 udp 53"), /^refused: reaches edge itself/);
  assert.match(told(DHCP, "b to 10.0.0.1 udp 53"), /^delivered/);
  assert.match(told(DHCP, "b to fd00::1 udp 53"), /^refused/);
  assert.match(told(DHCP, "b to 10.1.0.1 udp 53"), /^refused/);
});

test("a member that asks for the shared address asks itself, whoever takes it", () => {
  const farm = (priorities: string) => `
networks:
  lan: {subnet: 10.0.0.0/24}
machines:
  one: {network: lan, address: 10.0.0.21, listen: 80}
  two: {network: lan, address: 10.0.0.22, listen: 80}
clusters:
  farm:
    machines: [one, two]
    address: 10.0.0.30
    mode: multicast
    rules: [{ports: 80, protocol: tcp, filtering: single, priorities: {${priorities}}}]
`;
  const first = "10.0.0.30 is an address of one itself";
  assert.ok(
    told(farm("one: 1, two: 2"), "one to farm tcp 80").startsWith(`delivered: ${first}, and one takes it`),
  );
  assert.ok(
    told(farm("one: 2, two: 1"), "one to farm tcp 80").startsWith(
      `dropped-by-cluster: ${first}, which leaves it`,
    ),
  );
});

test("a member in unicast mode asks for its neighbours without telling the switch where the shared MAC is", () => {
  const trace = ask(
    `
networks:
  lan: {subnet: [10.0.0.0/24, "fd00::/64"]}
machines:
  one: {network: lan, address: [10.0.0.21, "fd00::21"]}
  two: {network: lan, address: [10.0.0.22, "fd00::22"]}
  other: {network: lan, address: [10.0.0.11, "fd00::11"]}
clusters:
  farm: {machines: [one, two], address: 10.0.0.30, mode: unicast}
`,
    "one to other",
  );
  const steps = [...trace.before, trace.there].flatMap(({ hops }) => hops.flatMap((hop) => hop.steps));
  const learned = steps.filter(({ kind }) => kind === "learn").map(({ facts }) => facts["mac"]);
  assert.ok(!learned.includes("02:bf:0a:00:00:1e"), `${learned}`);
  // So what comes back to it goes to everybody.
  const reached = trace.back?.hops.filter(({ ingress, node }) => ingress !== null && node.kind === "machine");
  assert.deepEqual(
    reached?.map(({ node }) => node.name),
    ["one", "two"],
  );
});
