// What `explain` says of NAT, firewalls, fences and routes, held against a real kernel: the same datacentre
// in network namespaces, the same questions as real packets. Compared is where they arrive, from whom and to
// whom as the receiver sees it, and whether the asker gets an answer.
import assert from "node:assert/strict";
import process from "node:process";
import { describe, test } from "node:test";
import type { Ip } from "../../src/base/ip.ts";
import type { Trace, TraceQuestion } from "../../src/model/trace.ts";
import { decodePacket, portsOf } from "../../src/network/device/packet.ts";
import { compileNetwork, explain } from "../../src/network/explain/explain.ts";
import { readPacketWords } from "../../src/server/explain/packet-words.ts";
import { decodeEthernet, ETHER_TYPES } from "../../src/wire/ethernet.ts";
import { requires } from "../requirements.ts";
import { resolved } from "./ask.ts";
import { type Arrival, askKernel, type KernelAnswer } from "./kernel-network.ts";

const skip = process.getuid?.() === 0 ? requires("ip", "bridge", "nft", "unshare", "bash") : "needs root";
const FIRST_PORT = 41_000;
const ARRIVED = ["delivered", "refused", "answered-by-router", "load-balanced", "source-unreachable"];

interface Scenario {
  readonly name: string;
  readonly text: string;
  /** In the words of `explain`. */
  readonly questions: readonly string[];
}

const scenarios: Scenario[] = [];

/** Asks both, and compares. */
async function compare(text: string, questions: readonly string[]): Promise<void> {
  const datacenter = resolved(text);
  const network = compileNetwork(datacenter);
  const asked = questions.map((words, index): TraceQuestion => {
    const read = readPacketWords(words.split(" "));
    assert.equal(read.kind, "packet", words);
    return { ...(read as { question: TraceQuestion }).question, sourcePort: FIRST_PORT + index };
  });
  const traces = asked.map((question) => explain(network, question, { back: true }));
  const explained = traces.map((trace) => explainedAnswer(trace as Trace));
  const real = await askKernel(
    datacenter,
    asked.map(({ from, protocol, port, sourcePort }, index) => ({
      from: from.text,
      to: targetOf(traces[index] as Trace),
      protocol,
      port: port ?? 0,
      sourcePort: sourcePort!,
    })),
  );
  const rows = (answers: readonly KernelAnswer[]) =>
    answers.map(({ arrivals, isAnswered }, index) => ({
      question: questions[index],
      arrivals: arrivals.map((one) => arrivalWords(one)),
      isAnswered: asked[index]!.protocol === "udp" ? null : isAnswered,
    }));
  assert.deepEqual(rows(explained), rows(real));
}

function explainedAnswer({ there, back }: Trace): KernelAnswer {
  const hop = there.hops[there.end];
  const arrivals: Arrival[] = [];
  if (hop !== undefined && ARRIVED.includes(there.disposition)) {
    const frame = hop.captures.findLast(({ direction }) => direction === "in")?.frame;
    if (frame !== undefined) arrivals.push({ at: hop.node.name, ...packetWords(frame) });
  }
  return { arrivals, isAnswered: back?.disposition === "delivered" };
}

function packetWords(frame: Uint8Array): Omit<Arrival, "at"> {
  const ethernet = decodeEthernet(frame);
  assert.ok(ethernet.ok);
  const { etherType, payloadOffset } = ethernet.value;
  const packet = decodePacket(frame, payloadOffset, etherType === ETHER_TYPES.ipv4 ? 4 : 6);
  assert.ok(packet.ok);
  const { source, destination, body } = packet.value;
  const ports = body.kind === "icmp" ? { source: 0, destination: 0 } : portsOf(packet.value);
  return { source, sourcePort: ports.source, destination, destinationPort: ports.destination };
}

/** The address that the first packet was sent to. */
function targetOf({ there, question }: Trace): Ip {
  const frame = there.hops[0]?.captures[0]?.frame;
  if (frame === undefined) {
    assert.equal(typeof question.to, "string", "a question that never leaves names an address");
    return question.to as Ip;
  }
  return packetWords(frame).destination;
}

function arrivalWords({ at, source, sourcePort, destination, destinationPort }: Arrival): string {
  return `${at}: ${source} ${sourcePort} > ${destination} ${destinationPort}`;
}

function scenario(name: string, text: string, questions: readonly string[]): void {
  scenarios.push({ name, text, questions });
}

