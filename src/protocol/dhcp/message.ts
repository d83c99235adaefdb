// DHCP messages (RFC 2131, section 2) with their options (RFC 2132): decoded into what they mean, encoded
// back. Options that are not known are kept as bytes.
import { bytesOfIp, type Ip, ipOfBytes } from "../../base/ip.ts";
import { bytesOfMac, type Mac, macOfBytes } from "../../base/mac.ts";

/** Values of option 53 (RFC 2132, 9.6). */
export const DHCP_TYPES = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  acknowledge: 5,
  "not-acknowledge": 6,
  release: 7,
  inform: 8,
} as const;
export type DhcpType = keyof typeof DHCP_TYPES;

export interface DhcpMessage {
  readonly type: DhcpType;
  /** By what a client knows its answers, 0..2^32-1. */
  readonly transaction: number;
  readonly clientMac: Mac;
  /** The address that the client has already; 0.0.0.0: none. */
  readonly clientIp: Ip;
  /** The address that it is given. */
  readonly yourIp: Ip;
  /** The answer has to be broadcast, since the client cannot take anything else yet. */
  readonly isBroadcast: boolean;
  readonly options: DhcpOptions;
}

/** Those that clients and servers here use. Absent ones are null or empty. */
export interface DhcpOptions {
  readonly subnetMask: Ip | null;
  readonly routers: readonly Ip[];
  readonly dns: readonly Ip[];
  readonly hostName: string | null;
  readonly domain: string | null;
  readonly mtu: number | null;
  readonly requestedIp: Ip | null;
  readonly leaseSeconds: number | null;
  readonly server: Ip | null;
  /** By code. */
  readonly others: ReadonlyMap<number, Uint8Array>;
}

export const NO_OPTIONS: DhcpOptions = {
  subnetMask: null,
  routers: [],
  dns: [],
  hostName: null,
  domain: null,
  mtu: null,
  requestedIp: null,
  leaseSeconds: null,
  server: null,
  others: new Map(),
};

export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;
export const NO_IP: Ip = ipOfBytes(new Uint8Array(4));

const FIXED_BYTES = 236;
const MAGIC: readonly number[] = [99, 130, 83, 99];
/** BOOTP's least (RFC 951): some relays drop what is shorter. */
const MESSAGE_BYTES_MIN = 300;
const CODES = {
  mask: 1,
  routers: 3,
  dns: 6,
  hostName: 12,
  domain: 15,
  mtu: 26,
  requestedIp: 50,
  lease: 51,
  type: 53,
  server: 54,
  end: 255,
} as const;

/** Null when it is no DHCP message: cut, no magic number, no type. */
export function decodeDhcp(bytes: Uint8Array): DhcpMessage | null {
  if (bytes.length < FIXED_BYTES + MAGIC.length || bytes[1] !== 1 || bytes[2] !== 6) return null;
  if (MAGIC.some((byte, index) => bytes[FIXED_BYTES + index] !== byte)) return null;
  const found = optionsIn(bytes, FIXED_BYTES + MAGIC.length);
  if (found === null) return null;
  const number = found.get(CODES.type)?.[0];
  const type = (Object.keys(DHCP_TYPES) as DhcpType[]).find((name) => DHCP_TYPES[name] === number);
  if (type === undefined) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    type,
    transaction: view.getUint32(4),
    clientMac: macOfBytes(bytes.subarray(28, 34)),
    clientIp: ipOfBytes(bytes.slice(12, 16)),
    yourIp: ipOfBytes(bytes.slice(16, 20)),
    isBroadcast: (view.getUint16(10) & 0x8000) !== 0,
    options: readOptions(found),
  };
}

