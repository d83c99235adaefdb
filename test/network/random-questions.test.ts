// Questions that nobody thought of, about datacentres that nobody thought of, good and damaged: `explain`
// always comes to one of its ends, says the same when it is asked again, and can be printed and written.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../src/base/ip.ts";
import { seededRandom } from "../../src/io/memory/seeded-random.ts";
import { readDatacenter } from "../../src/language/datacenter/reader.ts";
import type { ResolvedDatacenter } from "../../src/model/resolved-datacenter.ts";
import { DISPOSITIONS, type Trace, type TraceQuestion } from "../../src/model/trace.ts";
import { compileNetwork, explain } from "../../src/network/explain/explain.ts";
import { needRouter } from "../../src/network/explain/need-router.ts";
import { tracePcap } from "../../src/network/explain/trace-pcap.ts";
import { traceJson, traceText } from "../../src/network/explain/trace-text.ts";
import { resolveDatacenter } from "../../src/network/resolve/resolve.ts";
import { readReference } from "../../src/server/explain/packet-words.ts";
import { randomDatacenter } from "./checks/random-datacenter.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 30);
const QUESTIONS = 25;
const ADDRESSES = [
  "0.0.0.0",
  "255.255.255.255",
  "127.0.0.1",
  "224.0.0.1",
  "10.0.0.0",
  "10.0.0.255",
  "10.0.0.1",
  "10.0.0.11",
  "192.168.50.10",
  "203.0.113.10",
  "203.0.113.255",
  "198.51.100.7",
  "8.8.8.8",
  "::",
  "::1",
  "ff02::1",
  "fe80::1",
  "2001:db8::1",
  "::ffff:1.2.3.4",
] as Ip[];
/** Values that are put in anybody's place. */
const HOSTILE: readonly unknown[] = [
  null,
  "",
  0,
  -1,
  "0.0.0.0/0",
  "::/0",
  "10.0.0.1/32",
  "::1/128",
  "10.0.0.11",
  "2001:db8::11",
  "dhcp",
  "any",
  "Größe–日本",
  "host-0",
  "host-0/eth0",
  "net-0",
  "org-edge",
  true,
  [],
  {},
  [4095],
  "255.255.255.255",
  "0.0.0.0",
  "constructor",
  "__proto__",
  65535,
  1,
];

function chance(seed: number): (below: number) => number {
  const random = seededRandom(seed);
  return (below) => Math.floor(random() * below);
}

function resolve(datacenter: unknown): ResolvedDatacenter | null {
  const text = JSON.stringify({ datacenter: "random", ...(datacenter as object) });
  const environment = { variables: {}, readFile: () => null, listFiles: () => [] };
  const read = readDatacenter([{ name: "random.yaml", text }], environment);
  return read.datacenter === null ? null : resolveDatacenter(read.datacenter).resolved;
}

/** Something in the tree becomes something else, goes away, or gets another's value. */
function damage(tree: unknown, random: (below: number) => number): void {
  const places: { readonly at: Record<string, unknown>; readonly key: string }[] = [];
  const walk = (at: unknown) => {
    if (typeof at !== "object" || at === null) return;
    for (const key of Object.keys(at)) {
      places.push({ at: at as Record<string, unknown>, key });
      walk((at as Record<string, unknown>)[key]);
    }
  };
  walk(tree);
  const { at, key } = places[random(places.length)]!;
  const other = places[random(places.length)]!;
  const action = random(4);
  if (action === 0) delete at[key];
  else if (action === 1) at[key] = structuredClone(other.at[other.key]);
  else if (action === 2) at[`${key}2`] = structuredClone(at[key]);
  else at[key] = HOSTILE[random(HOSTILE.length)];
}

function questionsAbout(resolved: ResolvedDatacenter, random: (below: number) => number): TraceQuestion[] {
  const names = [
    ...resolved.machines,
    ...resolved.edges,
    ...resolved.networks,
    ...resolved.clusters,
    ...resolved.source.hosts,
  ]
    .map(({ name }) => name)
    .concat("nobody");
  const addresses = [
    ...ADDRESSES,
    ...[...resolved.machines, ...resolved.edges].flatMap(({ interfaces }) =>
      interfaces.flatMap((one) => one.addresses.map(({ ip }) => ip)),
    ),
  ];
  return Array.from({ length: QUESTIONS }, () => {
    const protocol = (["tcp", "udp", "icmp"] as const)[random(3)]!;
    return {
      from: readReference(names[random(names.length)]!),
      to:
        random(2) === 0 ? readReference(names[random(names.length)]!) : addresses[random(addresses.length)]!,
      protocol,
      port: protocol === "icmp" ? null : [1, 53, 67, 68, 80, 443, 65535][random(7)]!,
      sourcePort: random(2) === 0 ? null : 1 + random(65535),
    };
  });
}

function examine(resolved: ResolvedDatacenter, random: (below: number) => number): Set<string> {
  const seen = new Set<string>();
  const network = compileNetwork(resolved);
  for (const question of questionsAbout(resolved, random)) {
    const options = { back: true, dataBytes: random(4) === 0 ? random(10_000) : 0 };
    const words = `${JSON.stringify(question)} ${JSON.stringify(options)}`;
    try {
      const trace = explain(network, question, options);
      if (typeof question.to !== "string") needRouter(network, question.from, question.to);
      if ("kind" in trace) continue;
      for (const path of [trace.there, ...trace.before, ...(trace.back === null ? [] : [trace.back])]) {
        assert.ok(DISPOSITIONS.includes(path.disposition), path.disposition);
        assert.ok(path.end >= -1 && path.end < path.hops.length, "its end is one of its hops");
        assert.ok(path.summary.length > 0);
      }
      seen.add(trace.there.disposition);
      examinePrints(trace);
      const again = explain(network, question, options) as Trace;
      assert.deepEqual(traceJson(again), traceJson(trace));
    } catch (error) {
      throw new Error(words, { cause: error });
    }
  }
  return seen;
}

function examinePrints(trace: Trace): void {
  for (const level of ["brief", "normal", "full"] as const)
    assert.ok(traceText(trace, { level, paint: (_, text) => text }).length > 0);
  JSON.parse(JSON.stringify(traceJson(trace)));
  assert.ok(tracePcap(trace).length > 0);
}

test("every question about a good datacentre has an answer, always the same", () => {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = chance(seed);
    const resolved = resolve(randomDatacenter(random));
    assert.ok(resolved !== null);
    try {
      examine(resolved, random);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});

test("every question about a damaged datacentre has an answer, always the same", () => {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = chance(seed);
    const datacenter = structuredClone(randomDatacenter(random));
    try {
      for (let count = 1 + random(6); count > 0; count--) damage(datacenter, random);
      const resolved = resolve(datacenter);
      if (resolved !== null) examine(resolved, random);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
