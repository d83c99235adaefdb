// Networks of the file, and the inside of each fenced copy, which has its parent's subnet for itself.
import type { ResolvedDhcp, ResolvedNetwork } from "../../model/resolved-datacenter.ts";
import { isFenced } from "./names.ts";
import { addressesOutside } from "./outside.ts";
import type { Resolution } from "./resolution.ts";

const LEASE_DEFAULT_MS = 12 * 3_600_000;

export function resolveNetworks(resolution: Resolution): void {
  const { datacenter, networks, names, findings } = resolution;
  for (const network of datacenter.networks) {
    const { portGroup } = network;
    if (portGroup !== null) {
      const { value, span } = portGroup;
      const found = datacenter.switches.find(({ name }) => name === value.switch);
      if (found === undefined)
        findings.unknown(
          "switch",
          value.switch,
          span,
          datacenter.switches.map(({ name }) => name),
        );
      else if (!found.portGroups.some(({ name }) => name === value.portGroup))
        findings.unknown(
          "port-group",
          value.portGroup,
          span,
          found.portGroups.map(({ name }) => name),
        );
    }
    if (networks.has(network.name)) continue;
    networks.set(network.name, {
      name: network.name,
      kind: "network",
      isExternal: network.external?.value === true,
      subnets: network.subnets.map(({ value }) => value),
      gateways: network.gateways.map(({ value }) => value),
      portGroup: portGroup?.value ?? null,
      parent: null,
      dhcp: dhcpOf(resolution, network.name),
      source: network,
      span: network.span,
    });
  }
  for (const copy of names.copies) {
    const { value: parentName, span } = copy.vapp.network.parent;
    const parent = networks.get(parentName);
    if (parent === undefined) {
      findings.unknown("network", parentName, span, names.networks.keys());
      continue;
    }
    // A network of the same name has been reported; it stays what it is.
    if (isFenced(copy) && !networks.has(copy.name))
      networks.set(copy.name, insideOf(parent, copy.name, copy.source ?? copy.vapp));
  }
  resolution.outside.push(...addressesOutside(networks.values()));
}

function insideOf(parent: ResolvedNetwork, name: string, source: ResolvedNetwork["source"]): ResolvedNetwork {
  return {
    name,
    kind: "fence-inside",
    isExternal: false,
    subnets: parent.subnets,
    gateways: parent.gateways,
    portGroup: null,
    parent: parent.name,
    dhcp: null,
    source,
    span: source.span,
  };
}

/** Without its reservations, which are known when the machines are. */
function dhcpOf(resolution: Resolution, network: string): ResolvedDhcp | null {
  const source = resolution.names.networks.get(network);
  const settings = source?.dhcp ?? null;
  if (source === undefined || settings === null) return null;
  return {
    server: serverOf(resolution, network),
    ranges: settings.ranges.map(({ value }) => value),
    leaseMs: settings.leaseMs?.value ?? LEASE_DEFAULT_MS,
    dns: settings.dns.map(({ value }) => value),
    domain: settings.domain?.value ?? null,
    reservations: [],
    span: settings.span,
  };
}

/**
 * The edge that is named, else the one with the gateway, else any edge in the network, else one made for it.
 */
function serverOf({ datacenter, names, findings }: Resolution, network: string): string {
  const source = names.networks.get(network)!;
  const wanted = source.dhcp!.server;
  const { edges } = datacenter;
  if (wanted !== null) {
    if (edges.some(({ name }) => name === wanted.value)) return wanted.value;
    findings.unknown(
      "edge",
      wanted.value,
      wanted.span,
      edges.map(({ name }) => name),
    );
  }
  const gateways = source.gateways.map(({ value }) => value);
  const inside = edges.filter(({ interfaces }) => interfaces.some((one) => one.network.value === network));
  const withGateway = inside.find(({ interfaces }) =>
    interfaces.some(({ addresses }) => addresses.some(({ value }) => gateways.includes(value))),
  );
  return (withGateway ?? inside[0])?.name ?? `dhcp-${network}`;
}
