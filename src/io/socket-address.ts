// Linux `struct sockaddr` in its three families, read from and written to bytes.
import { formatIpAddress, parseIpAddress, type SocketAddress } from "../base/address.ts";

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
/** sizeof(struct sockaddr_storage) */
export const SOCKADDR_SIZE_MAX = 128;
const SUN_PATH_SIZE = 108;

export const UNNAMED_UNIX: SocketAddress = { family: "unix", host: "", port: 0 };

/**
 * Writes the address of an IP socket at `offset` and returns its length; 0 when `host` is not an IP address.
 */
export function encodeIpSockaddr(bytes: Uint8Array, offset: number, host: string, port: number): number {
  const address = parseIpAddress(host);
  if (address === null) return 0;
  bytes.fill(0, offset, offset + 28);
  bytes[offset] = address.family === 4 ? AF_INET : AF_INET6;
  bytes[offset + 2] = port >> 8;
  bytes[offset + 3] = port & 0xff;
  bytes.set(address.bytes, offset + (address.family === 4 ? 4 : 8));
  return address.family === 4 ? 16 : 28;
}

/**
 * Writes a unix address; `isAbstract` puts the name behind a zero byte. Returns its length, 0 when it is too
 * long.
 */
export function encodeUnixSockaddr(
  bytes: Uint8Array,
  offset: number,
  path: string,
  isAbstract: boolean,
): number {
  const name = Buffer.from(path);
  if (name.length > SUN_PATH_SIZE - 1) return 0;
  bytes.fill(0, offset, offset + 2 + SUN_PATH_SIZE);
  bytes[offset] = AF_UNIX;
  bytes.set(name, offset + (isAbstract ? 3 : 2));
  // The length tells where an abstract name ends; a path ends at its zero byte.
  return 3 + name.length;
}

/**
 * Reads an address of `length` bytes as the kernel wrote it. An abstract name is shown with a leading "@".
 */
export function decodeSockaddr(bytes: Uint8Array, offset: number, length: number): SocketAddress {
  const family = bytes[offset]! | (bytes[offset + 1]! << 8);
  const port = (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
  if (family === AF_INET) {
    return {
      family: 4,
      host: `${bytes[offset + 4]}.${bytes[offset + 5]}.${bytes[offset + 6]}.${bytes[offset + 7]}`,
      port,
    };
  }
  if (family === AF_INET6) {
    return {
      family: 6,
      host: formatIpAddress({ kind: "ip", family: 6, bytes: bytes.slice(offset + 8, offset + 24) }),
      port,
    };
  }
  if (length <= 2) return UNNAMED_UNIX;
  const isAbstract = bytes[offset + 2] === 0;
  const start = offset + (isAbstract ? 3 : 2);
  let end = offset + length;
  if (!isAbstract) {
    const zero = bytes.indexOf(0, start);
    if (zero >= 0 && zero < end) end = zero;
  }
  const name = Buffer.from(bytes.subarray(start, end)).toString();
  return { family: "unix", host: isAbstract ? `@${name}` : name, port: 0 };
}
