// Who is meant by the `from` and `to` of rules, as addresses. What a name stands for depends on where it is
// said: at an edge outside, a machine behind a fence is its outside address; at the fence itself it is the
// machine.
import { type Ip, type IpRange, rangeOfSubnet } from "../../base/ip.ts";
import type { Endpoint, Located } from "../../model/datacenter.ts";
import type { Resolution } from "./resolution.ts";

/** One meaning of an endpoint: addresses, the network that the packet comes from or goes to, or both. */
export interface Meaning {
  /** Null: any address. */
  readonly addresses: readonly IpRange[] | null;
  /** An external network holds anybody, so it is not its addresses that tell, but where the packet passes. */
  readonly network: string | null;
}

const ANYBODY: Meaning = { addresses: null, network: null };

/**
 * All meanings of a list of endpoints; a packet matches when one of them does. An empty list is anybody.
 * Null, with diagnostics, when a name is nobody's: then the rule cannot be what was meant.
 *
 * `copy`: the fenced copy at whose fence the rule stands; null outside.
 */
export function meaningsOf(
  endpoints: readonly Located<Endpoint>[],
  copy: string | null,
  resolution: Resolution,
): readonly Meaning[] | null {
  if (endpoints.length === 0) return [ANYBODY];
  const meanings: Meaning[] = [];
  const ranges: IpRange[] = [];
  for (const endpoint of endpoints) {
    const meaning = meaningOf(endpoint, copy, resolution);
    if (meaning === null) return null;
    if (meaning.addresses === null || meaning.network !== null) meanings.push(meaning);
    else ranges.push(...meaning.addresses);
  }
  return ranges.length > 0 ? [{ addresses: ranges, network: null }, ...meanings] : meanings;
}

function meaningOf(
  { value, span }: Located<Endpoint>,
  copy: string | null,
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
      const network = resolution.networks.get(text);
      if (network?.isExternal === true) return { addresses: null, network: text };
      const addresses = addressesOfName(text, copy, resolution);
      if (addresses !== null) return { addresses, network: null };
      resolution.findings.unknown("name", text, span, knownNames(resolution));
      return null;
    }
  }
}

/** Ranges of whatever has this name; null when nothing has it. */
export function addressesOfName(
  name: string,
  copy: string | null,
  resolution: Resolution,
): readonly IpRange[] | null {
  const { networks, names, edges, clusters, machines } = resolution;
  const network = networks.get(name);
  if (network !== undefined) return network.subnets.map(rangeOfSubnet);
  const ownMachine = copy === null ? null : `${copy}/${name}`;
  if (ownMachine !== null && machines.has(ownMachine)) return single(insideAddresses(ownMachine, resolution));
  if (machines.has(name)) {
    const isOwn = copy !== null && name.startsWith(`${copy}/`);
    return single(isOwn ? insideAddresses(name, resolution) : outsideAddresses(name, resolution));
  }
  const edge = edges.get(name);
  if (edge !== undefined && edge.kind === "edge")
    return single(edge.interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip)));
  const cluster = clusters.get(name);
  if (cluster !== undefined) return single([cluster.address]);
  const copies = names.copies.filter((one) => one.name === name || one.vapp.name === name);
  if (copies.length === 0) return null;
  return single(copies.flatMap((one) => addressesOfCopy(one.name, resolution)));
}

export function insideAddresses(machine: string, { machines }: Resolution): readonly Ip[] {
  return machines.get(machine)?.interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip)) ?? [];
}

/** As seen from outside its fence, if it is behind one. */
export function outsideAddresses(machine: string, resolution: Resolution): readonly Ip[] {
  const resolved = resolution.machines.get(machine);
  if (resolved?.copy == null) return insideAddresses(machine, resolution);
  const fence = resolution.edges.get(machine.slice(0, machine.lastIndexOf("/")))?.fence;
  if (fence == null) return insideAddresses(machine, resolution);
  return fence.pairs.filter((pair) => pair.machine === machine).map(({ outside }) => outside);
}

function addressesOfCopy(copy: string, resolution: Resolution): readonly Ip[] {
  const fence = resolution.edges.get(copy)?.fence;
  if (fence != null) return [fence.address, ...fence.pairs.map(({ outside }) => outside)];
  const machines = [...resolution.machines.keys()].filter((name) => name.startsWith(`${copy}/`));
  return machines.flatMap((name) => insideAddresses(name, resolution));
}

function knownNames({ names }: Resolution): string[] {
  return [...names.kinds.keys(), ...names.copiesByName.keys(), ...names.machines.keys()];
}

function single(ips: readonly Ip[]): readonly IpRange[] {
  return [...new Set(ips)].map((ip) => ({ first: ip, last: ip }));
}
