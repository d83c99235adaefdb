// What makes a machine a member of an NLB cluster: it has the shared address, takes the buckets that are its
// own and leaves the rest to the others in silence, and hides the shared MAC behind one of its own so that no
// switch learns where it is. Which buckets are its own its agent says, by sets that are empty until then.
import { familyOfIp } from "../../base/ip.ts";
import type { ClusterRule } from "../../model/datacenter.ts";
import type { ResolvedCluster, ResolvedMachine } from "../../model/resolved-datacenter.ts";
import { HASH_SEED } from "../cluster/buckets.ts";
import { CLUSTER_TABLE, LEASE_SET, STOPPED_SET } from "../cluster/live-sets.ts";
import { agentOf, liveSet, memberSettings, OTHER_TRAFFIC, sharedRule } from "../cluster/member-settings.ts";
import { BUCKET_COUNT } from "../cluster/shares.ts";
import { contentHash } from "./kernel-names.ts";
import type { NamespaceDraft } from "./namespace-draft.ts";
import { type NftMap, nftTable, portsText, quoted } from "./nft-table.ts";
import type { Wiring } from "./wiring.ts";

export function canRun({ address }: ResolvedCluster): boolean {
  return familyOfIp(address) === 4;
}

export function addClusterMember(
  cluster: ResolvedCluster,
  machine: ResolvedMachine,
  device: string,
  draft: NamespaceDraft,
  wiring: Wiring,
): void {
  if (!canRun(cluster)) {
    const why = "which each of its members would find to be a duplicate of the others'";
    const note = `cluster ${cluster.name} does not run: its address is one of IPv6, ${why}`;
    if (!wiring.drafts.notes.includes(note)) wiring.drafts.notes.push(note);
    return;
  }
  const own = machine.interfaces.find(({ network }) => network === cluster.network);
  const prefix = own?.addresses[0]?.prefix ?? 32;
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
      sets: setsOf(cluster),
      maps: [],
      chains: [
        {
          name: "sp_share",
          hook: "type filter hook prerouting priority mangle; policy accept;",
          rules: shareRules(cluster),
        },
      ],
    }),
  );
  addAgent(cluster, machine, device, draft, wiring);
}

function addAgent(
  cluster: ResolvedCluster,
  machine: ResolvedMachine,
  device: string,
  draft: NamespaceDraft,
  { drafts, options, resolved }: Wiring,
): void {
  if (draft.name === null) return;
  const settings = memberSettings(cluster, machine, device, resolved);
  const text = JSON.stringify(settings, null, 2);
  drafts.processes.push({
    name: agentOf(machine.name),
    words: `the cluster agent of ${machine.name}`,
    namespace: draft.name,
    command: [...options.program, "cluster", "agent", "{directory}"],
    workingDirectory: null,
    isIsolated: false,
    // A change of the first would start it anew; the settings it reads again.
    files: [
      { name: "member", text: `${machine.name}\n` },
      { name: "settings.json", text },
    ],
    reload: { signal: "HUP", hash: contentHash(text) },
  });
}

function setsOf(cluster: ResolvedCluster): NftMap[] {
  const empty = { isInterval: false, elements: [] };
  const ofRules = cluster.rules.flatMap((rule): NftMap[] => {
    const shared = sharedRule(cluster, rule);
    if (shared === null) return [];
    const type = shared.kind === "multiple" ? "mark" : "inet_proto";
    return [{ ...empty, name: liveSet(shared.name), type }];
  });
  return [
    ...ofRules,
    { ...empty, name: liveSet(OTHER_TRAFFIC), type: "inet_proto" },
    { ...empty, name: STOPPED_SET, type: "inet_proto" },
    { ...empty, name: LEASE_SET, type: "inet_proto", hasTimeouts: true },
  ];
}

/** Sources of frames, or the answers to ARP. */
function maskRules(cluster: ResolvedCluster, machine: string): string[] {
  const { mac, mode, address } = cluster;
  const mask = cluster.members.find((member) => member.machine === machine)?.maskMac ?? mac;
  // Linux never asks by RARP: what goes out as such is the announcement of the virtual switch that the
  // machine is on, and comes from below the machine.
  if (mode === "unicast") return [`ether type != 0x8035 ether saddr ${mac} ether saddr set ${mask}`];
  return [`arp saddr ip ${address} arp saddr ether set ${mac}`];
}

function shareRules(cluster: ResolvedCluster): string[] {
  return [
    `ip daddr != ${cluster.address} accept`,
    // TCP drops what came to a group address, unless it is told otherwise.
    ...(cluster.mode === "unicast" ? [] : ["meta pkttype multicast meta pkttype set host"]),
    "meta l4proto != { tcp, udp } accept",
    `meta l4proto @${STOPPED_SET} drop`,
    // Whoever has a connection keeps it, whatever becomes of its bucket.
    "ct state established,related accept",
    // The middle of somebody else's connection: a reset from here would end it.
    "meta l4proto tcp tcp flags & (fin | syn | rst | ack) != syn drop",
    `meta l4proto != @${LEASE_SET} drop`,
    ...cluster.rules.flatMap((rule) => portRule(cluster, rule)),
    `meta l4proto @${liveSet(OTHER_TRAFFIC)} accept`,
    "drop",
  ];
}

function portRule(cluster: ResolvedCluster, rule: ClusterRule): string[] {
  const match = [
    `meta l4proto ${rule.protocol?.value ?? "{ tcp, udp }"}`,
    ...(rule.ports.length === 0 ? [] : [`th dport ${portsText(rule.ports.map(({ value }) => value))}`]),
  ].join(" ");
  const shared = sharedRule(cluster, rule);
  if (shared === null) return [`${match} drop`];
  const own = liveSet(shared.name);
  if (shared.kind === "single") return [`${match} meta l4proto @${own} accept`, `${match} drop`];
  const hashed = HASHED[rule.affinity?.value ?? "single"];
  const seed = `0x${HASH_SEED.toString(16)}`;
  return [
    `${match} meta mark set jhash ${hashed} mod ${BUCKET_COUNT} seed ${seed}`,
    `${match} meta mark != @${own} drop`,
    `${match} meta mark set 0 accept`,
  ];
}

const HASHED = {
  none: "ip saddr . th sport",
  single: "ip saddr",
  "class-c": "ip saddr & 255.255.255.0",
} as const;
