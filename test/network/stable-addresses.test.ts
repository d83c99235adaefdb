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

interface Entries {
  readonly machines: readonly string[];
  readonly copies: readonly string[];
}

function withEntries({ machines, copies }: Entries): Map<string, string> {
  return addressesOf(`
networks:
  org: {subnet: 10.0.0.0/24, gateway: 10.0.0.1, pool: 10.0.0.100-10.0.0.239}
machines:
${machines.map((name) => `  ${name}: {network: org}\n`).join("")}
vapps:
  shop:
    network: {parent: org, fenced: true}
    machines: {web: {address: 10.0.0.11}, db: {}}
    copies: [${copies.join(", ")}]
`);
}

/** Of those in both: how many there are, and who moved without a reason that one could see. */
function compare(before: Map<string, string>, after: Map<string, string>) {
  const [held, holds] = [before, after].map(
    (all) => new Set([...all.values()].flatMap((ips) => ips.split(" "))),
  );
  let count = 0;
  let moved = 0;
  const unexplained: string[] = [];
  for (const [name, ips] of before) {
    const now = after.get(name);
    if (now === undefined) continue;
    for (const [index, ip] of ips.split(" ").entries()) {
      const next = now.split(" ")[index]!;
      count++;
      if (next === ip) continue;
      moved++;
      // Pushed away by who has it now, or come home to what another had.
      if (!holds!.has(ip) && !held!.has(next)) unexplained.push(`${name}: ${ip} became ${next}`);
    }
  }
  return { count, moved, unexplained };
}

test("an entry more, fewer or elsewhere moves hardly anybody, and nobody without a reason", () => {
  let count = 0;
  let moved = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const machines = Array.from({ length: 8 }, (_, i) => `m${seed}-${i}`);
    const copies = Array.from({ length: 6 }, (_, i) => `c${seed}-${i}`);
    const before = withEntries({ machines, copies });
    const place = seed % 8;
    const changes: Record<string, Entries> = {
      "a machine more": { machines: machines.toSpliced(place, 0, `new-${seed}`), copies },
      "a machine fewer": { machines: machines.toSpliced(place, 1), copies },
      "a machine elsewhere": { machines: [...machines.slice(place), ...machines.slice(0, place)], copies },
      "a copy more": { machines, copies: copies.toSpliced(place % 6, 0, `new-${seed}`) },
      "copies in another order": { machines, copies: copies.toReversed() },
    };
    for (const [change, entries] of Object.entries(changes)) {
      const result = compare(before, withEntries(entries));
      assert.deepEqual(result.unexplained, [], `seed ${seed}: ${change}`);
      count += result.count;
      moved += result.moved;
    }
    const more = { machines, copies: [...copies, `last-${seed}`] };
    assert.equal(compare(before, withEntries(more)).moved, 0, `seed ${seed}: a copy more at the end`);
  }
  assert.ok(moved / count < 0.03, `${moved} of ${count} moved`);
});
