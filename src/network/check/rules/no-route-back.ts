// The way there is routed, the way back is not: the request arrives, the answer does not.
import { formatSubnet, subnetsOverlap } from "../../../base/ip.ts";
import type { CheckRule } from "../rule.ts";

export const noRouteBack: CheckRule = {
  code: "no-route-back",
  severity: "warning",
  title: "a router that a route leads to knows no way back",
  *run({ routers, routersByIp, edges }) {
    for (const router of routers) {
      if (!router.isForwarding) continue;
      for (const { via, to, span } of router.routes) {
        const next = routersByIp.get(via);
        if (next === undefined || next === router || to.prefix === 0) continue;
        const lost = router.connected.find(
          ({ subnet, network }) =>
            network?.isExternal !== true &&
            subnet.family === to.family &&
            !next.connected.some((one) => subnetsOverlap(one.subnet, subnet)) &&
            !next.routes.some((route) => subnetsOverlap(route.to, subnet)),
        );
        // What the router translates comes back by its own address.
        const isTranslated =
          lost?.network != null &&
          edges.get(router.name)?.nat.some(({ action }) => action.kind !== "dnat") === true;
        if (lost === undefined || isTranslated) continue;
        const home = lost.network?.name ?? formatSubnet(lost.subnet);
        yield {
          span,
          message: `${router.name} sends to ${formatSubnet(to)} via ${next.name}, which knows no way back to ${home}`,
          help: `Give ${next.name} a route: \`{to: ${formatSubnet(lost.subnet)}, via: …}\`, or a default one.`,
          related: [{ span: next.span, message: `${next.name} is here` }],
        };
      }
    }
  },
};
