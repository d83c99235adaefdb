// Sets of addresses and ports as rules of firewalls and NAT have them: whether one holds all of another.
import { familyOfIp, type Ip, valueOfIp } from "../../base/ip.ts";
import type { PortRange } from "../../model/datacenter.ts";
import type { AddressSet, ResolvedFirewallRule, ResolvedNatRule } from "../../model/resolved-datacenter.ts";

/**
 * Each range of `inner` lies in one of `outer`; sets that only together cover a range count as not covering.
 */
export function addressesCover(outer: AddressSet, inner: AddressSet): boolean {
  if (outer === null) return true;
  if (inner === null) return false;
  return inner.every((range) =>
    outer.some(
      (one) =>
        familyOfIp(one.first) === familyOfIp(range.first) &&
        valueOfIp(one.first) <= valueOfIp(range.first) &&
        valueOfIp(range.last) <= valueOfIp(one.last),
    ),
  );
}

export function addressesHave(set: AddressSet, ip: Ip): boolean {
  return addressesCover(set, [{ first: ip, last: ip }]);
}

/** An empty list is all ports. */
export function portsCover(outer: readonly PortRange[], inner: readonly PortRange[]): boolean {
  if (outer.length === 0) return true;
  if (inner.length === 0) return false;
  return inner.every((range) => outer.some((one) => one.first <= range.first && range.last <= one.last));
}

export function portsMeet(a: readonly PortRange[], b: readonly PortRange[]): boolean {
  if (a.length === 0 || b.length === 0) return true;
  return a.some((one) => b.some((other) => one.first <= other.last && other.first <= one.last));
}

type Match = Pick<
  ResolvedFirewallRule | ResolvedNatRule,
  "in" | "out" | "protocol" | "from" | "to" | "ports"
>;

/** Every packet that `inner` matches, `outer` matches too. */
export function matchCovers(outer: Match, inner: Match): boolean {
  return (
    (outer.in === null || outer.in === inner.in) &&
    (outer.out === null || outer.out === inner.out) &&
    (outer.protocol === null || outer.protocol === inner.protocol) &&
    portsCover(outer.ports, inner.ports) &&
    addressesCover(outer.from, inner.from) &&
    addressesCover(outer.to, inner.to)
  );
}

/**
 * For each match the first earlier one that covers it, asked in order. Most rules name one address, so only
 * those of the same address, and those of more than one, are compared.
 */
export class EarlierMatches<T extends Match> {
  readonly #byAddress = new Map<Ip, T[]>();
  readonly #wide: T[] = [];

  /** The first that covers `match`, which counts as earlier from then on. */
  take(match: T): T | null {
    const ip = singleAddress(match);
    const narrow = ip === null ? [] : (this.#byAddress.get(ip) ?? []);
    const found = [...this.#wide, ...narrow].find((earlier) => matchCovers(earlier, match)) ?? null;
    if (ip === null) this.#wide.push(match);
    else this.#byAddress.set(ip, [...narrow, match]);
    return found;
  }
}

function singleAddress({ to }: Match): Ip | null {
  const [range, second] = to ?? [];
  return range !== undefined && second === undefined && range.first === range.last ? range.first : null;
}
