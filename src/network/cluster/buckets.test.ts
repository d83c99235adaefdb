import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { requires } from "../../../test/requirements.ts";
import { type Ip, parseIp } from "../../base/ip.ts";
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { ClusterRule } from "../../model/datacenter.ts";
import type { ResolvedCluster } from "../../model/resolved-datacenter.ts";
import { bucketOf, bucketOwners, clusterRuleFor, HASH_SEED, priorityOwner } from "./buckets.ts";
import { BUCKET_COUNT } from "./shares.ts";

const MEMBERS = ["n1", "n2", "n3"];
const located = <T>(value: T) => ({ value, span: NO_SPAN });

function rule(more: Partial<ClusterRule>): ClusterRule {
  return {
    ports: [],
    protocol: null,
    filtering: null,
    affinity: null,
    weights: [],
    priorities: [],
    span: NO_SPAN,
    ...more,
  };
}

function cluster(rules: readonly ClusterRule[]): ResolvedCluster {
  return {
    name: "web",
    source: null as never,
    network: "farm",
    address: parseIp("10.0.0.50")!,
    mode: "unicast",
    mac: "02:bf:0a:00:00:32" as never,
    members: MEMBERS.map((machine, index) => ({ machine, priority: index + 1, maskMac: "" as never })),
    rules,
    span: NO_SPAN,
  };
}

function shares(one: ClusterRule): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const owner of bucketOwners(cluster([one]), one))
    counts[String(owner)] = (counts[String(owner)] ?? 0) + 1;
  return counts;
}

test("the 60 buckets are given away whole, by weight", () => {
  assert.deepEqual(shares(rule({})), { n1: 20, n2: 20, n3: 20 });
  const weights = [
    { machine: located("n1"), weight: located(50) },
    { machine: located("n3"), weight: located(100) },
  ];
  assert.deepEqual(shares(rule({ weights })), { n1: 15, n2: 15, n3: 30 });
  const nothing = MEMBERS.map((machine) => ({ machine: located(machine), weight: located(0) }));
  assert.deepEqual(shares(rule({ weights: nothing })), { null: 60 });
});

test("affinity decides what stays with one member", () => {
  const [a, b] = [parseIp("192.0.2.1")!, parseIp("192.0.2.77")!];
  assert.equal(bucketOf("single", a, 1000), bucketOf("single", a, 2000));
  assert.equal(bucketOf("class-c", a, 1000), bucketOf("class-c", b, 2000));
  const buckets = new Set(Array.from({ length: 500 }, (_, i) => bucketOf("none", a, 40_000 + i)));
  assert.ok(buckets.size > 50, `${buckets.size} of 60 buckets are used`);
});

test("clients spread evenly: no bucket has more than twice its share of 6000", () => {
  const counts = new Array<number>(BUCKET_COUNT).fill(0);
  for (let i = 0; i < 6000; i++) counts[bucketOf("single", `10.${i >> 8}.${i & 255}.7` as Ip, 0)]!++;
  assert.ok(Math.max(...counts) < 200 && Math.min(...counts) > 50, counts.join(" "));
});

test("the first rule that names the port counts; without one the highest priority takes it", () => {
  const web = rule({ ports: [located({ first: 80, last: 89 })], protocol: located("tcp") });
  const all = rule({
    filtering: located("single"),
    priorities: [{ machine: located("n2"), priority: located(0) }],
  });
  assert.equal(clusterRuleFor(cluster([web, all]), "tcp", 85), web);
  assert.equal(clusterRuleFor(cluster([web, all]), "udp", 85), all);
  assert.equal(clusterRuleFor(cluster([web]), "tcp", 90), null);
  assert.equal(priorityOwner(cluster([]), null), "n1");
  assert.equal(priorityOwner(cluster([all]), all), "n2");
});

