// What Linux's bonding driver reads of an IP packet for its hash. Found out with a real driver (kernel 6.1),
// and by the manual (Documentation/networking/bonding.rst, xmit_hash_policy): an echo has its identifier
// where others have ports, an error goes the way of what it is about, fragments have no ports, and only the
// policies encap… look into tunnels.
import { ETHER_TYPES } from "../../wire/ethernet.ts";
import { ICMPV6_PROTOCOL } from "../../wire/icmpv6.ts";
import { IP_PROTOCOLS } from "../../wire/ipv4.ts";
import { uint16At } from "../../wire/wire-fault.ts";

export interface FlowFields {
  /** Both addresses as the processor reads them, together. */
  readonly addresses: number;
  /** What tells flows between two addresses apart, as the processor reads its four bytes; 0 for nothing. */
  readonly ports: number;
  /** What `ports` is, in words; "" for nothing. */
  readonly portWords: string;
}

export interface FlowDepth {
  readonly wantsPorts: boolean;
  readonly looksIntoTunnels: boolean;
}

const NO_PORTS = { ports: 0, portWords: "" } as const;
/** Where the four bytes begin, by protocol: SCTP's ports as TCP's, of IPsec's AH and ESP the SPI. */
const PORTS_OFFSET: ReadonlyMap<number, number> = new Map([
  [IP_PROTOCOLS.tcp, 0],
  [IP_PROTOCOLS.udp, 0],
  [33, 0],
  [50, 0],
  [51, 4],
  [132, 0],
  [136, 0],
]);
const ECHOES_AND_TIMESTAMPS: ReadonlySet<number> = new Set([0, 8, 13, 14]);
const ECHOES_V6: ReadonlySet<number> = new Set([128, 129]);
const ERRORS: ReadonlySet<number> = new Set([3, 4, 5, 11, 12]);
const [IP_IN_IP, IPV6_IN_IP, GRE] = [4, 41, 47];
const TUNNELS_MAX = 8;

/** Null: no IP packet, or cut. `offset`: where what `etherType` names begins. */
export function flowFields(
  bytes: Uint8Array,
  offset: number,
  etherType: number,
  depth: FlowDepth,
  tunnels = 0,
): FlowFields | null {
  const ip = readIp(bytes, offset, etherType);
  if (ip === null) return null;
  const { protocol, payloadOffset, isFragment, addresses } = ip;
  if (isFragment) return { addresses, ...NO_PORTS };
  if (depth.looksIntoTunnels && tunnels < TUNNELS_MAX) {
    const inside = insideOf(bytes, payloadOffset, protocol);
    if (inside !== null) return flowFields(bytes, inside.offset, inside.etherType, depth, tunnels + 1);
  }
  if (!depth.wantsPorts) return { addresses, ...NO_PORTS };
  if (protocol === IP_PROTOCOLS.icmp || protocol === ICMPV6_PROTOCOL) {
    // The general reader of flows, which looks into tunnels, does not look into errors.
    const isError = !depth.looksIntoTunnels && isIcmpError(bytes[payloadOffset], protocol);
    const about = isError ? readIp(bytes, payloadOffset + 8, etherType) : null;
    if (about !== null)
      return { addresses: about.addresses, ...portsOf(bytes, about.payloadOffset, about.protocol) };
    return { addresses, ...icmpIdentifier(bytes, payloadOffset, protocol) };
  }
  return { addresses, ...portsOf(bytes, payloadOffset, protocol) };
}

/** A word as a little-endian processor reads it. */
export function littleEndian(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24);
}

interface IpFields {
  readonly addresses: number;
  readonly protocol: number;
  readonly isFragment: boolean;
  readonly payloadOffset: number;
}

/** By hand: what an error quotes is cut, and the readers of `wire` refuse it. */
function readIp(bytes: Uint8Array, offset: number, etherType: number): IpFields | null {
  if (etherType === ETHER_TYPES.ipv4) {
    const headerBytes = ((bytes[offset] ?? 0) & 0x0f) * 4;
    if (headerBytes < 20 || offset + headerBytes > bytes.length) return null;
    return {
      addresses: littleEndian(bytes, offset + 12) ^ littleEndian(bytes, offset + 16),
      protocol: bytes[offset + 9]!,
      isFragment: (uint16At(bytes, offset + 6) & 0x3fff) !== 0,
      payloadOffset: offset + headerBytes,
    };
  }
  if (etherType !== ETHER_TYPES.ipv6 || offset + 40 > bytes.length) return null;
  let addresses = 0;
  for (let at = offset + 8; at < offset + 40; at += 4) addresses ^= littleEndian(bytes, at);
  return { addresses, protocol: bytes[offset + 6]!, isFragment: false, payloadOffset: offset + 40 };
}

/** What a tunnel carries; null when it is none. */
function insideOf(
  bytes: Uint8Array,
  offset: number,
  protocol: number,
): { readonly offset: number; readonly etherType: number } | null {
  if (protocol === IP_IN_IP) return { offset, etherType: ETHER_TYPES.ipv4 };
  if (protocol === IPV6_IN_IP) return { offset, etherType: ETHER_TYPES.ipv6 };
  if (protocol !== GRE || offset + 4 > bytes.length) return null;
  const flags = uint16At(bytes, offset);
  // Version 0 with checksum, key and sequence number, four bytes each (RFC 2784, RFC 2890).
  if ((flags & 7) !== 0) return null;
  const optional = [0x8000, 0x2000, 0x1000].filter((flag) => (flags & flag) !== 0).length;
  return { offset: offset + 4 + 4 * optional, etherType: uint16At(bytes, offset + 2) };
}

function portsOf(
  bytes: Uint8Array,
  offset: number,
  protocol: number,
): Pick<FlowFields, "ports" | "portWords"> {
  const skip = PORTS_OFFSET.get(protocol);
  if (skip === undefined || offset + skip + 4 > bytes.length) return NO_PORTS;
  const portWords = protocol === 50 || protocol === 51 ? "SPI" : "ports";
  return { ports: littleEndian(bytes, offset + skip), portWords };
}

/** Type, code and identifier, which is taken as a number and not as its bytes stand. */
function icmpIdentifier(
  bytes: Uint8Array,
  offset: number,
  protocol: number,
): Pick<FlowFields, "ports" | "portWords"> {
  const kinds = protocol === ICMPV6_PROTOCOL ? ECHOES_V6 : ECHOES_AND_TIMESTAMPS;
  if (offset + 8 > bytes.length || !kinds.has(bytes[offset]!)) return NO_PORTS;
  // 0 would mean that there is none.
  const identifier = uint16At(bytes, offset + 4) || 1;
  const ports = bytes[offset]! | (bytes[offset + 1]! << 8) | (identifier << 16);
  return { ports, portWords: "ICMP type and identifier" };
}

function isIcmpError(type: number | undefined, protocol: number): boolean {
  if (type === undefined) return false;
  return protocol === ICMPV6_PROTOCOL ? type < 128 : ERRORS.has(type);
}
