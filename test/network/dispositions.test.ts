// Every way in which a packet can end, each by a fault that people make. Where it ended and which line
// decided it is part of the answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DISPOSITIONS, type Disposition } from "../../src/model/trace.ts";
import { ask, endOf } from "./ask.ts";

const seen = new Set<Disposition>();

interface Expected {
  readonly disposition: Disposition;
  readonly at: string;
  readonly line?: number;
  readonly summary?: RegExp;
}

function expect(text: string, question: string, expected: Expected, dataBytes = 0): void {
  const trace = ask(text, question, { dataBytes });
  const { disposition, span, summary } = trace.there;
  seen.add(disposition);
  if (trace.back !== null) seen.add(trace.back.disposition);
  assert.equal(disposition, expected.disposition, summary);
  assert.equal(endOf(trace), expected.at);
  if (expected.line !== undefined) assert.equal(span?.line, expected.line, summary);
  if (expected.summary !== undefined) assert.match(summary, expected.summary);
}

const TWO = `
networks:
  lan: {subnet: 10.0.0.0/24, gateway: 10.0.0.1}
machines:
  a: {network: lan, address: 10.0.0.11}
  b: {network: lan, address: 10.0.0.12, listen: [80]}
`;

const TWO_HOSTS = `
hosts:
  one: {interfaces: {eth0: {}}}
  two: {interfaces: {eth0: {}}}
fabric:
  tor:
    ports:
      1: {to: one/eth0, trunk: [10, 20]}
      2: {to: two/eth0, trunk: [20]}
switches:
  dvs:
    uplinks: {one: eth0, two: eth0}
    port-groups:
      ten: {vlan: 10}
      twenty: {vlan: 20}
      tagging: {vlan: [20]}
networks:
  ten: {subnet: 10.10.0.0/24, port-group: dvs/ten}
  twenty: {subnet: 10.20.0.0/24, port-group: dvs/twenty}
machines:
  a: {host: one, network: ten, address: 10.10.0.11}
  b: {host: two, network: ten, address: 10.10.0.12}
  c: {host: one, network: twenty, address: 10.20.0.11}
  d: {host: two, network: twenty, address: 10.20.0.12}
`;

test("delivered, and refused where nobody listens", () => {
  expect(TWO, "a to b tcp 80", { disposition: "delivered", at: "b" });
  expect(TWO, "a to b tcp 81", { disposition: "refused", at: "b", line: 6 });
});

test("arp-unanswered: nobody has the address, or nobody is the gateway", () => {
  expect(TWO, "a to 10.0.0.99", {
    disposition: "arp-unanswered",
    at: "a",
    summary: /nobody on lan answers for 10\.0\.0\.99/,
  });
  expect(TWO, "a to 192.0.2.1", { disposition: "arp-unanswered", at: "a", summary: /10\.0\.0\.1/ });
});

test("no-route: no gateway, and another subnet", () => {
  const text = TWO.replace(", gateway: 10.0.0.1", "");
  expect(text, "a to 192.0.2.1", { disposition: "no-route", at: "a" });
});

test("no-address: it asks by DHCP and nobody answers", () => {
  const text = TWO.replace("a: {network: lan, address: 10.0.0.11}", "a: {network: lan, address: dhcp}");
  expect(text, "a to b", {
    disposition: "no-address",
    at: "a",
    line: 5,
    summary: /address that is missing, not a router/,
  });
});

test("vlan-mismatch: one end of the trunk does not carry the VLAN, and the answer names it", () => {
  const trace = ask(TWO_HOSTS, "a to b");
  assert.equal(trace.there.disposition, "arp-unanswered");
  assert.match(trace.there.summary, /no other port of tor carries VLAN 10/);
  assert.equal(trace.there.span?.line, 9);
  expect(TWO_HOSTS, "c to d", { disposition: "delivered", at: "d" });
  assert.equal(trace.before[0]?.disposition, "vlan-mismatch");
  seen.add("vlan-mismatch");
});

test("vlan-mismatch: a native VLAN that is another at the other end", () => {
  const text = TWO_HOSTS.replace("2: {to: two/eth0, trunk: [20]}", "2: {to: two/eth0, native: 20}");
  const trace = ask(text, "d to c");
  assert.equal(trace.there.disposition, "arp-unanswered");
  assert.match(trace.there.summary, /port 2 does not carry VLAN 20/);
});

