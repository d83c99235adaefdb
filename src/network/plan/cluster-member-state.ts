// What makes a machine a member of an NLB cluster: it has the shared address, takes the buckets that are its
// own and leaves the rest to the others in silence, and hides the shared MAC behind one of its own so that no
// switch learns where it is. Which buckets are its own its agent says, by sets that are empty until then.
import { bytesOfIp, familyOfIp } from "../../base/ip.ts";
import { bytesOfMac, type Mac } from "../../base/mac.ts";
import type { ClusterRule } from "../../model/datacenter.ts";
import type { NftTable, Sysctl } from "../../model/network-state.ts";
import type { ResolvedCluster, ResolvedInterface, ResolvedMachine } from "../../model/resolved-datacenter.ts";
import { HASH_SEED } from "../cluster/buckets.ts";
import { HEARTBEAT_HOPS, HEARTBEAT_PORT } from "../cluster/heartbeat.ts";
import { CLUSTER_TABLE, LEASE_SET, nftFamilyOf, STOPPED_SET } from "../cluster/live-sets.ts";
import { agentOf, liveSet, memberSettings, OTHER_TRAFFIC, sharedRule } from "../cluster/member-settings.ts";
import { BUCKET_COUNT } from "../cluster/shares.ts";
import { contentHash } from "./kernel-names.ts";
import type { NamespaceDraft } from "./namespace-draft.ts";
import { type NftMap, nftTable, portsText, quoted } from "./nft-table.ts";
import type { Wiring } from "./wiring.ts";

export function addClusterMember(
  cluster: ResolvedCluster,
  machine: ResolvedMachine,
  device: string,
  draft: NamespaceDraft,
  wiring: Wiring,
): void {
  const own = machine.interfaces.find(({ network }) => network === cluster.network);
  if (own === undefined) return;
  draft.address(device, cluster.address, sharedPrefix(cluster, own));
  for (const { key, value } of memberSysctls(cluster, device)) draft.sysctl(key, value);
  draft.tables.push(maskTable(cluster, machine.name, device, own.mac), shareTable(cluster));
  addAgent(cluster, machine, device, draft, wiring);
}

/** As long as that of the member's own address, of the family in question. */
export function sharedPrefix({ address }: ResolvedCluster, { addresses }: ResolvedInterface): number {
  const family = familyOfIp(address);
  return addresses.find(({ ip }) => familyOfIp(ip) === family)?.prefix ?? (family === 4 ? 32 : 128);
}

/**
 * Equal MACs make equal link-local addresses, which would find each other: each gets one by chance (RFC
 * 7217).
 */
export function memberSysctls({ mode }: ResolvedCluster, device: string): readonly Sysctl[] {
  return mode === "unicast" ? [{ key: `net/ipv6/conf/${device}/addr_gen_mode`, value: "3" }] : [];
}

function addAgent(
  cluster: ResolvedCluster,
  machine: ResolvedMachine,
  device: string,
  draft: NamespaceDraft,
  { drafts, options, resolved }: Wiring,
): void {
  if (draft.name === null) return;
  const { keyFile } = cluster.source;
  const keyPath = keyFile === null ? null : options.absolutePath(keyFile.value, keyFile.span.file);
  const settings = memberSettings(cluster, machine, device, keyPath, resolved);
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

/** What a member takes of all that comes for the cluster. */
export function shareTable(cluster: ResolvedCluster): NftTable {
  const hook = "type filter hook prerouting priority mangle; policy accept;";
  const chain = { name: "sp_share", hook, rules: shareRules(cluster) };
  return nftTable(nftFamilyOf(cluster.address), CLUSTER_TABLE, {
    sets: setsOf(cluster),
    maps: [],
    chains: [chain],
  });
}

/** What hides the shared MAC from switches, or tells it to those who ask. `own`: the MAC of the device. */
export function maskTable(cluster: ResolvedCluster, machine: string, device: string, own: Mac): NftTable {
  const hook = `type filter hook egress device ${quoted(device)} priority 0; policy accept;`;
  const chain = { name: "sp_out", hook, rules: maskRules(cluster, machine, own) };
  return nftTable("netdev", CLUSTER_TABLE, { maps: [], chains: [chain] });
}

function maskRules(cluster: ResolvedCluster, machine: string, own: Mac): string[] {
  const { mac, mode, address } = cluster;
  const mask = cluster.members.find((member) => member.machine === machine)?.maskMac ?? mac;
  // Linux never asks by RARP: what goes out as such is the announcement of the virtual switch that the
  // machine is on, and comes from below the machine.
  if (mode === "unicast") return [`ether type != 0x8035 ether saddr ${mac} ether saddr set ${mask}`];
  if (familyOfIp(address) === 4) return [`arp saddr ip ${address} arp saddr ether set ${mac}`];
  return neighbourRules(cluster, own);
}

/**
 * What is said of the shared address by neighbour discovery: the MAC in an answer, and in a question that is
 * sent from there (RFC 4861, 4.6.1). nftables changes those bytes, but not the checksum over them. So it
 * first puts a wrong word into the source address, unnoticed, and then writes the right address: now it
 * corrects the checksum, by just as much as the MAC has changed it.
 */
function neighbourRules({ address, mac }: ResolvedCluster, own: Mac): string[] {
  const last = sumOfWords(bytesOfIp(address).slice(-2));
  const wrong = (last + sumOfWords(bytesOfMac(own)) + ONES - (sumOfWords(bytesOfMac(mac)) % ONES)) % ONES;
  return [
    ["nd-neighbor-advert", "0x0201"],
    ["nd-neighbor-solicit", "0x0101"],
  ].map(([type, option]) =>
    [
      `ip6 saddr ${address} icmpv6 type ${type} @th,192,16 ${option} @th,208,48 ${hexOf(own)}`,
      `@th,208,48 set ${hexOf(mac)} @nh,176,16 set 0x${wrong.toString(16)} ip6 saddr set ${address}`,
    ].join(" "),
  );
}

/** Checksums count in the ones' complement of 16 bits (RFC 1071). */
const ONES = 0xffff;

function sumOfWords(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte, at) => sum + (at % 2 === 0 ? byte << 8 : byte), 0);
}

function hexOf(mac: Mac): string {
  return `0x${mac.replaceAll(":", "")}`;
}

function shareRules(cluster: ResolvedCluster): string[] {
  const family = nftFamilyOf(cluster.address);
  return [
    // What has passed a router does not come from a member (RFC 5082).
    `udp dport ${HEARTBEAT_PORT} ${family} ${family === "ip" ? "ttl" : "hoplimit"} != ${HEARTBEAT_HOPS} drop`,
    `${family} daddr != ${cluster.address} accept`,
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
  const hashed = HASHED[nftFamilyOf(cluster.address)][rule.affinity?.value ?? "single"];
  const seed = `0x${HASH_SEED.toString(16)}`;
  return [
    `${match} meta mark set jhash ${hashed} mod ${BUCKET_COUNT} seed ${seed}`,
    `${match} meta mark != @${own} drop`,
    `${match} meta mark set 0 accept`,
  ];
}

const HASHED = {
  ip: { none: "ip saddr . th sport", single: "ip saddr", "class-c": "ip saddr & 255.255.255.0" },
  ip6: { none: "ip6 saddr . th sport", single: "ip6 saddr", "class-c": "ip6 saddr & ffff:ffff:ffff:ffff::" },
} as const;
