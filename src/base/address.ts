// IP addresses as 4 or 16 bytes, and the addresses that sockets have. Text forms per RFC 4291 and RFC 5952.

/** 4 bytes (IPv4) or 16 bytes (IPv6) in network order. Never changed after it was made. */
export type IpBytes = Uint8Array;

export interface IpAddress {
  readonly kind: "ip";
  readonly family: 4 | 6;
  readonly bytes: IpBytes;
}

/** One end of a connection. Unix sockets have a path ("" when unnamed) and port 0. */
export interface SocketAddress {
  readonly family: 4 | 6 | "unix";
  /** Text form: "192.0.2.1", "2001:db8::1", or the path of a unix socket. */
  readonly host: string;
  readonly port: number;
}

/** An address and a prefix length, as in `src 10.0.0.0/8`. */
export interface IpNetwork {
  readonly address: IpAddress;
  /** 0..32 or 0..128. */
  readonly prefix: number;
}

/**
 * Parses "192.0.2.1" or "2001:db8::1"; null when it is neither. Strict: no leading zeros, no short IPv4
 * forms.
 */
export function parseIpAddress(text: string): IpAddress | null {
  const bytes = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  return bytes === null ? null : { kind: "ip", family: bytes.length === 4 ? 4 : 6, bytes };
}

/**
 * Parses "10.0.0.0/8", "10.0.0.0/255.0.0.0", "2001:db8::/32" or a single address; null when it is none of
 * these.
 */
export function parseIpNetwork(text: string): IpNetwork | null {
  const slash = text.indexOf("/");
  const address = parseIpAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const bits = address.bytes.length * 8;
  if (slash < 0) return { address, prefix: bits };
  const prefix = parsePrefix(text.slice(slash + 1), address.family);
  return prefix === null || prefix > bits ? null : { address, prefix };
}

/** The canonical text of RFC 5952 for IPv6, dotted quad for IPv4. */
export function formatIpAddress(address: IpAddress): string {
  return address.family === 4 ? address.bytes.join(".") : formatIpv6(address.bytes);
}

/**
 * True if `address` lies in `network`. An IPv4 address matches the IPv4-mapped form in an IPv6 network and
 * vice versa.
 */
export function networkContains(network: IpNetwork, address: IpAddress): boolean {
  let bytes = address.bytes;
  if (bytes.length !== network.address.bytes.length) {
    if (bytes.length === 4) bytes = mapIpv4(bytes);
    else if (isMappedIpv4(bytes)) bytes = bytes.subarray(12);
    else return false;
  }
  let bits = network.prefix;
  for (let i = 0; bits > 0; i++, bits -= 8) {
    const mask = bits >= 8 ? 0xff : (0xff00 >> bits) & 0xff;
    if (((bytes[i]! ^ network.address.bytes[i]!) & mask) !== 0) return false;
  }
  return true;
}

function parsePrefix(text: string, family: 4 | 6): number | null {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  const mask = family === 4 ? parseIpv4(text) : null;
  if (mask === null) return null;
  const value = ((mask[0]! << 24) | (mask[1]! << 16) | (mask[2]! << 8) | mask[3]!) >>> 0;
  const prefix = Math.clz32(~value >>> 0);
  // Only contiguous masks have a prefix length.
  return prefix === 32 || value << prefix === 0 ? prefix : null;
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const part = parts[i]!;
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    bytes[i] = Number(part);
  }
  return bytes;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = parseIpv6Groups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseIpv6Groups(halves[1]!, true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const bytes = new Uint8Array(16);
  groups.forEach((group, i) => {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 0xff;
  });
  return bytes;
}

function parseIpv6Groups(text: string, isLast: boolean): number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (isLast && i === parts.length - 1 && part.includes(".")) {
      const ipv4 = parseIpv4(part);
      if (ipv4 === null) return null;
      groups.push((ipv4[0]! << 8) | ipv4[1]!, (ipv4[2]! << 8) | ipv4[3]!);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}

function formatIpv6(bytes: Uint8Array): string {
  if (isMappedIpv4(bytes)) return `::ffff:${bytes.subarray(12).join(".")}`;
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  let bestStart = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (groups[i + length] === 0) length++;
    if (length > bestLength) [bestStart, bestLength] = [i, length];
    i += length;
  }
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  if (bestStart < 0) return hex(groups);
  return `${hex(groups.slice(0, bestStart))}::${hex(groups.slice(bestStart + bestLength))}`;
}

function mapIpv4(bytes: Uint8Array): Uint8Array {
  const mapped = new Uint8Array(16);
  mapped[10] = mapped[11] = 0xff;
  mapped.set(bytes, 12);
  return mapped;
}

function isMappedIpv4(bytes: Uint8Array): boolean {
  return (
    bytes.length === 16 &&
    bytes[10] === 0xff &&
    bytes[11] === 0xff &&
    bytes.subarray(0, 10).every((byte) => byte === 0)
  );
}