test("link-down: the bond speaks LACP to nobody who listens, or the other way round", () => {
  const text = `
hosts:
  one:
    interfaces: {eth0: {}, eth1: {}}
    bonds: {bond0: {links: [eth0, eth1], mode: active-backup, mii-monitor: 100ms}}
  two: {interfaces: {eth0: {}}}
fabric:
  tor:
    ports:
      1: {to: one/eth0, lag: 1}
      2: {to: one/eth1, lag: 1}
      3: {to: two/eth0, trunk: [10]}
    lags: {1: {lacp: active, trunk: [10]}}
switches:
  dvs:
    uplinks: {one: bond0, two: eth0}
    port-groups: {ten: {vlan: 10}}
networks:
  ten: {subnet: 10.10.0.0/24, port-group: dvs/ten}
machines:
  a: {host: one, network: ten, address: 10.10.0.11}
  b: {host: two, network: ten, address: 10.10.0.12}
`;
  const trace = ask(text, "a to b");
  assert.equal(trace.before[0]?.disposition, "link-down");
  assert.match(trace.there.summary, /waits for LACP/);
  seen.add("link-down");
});

test("a bond whose partner speaks no LACP keeps one card in use", () => {
  const text = `
hosts:
  one:
    interfaces: {eth0: {}, eth1: {}}
    bonds: {bond0: {links: [eth0, eth1], mode: 802.3ad, hash: layer3+4, mii-monitor: 100ms}}
  two: {interfaces: {eth0: {}}}
fabric:
  tor:
    ports:
      1: {to: one/eth0, trunk: [10]}
      2: {to: one/eth1, trunk: [10]}
      3: {to: two/eth0, trunk: [10]}
switches:
  dvs:
    uplinks: {one: bond0, two: eth0}
    port-groups: {ten: {vlan: 10}}
networks:
  ten: {subnet: 10.10.0.0/24, port-group: dvs/ten}
machines:
  a: {host: one, network: ten, address: 10.10.0.11}
  b: {host: two, network: ten, address: 10.10.0.12}
`;
  const trace = ask(text, "a to b");
  assert.equal(trace.there.disposition, "delivered");
  const steps = trace.there.hops.flatMap(({ steps: all }) => all.map((step) => step.text));
  assert.ok(steps.some((words) => /nobody at the other end speaks LACP/.test(words)));
});

const ROUTED = `
networks:
  left: {subnet: 10.1.0.0/24, gateway: 10.1.0.1}
  right: {subnet: 10.2.0.0/24, gateway: 10.2.0.1}
edges:
  edge:
    interfaces: {left: 10.1.0.1, right: 10.2.0.1}
    firewall: {rules: [{allow: tcp, from: left, to: right, ports: 80}]}
machines:
  a: {network: left, address: 10.1.0.11}
  b: {network: right, address: 10.2.0.11}
`;

test("dropped-by-firewall: no rule, and the line of the firewall", () => {
  expect(ROUTED, "a to b tcp 80", { disposition: "delivered", at: "b" });
  expect(ROUTED, "a to b tcp 81", { disposition: "dropped-by-firewall", at: "edge", line: 8 });
  expect(ROUTED, "b to a tcp 80", { disposition: "dropped-by-firewall", at: "edge" });
});

test("answered-by-router: the gateway itself is asked", () => {
  const text = ROUTED.replace("[{allow: tcp", "[{allow: icmp, to: edge}, {allow: tcp");
  expect(text, "a to 10.1.0.1", { disposition: "answered-by-router", at: "edge" });
});

test("no-route at a router: the default route is missing", () => {
  const text = ROUTED.replace("{rules: [", "{default: allow, rules: [");
  expect(text, "a to 192.0.2.1", { disposition: "no-route", at: "edge" });
});

test("source-unreachable: the answer goes to a router that knows no way back", () => {
  const text = `
networks:
  left: {subnet: 10.1.0.0/24, gateway: 10.1.0.1}
  right: {subnet: 10.2.0.0/24, gateway: 10.2.0.254}
edges:
  edge: {interfaces: {left: 10.1.0.1, right: 10.2.0.1}, firewall: {default: allow}}
machines:
  a: {network: left, address: 10.1.0.11}
  b: {network: right, address: 10.2.0.11}
  wrong: {network: right, address: 10.2.0.254}
`;
  const trace = ask(text, "a to b");
  assert.equal(trace.there.disposition, "delivered");
  assert.equal(trace.back?.disposition, "source-unreachable");
  assert.match(trace.back!.summary, /wrong gets the frame/);
  seen.add("source-unreachable");
});

