// ICMPv6 (RFC 4443): echo, errors, and neighbour discovery (RFC 4861), which is IPv6's ARP.
import { bytesOfIp, type Ip, ipOfBytes } from "../base/ip.ts";
import { bytesOfMac, type Mac, macOfBytes } from "../base/mac.ts";
import { transportChecksum } from "./checksum.ts";
import { type Decoded, joinBytes, uint16, uint16At, wireFault } from "./wire-fault.ts";

export const ICMPV6_PROTOCOL = 58;

export const ICMPV6_TYPES = {
  "destination-unreachable": 1,
  "packet-too-big": 2,
  "time-exceeded": 3,
  "echo-request": 128,
  "echo-reply": 129,
  "neighbour-solicitation": 135,
  "neighbour-advertisement": 136,
} as const;
export type Icmpv6Type = keyof typeof ICMPV6_TYPES;

export type Icmpv6Message =
  | {
      readonly type: Exclude<Icmpv6Type, "neighbour-solicitation" | "neighbour-advertisement">;
      readonly code: number;
      /** Echo: identifier and sequence number. Packet too big: the two halves of the MTU. */
      readonly identifier: number;
      readonly sequence: number;
      readonly data: Uint8Array;
    }
  | {
      readonly type: "neighbour-solicitation" | "neighbour-advertisement";
      readonly target: Ip;
      /** Of the sender (solicitation) or of the target (advertisement); null when the option is not there. */
      readonly linkAddress: Mac | null;
    };

const OPTION_SOURCE = 1;
const OPTION_TARGET = 2;
/** Solicited and override (RFC 4861, 4.4). */
const ADVERTISEMENT_FLAGS = 0x60;

/** `end`: where the message ends. */
export function decodeIcmpv6(bytes: Uint8Array, offset: number, end: number): Decoded<Icmpv6Message> {
  if (end > bytes.length || end < offset + 8) return wireFault("icmpv6", "is cut");
  const number = bytes[offset]!;
  const type = (Object.keys(ICMPV6_TYPES) as Icmpv6Type[]).find((name) => ICMPV6_TYPES[name] === number);
  if (type === undefined) return wireFault("icmpv6", `has the type ${number}, which is not followed here`);
  if (type === "neighbour-solicitation" || type === "neighbour-advertisement") {
    if (end < offset + 24) return wireFault("icmpv6", "is cut");
    const target = ipOfBytes(bytes.slice(offset + 8, offset + 24));
    return { ok: true, value: { type, target, linkAddress: linkAddressIn(bytes, offset + 24, end) } };
  }
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

export function encodeIcmpv6(message: Icmpv6Message, source: Ip, destination: Ip): Uint8Array {
  const bytes = bodyOf(message);
  bytes.set(uint16(transportChecksum(source, destination, ICMPV6_PROTOCOL, bytes)), 2);
  return bytes;
}

/** The group that a solicitation goes to: ff02::1:ff and the last three bytes (RFC 4291, 2.7.1). */
export function solicitedNodeGroup(target: Ip): { readonly ip: Ip; readonly mac: Mac } {
  const tail = bytesOfIp(target).slice(13);
  const ip = ipOfBytes(Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ...tail));
  return { ip, mac: macOfBytes(Uint8Array.of(0x33, 0x33, 0xff, ...tail)) };
}

function bodyOf(message: Icmpv6Message): Uint8Array {
  const type = ICMPV6_TYPES[message.type];
  if (!("target" in message)) {
    const { code, identifier, sequence, data } = message;
    return joinBytes([type, code, 0, 0, ...uint16(identifier), ...uint16(sequence)], data);
  }
  const isAdvertisement = message.type === "neighbour-advertisement";
  const option =
    message.linkAddress === null
      ? []
      : [isAdvertisement ? OPTION_TARGET : OPTION_SOURCE, 1, ...bytesOfMac(message.linkAddress)];
  const flags = isAdvertisement ? ADVERTISEMENT_FLAGS : 0;
  return joinBytes([type, 0, 0, 0, flags, 0, 0, 0], bytesOfIp(message.target), option);
}

function linkAddressIn(bytes: Uint8Array, start: number, end: number): Mac | null {
  for (let at = start; at + 8 <= end; ) {
    const length = bytes[at + 1]! * 8;
    if (length === 0) return null;
    const isAddress = bytes[at] === OPTION_SOURCE || bytes[at] === OPTION_TARGET;
    if (isAddress) return macOfBytes(bytes.subarray(at + 2, at + 8));
    at += length;
  }
  return null;
}
