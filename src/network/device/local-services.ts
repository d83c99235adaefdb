// Who takes a packet that has reached its address: a service of a machine, the load balancer or console of an
// edge, or nobody.
import { formatEndpoint } from "../../base/ip.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { ResolvedDhcp } from "../../model/resolved-datacenter.ts";
import type { Disposition } from "../../model/trace.ts";
import { DHCP_SERVER_PORT } from "../../protocol/dhcp/message.ts";
import type { StackSpec } from "../topology/topology.ts";
import { type Packet, portsOf } from "./packet.ts";
import type { World } from "./world.ts";

export interface ServiceVerdict {
  readonly disposition: Disposition;
  readonly text: string;
  readonly span: Span | null;
}

const DNS_PORT = 53;

/** `from`: the network by which it came. */
export function serviceAt(
  spec: StackSpec,
  packet: Packet,
  from: string | null,
  world: World,
): ServiceVerdict {
  const { body, destination } = packet;
  if (body.kind === "icmp") {
    const disposition = spec.kind === "edge" || spec.kind === "fence" ? "answered-by-router" : "delivered";
    return { disposition, text: `reaches ${spec.name}, which answers`, span: spec.span };
  }
  const { destination: port } = portsOf(packet);
  const where = `${body.kind} ${formatEndpoint(destination, port)}`;
  if (spec.edge !== null) return serviceOfEdge(spec, packet, from, port, where, world);
  const services = spec.machine?.source.services ?? [];
  // Of a machine whose services the file does not name, any port may be one.
  const isServed =
    services.length === 0 ||
    services.some(({ value }) => value.protocol === body.kind && value.port === port);
  if (isServed || spec.kind === "external" || spec.kind === "host")
    return { disposition: "delivered", text: `reaches ${spec.name} at ${where}`, span: spec.span };
  const known = services.map(({ value }) => `${value.protocol} ${value.port}`).join(", ");
  return {
    disposition: "refused",
    text: `reaches ${spec.name}, which serves ${known}, not ${body.kind} ${port}`,
    span: services[0]?.span ?? spec.span,
  };
}

function serviceOfEdge(
  spec: StackSpec,
  packet: Packet,
  from: string | null,
  port: number,
  where: string,
  world: World,
): ServiceVerdict {
  const { destination, body } = packet;
  const edge = spec.edge!;
  const { consoles } = world.topology.resolved.source;
  for (const [what, endpoint] of [
    ["console portal", consoles?.portal],
    ["console proxy", consoles?.proxy],
  ] as const) {
    const address = endpoint?.address.value;
    if (body.kind === "tcp" && address?.ip === destination && address.port === port)
      return { disposition: "delivered", text: `reaches the ${what} at ${where}`, span: endpoint!.span };
  }
  if (body.kind === "tcp" && edge.loadBalancer !== null) {
    const binds = world.loadBalancerBinds.filter((bind) => bind.edge === edge.name);
    const bind = binds.find((one) => one.port === port && (one.ip === null || one.ip === destination));
    // Without the binds, which are in another file, what the firewall lets through is taken for one of them.
    if (bind !== undefined || binds.length === 0) {
      return {
        disposition: "load-balanced",
        text: `reaches the load balancer of ${edge.name} at ${where}`,
        span: bind?.span ?? edge.loadBalancer.span,
      };
    }
  }
  const server = body.kind === "udp" ? dhcpServerAt(spec, packet, from, world) : null;
  if (server !== null)
    return {
      disposition: "delivered",
      text: `reaches the DHCP and DNS server of ${edge.name}`,
      span: server.span,
    };
  return {
    disposition: "refused",
    text: `reaches ${edge.name} itself, which serves nothing at ${where}`,
    span: edge.span,
  };
}

/**
 * By the network that a packet comes from: an edge with DHCP lets in questions of its clients before any rule
 * of the file is asked, since who asks for an address could not be named in one.
 */
export function dhcpOpening(
  { edge }: StackSpec,
  packet: Packet,
  network: string | null,
  world: World,
): ResolvedDhcp | null {
  if (edge === null || packet.body.kind !== "udp" || !isDhcpPort(portsOf(packet).destination)) return null;
  const one = world.topology.resolved.networks.find(({ name }) => name === network);
  return one?.dhcp?.server === edge.name ? one.dhcp : null;
}

/**
 * DNS is served at the addresses in its own network alone, and by IPv6 to that network alone: dnsmasq 2.90
 * does not answer others, though it answers them by IPv4.
 */
function dhcpServerAt(
  { name, interfaces }: StackSpec,
  packet: Packet,
  from: string | null,
  world: World,
): ResolvedDhcp | null {
  const port = portsOf(packet).destination;
  if (!isDhcpPort(port)) return null;
  const served = world.topology.resolved.networks.filter(({ dhcp }) => dhcp?.server === name);
  const found = served.find(
    (network) =>
      port === DHCP_SERVER_PORT ||
      ((packet.family === 4 || from === network.name) &&
        interfaces.some(
          (one) => one.network === network.name && one.addresses.some(({ ip }) => ip === packet.destination),
        )),
  );
  return found?.dhcp ?? null;
}

function isDhcpPort(port: number): boolean {
  return port === DHCP_SERVER_PORT || port === DNS_PORT;
}
