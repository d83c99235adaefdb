// A fixed address inside the DHCP range. The server here knows the machines of the file and spares them, but
// a router's, a cluster's or a foreign server's lease does not.
import { rangeHas } from "../../../base/ip.ts";
import type { CheckRule } from "../rule.ts";
import { describeOwner } from "../stations.ts";

export const dhcpRangeOverStatic: CheckRule = {
  code: "dhcp-range-over-static",
  severity: "error",
  title: "a fixed address lies in a DHCP range",
  *run({ stations, datacenter }) {
    const ranges = new Map(datacenter.networks.map(({ name, dhcp }) => [name, dhcp?.ranges ?? []]));
    const told = new Set<unknown>();
    for (const { network, ip, isWritten, span, owner } of stations) {
      if (network === null || network.kind === "fence-inside" || !isWritten || told.has(span)) continue;
      const range = ranges.get(network.name)?.find(({ value }) => rangeHas(value, ip));
      if (range === undefined) continue;
      told.add(span);
      yield {
        span,
        message: `${ip} of ${describeOwner(owner)} is fixed, but DHCP may lease it to somebody else: it is in the range of ${network.name}`,
        help: "Write `address: dhcp`, or an address outside the range.",
        related: [{ span: range.span, message: "the range is here" }],
      };
    }
  },
};
