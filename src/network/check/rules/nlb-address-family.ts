// Members hear each other, and answer, with addresses of the cluster's family.
import { familyOfIp } from "../../../base/ip.ts";
import type { CheckRule } from "../rule.ts";

export const nlbAddressFamily: CheckRule = {
  code: "nlb-address-family",
  severity: "error",
  title: "the network of a cluster has no subnet of its address's family",
  *run({ resolved, networks }) {
    for (const { name, address, network: where, source } of resolved.clusters) {
      const network = networks.get(where)!;
      const family = familyOfIp(address);
      if (network.subnets.some((subnet) => subnet.family === family)) continue;
      yield {
        span: source.address.span,
        message: `${address} of cluster ${name} is an address of IPv${family}, but ${where} has no such subnet: nobody there would ask for it`,
        help: `Give ${where} and the members addresses of IPv${family}, or the cluster one of theirs.`,
        related: [{ span: network.span, message: `${where} is here` }],
      };
    }
  },
};
