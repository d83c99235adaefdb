// A router between two subnets that overlap does not know behind which interface a neighbour is.
import { formatSubnet, subnetsOverlap } from "../../../base/ip.ts";
import type { CheckRule } from "../rule.ts";

export const overlappingSubnets: CheckRule = {
  code: "overlapping-subnets",
  severity: "error",
  title: "one router is in two subnets that overlap",
  *run({ routers }) {
    for (const { kind, name, connected } of routers) {
      for (const [index, one] of connected.entries()) {
        const other = connected.slice(0, index).find((earlier) => {
          const isSameNetwork = earlier.network !== null && earlier.network === one.network;
          // Several addresses of a host in one subnet.
          const isSameSubnet =
            one.network === null && formatSubnet(earlier.subnet) === formatSubnet(one.subnet);
          return !isSameNetwork && !isSameSubnet && subnetsOverlap(earlier.subnet, one.subnet);
        });
        if (other === undefined) continue;
        yield {
          span: one.span,
          message: `${kind} ${name} is in ${formatSubnet(other.subnet)} and in ${formatSubnet(one.subnet)}, which overlap: it cannot tell behind which interface a neighbour is`,
          help: "Give one of the networks another subnet; or, where both sides must have the same one, make it a fenced vApp.",
          related: [{ span: other.span, message: `${formatSubnet(other.subnet)} is here` }],
        };
      }
    }
  },
};
