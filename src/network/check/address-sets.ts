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
 * For each match the first earlier one that covers it, asked in order. One that covers must have, at each of
 * source, destination, protocol and port, either the same single value or something wider, so it is found
 * under one of the sixteen keys that come of leaving values out: ten thousand published ports stay quick.
 */
export class EarlierMatches<T extends Match> {
  readonly #byKey = new Map<string, { readonly match: T; readonly index: number }[]>();
  #count = 0;

  /** The first that covers `match`, which counts as earlier from then on. */
  take(match: T): T | null {
    const values = singleValues(match);
    let first: { readonly match: T; readonly index: number } | null = null;
    for (const key of keysOf(values)) {
      const found = this.#byKey.get(key)?.find((earlier) => matchCovers(earlier.match, match));
      if (found !== undefined && (first === null || found.index < first.index)) first = found;
    }
    const own = values.join(" ");
    const bucket = this.#byKey.get(own) ?? [];
    this.#byKey.set(own, bucket);
    bucket.push({ match, index: this.#count++ });
    return first?.match ?? null;
  }
}

const ANYTHING = "*";

function singleValues({ from, to, protocol, ports }: Match): readonly string[] {
  const [port, second] = ports;
  const isOnePort = port !== undefined && second === undefined && port.first === port.last;
  return [
    singleAddress(from),
    singleAddress(to),
    protocol ?? ANYTHING,
    isOnePort ? String(port.first) : ANYTHING,
  ];
}

/** All ways to leave some of the values out. */
function keysOf(values: readonly string[]): Set<string> {
  let keys = [""];
  for (const [index, value] of values.entries()) {
    const separator = index === 0 ? "" : " ";
    keys = keys.flatMap((key) => [`${key}${separator}${value}`, `${key}${separator}${ANYTHING}`]);
  }
  return new Set(keys);
}

function singleAddress(set: AddressSet): string {
  const [range, second] = set ?? [];
  return range !== undefined && second === undefined && range.first === range.last ? range.first : ANYTHING;
}
