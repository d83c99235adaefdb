// Which traffic rule of a port group a packet meets: by protocol, ports, and addresses, those of names
// included.
import { type Ip, rangeHas, subnetHas } from "../../base/ip.ts";
import type { Endpoint, Located, TrafficRule } from "../../model/datacenter.ts";
import type { ResolvedDatacenter } from "../../model/resolved-datacenter.ts";
import { type Packet, portsOf } from "./packet.ts";

/** The first that matches; null when none does. */
export function trafficRuleFor(
  rules: readonly TrafficRule[],
  packet: Packet,
  resolved: ResolvedDatacenter,
): TrafficRule | null {
  return rules.find((rule) => matches(rule, packet, resolved)) ?? null;
}

function matches({ match }: TrafficRule, packet: Packet, resolved: ResolvedDatacenter): boolean {
  if (match.protocol !== null && match.protocol.value !== packet.body.kind) return false;
  const { destination } = portsOf(packet);
  const isPort = match.ports.some(({ value }) => destination >= value.first && destination <= value.last);
  if (match.ports.length > 0 && !isPort) return false;
  return isOneOf(match.from, packet.source, resolved) && isOneOf(match.to, packet.destination, resolved);
}

function isOneOf(list: readonly Located<Endpoint>[], ip: Ip, resolved: ResolvedDatacenter): boolean {
  return list.length === 0 || list.some(({ value }) => holds(value, ip, resolved));
}

function holds(
  endpoint: Endpoint,
  ip: Ip,
  { networks, machines, edges, clusters }: ResolvedDatacenter,
): boolean {
  switch (endpoint.kind) {
    case "any":
      return true;
    case "address":
      return endpoint.ip === ip;
    case "subnet":
      return subnetHas(endpoint.subnet, ip);
    case "range":
      return rangeHas(endpoint.range, ip);
    case "name": {
      const { text } = endpoint.reference;
      const network = networks.find(({ name }) => name === text);
      if (network !== undefined)
        return network.isExternal || network.subnets.some((subnet) => subnetHas(subnet, ip));
      if (clusters.some(({ name, address }) => name === text && address === ip)) return true;
      // A vApp or a copy stands for the machines in it.
      const owners = [...machines, ...edges].filter(
        ({ name }) => name === text || name.startsWith(`${text}/`) || name.startsWith(`${text}.`),
      );
      return owners.some(({ interfaces }) =>
        interfaces.some(({ addresses }) => addresses.some((one) => one.ip === ip)),
      );
    }
  }
}
