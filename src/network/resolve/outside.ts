// Who is outside, for edges that are not in an external network themselves: they cannot tell by the
// interface, so they tell by the address. Outside is whatever no network of the datacentre has.
import {
  compareIps,
  familyOfIp,
  type Ip,
  type IpFamily,
  type IpRange,
  ipOfValue,
  rangeOfSubnet,
  valueOfIp,
} from "../../base/ip.ts";
import type { ResolvedNetwork } from "../../model/resolved-datacenter.ts";

/** All addresses that no internal network has: in order, IPv4 first, none overlapping. */
export function addressesOutside(networks: Iterable<ResolvedNetwork>): IpRange[] {
  const inside = [...networks]
    .filter(({ isExternal }) => !isExternal)
    .flatMap(({ subnets }) => subnets.map(rangeOfSubnet))
    .sort((a, b) => compareIps(a.first, b.first));
  return ([4, 6] as const).flatMap((family) =>
    gapsBetween(
      inside.filter(({ first }) => familyOfIp(first) === family),
      family,
    ),
  );
}

/** `ranges`: of one family, by their first address; they may overlap. */
function gapsBetween(ranges: readonly IpRange[], family: IpFamily): IpRange[] {
  const end = family === 4 ? (1n << 32n) - 1n : (1n << 128n) - 1n;
  const gaps: IpRange[] = [];
  let next = 0n;
  for (const range of ranges) {
    const first = valueOfIp(range.first);
    if (first > next) gaps.push(rangeOf(next, first - 1n, family));
    const behind = valueOfIp(range.last) + 1n;
    if (behind > next) next = behind;
  }
  if (next <= end) gaps.push(rangeOf(next, end, family));
  return gaps;
}

function rangeOf(first: bigint, last: bigint, family: IpFamily): IpRange {
  return { first: ipOfValue(first, family) as Ip, last: ipOfValue(last, family) as Ip };
}
