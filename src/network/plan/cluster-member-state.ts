// What makes a machine a member of an NLB cluster: it has the shared address, takes the buckets that are its
// own and leaves the rest to the others in silence, and hides the shared MAC behind one of its own so that no
// switch learns where it is.
import type { ClusterRule } from "../../model/datacenter.ts";
import type { ResolvedCluster, ResolvedMachine } from "../../model/resolved-datacenter.ts";
import { BUCKET_COUNT, bucketOwners, HASH_SEED, priorityOwner } from "../cluster/buckets.ts";
import type { NamespaceDraft } from "./namespace-draft.ts";
import { nftTable, portsText, quoted, setOf } from "./nft-table.ts";

const CLUSTER_TABLE = "sallyport_cluster";

export function addClusterMember(
  cluster: ResolvedCluster,
  machine: ResolvedMachine,
  device: string,
  draft: NamespaceDraft,
): void {
  const own = machine.interfaces.find(({ network }) => network === cluster.network);
  const prefix = own?.addresses[0]?.prefix ?? (cluster.address.includes(":") ? 128 : 32);
  draft.address(device, cluster.address, prefix);
  // Equal MACs make equal link-local addresses, which would find each other.
  draft.sysctl(`net/ipv6/conf/${device}/disable_ipv6`, 1);
  draft.tables.push(
    nftTable("netdev", CLUSTER_TABLE, {
      maps: [],
      chains: [
        {
          name: "sp_out",
          hook: `type filter hook egress device ${quoted(device)} priority 0; policy accept;`,
          rules: maskRules(cluster, machine.name),
        },
      ],
    }),
    nftTable("ip", CLUSTER_TABLE, {
      maps: [],
      chains: [
        {
          name: "sp_share",
          hook: "type filter hook prerouting priority mangle; policy accept;",
          rules: shareRules(cluster, machine.name),
        },
      ],
    }),
  );
}

/** Sources of frames, or the answers to ARP. */
function maskRules(cluster: ResolvedCluster, machine: string): string[] {
  const { mac, mode, address } = cluster;
  const mask = cluster.members.find((member) => member.machine === machine)?.maskMac ?? mac;
  if (mode === "unicast") return [`ether saddr ${mac} ether saddr set ${mask}`];
  return [`arp saddr ip ${address} arp saddr ether set ${mac}`];
}

function shareRules(cluster: ResolvedCluster, machine: string): string[] {
  return [
    `ip daddr != ${cluster.address} accept`,
    // TCP drops what came to a group address, unless it is told otherwise.
    ...(cluster.mode === "unicast" ? [] : ["meta pkttype multicast meta pkttype set host"]),
    "meta l4proto != { tcp, udp } accept",
    "ct state established,related accept",
    // The middle of somebody else's connection: a reset from here would end it.
    "meta l4proto tcp tcp flags & (fin | syn | rst | ack) != syn drop",
    ...cluster.rules.flatMap((rule) => portRule(cluster, rule, machine)),
    priorityOwner(cluster, null) === machine ? "accept" : "drop",
  ];
}

function portRule(cluster: ResolvedCluster, rule: ClusterRule, machine: string): string[] {
  const match = [
    `meta l4proto ${rule.protocol?.value ?? "{ tcp, udp }"}`,
    ...(rule.ports.length === 0 ? [] : [`th dport ${portsText(rule.ports.map(({ value }) => value))}`]),
  ].join(" ");
  const filtering = rule.filtering?.value ?? "multiple";
  if (filtering === "disabled") return [`${match} drop`];
  if (filtering === "single")
    return [`${match} ${priorityOwner(cluster, rule) === machine ? "accept" : "drop"}`];
  const own = bucketOwners(cluster, rule).flatMap((owner, bucket) => (owner === machine ? [bucket] : []));
  if (own.length === 0) return [`${match} drop`];
  const hashed = HASHED[rule.affinity?.value ?? "single"];
  const seed = `0x${HASH_SEED.toString(16)}`;
  return [
    `${match} meta mark set jhash ${hashed} mod ${BUCKET_COUNT} seed ${seed}`,
    `${match} meta mark != ${setOf(rangesOf(own))} drop`,
    `${match} meta mark set 0 accept`,
  ];
}

const HASHED = {
  none: "ip saddr . th sport",
  single: "ip saddr",
  "class-c": "ip saddr & 255.255.255.0",
} as const;

/** Neighbouring numbers as ranges. */
function rangesOf(numbers: readonly number[]): string[] {
  const ranges: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const range = ranges.at(-1);
    if (range !== undefined && range.last === number - 1) range.last = number;
    else ranges.push({ first: number, last: number });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
}