test("source-unreachable: a neighbour answers past the NAT, which hairpin prevents", () => {
  const text = `
networks:
  internet: {external: true, subnet: 203.0.113.0/24, gateway: 203.0.113.1}
  lan: {subnet: 10.0.0.0/24, gateway: 10.0.0.1}
edges:
  edge:
    interfaces: {internet: 203.0.113.10, lan: 10.0.0.1}
    firewall: {default: allow}
    nat: [{dnat: 203.0.113.10, protocol: tcp, port: 80, to: b, hairpin: false}]
machines:
  a: {network: lan, address: 10.0.0.11}
  b: {network: lan, address: 10.0.0.12, listen: [80]}
`;
  const trace = ask(text, "a to 203.0.113.10 tcp 80");
  assert.equal(trace.there.disposition, "delivered");
  assert.equal(trace.back?.disposition, "source-unreachable");
  assert.match(trace.back!.summary, /answer from 10\.0\.0\.12:80/);
  const cured = ask(text.replace("hairpin: false", "hairpin: true"), "a to 203.0.113.10 tcp 80");
  assert.equal(cured.back?.disposition, "delivered");
  // The server itself gets its own packet back, which Linux takes from nobody.
  expect(text, "b to 203.0.113.10 tcp 80", {
    disposition: "not-for-us",
    at: "b",
    summary: /came by eth0 with 10\.0\.0\.12, which is b's own address/,
  });
});

test("ttl-expired: two edges translate and send to each other, and no port or echo number is used twice", () => {
  const text = `
networks:
  left: {subnet: 10.1.0.0/24, gateway: 10.1.0.1}
  transit: {subnet: 10.2.0.0/24}
machines:
  a: {network: left, address: 10.1.0.11}
edges:
  one:
    interfaces: {left: 10.1.0.1, transit: 10.2.0.1}
    routes: [{to: default, via: 10.2.0.2}]
    firewall: {default: allow}
    nat: [{masquerade: any, out: transit}]
  two:
    interfaces: {transit: 10.2.0.2}
    routes: [{to: default, via: 10.2.0.1}]
    firewall: {default: allow}
    nat: [{masquerade: any, out: transit}]
`;
  expect(text, "a to 192.0.2.1 tcp 80", { disposition: "ttl-expired", at: "two" });
  expect(text, "a to 192.0.2.1", { disposition: "ttl-expired", at: "two" });
});

test("a router drops the answer to a question that went another way", () => {
  const text = `
networks:
  left: {subnet: 10.1.0.0/24, gateway: 10.1.0.1}
  right: {subnet: 10.2.0.0/24, gateway: 10.2.0.254}
edges:
  one: {interfaces: {left: 10.1.0.1, right: 10.2.0.1}, firewall: {default: allow}}
  two: {interfaces: {left: 10.1.0.254, right: 10.2.0.254}, firewall: {default: allow}}
machines:
  a: {network: left, address: 10.1.0.11}
  b: {network: right, address: 10.2.0.11}
`;
  const trace = ask(text, "a to b tcp 80");
  assert.equal(trace.there.disposition, "delivered");
  assert.equal(trace.back?.disposition, "dropped-by-firewall");
  assert.match(trace.back!.summary, /firewall of two drops an answer/);
});

test("not-for-us: a router that is none", () => {
  const text = `
networks:
  lan: {subnet: 10.0.0.0/24, gateway: 10.0.0.12}
machines:
  a: {network: lan, address: 10.0.0.11}
  b: {network: lan, address: 10.0.0.12}
`;
  expect(text, "a to 192.0.2.1", { disposition: "not-for-us", at: "b", summary: /does not route/ });
});

test("ttl-expired: two routers that send it to each other", () => {
  const text = `
networks:
  lan: {subnet: 10.0.0.0/24, gateway: 10.0.0.1}
  between: {subnet: 10.9.0.0/24}
edges:
  one:
    interfaces: {lan: 10.0.0.1, between: 10.9.0.1}
    routes: [{to: default, via: 10.9.0.2}]
    firewall: {default: allow}
  two:
    interfaces: {between: 10.9.0.2}
    routes: [{to: default, via: 10.9.0.1}]
    firewall: {default: allow}
machines:
  a: {network: lan, address: 10.0.0.11}
`;
  const trace = ask(text, "a to 192.0.2.1");
  assert.equal(trace.there.disposition, "ttl-expired");
  seen.add("ttl-expired");
});

