// Whoever has routes: edges, machines and hosts, in one shape. Fences are left out, for what they know of
// routing is derived.
import { type Ip, type Subnet, subnetHas, subnetOf } from "../../base/ip.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { ResolvedDatacenter, ResolvedNetwork, ResolvedRoute } from "../../model/resolved-datacenter.ts";

export interface Router {
  readonly kind: "edge" | "machine" | "host";
  readonly name: string;
  readonly addresses: readonly Ip[];
  readonly connected: readonly ConnectedSubnet[];
  readonly routes: readonly ResolvedRoute[];
  readonly isForwarding: boolean;
  readonly span: Span;
}

export interface ConnectedSubnet {
  readonly subnet: Subnet;
  /** Null for what hosts have by themselves. */
  readonly network: ResolvedNetwork | null;
  readonly span: Span;
}

export function routersOf(
  { edges, machines, source }: ResolvedDatacenter,
  networks: ReadonlyMap<string, ResolvedNetwork>,
): Router[] {
  const routers: Router[] = [];
  for (const { kind, name, interfaces, routes, span } of edges) {
    if (kind === "edge")
      routers.push({ ...ofInterfaces(interfaces), kind, name, routes, isForwarding: true, span });
  }
  for (const { name, interfaces, routes, gateways, isForwarding, span, source: machine } of machines) {
    // Most machines have only their network's gateway, of which the network's own checks speak.
    if (routes.length === 0 && !isForwarding && machine.gateway === null && interfaces.length < 2) continue;
    const defaults = gateways.map(({ ip, span: place }) => ({ to: everything(ip), via: ip, span: place }));
    const all = [...routes, ...defaults];
    routers.push({ ...ofInterfaces(interfaces), kind: "machine", name, routes: all, isForwarding, span });
  }
  for (const host of source.hosts) {
    const own = [...host.interfaces, ...host.bonds, ...host.vlans, ...host.bridges].flatMap(
      (one) => one.addresses,
    );
    routers.push({
      kind: "host",
      name: host.name,
      addresses: own.map(({ value }) => value.ip),
      connected: own.map(({ value: { ip, prefix }, span }) => ({
        subnet: subnetOf(ip, prefix),
        network: null,
        span,
      })),
      routes: host.routes.map(({ to, via, span }) => ({ to: to.value, via: via.value, span })),
      isForwarding: host.forwarding?.value === true,
      span: host.span,
    });
  }
  return routers;

  function ofInterfaces(interfaces: ResolvedDatacenter["edges"][number]["interfaces"]) {
    return {
      addresses: interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip)),
      connected: interfaces.flatMap(({ network: name, span }) => {
        const network = networks.get(name)!;
        return network.subnets.map((subnet): ConnectedSubnet => ({ subnet, network, span }));
      }),
    };
  }
}

/** The connected subnet that the address lies in; null when there is none. */
export function connectedTo({ connected }: Router, ip: Ip): ConnectedSubnet | null {
  return connected.find(({ subnet }) => subnetHas(subnet, ip)) ?? null;
}

/** The route that a packet to `ip` takes by the longest prefix; null when none matches. */
export function routeTo({ routes }: Router, ip: Ip): ResolvedRoute | null {
  let best: ResolvedRoute | null = null;
  for (const route of routes) {
    if (subnetHas(route.to, ip) && (best === null || route.to.prefix > best.to.prefix)) best = route;
  }
  return best;
}

function everything(ip: Ip): Subnet {
  return subnetOf(ip, 0);
}