const office = (edge: string) => `
networks:
  internet: {external: true, subnet: 203.0.113.0/24, gateway: 203.0.113.1}
  org: {subnet: 10.0.0.0/24, gateway: 10.0.0.1}
  dmz: {subnet: 10.1.0.0/24, gateway: 10.1.0.1}
machines:
  a: {network: org, address: 10.0.0.11}
  b: {network: org, address: 10.0.0.12}
  web: {network: dmz, address: 10.1.0.11}
edges:
  edge:
    interfaces: {internet: [203.0.113.10, 203.0.113.11], org: 10.0.0.1, dmz: 10.1.0.1}
    routes: [{to: 0.0.0.0/0, via: 203.0.113.1}]
${edge}
`;

scenario(
  "routing without NAT: everybody reaches everybody, and nobody beyond",
  office("    firewall: {default: allow}"),
  [
    "a to b tcp 80",
    "a to web udp 53",
    "web to a",
    "internet to 203.0.113.10",
    "a to 10.1.0.1",
    "a to 10.0.0.99",
  ],
);

scenario(
  "masquerade takes the address of the way out",
  office("    firewall: {default: allow}\n    nat: [{masquerade: org, out: internet}]"),
  ["a to internet tcp 443", "b to internet udp 53", "a to internet", "a to web tcp 80"],
);

scenario(
  "snat to the second address",
  office("    firewall: {default: allow}\n    nat: [{snat: org, to: 203.0.113.11}]"),
  ["a to internet tcp 443", "a to internet", "web to a tcp 80", "a to web"],
);

scenario(
  "dnat of one port, of a range that shifts, of a range that stays, and of all",
  office(`    firewall: {default: allow}
    nat:
      - {dnat: 203.0.113.10, protocol: tcp, port: 8001, to: web, to-port: 80}
      - {dnat: 203.0.113.10, protocol: tcp, port: 9000-9009, to: web, to-port: 100}
      - {dnat: 203.0.113.10, protocol: udp, port: 5000-5009, to: web}
      - {dnat: 203.0.113.11, to: a}`),
  [
    "internet to 203.0.113.10 tcp 8001",
    "internet to 203.0.113.10 tcp 9000",
    "internet to 203.0.113.10 tcp 9007",
    "internet to 203.0.113.10 tcp 9010",
    "internet to 203.0.113.10 udp 5004",
    "internet to 203.0.113.10 udp 8001",
    "internet to 203.0.113.11 udp 99",
    "internet to 203.0.113.11",
    "internet to 203.0.113.10",
  ],
);

scenario(
  "dnat of icmp alone",
  office(`    firewall: {default: allow}
    nat: [{dnat: 203.0.113.10, protocol: icmp, to: web}]`),
  ["internet to 203.0.113.10", "internet to 203.0.113.10 tcp 80", "a to 203.0.113.10"],
);

for (const hairpin of [false, true])
  scenario(
    `inside clients use the outside address, ${hairpin ? "with" : "without"} hairpin`,
    office(`    firewall: {default: allow}
    nat:
      - {dnat: 203.0.113.10, protocol: tcp, port: 8000-8009, to: b, to-port: 80, hairpin: ${hairpin}}
      - {masquerade: any, out: internet}`),
    [
      "a to 203.0.113.10 tcp 8003",
      "web to 203.0.113.10 tcp 8003",
      "internet to 203.0.113.10 tcp 8003",
      "b to 203.0.113.10 tcp 8003",
      "a to 203.0.113.10 tcp 9000",
    ],
  );

scenario(
  "one-to-one both ways, before what is said of the whole network",
  office(`    firewall: {default: allow}
    nat:
      - {masquerade: org, out: internet}
      - {one-to-one: 203.0.113.11, to: b}`),
  [
    "internet to 203.0.113.11 tcp 22",
    "internet to 203.0.113.11",
    "b to internet tcp 80",
    "b to internet",
    "a to internet tcp 80",
    "a to 203.0.113.11 tcp 80",
    "web to 203.0.113.11 udp 80",
    "b to web tcp 80",
    "b to 203.0.113.11 tcp 80",
  ],
);

scenario(
  "one-to-one with hairpin",
  office(`    firewall: {default: allow}
    nat: [{one-to-one: 203.0.113.11, to: b, hairpin: true}]`),
  ["a to 203.0.113.11 tcp 80", "a to 203.0.113.11", "b to 203.0.113.11 tcp 80", "web to 203.0.113.11 tcp 80"],
);

