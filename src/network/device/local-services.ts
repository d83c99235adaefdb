// Who takes a packet that has reached its address: a service of a machine, the load balancer or console of an
// edge, or nobody.
import { formatEndpoint } from "../../base/ip.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { Disposition } from "../../model/trace.ts";
import type { StackSpec } from "../topology/topology.ts";
import { type Packet, portsOf } from "./packet.ts";
import type { World } from "./world.ts";

export interface ServiceVerdict {
  readonly disposition: Disposition;
  readonly text: string;
  readonly span: Span | null;
}

const DHCP_SERVER_PORT = 67;
const DNS_PORT = 53;

export function serviceAt(spec: StackSpec, packet: Packet, world: World): ServiceVerdict {
  const { body, destination } = packet;
  if (body.kind === "icmp") {
    const disposition = spec.kind === "edge" || spec.kind === "fence" ? "answered-by-router" : "delivered";
    return { disposition, text: `reaches ${spec.name}, which answers`, span: spec.span };
  }
  const { destination: port } = portsOf(packet);
  const where = `${body.kind} ${formatEndpoint(destination, port)}`;
  if (spec.edge !== null) return serviceOfEdge(spec, packet, port, where, world);
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
  const isDhcp = world.topology.resolved.networks.some(({ dhcp }) => dhcp?.server === edge.name);
  if (body.kind === "udp" && isDhcp && (port === DHCP_SERVER_PORT || port === DNS_PORT))
    return {
      disposition: "delivered",
      text: `reaches the DHCP and DNS server of ${edge.name}`,
      span: edge.span,
    };
  return {
    disposition: "refused",
    text: `reaches ${edge.name} itself, which serves nothing at ${where}`,
    span: edge.span,
  };
}
