// Addresses for who asks for one without saying which. Each asker's name has its place in the pool, so that
// an address stays what it is when others are added, removed or moved in the file. Where two names meet on
// one place, the one further up in the file has it, and the other takes the next that is free.
import { familyOfIp, type Ip, type IpRange, ipOfValue, valueOfIp } from "../../base/ip.ts";

export class AddressPool {
  readonly #ranges: readonly { readonly first: bigint; readonly count: number; readonly family: 4 | 6 }[];
  readonly #taken: Set<Ip>;
  /** How many addresses the ranges hold; of one range 2^31 at most are used. */
  readonly size: number;

  /** `taken` is shared: what one pool of a network gives, no other does. */
  constructor(ranges: readonly IpRange[], taken: Set<Ip>) {
    this.#ranges = ranges.map(({ first, last }) => ({
      first: valueOfIp(first),
      count: countBetween(first, last),
      family: familyOfIp(first),
    }));
    this.#taken = taken;
    this.size = this.#ranges.reduce((sum, { count }) => sum + count, 0);
  }

  /** The address for `asker`, which is taken from then on; null when none is free. */
  take(asker: string): Ip | null {
    if (this.size === 0) return null;
    const place = hashOf(asker) % this.size;
    for (let step = 0; step < this.size; step++) {
      const ip = this.#at((place + step) % this.size);
      if (this.#taken.has(ip)) continue;
      this.#taken.add(ip);
      return ip;
    }
    return null;
  }

  #at(index: number): Ip {
    let rest = index;
    for (const { first, count, family } of this.#ranges) {
      if (rest < count) return ipOfValue(first + BigInt(rest), family)!;
      rest -= count;
    }
    throw new Error("the index is beyond the pool");
  }
}

function countBetween(first: Ip, last: Ip): number {
  const count = valueOfIp(last) - valueOfIp(first) + 1n;
  return count > 1n << 31n ? 2 ** 31 : Number(count);
}

/**
 * FNV-1a with a final mix (MurmurHash3's), 0..2^31-1: names that differ in one letter must not be neighbours.
 */
export function hashOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) & 0x7fffffff;
}