for (const match of ["original", "translated"])
  scenario(
    `a firewall that compares the ${match} address, with a denial before`,
    office(`    firewall:
      match: ${match}
      rules:
        - {deny: tcp, from: 198.51.100.0/24, to: 203.0.113.10, ports: 8002}
        - {deny: tcp, to: web, ports: 83}
        - {allow: tcp, to: 203.0.113.10, ports: 8000-8009}
        - {allow: tcp, to: web, ports: 80-89}
        - {allow: any, from: org, to: internet}
        - {allow: icmp}
    nat:
      - {dnat: 203.0.113.10, protocol: tcp, port: 8000-8009, to: web, to-port: 81}
      - {dnat: 203.0.113.11, to: web}
      - {masquerade: org, out: internet}`),
    [
      "internet to 203.0.113.10 tcp 8000",
      "internet to 203.0.113.10 tcp 8002",
      "internet to 203.0.113.10 tcp 8009",
      "internet to 203.0.113.11 tcp 83",
      "internet to 203.0.113.11 tcp 80",
      "internet to 203.0.113.11",
      "a to web tcp 83",
      "a to web tcp 84",
      "a to web udp 84",
      "a to internet tcp 1",
      "web to internet tcp 1",
      "internet to 203.0.113.10",
      "a to 10.0.0.1 tcp 80",
    ],
  );

scenario(
  "a rule for icmp, one for a port of any protocol, and one for who comes from a network",
  office(`    firewall:
      match: translated
      rules:
        - {allow: udp, from: internet, ports: 53}
        - {allow: any, from: a, ports: 7}
        - {deny: any, from: a}
        - {allow: any, from: org}
    nat: [{dnat: 203.0.113.10, to: web}]`),
  [
    "internet to 203.0.113.10 udp 53",
    "internet to 203.0.113.10 tcp 53",
    "a to web tcp 7",
    "a to web udp 7",
    "a to web",
    "b to web",
    "b to 10.0.0.1",
    "a to 10.0.0.1",
  ],
);

const twoEdges = (inner: string, outer: string) => `
networks:
  internet: {external: true, subnet: 203.0.113.0/24, gateway: 203.0.113.1}
  transit: {subnet: 172.16.0.0/24}
  org: {subnet: 10.0.0.0/24, gateway: 10.0.0.1}
machines:
  a: {network: org, address: 10.0.0.11}
edges:
  outer:
    interfaces: {internet: 203.0.113.10, transit: 172.16.0.1}
    routes: [{to: 0.0.0.0/0, via: 203.0.113.1}]
    firewall: {default: allow}
    nat: [${outer}]
  inner:
    interfaces: {transit: 172.16.0.2, org: 10.0.0.1}
    routes: [{to: 0.0.0.0/0, via: 172.16.0.1}]
    firewall: {default: allow}
    nat: [${inner}]
`;

scenario(
  "two edges, each with both translations",
  twoEdges(
    "{dnat: 172.16.0.2, protocol: tcp, port: 8080, to: a, to-port: 80}, {masquerade: org, out: transit}",
    "{dnat: 203.0.113.10, protocol: tcp, port: 80, to: 172.16.0.2, to-port: 8080}, {masquerade: transit, out: internet}",
  ),
  [
    "internet to 203.0.113.10 tcp 80",
    "internet to 203.0.113.10 tcp 81",
    "a to internet tcp 80",
    "a to internet",
  ],
);

scenario(
  "two edges, and the second translation is missing",
  twoEdges(
    "{masquerade: org, out: transit}",
    "{dnat: 203.0.113.10, protocol: tcp, port: 80, to: 172.16.0.2, to-port: 8080}",
  ),
  ["internet to 203.0.113.10 tcp 80"],
);

const fenced = (more: string, firewall = "{rules: [{allow: icmp}, {allow: tcp, to: web, ports: 80}]}") => `
networks:
  org: {subnet: 10.0.0.0/24, gateway: 10.0.0.1, pool: 10.0.0.100-10.0.0.199}
  dmz: {subnet: 10.1.0.0/24, gateway: 10.1.0.1}
machines:
  web-original: {network: org, address: 10.0.0.41}
  a: {network: org, address: 10.0.0.11}
  far: {network: dmz, address: 10.1.0.11}
edges:
  edge:
    interfaces: {org: 10.0.0.1, dmz: 10.1.0.1}
    firewall: {default: allow}
vapps:
  shop:
    network: {parent: org, fenced: true}
    firewall: ${firewall}
    copies: [one, two]
${more}
    machines:
      web: {address: 10.0.0.41, listen: [80]}
      db: {address: 10.0.0.42, listen: [5432]}
`;

