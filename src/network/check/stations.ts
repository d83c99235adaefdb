// Everybody with an address or a MAC, in one list: machines, edges, fences, hosts and clusters.
import type { Ip } from "../../base/ip.ts";
import type { Mac } from "../../base/mac.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { Machine } from "../../model/datacenter.ts";
import type {
  ResolvedDatacenter,
  ResolvedInterface,
  ResolvedMachine,
  ResolvedNetwork,
} from "../../model/resolved-datacenter.ts";
import type { Domains } from "./domains.ts";

export interface StationOwner {
  readonly kind: "machine" | "edge" | "fence" | "host" | "cluster";
  readonly name: string;
  /** The entry of the file that a machine is made of: the same for all copies. */
  readonly source: Machine | null;
  /** The cluster that it is a member of. */
  readonly cluster: string | null;
}

export interface Station {
  readonly owner: StationOwner;
  readonly domain: string;
  /** Null for what hosts have by themselves. */
  readonly network: ResolvedNetwork | null;
  readonly ip: Ip;
  /** Said in the file, not chosen. */
  readonly isWritten: boolean;
  readonly span: Span;
}

export interface StationMac {
  readonly owner: StationOwner;
  readonly domain: string;
  readonly mac: Mac;
  readonly span: Span;
}

type Networks = ReadonlyMap<string, ResolvedNetwork>;

export function stationsOf(resolved: ResolvedDatacenter, networks: Networks, domains: Domains): Station[] {
  const stations: Station[] = [];
  const addInterfaces = (owner: StationOwner, interfaces: readonly ResolvedInterface[]): void => {
    for (const { network: name, addresses } of interfaces) {
      const network = networks.get(name);
      if (network === undefined) continue;
      const domain = domains.ofNetwork(network);
      for (const { ip, origin } of addresses)
        stations.push({ owner, domain, network, ip, isWritten: origin.kind === "file", span: origin.span });
    }
  };
  for (const machine of resolved.machines) addInterfaces(ownerOf(machine), machine.interfaces);
  for (const { kind, name, interfaces } of resolved.edges)
    addInterfaces({ kind, name, source: null, cluster: null }, interfaces);
  for (const host of resolved.source.hosts) {
    const owner: StationOwner = { kind: "host", name: host.name, source: null, cluster: null };
    for (const one of [...host.interfaces, ...host.bonds, ...host.vlans, ...host.bridges]) {
      const domain = domains.ofHostLink(host, one.name);
      for (const { value, span } of one.addresses)
        stations.push({ owner, domain, network: null, ip: value.ip, isWritten: true, span });
    }
  }
  for (const { name, network: networkName, address, source } of resolved.clusters) {
    const network = networks.get(networkName);
    if (network === undefined) continue;
    const owner: StationOwner = { kind: "cluster", name, source: null, cluster: name };
    const domain = domains.ofNetwork(network);
    stations.push({ owner, domain, network, ip: address, isWritten: true, span: source.address.span });
  }
  return stations;
}

export function stationMacsOf(
  resolved: ResolvedDatacenter,
  networks: Networks,
  domains: Domains,
): StationMac[] {
  const macs: StationMac[] = [];
  const add = (owner: StationOwner, interfaces: readonly ResolvedInterface[]): void => {
    for (const { name: device, network: name, mac, span } of interfaces) {
      const network = networks.get(name);
      if (network === undefined) continue;
      const written = owner.source?.interfaces.find((one) => one.name === device)?.mac ?? null;
      macs.push({ owner, domain: domains.ofNetwork(network), mac, span: written?.span ?? span });
    }
  };
  for (const machine of resolved.machines) add(ownerOf(machine), machine.interfaces);
  for (const { kind, name, interfaces } of resolved.edges)
    add({ kind, name, source: null, cluster: null }, interfaces);
  return macs;
}

function ownerOf({ name, source, cluster }: ResolvedMachine): StationOwner {
  return { kind: "machine", name, source, cluster };
}

/** "machine web-001", "the fence of shop.test-a". */
export function describeOwner({ kind, name }: StationOwner): string {
  return kind === "fence" ? `the fence of ${name}` : `${kind} ${name}`;
}
