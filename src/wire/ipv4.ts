// IPv4 headers (RFC 791). Options are carried along, not looked into.
import { bytesOfIp, type Ip, ipOfBytes } from "../base/ip.ts";
import { internetChecksum } from "./checksum.ts";
import { type Decoded, joinBytes, uint16, uint16At, wireFault } from "./wire-fault.ts";

export const IP_PROTOCOLS = { icmp: 1, igmp: 2, tcp: 6, udp: 17, icmpv6: 58 } as const;

export interface Ipv4Header {
  readonly source: Ip;
  readonly destination: Ip;
  readonly protocol: number;
  /** 0..255. */
  readonly ttl: number;
  /** 0..63. */
  readonly dscp: number;
  /** 0..3. */
  readonly ecn: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In bytes, a multiple of 8. */
  readonly fragmentOffset: number;
  /** Padded to a multiple of 4 by `encodeIpv4`; at most 40 bytes. */
  readonly options: Uint8Array;
}

export interface DecodedIpv4 extends Ipv4Header {
  readonly payloadOffset: number;
  /** Where the payload ends: Ethernet pads short frames. */
  readonly payloadEnd: number;
  readonly isChecksumRight: boolean;
}

/** What a sender usually says. */
export const IPV4_DEFAULTS: Omit<Ipv4Header, "source" | "destination" | "protocol"> = {
  ttl: 64,
  dscp: 0,
  ecn: 0,
  identification: 0,
  dontFragment: true,
  moreFragments: false,
  fragmentOffset: 0,
  options: new Uint8Array(0),
};

export function decodeIpv4(bytes: Uint8Array, offset = 0): Decoded<DecodedIpv4> {
  if (bytes.length < offset + 20) return wireFault("ipv4", "is cut");
  if (bytes[offset]! >>> 4 !== 4) return wireFault("ipv4", `has version ${bytes[offset]! >>> 4}`);
  const headerBytes = (bytes[offset]! & 0xf) * 4;
  const totalBytes = uint16At(bytes, offset + 2);
  if (headerBytes < 20) return wireFault("ipv4", `says its header has ${headerBytes} bytes`);
  if (totalBytes < headerBytes) return wireFault("ipv4", "is shorter than its own header");
  if (bytes.length < offset + totalBytes) return wireFault("ipv4", `is cut: it says ${totalBytes} bytes`);
  const fragment = uint16At(bytes, offset + 6);
  return {
    ok: true,
    value: {
      source: ipOfBytes(bytes.subarray(offset + 12, offset + 16)),
      destination: ipOfBytes(bytes.subarray(offset + 16, offset + 20)),
      protocol: bytes[offset + 9]!,
      ttl: bytes[offset + 8]!,
      dscp: bytes[offset + 1]! >>> 2,
      ecn: bytes[offset + 1]! & 3,
      identification: uint16At(bytes, offset + 4),
      dontFragment: (fragment & 0x4000) !== 0,
      moreFragments: (fragment & 0x2000) !== 0,
      fragmentOffset: (fragment & 0x1fff) * 8,
      options: bytes.slice(offset + 20, offset + headerBytes),
      payloadOffset: offset + headerBytes,
      payloadEnd: offset + totalBytes,
      isChecksumRight: internetChecksum(bytes.subarray(offset, offset + headerBytes)) === 0,
    },
  };
}

/** Computes lengths and checksum. */
export function encodeIpv4(header: Ipv4Header, payload: Uint8Array): Uint8Array {
  const optionBytes = Math.ceil(header.options.length / 4) * 4;
  const headerBytes = 20 + optionBytes;
  const flags = (header.dontFragment ? 0x4000 : 0) | (header.moreFragments ? 0x2000 : 0);
  const packet = joinBytes(
    [0x40 | (headerBytes / 4), (header.dscp << 2) | header.ecn, ...uint16(headerBytes + payload.length)],
    [...uint16(header.identification), ...uint16(flags | (header.fragmentOffset / 8))],
    [header.ttl, header.protocol, 0, 0],
    bytesOfIp(header.source),
    bytesOfIp(header.destination),
    header.options,
    new Uint8Array(optionBytes - header.options.length),
    payload,
  );
  packet.set(uint16(internetChecksum(packet.subarray(0, headerBytes))), 10);
  return packet;
}
