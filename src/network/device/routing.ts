// Where a packet goes next. Routers of the file have one table; the edge of a fence has one for each side,
// since the same subnet is on both.
import { familyOfIp, formatSubnet, type Ip, type Subnet, subnetHas, subnetOf } from "../../base/ip.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { StackInterface, StackSpec } from "../topology/topology.ts";

export interface RouteChoice {
  readonly out: StackInterface;
  /** Whom to ask for: the destination itself, or a router. */
  readonly nextHop: Ip;
  /** Why, in words. */
  readonly text: string;
  readonly span: Span | null;
}

/** The longest prefix wins; null: no route. */
export function routeFor(spec: StackSpec, destination: Ip): RouteChoice | null {
  if (isLinkLocal(destination)) return linkLocalRoute(spec, destination);
  let best: (RouteChoice & { readonly prefix: number }) | null = null;
  for (const out of spec.interfaces) {
    for (const { ip, prefix } of out.addresses) {
      if (familyOfIp(ip) !== familyOfIp(destination) || !subnetHas(subnetWith(ip, prefix), destination))
        continue;
      if (best !== null && best.prefix >= prefix) continue;
      const subnet = formatSubnet(subnetOf(ip, prefix));
      const text = spec.isForwarding
        ? `${destination} is in ${subnet}, which it is connected to`
        : `${destination} is in ${subnet}, its own subnet: a switch is enough, no router is asked`;
      best = { out, nextHop: destination, text, span: out.span, prefix };
    }
  }
  for (const { to, via, span } of spec.routes) {
    if (to.family !== familyOfIp(destination) || !subnetHas(to, destination)) continue;
    if (best !== null && best.prefix >= to.prefix) continue;
    const out = interfaceTowards(spec, via);
    if (out === null) continue;
    const which = to.prefix === 0 ? "the default route" : `the route to ${formatSubnet(to)}`;
    best = {
      out,
      nextHop: via,
      text: `${destination} goes by ${which} to the router ${via}`,
      span,
      prefix: to.prefix,
    };
  }
  return best;
}

/**
 * At the edge of a fence the side that a packet comes from decides: from outside everything goes in, from
 * inside everything goes out, whatever the address.
 */
export function fenceRouteFor(spec: StackSpec, destination: Ip, ingress: string | null): RouteChoice | null {
  const inside = spec.interfaces.find(({ name }) => name === "in")!;
  const outside = spec.interfaces.find(({ name }) => name === "out")!;
  if (ingress === "out") {
    const text = `it came from outside, so ${destination} is inside the fence`;
    return { out: inside, nextHop: destination, text, span: spec.span };
  }
  const [own] = outside.addresses;
  if (own !== undefined && subnetHas(subnetWith(own.ip, own.prefix), destination)) {
    const text = `it came from inside, so ${destination} is outside the fence, in the parent's network`;
    return { out: outside, nextHop: destination, text, span: spec.span };
  }
  const route = spec.routes.find(
    ({ to }) => to.family === familyOfIp(destination) && subnetHas(to, destination),
  );
  if (route === undefined) return null;
  const text = `${destination} goes by the parent's router ${route.via}`;
  return { out: outside, nextHop: route.via, text, span: route.span };
}

/** The address that a packet from an interface bears. */
export function sourceAddress(out: StackInterface, family: 4 | 6): Ip | null {
  return out.addresses.find(({ ip }) => familyOfIp(ip) === family)?.ip ?? null;
}

/** No router passes them on (RFC 4291, 2.5.6). */
function isLinkLocal(ip: Ip): boolean {
  return /^fe[89ab][0-9a-f]:/.test(ip);
}

/** Without a zone that names an interface, the first that speaks IPv6 is meant. */
function linkLocalRoute(spec: StackSpec, destination: Ip): RouteChoice | null {
  const out = spec.interfaces.find(({ addresses }) => addresses.some(({ ip }) => familyOfIp(ip) === 6));
  if (out === undefined) return null;
  const text = `${destination} is link-local: it is on the cable of ${out.name} or nowhere`;
  return { out, nextHop: destination, text, span: out.span };
}

function interfaceTowards(spec: StackSpec, via: Ip): StackInterface | null {
  return (
    spec.interfaces.find(({ addresses }) =>
      addresses.some(
        ({ ip, prefix }) => familyOfIp(ip) === familyOfIp(via) && subnetHas(subnetWith(ip, prefix), via),
      ),
    ) ?? null
  );
}

function subnetWith(ip: Ip, prefix: number): Subnet {
  return { family: familyOfIp(ip), first: ip, prefix };
}
