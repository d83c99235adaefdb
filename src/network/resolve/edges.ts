// Edges of the file, and those that are made because a network wants DHCP and no edge is in it.
import { macOfName } from "../../base/mac.ts";
import type { Edge } from "../../model/datacenter.ts";
import type { ResolvedEdge, ResolvedInterface, ResolvedNetwork } from "../../model/resolved-datacenter.ts";
import { resolveFirewall } from "./firewall.ts";
import { toRoute } from "./machines.ts";
import { resolveNat } from "./nat.ts";
import { AddressPool } from "./pool.ts";
import { fromFile, hostOf, networkOf, prefixIn, type Resolution, takenIn } from "./resolution.ts";

/** Where edges are and their addresses; rules come when all names have addresses. */
export function placeEdges(resolution: Resolution): void {
  for (const edge of resolution.datacenter.edges) {
    if (resolution.edges.has(edge.name)) continue;
    resolution.edges.set(edge.name, {
      name: edge.name,
      kind: "edge",
      host: hostOf(resolution, edge.host, edge.span),
      interfaces: interfacesOf(edge, resolution),
      routes: edge.routes.map(toRoute),
      firewall: { default: "deny", match: "original", rules: [], span: edge.span },
      nat: [],
      loadBalancer:
        edge.loadBalancer === null ? null : { path: edge.loadBalancer.value, span: edge.loadBalancer.span },
      fence: null,
      source: edge,
      span: edge.span,
    });
  }
  for (const network of resolution.networks.values()) {
    if (network.dhcp !== null && !resolution.edges.has(network.dhcp.server))
      resolution.edges.set(network.dhcp.server, dhcpEdge(network, network.dhcp.server, resolution));
  }
}

export function addEdgeRules(resolution: Resolution): void {
  for (const source of resolution.datacenter.edges) {
    const edge = resolution.edges.get(source.name);
    if (edge === undefined || edge.source !== source) continue;
    const networks = edge.interfaces.map(({ network }) => network);
    const firewall = resolveFirewall(source.firewall, source.span, { copy: null, networks }, resolution);
    const nat = resolveNat(source.nat, edge.interfaces, resolution);
    resolution.edges.set(edge.name, { ...edge, firewall, nat });
  }
}

function interfacesOf(edge: Edge, resolution: Resolution): ResolvedInterface[] {
  return edge.interfaces.flatMap(({ network: wanted, addresses, mac, span }) => {
    const network = networkOf(resolution, wanted);
    if (network === null) return [];
    return {
      name: network.name,
      network: network.name,
      addresses: addresses.map(({ value: ip, span: place }) => ({
        ip,
        prefix: prefixIn(network, ip),
        origin: fromFile(place),
      })),
      mac: mac?.value ?? macOfName(`${edge.name}/${network.name}`),
      wantsDhcp: false,
      span,
    };
  });
}

/** It only gives out addresses: nothing is forwarded. Its own address is one of the range. */
function dhcpEdge(network: ResolvedNetwork, name: string, resolution: Resolution): ResolvedEdge {
  const { span, ranges } = network.dhcp!;
  const ip = new AddressPool(ranges, takenIn(resolution, network.name)).take(name);
  const origin = { kind: "dhcp", text: `answers DHCP in ${network.name}`, span } as const;
  return {
    name,
    kind: "edge",
    host: resolution.datacenter.hosts[0]?.name ?? null,
    interfaces: [
      {
        name: network.name,
        network: network.name,
        addresses: ip === null ? [] : [{ ip, prefix: prefixIn(network, ip), origin }],
        mac: macOfName(`${name}/${network.name}`),
        wantsDhcp: false,
        span,
      },
    ],
    routes: [],
    firewall: { default: "deny", match: "original", rules: [], span },
    nat: [],
    loadBalancer: null,
    fence: null,
    source: network.source,
    span,
  };
}