export function encodeDhcp(message: DhcpMessage): Uint8Array {
  const { type, options } = message;
  const isRequest =
    type === "discover" ||
    type === "request" ||
    type === "decline" ||
    type === "release" ||
    type === "inform";
  const fixed = new Uint8Array(FIXED_BYTES);
  const view = new DataView(fixed.buffer);
  fixed.set([isRequest ? 1 : 2, 1, 6, 0]);
  view.setUint32(4, message.transaction);
  view.setUint16(10, message.isBroadcast ? 0x8000 : 0);
  fixed.set(bytesOfIp(message.clientIp), 12);
  fixed.set(bytesOfIp(message.yourIp), 16);
  fixed.set(bytesOfMac(message.clientMac), 28);
  const text = (value: string | null) => (value === null ? null : [...new TextEncoder().encode(value)]);
  const ips = (values: readonly Ip[]) =>
    values.length === 0 ? null : values.flatMap((ip) => [...bytesOfIp(ip)]);
  const fields: readonly (readonly [number, readonly number[] | null])[] = [
    [CODES.type, [DHCP_TYPES[type]]],
    [CODES.server, options.server && [...bytesOfIp(options.server)]],
    [CODES.lease, options.leaseSeconds === null ? null : uint32(options.leaseSeconds)],
    [CODES.requestedIp, options.requestedIp && [...bytesOfIp(options.requestedIp)]],
    [CODES.mask, options.subnetMask && [...bytesOfIp(options.subnetMask)]],
    [CODES.routers, ips(options.routers)],
    [CODES.dns, ips(options.dns)],
    [CODES.hostName, text(options.hostName)],
    [CODES.domain, text(options.domain)],
    [CODES.mtu, options.mtu === null ? null : [options.mtu >> 8, options.mtu & 0xff]],
    ...[...options.others].map(([code, value]) => [code, [...value]] as const),
  ];
  const bytes = [...fixed, ...MAGIC];
  for (const [code, value] of fields) {
    // A longer value goes on in a second option of the same code (RFC 3396).
    for (let at = 0; value !== null && at < Math.max(1, value.length); at += 255) {
      const part = value.slice(at, at + 255);
      bytes.push(code, part.length, ...part);
    }
  }
  bytes.push(CODES.end);
  while (bytes.length < MESSAGE_BYTES_MIN) bytes.push(0);
  return Uint8Array.from(bytes);
}

/** By code, parts of one code joined; null when an option is cut. */
function optionsIn(bytes: Uint8Array, start: number): Map<number, number[]> | null {
  const found = new Map<number, number[]>();
  for (let at = start; at < bytes.length; ) {
    const code = bytes[at]!;
    if (code === CODES.end) break;
    if (code === 0) {
      at++;
      continue;
    }
    const length = bytes[at + 1];
    if (length === undefined || at + 2 + length > bytes.length) return null;
    found.set(code, [...(found.get(code) ?? []), ...bytes.subarray(at + 2, at + 2 + length)]);
    at += 2 + length;
  }
  return found;
}

function readOptions(found: ReadonlyMap<number, readonly number[]>): DhcpOptions {
  const known = new Set<number>(Object.values(CODES));
  const ips = (code: number): Ip[] => {
    const value = found.get(code) ?? [];
    return Array.from({ length: Math.floor(value.length / 4) }, (_, i) =>
      ipOfBytes(Uint8Array.from(value.slice(4 * i, 4 * i + 4))),
    );
  };
  const text = (code: number) => {
    const value = found.get(code);
    return value === undefined ? null : new TextDecoder().decode(Uint8Array.from(value));
  };
  const number = (code: number, length: number) => {
    const value = found.get(code);
    return value?.length === length ? value.reduce((sum, byte) => sum * 256 + byte, 0) : null;
  };
  return {
    subnetMask: ips(CODES.mask)[0] ?? null,
    routers: ips(CODES.routers),
    dns: ips(CODES.dns),
    hostName: text(CODES.hostName),
    domain: text(CODES.domain),
    mtu: number(CODES.mtu, 2),
    requestedIp: ips(CODES.requestedIp)[0] ?? null,
    leaseSeconds: number(CODES.lease, 4),
    server: ips(CODES.server)[0] ?? null,
    others: new Map(
      [...found].filter(([code]) => !known.has(code)).map(([code, value]) => [code, Uint8Array.from(value)]),
    ),
  };
}

function uint32(value: number): number[] {
  return [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
