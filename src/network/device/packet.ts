// An IP packet as devices see it: IPv4 and IPv6 alike, with what they compare and change in the open, and the
// rest as bytes. `encodePacket` writes it back with all lengths and checksums.
import { familyOfIp, formatEndpoint, type Ip, type IpFamily } from "../../base/ip.ts";
import { decodeIcmp, encodeIcmp, type IcmpMessage, type IcmpType } from "../../wire/icmp.ts";
import { decodeIcmpv6, encodeIcmpv6, ICMPV6_PROTOCOL, type Icmpv6Message } from "../../wire/icmpv6.ts";
import { decodeIpv4, encodeIpv4, IP_PROTOCOLS, IPV4_DEFAULTS } from "../../wire/ipv4.ts";
import { decodeIpv6, encodeIpv6, IPV6_DEFAULTS } from "../../wire/ipv6.ts";
import { decodeTcp, encodeTcp, type TcpFlag } from "../../wire/tcp.ts";
import { decodeUdp, encodeUdp } from "../../wire/udp.ts";
import type { Decoded } from "../../wire/wire-fault.ts";

export interface Packet {
  readonly family: IpFamily;
  readonly source: Ip;
  readonly destination: Ip;
  /** 0..255; IPv6 calls it hop limit. */
  readonly ttl: number;
  readonly dscp: number;
  readonly dontFragment: boolean;
  readonly body: PacketBody;
}

export type PacketBody =
  | {
      readonly kind: "tcp";
      readonly sourcePort: number;
      readonly destinationPort: number;
      readonly flags: readonly TcpFlag[];
      readonly sequence: number;
      readonly acknowledgement: number;
      readonly options: Uint8Array;
      readonly data: Uint8Array;
    }
  | {
      readonly kind: "udp";
      readonly sourcePort: number;
      readonly destinationPort: number;
      readonly data: Uint8Array;
    }
  | {
      readonly kind: "icmp";
      readonly type: IcmpType;
      readonly code: number;
      readonly identifier: number;
      readonly sequence: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: "neighbour"; readonly message: Extract<Icmpv6Message, { target: Ip }> }
  | { readonly kind: "other"; readonly protocol: number; readonly data: Uint8Array };

const WINDOW = 64240;
/** To everybody on the wire (RFC 919). */
export const BROADCAST_IP: Ip = "255.255.255.255" as Ip;

/** `offset`: where the IP header begins. */
export function decodePacket(bytes: Uint8Array, offset: number, family: IpFamily): Decoded<Packet> {
  if (family === 4) {
    const header = decodeIpv4(bytes, offset);
    if (!header.ok) return header;
    const { source, destination, ttl, dscp, dontFragment, protocol, payloadOffset, payloadEnd } =
      header.value;
    const body = decodeBody(bytes, payloadOffset, payloadEnd, protocol);
    return { ok: true, value: { family, source, destination, ttl, dscp, dontFragment, body } };
  }
  const header = decodeIpv6(bytes, offset);
  if (!header.ok) return header;
  const { source, destination, hopLimit: ttl, dscp, protocol, payloadOffset, payloadEnd } = header.value;
  const body = decodeBody(bytes, payloadOffset, payloadEnd, protocol);
  return { ok: true, value: { family, source, destination, ttl, dscp, dontFragment: true, body } };
}

/** The bytes from the IP header on. */
export function encodePacket(packet: Packet): Uint8Array {
  const { source, destination, ttl, dscp, dontFragment } = packet;
  const { protocol, payload } = encodeBody(packet);
  return packet.family === 4
    ? encodeIpv4({ ...IPV4_DEFAULTS, source, destination, ttl, dscp, dontFragment, protocol }, payload)
    : encodeIpv6({ ...IPV6_DEFAULTS, source, destination, hopLimit: ttl, dscp, protocol }, payload);
}

export function newPacket(source: Ip, destination: Ip, body: PacketBody): Packet {
  return { family: familyOfIp(source), source, destination, ttl: 64, dscp: 0, dontFragment: true, body };
}

/** Ports of TCP and UDP; for an ICMP echo its identifier, which is what NAT tells echoes apart by. Else 0. */
export function portsOf({ body }: Packet): { readonly source: number; readonly destination: number } {
  if (body.kind === "tcp" || body.kind === "udp")
    return { source: body.sourcePort, destination: body.destinationPort };
  return body.kind === "icmp"
    ? { source: body.identifier, destination: body.identifier }
    : { source: 0, destination: 0 };
}

