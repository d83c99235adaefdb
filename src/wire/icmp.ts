// ICMP (RFC 792): echo, and the errors that routers and machines send back with the beginning of what they
// refer to.
import { internetChecksum } from "./checksum.ts";
import { type Decoded, joinBytes, uint16, uint16At, wireFault } from "./wire-fault.ts";

export const ICMP_TYPES = {
  "echo-reply": 0,
  "destination-unreachable": 3,
  redirect: 5,
  "echo-request": 8,
  "time-exceeded": 11,
} as const;
export type IcmpType = keyof typeof ICMP_TYPES;

/** Codes of destination-unreachable (RFC 1812, 5.2.7.1). */
export const UNREACHABLE_CODES = {
  net: 0,
  host: 1,
  protocol: 2,
  port: 3,
  "fragmentation-needed": 4,
  "admin-prohibited": 13,
} as const;

export interface IcmpMessage {
  readonly type: IcmpType;
  readonly code: number;
  /** Echo: identifier and sequence number. Fragmentation needed: 0 and the MTU (RFC 1191, 4). */
  readonly identifier: number;
  readonly sequence: number;
  /** Echo: data. Errors: the IP header and the first bytes of the packet they are about. */
  readonly data: Uint8Array;
}

/** `end`: where the message ends. */
export function decodeIcmp(bytes: Uint8Array, offset = 0, end: number = bytes.length): Decoded<IcmpMessage> {
  if (end > bytes.length || end < offset + 8) return wireFault("icmp", "is cut");
  const number = bytes[offset]!;
  const type = (Object.keys(ICMP_TYPES) as IcmpType[]).find((name) => ICMP_TYPES[name] === number);
  if (type === undefined) return wireFault("icmp", `has the type ${number}, which is not followed here`);
  return {
    ok: true,
    value: {
      type,
      code: bytes[offset + 1]!,
      identifier: uint16At(bytes, offset + 4),
      sequence: uint16At(bytes, offset + 6),
      data: bytes.slice(offset + 8, end),
    },
  };
}

export function encodeIcmp(message: IcmpMessage): Uint8Array {
  const bytes = joinBytes(
    [ICMP_TYPES[message.type], message.code, 0, 0],
    [...uint16(message.identifier), ...uint16(message.sequence)],
    message.data,
  );
  bytes.set(uint16(internetChecksum(bytes)), 2);
  return bytes;
}
