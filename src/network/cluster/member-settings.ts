// What the agent of one member is told, as plain data in a file beside it: who is in the cluster, the port
// rules, and how its frames look.
import { familyOfIp, type Ip, type IpFamily, lastOfSubnet, subnetOf } from "../../base/ip.ts";
import type { Mac } from "../../base/mac.ts";
import type { ClusterRule } from "../../model/datacenter.ts";
import type {
  ResolvedAddress,
  ResolvedCluster,
  ResolvedDatacenter,
  ResolvedMachine,
} from "../../model/resolved-datacenter.ts";
import { contentHash, safeName } from "../plan/kernel-names.ts";
import { portRangeText } from "../plan/nft-table.ts";
import type { SharedSettings } from "./agreement.ts";
import { weightOf } from "./buckets.ts";
import type { SharedRule } from "./shares.ts";

export interface MemberSettings {
  readonly name: string;
  readonly mode: ResolvedCluster["mode"];
  readonly mac: Mac;
  readonly member: number;
  readonly machines: readonly { readonly member: number; readonly machine: string }[];
  readonly device: string;
  /** Its own address in the cluster's network. Null: unknown here. */
  readonly ownAddress: Ip | null;
  /** Where heartbeats go: an address, with the device behind it where it does not say which network. */
  readonly broadcast: string;
  /** Its virtual switch tells other switches where it is. */
  readonly isAnnounced: boolean;
  readonly shared: SharedSettings;
  /** Absolute path of the file with the cluster's key; null: what members say is not signed. */
  readonly keyFile: string | null;
  /** The nftables set with what a member takes of each rule of `shared`. */
  readonly sets: readonly string[];
}

/** What no rule names goes to one member, by the priorities of hosts. */
export const OTHER_TRAFFIC = "other";

/** All of a network: IPv6 has no broadcast, but everybody listens to this group (RFC 4291, 2.7.1). */
const EVERYBODY = { 4: "255.255.255.255", 6: "ff02::1" } as const;

export function memberSettings(
  cluster: ResolvedCluster,
  machine: ResolvedMachine,
  device: string,
  keyFile: string | null,
  resolved: ResolvedDatacenter,
): MemberSettings {
  const family = familyOfIp(cluster.address);
  const own = machine.interfaces
    .find(({ network }) => network === cluster.network)
    ?.addresses.find(({ ip }) => familyOfIp(ip) === family);
  const machines = cluster.members.map((one) => ({ member: one.priority, machine: one.machine }));
  const shared = sharedSettings(cluster);
  return {
    name: cluster.name,
    mode: cluster.mode,
    mac: cluster.mac,
    member: machines.find((one) => one.machine === machine.name)?.member ?? 0,
    machines,
    device,
    ownAddress: own?.ip ?? null,
    broadcast: broadcastOf(own, family, device),
    isAnnounced: isAnnounced(cluster, resolved),
    keyFile,
    shared,
    sets: shared.rules.map(({ name }) => liveSet(name)),
  };
}

function broadcastOf(own: ResolvedAddress | undefined, family: IpFamily, device: string): string {
  if (family === 6) return `${EVERYBODY[6]}%${device}`;
  return own === undefined ? EVERYBODY[4] : lastOfSubnet(subnetOf(own.ip, own.prefix));
}

/** Names of sets whose elements the agent sets begin so; nobody takes their change for a change by hand. */
export const LIVE_SET = "sp_live_";

export function liveSet(rule: string): string {
  return `${LIVE_SET}${contentHash(rule).slice(0, 8)}`;
}

/** All rules by which somebody takes something, what none names last. */
export function sharedRules(cluster: ResolvedCluster): readonly SharedRule[] {
  const rules = cluster.rules.flatMap((rule) => sharedRule(cluster, rule) ?? []);
  return [...rules, { name: OTHER_TRAFFIC, kind: "single", members: prioritiesOf(cluster, null) }];
}

function sharedSettings(cluster: ResolvedCluster): SharedSettings {
  const rules = sharedRules(cluster);
  const members = cluster.members.map(({ priority }) => priority);
  const all = JSON.stringify([cluster.address, cluster.mode, cluster.members, rules]);
  return { cluster: cluster.address, members, rules, digest: contentHash(all) };
}

/** Null for a rule by which nobody takes anything. */
export function sharedRule(cluster: ResolvedCluster, rule: ClusterRule): SharedRule | null {
  const filtering = rule.filtering?.value ?? "multiple";
  if (filtering === "disabled") return null;
  const name = ruleName(cluster, rule);
  if (filtering === "single") return { name, kind: "single", members: prioritiesOf(cluster, rule) };
  const members = cluster.members.map(({ machine, priority }) => ({
    member: priority,
    value: weightOf(rule, machine),
  }));
  return { name, kind: "multiple", affinity: rule.affinity?.value ?? "single", members };
}

function prioritiesOf(cluster: ResolvedCluster, rule: ClusterRule | null): SharedRule["members"] {
  return cluster.members.map(({ machine, priority }) => ({
    member: priority,
    value: rule?.priorities.find((one) => one.machine.value === machine)?.priority.value ?? priority,
  }));
}

/** "tcp 80,443": in words, and the same for as long as it is about the same packets. */
function ruleName({ rules }: ResolvedCluster, rule: ClusterRule): string {
  const wordsOf = (one: ClusterRule) =>
    [
      one.protocol?.value ?? "tcp+udp",
      one.ports.length === 0 ? "all" : one.ports.map(({ value }) => portRangeText(value)).join(","),
    ].join(" ");
  const words = wordsOf(rule);
  const alike = rules.filter((one) => wordsOf(one) === words).indexOf(rule);
  return alike === 0 ? words : `${words} (${alike + 1})`;
}

/** As it is unless a port group says otherwise. */
function isAnnounced(cluster: ResolvedCluster, { networks, source }: ResolvedDatacenter): boolean {
  const place = networks.find(({ name }) => name === cluster.network)?.portGroup;
  const portGroup = source.switches
    .find(({ name }) => name === place?.switch)
    ?.portGroups.find(({ name }) => name === place?.portGroup);
  return cluster.mode === "unicast" && portGroup !== undefined && portGroup.notifySwitches?.value !== false;
}

/** The name of the agent of a machine, and of the directory where its files are. */
export function agentOf(machine: string): string {
  return safeName(`cluster-${machine}`);
}
