// IPv6 headers (RFC 8200). Extension headers are passed over to find the transport header behind them.
import { bytesOfIp, type Ip, ipOfBytes } from "../base/ip.ts";
import { type Decoded, joinBytes, uint16, uint16At, uint32At, wireFault } from "./wire-fault.ts";

export interface Ipv6Header {
  readonly source: Ip;
  readonly destination: Ip;
  /** Of the payload, behind all extension headers. */
  readonly protocol: number;
  /** 0..255. */
  readonly hopLimit: number;
  /** 0..63. */
  readonly dscp: number;
  /** 0..3. */
  readonly ecn: number;
  /** 0..0xfffff. */
  readonly flowLabel: number;
}

export interface DecodedIpv6 extends Ipv6Header {
  readonly payloadOffset: number;
  readonly payloadEnd: number;
}

export const IPV6_DEFAULTS = { hopLimit: 64, dscp: 0, ecn: 0, flowLabel: 0 } as const;

const HEADER_BYTES = 40;
/** Hop-by-hop options, routing, destination options: length in units of 8 bytes without the first. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 60]);
const FRAGMENT = 44;

export function decodeIpv6(bytes: Uint8Array, offset = 0): Decoded<DecodedIpv6> {
  if (bytes.length < offset + HEADER_BYTES) return wireFault("ipv6", "is cut");
  const first = uint32At(bytes, offset);
  if (first >>> 28 !== 6) return wireFault("ipv6", `has version ${first >>> 28}`);
  const end = offset + HEADER_BYTES + uint16At(bytes, offset + 4);
  if (bytes.length < end) return wireFault("ipv6", "is shorter than it says");
  let protocol = bytes[offset + 6]!;
  let at = offset + HEADER_BYTES;
  while (EXTENSIONS.has(protocol) || protocol === FRAGMENT) {
    if (at + 8 > end) return wireFault("ipv6", "has an extension header that is cut");
    const length = protocol === FRAGMENT ? 8 : (bytes[at + 1]! + 1) * 8;
    protocol = bytes[at]!;
    at += length;
    if (at > end) return wireFault("ipv6", "has an extension header that is cut");
  }
  return {
    ok: true,
    value: {
      source: ipOfBytes(bytes.subarray(offset + 8, offset + 24)),
      destination: ipOfBytes(bytes.subarray(offset + 24, offset + 40)),
      protocol,
      hopLimit: bytes[offset + 7]!,
      dscp: (first >>> 22) & 0x3f,
      ecn: (first >>> 20) & 3,
      flowLabel: first & 0xfffff,
      payloadOffset: at,
      payloadEnd: end,
    },
  };
}

export function encodeIpv6(header: Ipv6Header, payload: Uint8Array): Uint8Array {
  const first = ((6 << 28) | (header.dscp << 22) | (header.ecn << 20) | header.flowLabel) >>> 0;
  return joinBytes(
    [first >>> 24, (first >>> 16) & 0xff, (first >>> 8) & 0xff, first & 0xff],
    [...uint16(payload.length), header.protocol, header.hopLimit],
    bytesOfIp(header.source),
    bytesOfIp(header.destination),
    payload,
  );
}
