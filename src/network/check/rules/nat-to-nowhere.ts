// A translation to an address that nobody has: ARP for it is not answered, and the client waits.
import { subnetHas } from "../../../base/ip.ts";
import { ownerIn } from "../context.ts";
import { natTargets } from "../nat-targets.ts";
import type { CheckRule } from "../rule.ts";

export const natToNowhere: CheckRule = {
  code: "nat-to-nowhere",
  severity: "error",
  title: "an address is translated to one that nobody has",
  *run(context) {
    for (const { edge, rule, target } of natTargets(context)) {
      const near = edge.interfaces
        .map(({ network }) => context.networks.get(network)!)
        .find(({ subnets }) => subnets.some((subnet) => subnetHas(subnet, target)));
      if (near === undefined) {
        const router = context.routers.find(({ name, kind }) => kind === "edge" && name === edge.name)!;
        if (router.routes.some(({ to }) => subnetHas(to, target) && (to.prefix > 0 || !isPrivate(target))))
          continue;
        yield {
          span: rule.to.span,
          message: `${edge.name} translates to ${target}, but has neither an interface nor a route to there`,
          help: "Give it an interface in that network, or a route.",
          related: [{ span: edge.span, message: `${edge.name} is here` }],
        };
      } else if (!near.isExternal && ownerIn(context, near, target) === null) {
        yield {
          span: rule.to.span,
          message: `${edge.name} translates ${rule.address.value} to ${target}, but nobody in ${near.name} has that address`,
          help: "Write the machine's name instead of its address: `to: web-001`.",
          related: [{ span: near.span, message: `${near.name} is here` }],
        };
      }
    }
  },
};

/** RFC 1918: a default route leads nowhere with them. */
function isPrivate(ip: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(ip);
}
