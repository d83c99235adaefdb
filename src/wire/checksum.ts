// The Internet checksum (RFC 1071) and the pseudo header that TCP, UDP and ICMPv6 put under it.
import { bytesOfIp, type Ip } from "../base/ip.ts";
import { joinBytes, uint16, uint32 } from "./wire-fault.ts";

/** 0..0xffff. Over bytes that hold their own right checksum it is 0. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  if (bytes.length % 2 === 1) sum += bytes[bytes.length - 1]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** Checksum of `segment` as it travels between two addresses (RFC 9293, 3.1; RFC 8200, 8.1). */
export function transportChecksum(
  source: Ip,
  destination: Ip,
  protocol: number,
  segment: Uint8Array,
): number {
  const addresses = [bytesOfIp(source), bytesOfIp(destination)] as const;
  const rest =
    addresses[0].length === 4
      ? [0, protocol, ...uint16(segment.length)]
      : [...uint32(segment.length), 0, 0, 0, protocol];
  return internetChecksum(joinBytes(...addresses, rest, segment));
}
