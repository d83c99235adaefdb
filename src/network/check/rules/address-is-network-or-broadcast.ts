// The first and the last address of an IPv4 subnet are nobody's (RFC 1122, 3.2.1.3), unless it is a /31
// (RFC 3021) or a /32.
import { lastOfSubnet } from "../../../base/ip.ts";
import type { CheckRule } from "../rule.ts";
import { describeOwner } from "../stations.ts";

export const addressIsNetworkOrBroadcast: CheckRule = {
  code: "address-is-network-or-broadcast",
  severity: "error",
  title: "a machine has the network or broadcast address of its subnet",
  *run({ stations }) {
    const told = new Set<unknown>();
    for (const { network, ip, isWritten, span, owner } of stations) {
      if (network === null || !isWritten || told.has(span)) continue;
      for (const subnet of network.subnets) {
        if (subnet.family !== 4 || subnet.prefix >= 31) continue;
        const isFirst = ip === subnet.first;
        if (!isFirst && ip !== lastOfSubnet(subnet)) continue;
        told.add(span);
        yield {
          span,
          message: `${ip} of ${describeOwner(owner)} is the ${isFirst ? "network" : "broadcast"} address of ${network.name}, which no machine can have`,
          help: "Write an address between the first and the last of the subnet.",
          related: [{ span: network.span, message: `${network.name} is here` }],
        };
      }
    }
  },
};
