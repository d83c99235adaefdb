// The way of a publication: from the edge that has the outside address, over edges between, to the machine or
// to the fence that it is behind; and what each of them translates on it.
import { familyOfIp, type Ip, type IpFamily, subnetHas } from "../../base/ip.ts";
import type { Publication } from "../../model/datacenter.ts";
import type { PublicationStep, ResolvedEdge, ResolvedMachine } from "../../model/resolved-datacenter.ts";
import type { Resolution } from "./resolution.ts";
import type { Protocol } from "./used-places.ts";

export type Place = { readonly ip: Ip; readonly port: number };

/** A port of an address that is free, the wanted one or another; null when none is. */
export type FreePort = (ip: Ip, wanted: number) => number | null;

/** What the last edge before the machine, or before its fence, has to reach. */
export interface Target extends Place {
  /** The network that it is in, as seen from outside. */
  readonly network: string;
  /** The machine's own address when a fence translates to it. */
  readonly inside: Ip | null;
}

export function targetOf(
  publication: Publication,
  machine: ResolvedMachine,
  fenceEdge: ResolvedEdge | null,
  protocol: Protocol,
): Target | null {
  const port = publication.port.value;
  const { at } = publication;
  const isWanted = (ip: Ip) => at === null || familyOfIp(ip) === familyOfIp(at.value.ip);
  if (fenceEdge?.fence != null) {
    const { fence } = fenceEdge;
    const network = fenceEdge.interfaces.find(({ name }) => name === "out")!.network;
    const pair = fence.pairs.find((one) => one.machine === machine.name);
    if (pair === undefined || !isWanted(pair.outside)) return null;
    if (fence.mode === "ip-translation") return { ip: pair.outside, port, network, inside: pair.inside };
    const forward = fenceEdge.nat.find(
      ({ stage, action, protocol: ofRule }) =>
        stage === "prerouting" &&
        ofRule === protocol &&
        action.kind === "dnat" &&
        action.to === pair.inside &&
        action.toPort === port,
    );
    return { ip: fence.address, port: forward?.ports[0]?.first ?? port, network, inside: pair.inside };
  }
  for (const { network, addresses } of machine.interfaces) {
    const address = addresses.find(({ ip }) => isWanted(ip));
    if (address !== undefined) return { ip: address.ip, port, network, inside: null };
  }
  return null;
}

/** Edges from the one with the outside address to the one next to the target. */
export function chainTo(
  publication: Publication,
  target: Target,
  resolution: Resolution,
): readonly ResolvedEdge[] | null {
  const { edges, findings, networks } = resolution;
  const { at, span } = publication;
  const routers = [...edges.values()].filter(({ kind }) => kind === "edge");
  const isOuter = (edge: ResolvedEdge) =>
    at === null
      ? edge.interfaces.some(({ network }) => networks.get(network)?.isExternal === true)
      : edge.interfaces.some(({ addresses }) => addresses.some(({ ip }) => ip === at.value.ip));
  if (!routers.some(isOuter)) {
    if (at === null)
      findings.error("publication-unreachable", span, "no edge is in an external network to publish at");
    else {
      const known = routers.flatMap((edge) =>
        edge.interfaces
          .filter(({ network }) => networks.get(network)?.isExternal === true)
          .flatMap(({ addresses }) => addresses.map(({ ip }) => ip)),
      );
      findings.error("publication-unreachable", at.span, `no edge has the address ${at.value.ip}`, {
        help: known.length > 0 ? `Edges have ${known.slice(0, 8).join(", ")} outside.` : null,
      });
    }
    return null;
  }
  // Breadth first from the target's network outwards, so that the way is the shortest.
  const waiting: { readonly network: string; readonly chain: readonly ResolvedEdge[] }[] = [
    { network: target.network, chain: [] },
  ];
  const seen = new Set([target.network]);
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const edge of routers) {
      if (next.chain.includes(edge) || !edge.interfaces.some(({ network }) => network === next.network))
        continue;
      const chain = [edge, ...next.chain];
      if (isOuter(edge)) return chain;
      for (const { network } of edge.interfaces) {
        if (seen.has(network)) continue;
        seen.add(network);
        waiting.push({ network, chain });
      }
    }
  }
  findings.error(
    "publication-unreachable",
    at?.span ?? span,
    `no edge leads from there to ${target.network}`,
    {
      help: `An edge with an interface in ${target.network} is missing, or one between.`,
    },
  );
  return null;
}

/**
 * The outermost edge translates straight to the target when it has a way to it; the edges between then only
 * let it pass. An edge whose inside it does not know hides that inside, so the way goes by an address of that
 * edge.
 */
export function stepsOf(
  chain: readonly ResolvedEdge[],
  at: Place,
  target: Target,
  fence: ResolvedEdge | null,
  machinePort: number,
  free: FreePort,
): PublicationStep[] | null {
  const steps: PublicationStep[] = [];
  let present: Place = at;
  for (const [index, edge] of chain.entries()) {
    const next = chain[index + 1];
    let to: Place = target;
    if (next !== undefined && !knowsWayTo(edge, target.ip)) {
      const ip = addressTowards(next, edge, familyOfIp(target.ip)) ?? target.ip;
      const port = free(ip, at.port);
      if (port === null) return null;
      to = { ip, port };
    }
    steps.push({ edge: edge.name, from: present, to: { ip: to.ip, port: to.port } });
    present = to;
  }
  if (fence !== null && target.inside !== null)
    steps.push({
      edge: fence.name,
      from: { ip: target.ip, port: target.port },
      to: { ip: target.inside, port: machinePort },
    });
  return steps;
}

function knowsWayTo(edge: ResolvedEdge, ip: Ip): boolean {
  const connected = edge.interfaces.some(({ addresses }) =>
    addresses.some((address) => isInSubnet(address.ip, address.prefix, ip)),
  );
  return connected || edge.routes.some(({ to }) => to.prefix > 0 && subnetHas(to, ip));
}

function isInSubnet(own: Ip, prefix: number, ip: Ip): boolean {
  return familyOfIp(own) === familyOfIp(ip) && subnetHas({ family: familyOfIp(own), first: own, prefix }, ip);
}

/** An address of `edge` in a network that it shares with `outer`. */
function addressTowards(edge: ResolvedEdge, outer: ResolvedEdge, family: IpFamily): Ip | null {
  const shared = new Set(outer.interfaces.map(({ network }) => network));
  const addresses = edge.interfaces.flatMap((one) => (shared.has(one.network) ? one.addresses : []));
  return addresses.find(({ ip }) => familyOfIp(ip) === family)?.ip ?? null;
}