scenario("fenced copies with an address outside for each machine", fenced(""), [
  "shop.one/web to shop.one/db",
  "shop.one/web to 10.0.0.42 tcp 5432",
  "shop.one/web to a tcp 80",
  "shop.one/db to web-original",
  "shop.one/web to far tcp 80",
  "a to shop.one/web tcp 80",
  "a to shop.one/db tcp 5432",
  "a to shop.two/web",
  "web-original to shop.one/web tcp 80",
  "web-original to shop.one/web",
  "shop.one/web to shop.two/web tcp 80",
  "shop.one/web to shop.two/db tcp 5432",
  "far to shop.one/web tcp 80",
  "shop.one/web to 10.0.0.1",
]);

scenario("fenced copies by ports of one address", fenced("    nat: port-forwarding"), [
  "a to shop.one/web tcp 80",
  "a to shop.one/web tcp 5432",
  "a to shop.one/web",
  "web-original to shop.two/web tcp 80",
  "shop.one/web to a tcp 80",
  "shop.one/db to far",
  "shop.one/web to shop.two/web tcp 80",
]);

scenario("a fence that lets everything in", fenced("", "{default: allow}"), [
  "a to shop.one/db tcp 5432",
  "web-original to shop.one/db tcp 5432",
  "web-original to shop.one/web tcp 80",
  "far to shop.one/web udp 99",
  "shop.two/web to shop.one/web tcp 80",
]);

scenario("a fence that forbids what goes out", fenced("", "{rules: [{deny: any, to: 10.1.0.0/24}]}"), [
  "shop.one/web to far tcp 80",
  "shop.one/web to a tcp 80",
  "a to shop.one/web tcp 80",
]);

const six = (edge: string) => `
networks:
  internet: {external: true, subnet: ["2001:db8:0:1::/64", 203.0.113.0/24], gateway: ["2001:db8:0:1::1", 203.0.113.1]}
  org: {subnet: ["fd00:1::/64", 10.0.0.0/24], gateway: ["fd00:1::1", 10.0.0.1]}
machines:
  a: {network: org, address: ["fd00:1::11", 10.0.0.11]}
  b: {network: org, address: "fd00:1::12"}
edges:
  edge:
    interfaces: {internet: ["2001:db8:0:1::10", 203.0.113.10], org: ["fd00:1::1", 10.0.0.1]}
    routes: [{to: "::/0", via: "2001:db8:0:1::1"}, {to: 0.0.0.0/0, via: 203.0.113.1}]
${edge}
`;

scenario(
  "IPv6: neighbours, a router, a firewall",
  six(
    '    firewall: {rules: [{allow: tcp, from: org}, {allow: icmp, from: internet, to: "2001:db8:0:1::10"}]}',
  ),
  [
    "a to b tcp 80",
    "b to a",
    "a to 2001:db8:ffff::1 tcp 80",
    "a to 2001:db8:ffff::1 udp 80",
    "internet to 2001:db8:0:1::10",
    "internet to 2001:db8:0:1::10 tcp 80",
    "a to fd00:1::99",
    "b to fd00:1::1",
  ],
);

scenario(
  "IPv6: dnat with a port, one-to-one and masquerade beside IPv4",
  six(`    firewall: {default: allow}
    nat:
      - {dnat: "2001:db8:0:1::10", protocol: tcp, port: 8000-8003, to: "fd00:1::12", to-port: 80}
      - {dnat: 203.0.113.10, protocol: tcp, port: 8000, to: 10.0.0.11, to-port: 80}
      - {masquerade: org, out: internet}`),
  [
    "internet to 2001:db8:0:1::10 tcp 8002",
    "internet to 203.0.113.10 tcp 8000",
    "a to 2001:db8:ffff::1 tcp 80",
    "a to 8.8.8.8 tcp 80",
    "b to 2001:db8:ffff::1",
  ],
);

scenario(
  "the first of two translations counts, and the edge itself is translated too",
  office(`    firewall: {default: allow}
    nat:
      - {dnat: 203.0.113.10, protocol: tcp, port: 80, to: a}
      - {dnat: 203.0.113.10, protocol: tcp, port: 80-90, to: b, to-port: 1000}
      - {one-to-one: 203.0.113.11, to: web}
      - {snat: any, to: 203.0.113.10}`),
  [
    "internet to 203.0.113.10 tcp 80",
    "internet to 203.0.113.10 tcp 81",
    "internet to 203.0.113.11 tcp 23",
    "web to internet tcp 1",
    "a to internet tcp 1",
    "edge to internet tcp 1",
    "edge to a tcp 1",
  ],
);