test("looped: two cables between two switches, and nobody who blocks one", () => {
  const text = `
hosts:
  one: {interfaces: {eth0: {}}}
fabric:
  left: {ports: {1: {to: one/eth0, trunk: [10]}, 2: {to: right/2, trunk: [10]}, 3: {to: right/3, trunk: [10]}}}
  right: {ports: {2: {trunk: [10]}, 3: {trunk: [10]}}}
switches:
  dvs: {uplinks: {one: eth0}, port-groups: {ten: {vlan: 10}}}
networks:
  ten: {subnet: 10.10.0.0/24, port-group: dvs/ten}
machines:
  a: {network: ten, address: 10.10.0.11}
`;
  const trace = ask(text, "a to 10.10.0.12");
  assert.ok(trace.before.some(({ disposition }) => disposition === "looped"));
  seen.add("looped");
});

test("mtu-exceeded: a full packet over a link that takes less", () => {
  const text = `${ROUTED.replace("right: {subnet: 10.2.0.0/24", "right: {port-group: dvs/right, subnet: 10.2.0.0/24")}
switches:
  dvs: {mtu: 1400, port-groups: {right: {vlan: 20}}}
`;
  expect(text, "a to b tcp 80", { disposition: "mtu-exceeded", at: "edge", summary: /MTU 1400/ }, 1430);
  expect(text, "a to b tcp 80", { disposition: "delivered", at: "b" }, 1300);
});

test("mtu-exceeded: a full packet with two tags, over a link that leaves room for one", () => {
  const text = (mtu: number): string =>
    TWO_HOSTS.replaceAll("trunk: [20]", `trunk: [20, 100], mtu: ${mtu}`)
      .replace("trunk: [10, 20]", `trunk: [10, 20, 100], mtu: ${mtu}`)
      .replace("twenty: {vlan: 20}", "twenty: {vlan: {outer: 100, inner: 20}}")
      .replaceAll("eth0: {}", `eth0: {mtu: ${mtu}}`)
      .replace("  dvs:\n", `  dvs:\n    mtu: ${mtu}\n`);
  // 20 bytes of IP and 8 of ICMP make 1500 of these.
  const FULL = 1472;
  assert.equal(ask(text(1500), "c to d", { dataBytes: FULL }).there.disposition, "mtu-exceeded");
  assert.equal(ask(text(1500), "c to d", { dataBytes: FULL - 4 }).there.disposition, "delivered");
  assert.equal(ask(text(1504), "c to d", { dataBytes: FULL }).there.disposition, "delivered");
});

test("a traffic rule marks the bytes: DSCP in the packet, the class in the tag", () => {
  const text = TWO_HOSTS.replace(
    "twenty: {vlan: 20}",
    "twenty: {vlan: 20, filters: [{mark: udp, dscp: 46, cos: 5}]}",
  );
  const trace = ask(text, "c to d udp 5060");
  const frames = trace.there.hops.flatMap(({ captures }) => captures.map(({ frame }) => frame));
  const tagged = frames.filter((frame) => frame[12] === 0x81);
  assert.ok(tagged.length > 0);
  for (const frame of tagged) assert.equal(frame[14]! >> 5, 5);
  assert.equal(frames.at(-1)![15]! >> 2, 46);
});

test("dropped-by-policy: a traffic rule of the port group", () => {
  const text = `
switches:
  dvs: {port-groups: {ten: {vlan: 10, filters: [{drop: tcp, ports: 23}]}}}
networks:
  ten: {subnet: 10.10.0.0/24, port-group: dvs/ten}
machines:
  a: {network: ten, address: 10.10.0.11}
  b: {network: ten, address: 10.10.0.12}
`;
  expect(text, "a to b tcp 23", { disposition: "dropped-by-policy", at: "dvs", line: 3 });
  expect(text, "a to b tcp 22", { disposition: "delivered", at: "b" });
});

test("a traffic rule names subnets and machines", () => {
  const text = `
switches:
  dvs: {port-groups: {ten: {vlan: 10, filters: [{allow: tcp, to: b}, {drop: any, to: 10.10.0.0/25}]}}}
networks:
  ten: {subnet: 10.10.0.0/24, port-group: dvs/ten}
machines:
  a: {network: ten, address: 10.10.0.11}
  b: {network: ten, address: 10.10.0.12}
  c: {network: ten, address: 10.10.0.13}
  d: {network: ten, address: 10.10.0.200}
`;
  expect(text, "a to b tcp 22", { disposition: "delivered", at: "b" });
  expect(text, "a to c tcp 22", { disposition: "dropped-by-policy", at: "dvs" });
  expect(text, "a to d tcp 22", { disposition: "delivered", at: "d" });
});

