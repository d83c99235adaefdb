// A client with a lease from another subnet cannot even reach the server again.
import { formatSubnet, subnetHas } from "../../../base/ip.ts";
import type { CheckRule } from "../rule.ts";

export const dhcpRangeOutsideSubnet: CheckRule = {
  code: "dhcp-range-outside-subnet",
  severity: "error",
  title: "a DHCP range goes beyond its network's subnet",
  *run({ datacenter }) {
    for (const { name, dhcp, subnets } of datacenter.networks) {
      if (subnets.length === 0) continue;
      for (const { value: range, span } of dhcp?.ranges ?? []) {
        if (subnets.some(({ value }) => subnetHas(value, range.first) && subnetHas(value, range.last)))
          continue;
        const place = subnets.map(({ value }) => formatSubnet(value)).join(" or ");
        yield {
          span,
          message: `the DHCP range ${range.first}-${range.last} is not all in ${place}, the subnet of ${name}`,
          help: "Clients that get an address from the rest reach neither gateway nor neighbours.",
        };
      }
    }
  },
};