scenario(
  "an answer by another router: neither tcp nor echoes pass one that has not seen the question",
  `
networks:
  left: {subnet: 10.1.0.0/24, gateway: 10.1.0.1}
  right: {subnet: 10.2.0.0/24, gateway: 10.2.0.2}
machines:
  a: {network: left, address: 10.1.0.11}
  b: {network: right, address: 10.2.0.11}
edges:
  one:
    interfaces: {left: 10.1.0.1, right: 10.2.0.1}
    firewall: {default: allow}
  two:
    interfaces: {left: 10.1.0.2, right: 10.2.0.2}
    firewall: {default: allow}
`,
  ["a to b tcp 80", "a to b udp 80", "a to b", "b to a", "b to a tcp 1"],
);

scenario(
  "machines that route, and the more special of two routes",
  `
networks:
  left: {subnet: 10.1.0.0/24, gateway: 10.1.0.1}
  middle: {subnet: 10.2.0.0/24}
  right: {subnet: 10.3.0.0/24, gateway: 10.3.0.1}
machines:
  a: {network: left, address: 10.1.0.11, routes: [{to: 10.3.0.64/26, via: 10.1.0.2}]}
  c: {network: right, address: 10.3.0.11}
  d: {network: right, address: 10.3.0.77}
  router:
    forwarding: true
    interfaces: {eth0: {network: left, address: 10.1.0.1}, eth1: {network: right, address: 10.3.0.1}}
  detour:
    forwarding: true
    interfaces: {eth0: {network: left, address: 10.1.0.2}, eth1: {network: middle, address: 10.2.0.1}}
  two-legs:
    interfaces: {eth0: {network: left, address: 10.1.0.20}, eth1: {network: right, address: 10.3.0.20}}
`,
  [
    "a to c tcp 80",
    "a to d tcp 80",
    "d to a tcp 80",
    "two-legs to d tcp 80",
    "c to 10.1.0.20 tcp 80",
    "a to 10.3.0.20",
    "a to 10.3.0.99",
    "a to 10.2.0.1",
  ],
);

scenario(
  "nobody gets into a fence by a route to it",
  fenced("", "{default: allow}")
    .replace("address: 10.1.0.11}", "address: 10.1.0.11, routes: [{to: 10.0.0.0/24, via: 10.1.0.1}]}")
    .replace(
      "    firewall: {default: allow}\n",
      "    firewall: {default: allow}\n    routes: [{to: 10.0.0.42/32, via: 10.0.0.150}]\n",
    )
    .replace("copies: [one, two]", "copies: {one: {address: 10.0.0.150}}"),
  [
    "far to 10.0.0.42 tcp 5432",
    "a to 10.0.0.42 tcp 5432",
    "far to 10.0.0.150 tcp 80",
    "shop.one/db to far tcp 1",
  ],
);

scenario(
  "publications lead through edge and fence",
  fenced("").replace(
    "vapps:",
    `publish:
  - {machine: shop.one/web, port: 80, at: "10.1.0.1:8001"}
  - {machine: shop.two/db, port: 5432, at: "10.1.0.1:8002"}
vapps:`,
  ),
  [
    "far to 10.1.0.1 tcp 8001",
    "far to 10.1.0.1 tcp 8002",
    "far to 10.1.0.1 tcp 8003",
    "a to 10.1.0.1 tcp 8001",
    "web-original to 10.1.0.1 tcp 8001",
    "shop.two/web to 10.1.0.1 tcp 8001",
    "shop.one/web to 10.1.0.1 tcp 8001",
  ],
);

// Most of the time is waiting for what never comes.
describe("explain and the kernel agree", { skip, concurrency: 8 }, () => {
  for (const { name, text, questions } of scenarios) test(name, () => compare(text, questions));

  test("the second of two clients with one source port gets another", async () => {
    const rules = "    firewall: {default: allow}\n    nat: [{masquerade: org, out: internet}]";
    const question = { to: "198.51.100.7" as Ip, protocol: "udp", port: 53, sourcePort: FIRST_PORT } as const;
    const [first, second] = await askKernel(resolved(office(rules)), [
      { ...question, from: "a" },
      { ...question, from: "b" },
    ]);
    assert.deepEqual(first!.arrivals.map(arrivalWords), [
      `internet: 203.0.113.10 ${FIRST_PORT} > 198.51.100.7 53`,
    ]);
    assert.equal(second!.arrivals[0]?.source, "203.0.113.10");
    assert.notEqual(second!.arrivals[0]?.sourcePort, FIRST_PORT);
  });
});