/** An echo gets `source` as its identifier; what has neither stays the packet that it is. */
export function withPorts(packet: Packet, source: number, destination: number): Packet {
  const { body } = packet;
  if (body.kind === "icmp") return { ...packet, body: { ...body, identifier: source } };
  if (body.kind !== "tcp" && body.kind !== "udp") return packet;
  return { ...packet, body: { ...body, sourcePort: source, destinationPort: destination } };
}

/** "tcp 192.168.10.11:40000 > 192.168.10.12:80" */
export function describePacket(packet: Packet): string {
  const { source, destination, body } = packet;
  if (body.kind === "tcp" || body.kind === "udp") {
    const flags = body.kind === "tcp" ? ` ${flagWords(body.flags)}` : "";
    const [from, to] = [
      formatEndpoint(source, body.sourcePort),
      formatEndpoint(destination, body.destinationPort),
    ];
    return `${body.kind} ${from} > ${to}${flags}`;
  }
  const what =
    body.kind === "icmp"
      ? `icmp ${body.type}`
      : body.kind === "other"
        ? `protocol ${body.protocol}`
        : "icmpv6";
  return `${what} ${source} > ${destination}`;
}

function flagWords(flags: readonly TcpFlag[]): string {
  return flags.join(",").toUpperCase();
}

function decodeBody(bytes: Uint8Array, offset: number, end: number, protocol: number): PacketBody {
  const other: PacketBody = { kind: "other", protocol, data: bytes.slice(offset, end) };
  switch (protocol) {
    case IP_PROTOCOLS.tcp: {
      const tcp = decodeTcp(bytes.subarray(0, end), offset);
      if (!tcp.ok) return other;
      const { sourcePort, destinationPort, flags, sequence, acknowledgement, options, payloadOffset } =
        tcp.value;
      const data = bytes.slice(payloadOffset, end);
      return { kind: "tcp", sourcePort, destinationPort, flags, sequence, acknowledgement, options, data };
    }
    case IP_PROTOCOLS.udp: {
      const udp = decodeUdp(bytes.subarray(0, end), offset);
      if (!udp.ok) return other;
      const { sourcePort, destinationPort, payloadOffset, payloadEnd } = udp.value;
      return { kind: "udp", sourcePort, destinationPort, data: bytes.slice(payloadOffset, payloadEnd) };
    }
    case IP_PROTOCOLS.icmp: {
      const icmp = decodeIcmp(bytes, offset, end);
      return icmp.ok ? { kind: "icmp", ...icmp.value } : other;
    }
    case ICMPV6_PROTOCOL: {
      const icmp = decodeIcmpv6(bytes, offset, end);
      if (!icmp.ok) return other;
      if ("target" in icmp.value) return { kind: "neighbour", message: icmp.value };
      const { type, ...rest } = icmp.value;
      return { kind: "icmp", type: type === "packet-too-big" ? "destination-unreachable" : type, ...rest };
    }
    default:
      return other;
  }
}

function encodeBody(packet: Packet): { readonly protocol: number; readonly payload: Uint8Array } {
  const { body, source, destination, family } = packet;
  switch (body.kind) {
    case "tcp": {
      const payload = encodeTcp({ ...body, window: WINDOW }, body.data, source, destination);
      return { protocol: IP_PROTOCOLS.tcp, payload };
    }
    case "udp":
      return { protocol: IP_PROTOCOLS.udp, payload: encodeUdp(body, body.data, source, destination) };
    case "icmp": {
      if (family === 4) return { protocol: IP_PROTOCOLS.icmp, payload: encodeIcmp(body as IcmpMessage) };
      // IPv6 has no redirect of this form; nothing here makes one.
      const type = body.type === "redirect" ? "destination-unreachable" : body.type;
      const { code, identifier, sequence, data } = body;
      const payload = encodeIcmpv6({ type, code, identifier, sequence, data }, source, destination);
      return { protocol: ICMPV6_PROTOCOL, payload };
    }
    case "neighbour":
      return { protocol: ICMPV6_PROTOCOL, payload: encodeIcmpv6(body.message, source, destination) };
    case "other":
      return { protocol: body.protocol, payload: body.data };
  }
}
