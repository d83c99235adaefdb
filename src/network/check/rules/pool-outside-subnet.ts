// Addresses of a pool that are not in the subnet would be given to fences and machines all the same.
import { formatSubnet, subnetHas } from "../../../base/ip.ts";
import type { CheckRule } from "../rule.ts";

export const poolOutsideSubnet: CheckRule = {
  code: "pool-outside-subnet",
  severity: "error",
  title: "a pool goes beyond its network's subnet",
  *run({ datacenter }) {
    for (const { name, pools, subnets } of datacenter.networks) {
      if (subnets.length === 0) continue;
      for (const { value: range, span } of pools) {
        if (subnets.some(({ value }) => subnetHas(value, range.first) && subnetHas(value, range.last)))
          continue;
        const place = subnets.map(({ value }) => formatSubnet(value)).join(" or ");
        yield {
          span,
          message: `the pool ${range.first}-${range.last} is not all in ${place}, the subnet of ${name}`,
          help: "What gets an address from the rest is reached by nobody.",
        };
      }
    }
  },
};