/** A ruleset whose sets note the bucket that the kernel computes for each packet. */
const KERNEL_RULES = `
table inet t {
  set none { type inet_service . mark; flags dynamic; size 512; }
  set single { type ipv4_addr . mark; flags dynamic; size 512; }
  set classc { type ipv4_addr . mark; flags dynamic; size 512; }
  chain c {
    type filter hook output priority 0;
    udp dport != 9 return
    meta mark set jhash ip saddr . udp sport mod ${BUCKET_COUNT} seed ${HASH_SEED} update @none { udp sport . meta mark }
    meta mark set jhash ip saddr mod ${BUCKET_COUNT} seed ${HASH_SEED} update @single { ip saddr . meta mark }
    meta mark set jhash ip saddr & 255.255.255.0 mod ${BUCKET_COUNT} seed ${HASH_SEED} update @classc { ip saddr . meta mark }
  }
}
`;

const KERNEL_RULES_IPV6 = KERNEL_RULES.replaceAll("ipv4_addr", "ipv6_addr")
  .replaceAll("ip saddr", "ip6 saddr")
  .replaceAll("255.255.255.0", "ffff:ffff:ffff:ffff::");

const isRoot = process.getuid?.() === 0;

const skip = isRoot ? requires("ip", "nft", "unshare", "bash") : "needs root";
const PORTS = Array.from({ length: 60 }, (_, i) => 20_000 + 37 * i);

test("the kernel's nftables puts every client into the same bucket", { skip }, () => {
  const clients = PORTS.map((port, i) => ({ ip: `127.${i}.${(i * 7) % 256}.${i + 1}`, port }));
  compareWithKernel(clients, "127.0.0.1", KERNEL_RULES);
});

test("the kernel's nftables puts every client of IPv6 into the same bucket", { skip }, () => {
  const clients = PORTS.map((port, i) => ({
    ip: `fd00:${((i + 1) * 977).toString(16)}::${i + 1}:${i + 7}`,
    port,
  }));
  compareWithKernel(clients, "::1", KERNEL_RULES_IPV6);
});

function compareWithKernel(
  clients: readonly { readonly ip: string; readonly port: number }[],
  server: string,
  rules: string,
): void {
  const added =
    server === "::1" ? clients.map(({ ip }) => `ip addr add ${ip} dev lo nodad &&`).join(" ") : "";
  const sender = `const {createSocket}=require("node:dgram");const c=${JSON.stringify(clients)};(async()=>{for(const {ip,port} of c)await new Promise((r)=>{const s=createSocket("${server === "::1" ? "udp6" : "udp4"}");s.bind(port,ip,()=>s.send("x",9,"${server}",()=>{s.close();r()}))})})()`;
  const script = `ip link set lo up && ${added} nft -f - <<'RULES' && "$NODE" -e "$SENDER" && nft -j list sets\n${rules}RULES\n`;
  const run = spawnSync("unshare", ["--net", "bash", "-c", script], {
    encoding: "utf8",
    env: { ...process.env, NODE: process.execPath, SENDER: sender, NODE_OPTIONS: "" },
    timeout: 20_000,
  });
  assert.equal(run.status, 0, run.stderr);
  const sets = (JSON.parse(run.stdout) as { nftables: { set?: { name: string; elem?: unknown[] } }[] })
    .nftables;
  const bucketsOf = (name: string) => {
    const elements = sets.find(({ set }) => set?.name === name)?.set?.elem ?? [];
    return new Map(
      elements.map((element) => {
        const { concat } = ((element as { elem?: { val: unknown } }).elem?.val ?? element) as {
          concat: [string | number, number | string];
        };
        return [String(concat[0]), Number(concat[1])] as const;
      }),
    );
  };
  const [none, single, classC] = [bucketsOf("none"), bucketsOf("single"), bucketsOf("classc")];
  assert.equal(none.size, clients.length);
  for (const { ip, port } of clients) {
    assert.equal(bucketOf("none", ip as Ip, port), none.get(String(port)), `${ip}:${port}`);
    assert.equal(bucketOf("single", ip as Ip, port), single.get(ip), ip);
    assert.equal(bucketOf("class-c", ip as Ip, port), classC.get(ip), ip);
  }
}
