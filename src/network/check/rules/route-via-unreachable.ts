// The next hop of a route must be a neighbour, and somebody.
import type { Ip } from "../../../base/ip.ts";
import type { CheckContext } from "../context.ts";
import { isLinkLocal } from "../link-local.ts";
import { connectedTo, type Router } from "../routers.ts";
import type { CheckRule } from "../rule.ts";

export const routeViaUnreachable: CheckRule = {
  code: "route-via-unreachable",
  severity: "error",
  title: "the next hop of a route is no neighbour, nobody, or the router itself",
  *run(context) {
    const told = new Set<unknown>();
    for (const router of context.routers) {
      for (const { via, span } of ownRoutes(router, context)) {
        const why = faultOf(router, via, context);
        if (why === null || told.has(span)) continue;
        told.add(span);
        yield {
          span,
          message: `${router.kind} ${router.name} has a route via ${via}, ${why}`,
          help: "The next hop is the address that another router has in a network of this one.",
          related: [{ span: router.span, message: `${router.name} is here` }],
        };
      }
    }
  },
};

/** Default gateways of machines have checks of their own. */
function ownRoutes({ kind, name, routes }: Router, { machines }: CheckContext): Router["routes"] {
  return kind === "machine" ? machines.get(name)!.routes : routes;
}

function faultOf(router: Router, via: Ip, context: CheckContext): string | null {
  if (router.addresses.includes(via)) return "which is its own address";
  if (router.connected.length === 0 || isLinkLocal(via)) return null;
  const near = connectedTo(router, via);
  if (near === null) return "which is in none of its networks";
  if (near.network === null || near.network.isExternal) return null;
  const isSomebody = context.owners.get(context.domainOf(near.network))?.has(via) === true;
  return isSomebody || context.ownersAnywhere.get(via)?.owner.kind === "host"
    ? null
    : `but nobody in ${near.network.name} has that address`;
}
