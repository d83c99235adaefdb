// What the checks look at: the file, what it resolves to, and indexes over both that several rules use. Each
// index is made once, so that no rule needs to compare everything with everything.
import type { Ip } from "../../base/ip.ts";
import type { Datacenter, Host, PortGroup, Switch } from "../../model/datacenter.ts";
import type {
  ResolvedCluster,
  ResolvedDatacenter,
  ResolvedEdge,
  ResolvedMachine,
  ResolvedNetwork,
} from "../../model/resolved-datacenter.ts";
import type { Trace, TraceQuestion } from "../../model/trace.ts";
import { type Cable, cablesByLink } from "./cables.ts";
import { findDomains } from "./domains.ts";
import { type Router, routersOf } from "./routers.ts";
import { type Station, type StationMac, stationMacsOf, stationsOf } from "./stations.ts";

export interface CheckInput {
  readonly datacenter: Datacenter;
  readonly resolved: ResolvedDatacenter;
  /** The simulation; without it, the rules that need it find nothing. */
  readonly explain?: ((question: TraceQuestion) => Trace) | undefined;
}

export interface CheckContext {
  readonly datacenter: Datacenter;
  readonly resolved: ResolvedDatacenter;
  readonly explain: ((question: TraceQuestion) => Trace) | null;
  readonly networks: ReadonlyMap<string, ResolvedNetwork>;
  readonly machines: ReadonlyMap<string, ResolvedMachine>;
  readonly edges: ReadonlyMap<string, ResolvedEdge>;
  readonly clusters: ReadonlyMap<string, ResolvedCluster>;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly switches: ReadonlyMap<string, Switch>;
  /** The broadcast domain of a network: who is in one hears the other's broadcasts. */
  domainOf(network: ResolvedNetwork): string;
  /** Everybody with an address, one entry for each, in the order of the file. */
  readonly stations: readonly Station[];
  /** Who has an address, by domain and address. */
  readonly owners: ReadonlyMap<string, ReadonlyMap<Ip, Station>>;
  /** Who has an address, wherever that is; the insides of fences are nowhere. */
  readonly ownersAnywhere: ReadonlyMap<Ip, Station>;
  readonly macs: readonly StationMac[];
  readonly routers: readonly Router[];
  /** Routers by their addresses. */
  readonly routersByIp: ReadonlyMap<Ip, Router>;
  /** What is plugged into a host's card, by "host/eth0"; only what `fabric` says. */
  readonly cables: ReadonlyMap<string, Cable>;
}

export function makeContext({ datacenter, resolved, explain }: CheckInput): CheckContext {
  const domains = findDomains(datacenter);
  const networks = byName(resolved.networks);
  const stations = stationsOf(resolved, networks, domains);
  const routers = routersOf(resolved, networks);
  return {
    datacenter,
    resolved,
    explain: explain ?? null,
    networks,
    machines: byName(resolved.machines),
    edges: byName(resolved.edges),
    clusters: byName(resolved.clusters),
    hosts: byName(datacenter.hosts),
    switches: byName(datacenter.switches),
    domainOf: domains.ofNetwork,
    stations,
    owners: ownersByDomain(stations),
    ownersAnywhere: firstByIp(stations),
    macs: stationMacsOf(resolved, networks, domains),
    routers,
    routersByIp: new Map(routers.flatMap((router) => router.addresses.map((ip) => [ip, router] as const))),
    cables: cablesByLink(datacenter),
  };
}

/** The port group that a network is on; null for a segment of its own, or when the name is nobody's. */
export function portGroupOf(context: CheckContext, network: ResolvedNetwork): PortGroup | null {
  const { portGroup } = network;
  if (portGroup === null) return null;
  const groups = context.switches.get(portGroup.switch)?.portGroups;
  return groups?.find(({ name }) => name === portGroup.portGroup) ?? null;
}

export function switchOf(context: CheckContext, network: ResolvedNetwork): Switch | null {
  return network.portGroup === null ? null : (context.switches.get(network.portGroup.switch) ?? null);
}

/** Who has the address in the domain of a network; null when nobody does. */
export function ownerIn(context: CheckContext, network: ResolvedNetwork, ip: Ip): Station | null {
  return context.owners.get(context.domainOf(network))?.get(ip) ?? null;
}

/** The first of each name, as everywhere; the second is reported when names are collected. */
function byName<T extends { readonly name: string }>(things: readonly T[]): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const thing of things) if (!map.has(thing.name)) map.set(thing.name, thing);
  return map;
}

function ownersByDomain(stations: readonly Station[]): Map<string, Map<Ip, Station>> {
  const owners = new Map<string, Map<Ip, Station>>();
  for (const station of stations) {
    const map = owners.get(station.domain) ?? new Map<Ip, Station>();
    owners.set(station.domain, map);
    if (!map.has(station.ip)) map.set(station.ip, station);
  }
  return owners;
}

function firstByIp(stations: readonly Station[]): Map<Ip, Station> {
  const map = new Map<Ip, Station>();
  for (const station of stations) {
    if (station.network?.kind !== "fence-inside" && !map.has(station.ip)) map.set(station.ip, station);
  }
  return map;
}
