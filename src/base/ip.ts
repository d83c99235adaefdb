// IP addresses and subnets as the network model holds them: canonical text, so that they are keys of maps and
// print as they are, with a number behind it where somebody counts. The proxy's data path has bytes instead
// (`address.ts`). Text forms per RFC 4291 and RFC 5952.
import { formatIpAddress, parseIpAddress } from "./address.ts";

declare const ipBrand: unique symbol;

/** Canonical text: "192.0.2.1" or "2001:db8::1". Only `parseIp` and `ipOfValue` make one. */
export type Ip = string & { readonly [ipBrand]: true };

export type IpFamily = 4 | 6;

/** A subnet by its lowest address: host bits are zero. */
export interface Subnet {
  readonly family: IpFamily;
  readonly first: Ip;
  /** 0..32 or 0..128. */
  readonly prefix: number;
}

/** `first` to `last`, both included, of one family, `first` not above `last`. */
export interface IpRange {
  readonly first: Ip;
  readonly last: Ip;
}

/** Null when `text` is no address. As strict as `parseIpAddress`: no leading zeros, no short IPv4 forms. */
export function parseIp(text: string): Ip | null {
  const address = parseIpAddress(text);
  return address === null ? null : (formatIpAddress(address) as Ip);
}

export function familyOfIp(ip: Ip): IpFamily {
  return ip.includes(":") ? 6 : 4;
}

/** The address as a number: 0..2^32-1, or 0..2^128-1. */
export function valueOfIp(ip: Ip): bigint {
  if (familyOfIp(ip) === 4) return BigInt(numberOfIpv4(ip));
  let value = 0n;
  for (const byte of parseIpAddress(ip)!.bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** IPv4 only, 0..2^32-1. A tenth of a datacentre's check would go into this by way of bytes and bigints. */
function numberOfIpv4(ip: Ip): number {
  let number = 0;
  let part = 0;
  for (let i = 0; i < ip.length; i++) {
    const code = ip.charCodeAt(i);
    if (code === 46) {
      number = number * 256 + part;
      part = 0;
    } else part = part * 10 + code - 48;
  }
  return number * 256 + part;
}

/** The address of a number; null outside the family's range. */
export function ipOfValue(value: bigint, family: IpFamily): Ip | null {
  if (family === 4) {
    if (value < 0n || value > 0xffffffffn) return null;
    const number = Number(value);
    return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}` as Ip;
  }
  const length = 16;
  if (value < 0n || value >> 128n !== 0n) return null;
  return ipOfBytes(
    Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn)),
  );
}

/** 4 or 16 bytes in network order. */
export function bytesOfIp(ip: Ip): Uint8Array {
  return parseIpAddress(ip)!.bytes;
}

/** `bytes`: 4 or 16 of them. */
export function ipOfBytes(bytes: Uint8Array): Ip {
  return formatIpAddress({ kind: "ip", family: bytes.length === 4 ? 4 : 6, bytes }) as Ip;
}

/**
 * Parses "192.168.10.0/24". `hasHostBits` when bits behind the prefix are set, as in "192.168.10.1/24": the
 * subnet is then the one that the address lies in. Null when it is no subnet; a bare address is none.
 */
export function parseSubnet(
  text: string,
): { readonly subnet: Subnet; readonly ip: Ip; readonly hasHostBits: boolean } | null {
  const match = /^(.*)\/(\d{1,3})$/.exec(text);
  const ip = match === null ? null : parseIp(match[1]!);
  if (match === null || ip === null) return null;
  const prefix = Number(match[2]);
  if (prefix > bitsOf(familyOfIp(ip))) return null;
  const subnet = subnetOf(ip, prefix);
  return { subnet, ip, hasHostBits: subnet.first !== ip };
}

/** The subnet of this prefix length that `ip` lies in. */
export function subnetOf(ip: Ip, prefix: number): Subnet {
  const family = familyOfIp(ip);
  const hostBits = BigInt(bitsOf(family) - prefix);
  return { family, first: ipOfValue((valueOfIp(ip) >> hostBits) << hostBits, family)!, prefix };
}

export function formatSubnet(subnet: Subnet): string {
  return `${subnet.first}/${subnet.prefix}`;
}

/** "192.0.2.1:80", "[2001:db8::1]:80" (RFC 3986, section 3.2.2). */
export function formatEndpoint(ip: Ip, port: number): string {
  return familyOfIp(ip) === 4 ? `${ip}:${port}` : `[${ip}]:${port}`;
}

/** The highest address of the subnet: for IPv4 its broadcast address, unless the prefix is 31 or 32. */
export function lastOfSubnet(subnet: Subnet): Ip {
  const hostBits = BigInt(bitsOf(subnet.family) - subnet.prefix);
  return ipOfValue(valueOfIp(subnet.first) | ((1n << hostBits) - 1n), subnet.family)!;
}

export function rangeOfSubnet(subnet: Subnet): IpRange {
  return { first: subnet.first, last: lastOfSubnet(subnet) };
}

export function subnetHas(subnet: Subnet, ip: Ip): boolean {
  if (familyOfIp(ip) !== subnet.family) return false;
  if (subnet.family === 4) {
    const size = 2 ** (32 - subnet.prefix);
    return Math.floor(numberOfIpv4(ip) / size) === Math.floor(numberOfIpv4(subnet.first) / size);
  }
  const hostBits = BigInt(128 - subnet.prefix);
  return valueOfIp(ip) >> hostBits === valueOfIp(subnet.first) >> hostBits;
}

export function subnetsOverlap(a: Subnet, b: Subnet): boolean {
  return a.prefix <= b.prefix ? subnetHas(a, b.first) : subnetHas(b, a.first);
}

export function rangeHas(range: IpRange, ip: Ip): boolean {
  return compareIps(range.first, ip) <= 0 && compareIps(ip, range.last) <= 0;
}

/** Negative, zero or positive: IPv4 before IPv6, then by number. */
export function compareIps(a: Ip, b: Ip): number {
  const family = familyOfIp(a);
  if (family !== familyOfIp(b)) return family - familyOfIp(b);
  if (family === 4) return numberOfIpv4(a) - numberOfIpv4(b);
  const [left, right] = [valueOfIp(a), valueOfIp(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function bitsOf(family: IpFamily): 32 | 128 {
  return family === 4 ? 32 : 128;
}
