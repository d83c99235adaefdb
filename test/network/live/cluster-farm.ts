// What tests of running clusters have in common: the example as a farm in the kernel, whom the model has for
// each connection, and how answers are read. Each farm has a client and three members with weights 50, 50,
// 100.
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Ip, parseIp } from "../../../src/base/ip.ts";
import { bucketOf } from "../../../src/network/cluster/buckets.ts";
import { type SharedRule, slotOwners } from "../../../src/network/cluster/shares.ts";

export const EXAMPLE: string = readFileSync(
  new URL("../../../examples/network/nlb-cluster.yaml", import.meta.url),
  "utf8",
);
const CLIENTS = fileURLToPath(new URL("./cluster-clients.ts", import.meta.url));
export const CLIENT: Ip = parseIp("192.168.30.99")!;
export const FIRST_PORT = 20_000;
export const COUNT = 300;
export const NAMES: readonly string[] = ["iis-1", "iis-2", "iis-3"];
const WEB: SharedRule = {
  name: "web",
  kind: "multiple",
  members: [50, 50, 100].map((value, index) => ({ member: index + 1, value })),
};

/** Of the nftables in the client's namespace: which MAC has answered which port, and resets. */
export const WATCH = `table inet watch {
  set answers { type ether_addr . inet_service; flags dynamic; size 4096; }
  set resets { type ether_addr . inet_service; flags dynamic; size 4096; }
  chain in { type filter hook input priority 0;
    tcp flags & (syn | ack) == syn | ack update @answers { ether saddr . tcp dport }
    tcp flags & rst == rst update @resets { ether saddr . tcp dport }
  }
}`;

/** Commands of a script: `at NAMESPACE …`, `until_true …`, `converged`, `clients …`. */
export const WORDS: string = `
NODE='${process.execPath}' CLIENTS='${CLIENTS}'
at() { nsenter --net=/run/netns/sp.farm.$1 "\${@:2}"; }
until_true() { until "$@" >/dev/null 2>&1; do sleep 0.05; done; }
converged() { $S cluster status $F; }
clients() { at client "$NODE" "$CLIENTS" "$@"; }
`;

/** Waits for conditions, never for a time; where one does not come the test's own limit ends it. */
export function prepare(address: string): string {
  return `${WORDS}
$S apply $F | tail -1
for name in iis-1 iis-2 iis-3; do at $name "$NODE" "$CLIENTS" serve $name ${address} 80 81 82 83 84 85 >/run/$name.log 2>&1 & echo $! >/run/$name.pid; until_true grep 'serves 85' /run/$name.log; done
until_true at client ping -n -c1 -W1 ${address}
until_true converged
`;
}

/** `PORT NAME` lines of an output. */
export function answersIn(output: string): Map<number, string> {
  return new Map([...output.matchAll(/^(\d{5}) (\S+)$/gm)].map(([, port, name]) => [Number(port), name!]));
}

export function countsOf(names: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Whom the model has for each port, when these members take part. */
export function expected(
  first: number,
  count: number,
  active: readonly number[],
  members: SharedRule["members"] = WEB.members,
  client: Ip = CLIENT,
): Map<number, string> {
  const owners = slotOwners({ ...WEB, members }, new Set(active));
  const ports = Array.from({ length: count }, (_, index) => first + index);
  return new Map(ports.map((port) => [port, NAMES[owners[bucketOf("none", client, port)]! - 1]!]));
}

/** Of the set of an nft listing of WATCH: "MAC . PORT". */
export function pairsIn(text: string): string[] {
  return [...text.matchAll(/([0-9a-f:]{17}) \. (\d{5})/g)].map(([pair]) => pair);
}
