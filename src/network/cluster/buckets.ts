// How a cluster's members share what comes in: 60 buckets, each of which one member has. The hash is
// Sallyport's own choice, Linux' jhash as nftables computes it, so that what is explained here is what a
// Linux member does.
import { bytesOfIp, familyOfIp, type Ip, subnetOf } from "../../base/ip.ts";
import type { ClusterRule } from "../../model/datacenter.ts";
import type { ResolvedCluster } from "../../model/resolved-datacenter.ts";
import { jhash } from "./jhash.ts";
import { BUCKET_COUNT, bucketHomes } from "./shares.ts";

/** "NLB" in ASCII; without a seed of its own every member would hash differently. */
export const HASH_SEED = 0x4e4c42;
const WEIGHT_DEFAULT = 50;

export type Affinity = "none" | "single" | "class-c";

/**
 * Of the client's address, what `class-c` looks at: in IPv6 a household has a /64, where it had a /24 once.
 */
export const CLASS_C_PREFIX = { 4: 24, 6: 64 } as const;

/** The bucket of a client: by its address and port, its address, or its /24 or /64. 0..59. */
export function bucketOf(affinity: Affinity, client: Ip, clientPort: number): number {
  const hashed = affinity === "class-c" ? subnetOf(client, CLASS_C_PREFIX[familyOfIp(client)]).first : client;
  const address = bytesOfIp(hashed);
  const input =
    affinity === "none" ? Uint8Array.of(...address, clientPort >> 8, clientPort & 0xff, 0, 0) : address;
  // nftables scales the hash to the buckets (reciprocal_scale), though its word for it is `mod`.
  return Math.floor((jhash(input, HASH_SEED) * BUCKET_COUNT) / 2 ** 32);
}

/**
 * The rule for a port; null: none says anything of it, so that all traffic goes to the member of highest
 * priority.
 */
export function clusterRuleFor(cluster: ResolvedCluster, protocol: string, port: number): ClusterRule | null {
  return (
    cluster.rules.find(
      (rule) =>
        (rule.protocol === null || rule.protocol.value === protocol) &&
        (rule.ports.length === 0 ||
          rule.ports.some(({ value }) => port >= value.first && port <= value.last)),
    ) ?? null
  );
}

/** Name of the member that has each bucket, by the weights of a rule. All null when every weight is 0. */
export function bucketOwners(cluster: ResolvedCluster, rule: ClusterRule): readonly (string | null)[] {
  const homes = bucketHomes(
    cluster.members.map(({ machine }, index) => ({ member: index, value: weightOf(rule, machine) })),
  );
  return homes.map((index) => (index === null ? null : cluster.members[index]!.machine));
}

export function weightOf(rule: ClusterRule, machine: string): number {
  return rule.weights.find((one) => one.machine.value === machine)?.weight.value ?? WEIGHT_DEFAULT;
}

/** For `filtering: single`, and for what no rule names: the member with the lowest priority. */
export function priorityOwner(cluster: ResolvedCluster, rule: ClusterRule | null): string | null {
  const ranked = cluster.members.map(({ machine, priority }) => ({
    machine,
    priority: rule?.priorities.find((one) => one.machine.value === machine)?.priority.value ?? priority,
  }));
  return ranked.sort((a, b) => a.priority - b.priority)[0]?.machine ?? null;
}
