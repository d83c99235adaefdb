// Who is meant by the `from` and `to` of rules, as addresses. What a name stands for depends on where the
// rule stands: at an edge outside, a machine behind a fence is its outside address; at the fence itself it is
// the machine.
import { type Ip, type IpRange, rangeOfSubnet } from "../../base/ip.ts";
import type { Endpoint, Located } from "../../model/datacenter.ts";
import { networkNameInCopy } from "./names.ts";
import type { Resolution } from "./resolution.ts";

/** One meaning of an endpoint: addresses, the network that the packet comes from or goes to, or both. */
export interface Meaning {
  /** Null: any address. */
  readonly addresses: readonly IpRange[] | null;
  /** Where the packet passes: an external network holds anybody, so its addresses alone would not tell. */
  readonly network: string | null;
}

/** Where a rule stands. */
export interface Standpoint {
  /** The fenced copy at whose fence it stands; null at any other edge. */
  readonly copy: string | null;
  /** Names of the networks that the edge is in. */
  readonly networks: readonly string[];
  /** Which destination it compares: from before or after translation. */
  readonly match: "original" | "translated";
}

type Side = "from" | "to";

const ANYBODY: Meaning = { addresses: null, network: null };

/**
 * All meanings of a list of endpoints; a packet matches when one of them does. An empty list is anybody.
 * Null, with diagnostics, when a name is nobody's: then the rule cannot be what was meant.
 */
export function meaningsOf(
  endpoints: readonly Located<Endpoint>[],
  side: Side,
  standpoint: Standpoint,
  resolution: Resolution,
): readonly Meaning[] | null {
  if (endpoints.length === 0) return [ANYBODY];
  const meanings: Meaning[] = [];
  const ranges: IpRange[] = [];
  for (const endpoint of endpoints) {
    const meaning = meaningOf(endpoint, side, standpoint, resolution);
    if (meaning === null) return null;
    if (meaning.addresses === null || meaning.network !== null) meanings.push(meaning);
    else ranges.push(...meaning.addresses);
  }
  return ranges.length > 0 ? [{ addresses: ranges, network: null }, ...meanings] : meanings;
}

function meaningOf(
  { value, span }: Located<Endpoint>,
  side: Side,
  standpoint: Standpoint,
  resolution: Resolution,
): Meaning | null {
  switch (value.kind) {
    case "any":
      return ANYBODY;
    case "address":
      return { addresses: [{ first: value.ip, last: value.ip }], network: null };
    case "subnet":
      return { addresses: [rangeOfSubnet(value.subnet)], network: null };
    case "range":
      return { addresses: [value.range], network: null };
    case "name": {
      const { text } = value.reference;
      if (resolution.networks.get(text)?.isExternal === true) {
        // Packets from outside come to an inner edge by the same interface as those from the networks
        // between.
        if (standpoint.networks.includes(text)) return { addresses: null, network: text };
        return { addresses: resolution.outside, network: null };
      }
      const meaning =
        standpoint.copy === null ? null : meaningAtFence(text, side, standpoint.copy, standpoint, resolution);
      if (meaning !== null) return meaning;
      const addresses = addressesOfName(text, resolution);
      if (addresses !== null) return { addresses, network: null };
      resolution.findings.unknown("name", text, span, knownNames(resolution));
      return null;
    }
  }
}

/**
 * Names that mean something else at a fence: its own copy, the machines in it, and the parent network, whose
 * subnet is on both sides. Null for all others.
 */
function meaningAtFence(
  name: string,
  side: Side,
  copyName: string,
  { match }: Standpoint,
  resolution: Resolution,
): Meaning | null {
  const copy = resolution.names.copiesByName.get(copyName)!;
  if (name === copyName || name === copy.vapp.name) return { addresses: null, network: copyName };
  const parent = resolution.networks.get(copy.vapp.network.parent.value)!;
  if (name === parent.name) return { addresses: parent.subnets.map(rangeOfSubnet), network: name };
  const isOwn = name.startsWith(`${copyName}/`) && resolution.machines.has(name);
  const machine = isOwn ? name : `${copyName}/${name}`;
  if (!resolution.machines.has(machine)) return null;
  // Who sends to it from outside has sent to its outside address.
  const isOutside = side === "to" && match === "original";
  const ips = isOutside ? fenceAddresses(machine, resolution) : insideAddresses(machine, resolution);
  return { addresses: single(ips), network: null };
}

/** Ranges of whatever has this name, as seen from outside all fences; null when nothing has it. */
export function addressesOfName(name: string, resolution: Resolution): readonly IpRange[] | null {
  const { networks, names, edges, clusters, machines } = resolution;
  const network = networks.get(name);
  if (network !== undefined && network.kind === "network") return network.subnets.map(rangeOfSubnet);
  if (machines.has(name)) return single(outsideAddresses(name, resolution));
  const edge = edges.get(name);
  if (edge !== undefined && edge.kind === "edge")
    return single(edge.interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip)));
  const cluster = clusters.get(name);
  if (cluster !== undefined) return single([cluster.address]);
  const copies = names.copies.filter((one) => one.name === name || one.vapp.name === name);
  if (copies.length === 0) return null;
  return single(copies.flatMap((one) => addressesOfCopy(one.name, resolution)));
}

/** The addresses of a machine of a copy in the copy's own network, which a fence may hide. */
export function insideAddresses(machine: string, resolution: Resolution): readonly Ip[] {
  return addressesWhere(machine, resolution, (network) => network === insideNetwork(machine, resolution));
}

/** As seen from outside its fence, if it is behind one. */
export function outsideAddresses(machine: string, resolution: Resolution): readonly Ip[] {
  const hidden = insideNetwork(machine, resolution);
  if (hidden === null || resolution.edges.get(hidden)?.fence == null)
    return addressesWhere(machine, resolution, () => true);
  const beside = addressesWhere(machine, resolution, (network) => network !== hidden);
  return [...fenceAddresses(machine, resolution), ...beside];
}

/** What its fence answers for in its place. */
function fenceAddresses(machine: string, resolution: Resolution): readonly Ip[] {
  const fence = resolution.edges.get(insideNetwork(machine, resolution) ?? "")?.fence;
  return fence?.pairs.filter((pair) => pair.machine === machine).map(({ outside }) => outside) ?? [];
}

function insideNetwork(machine: string, { names }: Resolution): string | null {
  const copy = names.machines.get(machine)?.copy ?? null;
  return copy === null ? null : networkNameInCopy(copy);
}

function addressesWhere(
  machine: string,
  { machines }: Resolution,
  isMeant: (network: string) => boolean,
): readonly Ip[] {
  const interfaces = machines.get(machine)?.interfaces.filter(({ network }) => isMeant(network)) ?? [];
  return interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
}

function addressesOfCopy(copyName: string, resolution: Resolution): readonly Ip[] {
  const { vapp } = resolution.names.copiesByName.get(copyName)!;
  const machines = vapp.machines.map(({ name }) => `${copyName}/${name}`);
  const addresses = machines.flatMap((name) => outsideAddresses(name, resolution));
  const fence = resolution.edges.get(copyName)?.fence;
  return fence == null ? addresses : [fence.address, ...addresses];
}

function knownNames({ names }: Resolution): string[] {
  return [...names.kinds.keys(), ...names.copiesByName.keys(), ...names.machines.keys()];
}

function single(ips: readonly Ip[]): readonly IpRange[] {
  return [...new Set(ips)].map((ip) => ({ first: ip, last: ip }));
}