test("link-down: a card that is plugged in nowhere", () => {
  const text = TWO_HOSTS.replace("2: {to: two/eth0, trunk: [20]}", "2: {trunk: [10, 20]}");
  const trace = ask(text, "d to c");
  assert.equal(trace.before[0]?.disposition, "link-down");
  assert.match(trace.there.summary, /nothing is plugged into eth0 of two/);
});

const FARM = `
switches:
  dvs:
    port-groups:
      farm: {vlan: 30, notify-switches: false, security: {mac-changes: accept, forged-transmits: accept}}
networks:
  farm: {subnet: 10.30.0.0/24, port-group: dvs/farm}
machines:
  n1: {network: farm, address: 10.30.0.11}
  n2: {network: farm, address: 10.30.0.12}
  n3: {network: farm, address: 10.30.0.13}
  client: {network: farm, address: 10.30.0.99}
clusters:
  web:
    machines: [n1, n2, n3]
    address: 10.30.0.50
    rules: [{ports: 80, affinity: none}, {ports: 81, filtering: disabled}, {ports: 82, filtering: single}]
`;

test("a cluster in unicast mode: each member takes its share of what is flooded", () => {
  expect(FARM, "client to 10.30.0.50 tcp 82", { disposition: "delivered", at: "n1" });
  expect(FARM, "client to 10.30.0.50 tcp 81", { disposition: "dropped-by-cluster", at: "n1", line: 17 });
  expect(FARM, "client to 10.30.0.50 tcp 9", { disposition: "delivered", at: "n1" });
});

test("a switch that announces MACs learns the shared one, and everything lands on one member", () => {
  const text = FARM.replace("notify-switches: false", "notify-switches: true");
  const trace = ask(text, "client to 10.30.0.50 tcp 82");
  assert.equal(trace.before.filter(({ summary }) => summary.includes("learn the shared")).length, 3);
  // Learnt at n3, which announced last; but port 82 is n1's.
  assert.equal(trace.there.disposition, "dropped-by-cluster");
  assert.equal(endOf(trace), "n3");
  const steps = trace.there.hops.flatMap(({ steps: all }) => all.map(({ text: words }) => words));
  assert.ok(steps.some((words) => /02:bf:0a:1e:00:32 was learnt at n3/.test(words)));
  assert.equal(trace.back, null);
});

test("the mask of a unicast member is a forged transmit, which the default policy rejects", () => {
  const text = FARM.replace(", security: {mac-changes: accept, forged-transmits: accept}", "");
  const trace = ask(text, "client to 10.30.0.50 tcp 80");
  assert.equal(trace.there.disposition, "arp-unanswered");
  assert.ok(trace.before.some(({ disposition }) => disposition === "dropped-by-policy"));
});

for (const mode of ["multicast", "igmp"] as const) {
  test(`a cluster in mode ${mode} is reached by its group`, () => {
    const text = FARM.replace("address: 10.30.0.50", `address: 10.30.0.50\n    mode: ${mode}`);
    expect(text, "client to 10.30.0.50 tcp 82", { disposition: "delivered", at: "n1" });
    const six = text.replace("10.30.0.0/24", "'fd00::/64'").replaceAll(/10\.30\.0\.(\d+)/g, "'fd00::$1'");
    expect(six, "client to fd00::50 tcp 82", { disposition: "delivered", at: "n1" });
  });
}

test("load-balanced: the way ends at the load balancer of an edge", () => {
  const text = ROUTED.replace(
    "    firewall: {rules: [",
    "    load-balancer: a.cfg\n    firewall: {rules: [{allow: tcp, to: edge}, ",
  );
  const trace = ask(text, "a to 10.1.0.1 tcp 80");
  assert.equal(trace.there.disposition, "load-balanced");
  assert.equal(trace.back?.disposition, "delivered");
  seen.add("load-balanced");
});

test("flooded: nobody else is on the wire", () => {
  const text = `
networks:
  lan: {subnet: 10.0.0.0/24}
machines:
  a: {network: lan, address: 10.0.0.11}
`;
  assert.equal(ask(text, "a to 10.0.0.12").before[0]?.disposition, "flooded");
  seen.add("flooded");
});

test("every disposition was reached", () => {
  assert.deepEqual(
    DISPOSITIONS.filter((disposition) => !seen.has(disposition)),
    [],
  );
});
