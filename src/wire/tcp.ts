// TCP headers (RFC 9293, 3.1). Options are carried along, not looked into.
import type { Ip } from "../base/ip.ts";
import { transportChecksum } from "./checksum.ts";
import { type Decoded, joinBytes, uint16, uint16At, uint32, uint32At, wireFault } from "./wire-fault.ts";

/** Bits of the flags, in the order in which they are printed. */
export const TCP_FLAGS = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32 } as const;
export type TcpFlag = keyof typeof TCP_FLAGS;

export interface TcpHeader {
  /** 0..65535. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** 0..2^32-1. */
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: readonly TcpFlag[];
  readonly window: number;
  readonly options: Uint8Array;
}

export interface DecodedTcp extends TcpHeader {
  readonly payloadOffset: number;
}

export const TCP_PROTOCOL = 6;

export function decodeTcp(bytes: Uint8Array, offset = 0): Decoded<DecodedTcp> {
  if (bytes.length < offset + 20) return wireFault("tcp", "is cut");
  const headerBytes = (bytes[offset + 12]! >>> 4) * 4;
  if (headerBytes < 20) return wireFault("tcp", `says its header has ${headerBytes} bytes`);
  if (bytes.length < offset + headerBytes) return wireFault("tcp", "is cut within its options");
  const bits = bytes[offset + 13]!;
  return {
    ok: true,
    value: {
      sourcePort: uint16At(bytes, offset),
      destinationPort: uint16At(bytes, offset + 2),
      sequence: uint32At(bytes, offset + 4),
      acknowledgement: uint32At(bytes, offset + 8),
      flags: (Object.keys(TCP_FLAGS) as TcpFlag[]).filter((flag) => (bits & TCP_FLAGS[flag]) !== 0),
      window: uint16At(bytes, offset + 14),
      options: bytes.slice(offset + 20, offset + headerBytes),
      payloadOffset: offset + headerBytes,
    },
  };
}

/** Computes the checksum for a segment that travels between these addresses. */
export function encodeTcp(header: TcpHeader, payload: Uint8Array, source: Ip, destination: Ip): Uint8Array {
  const optionBytes = Math.ceil(header.options.length / 4) * 4;
  const bits = header.flags.reduce((sum, flag) => sum | TCP_FLAGS[flag], 0);
  const segment = joinBytes(
    [...uint16(header.sourcePort), ...uint16(header.destinationPort)],
    [...uint32(header.sequence), ...uint32(header.acknowledgement)],
    [((20 + optionBytes) / 4) << 4, bits, ...uint16(header.window), 0, 0, 0, 0],
    header.options,
    new Uint8Array(optionBytes - header.options.length),
    payload,
  );
  segment.set(uint16(transportChecksum(source, destination, TCP_PROTOCOL, segment)), 16);
  return segment;
}
