// How a cluster's members share what comes in: 60 buckets, each of which one member has. The hash is
// Sallyport's own choice, Linux' jhash as nftables computes it, so that what is explained here is what a
// Linux member does.
import { bytesOfIp, type Ip } from "../../base/ip.ts";
import type { ClusterRule } from "../../model/datacenter.ts";
import type { ResolvedCluster } from "../../model/resolved-datacenter.ts";

export const BUCKET_COUNT = 60;
/** "NLB" in ASCII; without a seed of its own every member would hash differently. */
export const HASH_SEED = 0x4e4c42;
const WEIGHT_DEFAULT = 50;

export type Affinity = "none" | "single" | "class-c";

/** The bucket of a client: by its address and port, its address, or its /24. 0..59. */
export function bucketOf(affinity: Affinity, client: Ip, clientPort: number): number {
  const bytes = bytesOfIp(client);
  const address =
    affinity === "class-c" && bytes.length === 4 ? Uint8Array.of(bytes[0]!, bytes[1]!, bytes[2]!, 0) : bytes;
  const input =
    affinity === "none" ? Uint8Array.of(...address, clientPort >> 8, clientPort & 0xff, 0, 0) : address;
  return jhash(input, HASH_SEED) % BUCKET_COUNT;
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
  const weights = cluster.members.map(({ machine }) => ({
    machine,
    weight: rule.weights.find((one) => one.machine.value === machine)?.weight.value ?? WEIGHT_DEFAULT,
  }));
  const sum = weights.reduce((total, { weight }) => total + weight, 0);
  const owners: (string | null)[] = [];
  let soFar = 0;
  for (const { machine, weight } of weights) {
    soFar += weight;
    // Rounding the sums, not the shares, gives away exactly 60.
    const end = sum === 0 ? 0 : Math.round((soFar / sum) * BUCKET_COUNT);
    while (owners.length < end) owners.push(machine);
  }
  while (owners.length < BUCKET_COUNT) owners.push(null);
  return owners;
}

/** For `filtering: single`, and for what no rule names: the member with the lowest priority. */
export function priorityOwner(cluster: ResolvedCluster, rule: ClusterRule | null): string | null {
  const ranked = cluster.members.map(({ machine, priority }) => ({
    machine,
    priority: rule?.priorities.find((one) => one.machine.value === machine)?.priority.value ?? priority,
  }));
  return ranked.sort((a, b) => a.priority - b.priority)[0]?.machine ?? null;
}

/** Bob Jenkins' lookup3 as Linux has it (include/linux/jhash.h), for a little-endian machine. 0..2^32-1. */
export function jhash(bytes: Uint8Array, seed: number): number {
  const word = (at: number) =>
    bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24) | 0;
  let a = (0xdeadbeef + bytes.length + seed) | 0;
  let b = a;
  let c = a;
  let at = 0;
  let left = bytes.length;
  while (left > 12) {
    a = (a + word(at)) | 0;
    b = (b + word(at + 4)) | 0;
    c = (c + word(at + 8)) | 0;
    a = (a - c) | 0;
    a ^= rotate(c, 4);
    c = (c + b) | 0;
    b = (b - a) | 0;
    b ^= rotate(a, 6);
    a = (a + c) | 0;
    c = (c - b) | 0;
    c ^= rotate(b, 8);
    b = (b + a) | 0;
    a = (a - c) | 0;
    a ^= rotate(c, 16);
    c = (c + b) | 0;
    b = (b - a) | 0;
    b ^= rotate(a, 19);
    a = (a + c) | 0;
    c = (c - b) | 0;
    c ^= rotate(b, 4);
    b = (b + a) | 0;
    at += 12;
    left -= 12;
  }
  if (left === 0) return c >>> 0;
  const rest = new Uint8Array(12);
  rest.set(bytes.subarray(at));
  const restWord = (from: number) =>
    rest[from]! | (rest[from + 1]! << 8) | (rest[from + 2]! << 16) | (rest[from + 3]! << 24) | 0;
  a = (a + restWord(0)) | 0;
  b = (b + restWord(4)) | 0;
  c = (c + restWord(8)) | 0;
  c ^= b;
  c = (c - rotate(b, 14)) | 0;
  a ^= c;
  a = (a - rotate(c, 11)) | 0;
  b ^= a;
  b = (b - rotate(a, 25)) | 0;
  c ^= b;
  c = (c - rotate(b, 16)) | 0;
  a ^= c;
  a = (a - rotate(c, 4)) | 0;
  b ^= a;
  b = (b - rotate(a, 14)) | 0;
  c ^= b;
  c = (c - rotate(b, 24)) | 0;
  return c >>> 0;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
