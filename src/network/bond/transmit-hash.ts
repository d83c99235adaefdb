// Which member of an aggregate a frame takes: the transmit hash policies of Linux
// (Documentation/networking/bonding.rst, xmit_hash_policy) as a little-endian machine computes them. Physical
// switches have their own formulas; theirs are close enough to say that flows spread, not which cable one
// takes, and the explanation says so.
import { bytesOfIp, familyOfIp, type Ip } from "../../base/ip.ts";
import { bytesOfMac } from "../../base/mac.ts";
import type { BondHash } from "../../model/datacenter.ts";
import { decodeEthernet, ETHER_TYPES, type EthernetHeader } from "../../wire/ethernet.ts";
import { decodePacket, type Packet } from "../device/packet.ts";

export interface TransmitHash {
  /** 0..2^32-1; the member is this modulo their number. */
  readonly value: number;
  /** What went in, in words: "MAC addresses", "addresses and ports". */
  readonly fields: string;
}

export function transmitHash(policy: BondHash, frame: Uint8Array): TransmitHash {
  const decoded = decodeEthernet(frame);
  if (!decoded.ok) return { value: 0, fields: "nothing: the frame is cut" };
  const header = decoded.value;
  const family = header.etherType === ETHER_TYPES.ipv4 ? 4 : header.etherType === ETHER_TYPES.ipv6 ? 6 : null;
  const read = family === null ? null : decodePacket(frame, header.payloadOffset, family);
  const packet = read?.ok === true ? read.value : null;
  switch (policy) {
    case "layer2":
      return { value: macHash(header), fields: "MAC addresses" };
    case "layer2+3":
    case "encap2+3":
      if (packet === null) return { value: macHash(header), fields: "MAC addresses: it is no IP packet" };
      return { value: fold(macHash(header) ^ ipHash(packet)), fields: "MAC and IP addresses" };
    case "layer3+4":
    case "encap3+4":
      if (packet === null) return { value: macHash(header), fields: "MAC addresses: it is no IP packet" };
      // The lowest bit is dropped: clients like even ports, and would all meet on one member.
      return { value: fold(portHash(packet) ^ ipHash(packet)) >>> 1, fields: "IP addresses and ports" };
    case "vlan+srcmac": {
      const source = bytesOfMac(header.source);
      const vendor = (source[0]! << 16) | (source[1]! << 8) | source[2]!;
      const device = (source[3]! << 16) | (source[4]! << 8) | source[5]!;
      const vlan = header.tags[0]?.id ?? 0;
      return { value: (vlan ^ vendor ^ device) >>> 0, fields: "VLAN and source MAC" };
    }
  }
}

function macHash(header: EthernetHeader): number {
  const type =
    header.tags[0] === undefined ? header.etherType : header.tags[0].protocol === "802.1Q" ? 0x8100 : 0x88a8;
  return (bytesOfMac(header.destination)[5]! ^ bytesOfMac(header.source)[5]! ^ type) >>> 0;
}

function fold(hash: number): number {
  const half = hash ^ (hash >>> 16);
  return (half ^ (half >>> 8)) >>> 0;
}

function ipHash({ source, destination }: Packet): number {
  return addressWord(source) ^ addressWord(destination);
}

/** The address as the processor reads its bytes; of IPv6 the four words together. */
function addressWord(ip: Ip): number {
  const bytes = bytesOfIp(ip);
  if (familyOfIp(ip) === 4) return littleEndian(bytes, 0);
  return littleEndian(bytes, 0) ^ littleEndian(bytes, 4) ^ littleEndian(bytes, 8) ^ littleEndian(bytes, 12);
}

/** Both ports as they stand in the header; 0 for what has none. */
function portHash({ body }: Packet): number {
  if (body.kind !== "tcp" && body.kind !== "udp") return 0;
  const { sourcePort, destinationPort } = body;
  const bytes = [sourcePort >> 8, sourcePort & 0xff, destinationPort >> 8, destinationPort & 0xff];
  return littleEndian(Uint8Array.from(bytes), 0);
}

function littleEndian(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24);
}
