// Pool and DHCP range are given out by two that do not ask each other.
import { compareIps, type IpRange } from "../../../base/ip.ts";
import type { CheckRule } from "../rule.ts";

export const poolOverlapsDhcpRange: CheckRule = {
  code: "pool-overlaps-dhcp-range",
  severity: "error",
  title: "pool and DHCP range of a network overlap",
  *run({ datacenter }) {
    for (const { pools, dhcp } of datacenter.networks) {
      for (const { value: pool, span } of pools) {
        for (const { value: range, span: place } of dhcp?.ranges ?? []) {
          if (!overlap(pool, range)) continue;
          yield {
            span,
            message: `the pool ${pool.first}-${pool.last} overlaps the DHCP range ${range.first}-${range.last}: one address may be given out twice`,
            help: "Let one end before the other begins.",
            related: [{ span: place, message: "the DHCP range is here" }],
          };
        }
      }
    }
  },
};

function overlap(a: IpRange, b: IpRange): boolean {
  return compareIps(a.first, b.last) <= 0 && compareIps(b.first, a.last) <= 0;
}
