// UDP headers (RFC 768).
import type { Ip } from "../base/ip.ts";
import { transportChecksum } from "./checksum.ts";
import { type Decoded, joinBytes, uint16, uint16At, wireFault } from "./wire-fault.ts";

export interface UdpHeader {
  /** 0..65535. */
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export interface DecodedUdp extends UdpHeader {
  readonly payloadOffset: number;
  readonly payloadEnd: number;
}

export const UDP_PROTOCOL = 17;

export function decodeUdp(bytes: Uint8Array, offset = 0): Decoded<DecodedUdp> {
  if (bytes.length < offset + 8) return wireFault("udp", "is cut");
  const length = uint16At(bytes, offset + 4);
  if (length < 8) return wireFault("udp", `says it has ${length} bytes`);
  if (bytes.length < offset + length) return wireFault("udp", `is cut: it says ${length} bytes`);
  return {
    ok: true,
    value: {
      sourcePort: uint16At(bytes, offset),
      destinationPort: uint16At(bytes, offset + 2),
      payloadOffset: offset + 8,
      payloadEnd: offset + length,
    },
  };
}

/** Computes the checksum for a datagram that travels between these addresses; 0 is sent as 0xffff. */
export function encodeUdp(header: UdpHeader, payload: Uint8Array, source: Ip, destination: Ip): Uint8Array {
  const datagram = joinBytes(
    [...uint16(header.sourcePort), ...uint16(header.destinationPort)],
    [...uint16(8 + payload.length), 0, 0],
    payload,
  );
  datagram.set(uint16(transportChecksum(source, destination, UDP_PROTOCOL, datagram) || 0xffff), 6);
  return datagram;
}
