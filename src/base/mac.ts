// MAC addresses (IEEE 802-2014, 8.2) as canonical text, so that they are keys of maps and print as they are.

declare const macBrand: unique symbol;

/** Canonical text, lower case with colons: "00:50:56:00:00:11". Only the functions here make one. */
export type Mac = string & { readonly [macBrand]: true };

export const BROADCAST_MAC: Mac = "ff:ff:ff:ff:ff:ff" as Mac;

/** Takes colons, hyphens or Cisco's dots, in either case; null when it is no MAC address. */
export function parseMac(text: string): Mac | null {
  const isMac =
    /^(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2})$/i.test(text);
  if (!isMac) return null;
  const digits = text.replaceAll(/[:.-]/g, "").toLowerCase();
  return digits.match(/../g)!.join(":") as Mac;
}

/** Six bytes. */
export function bytesOfMac(mac: Mac): Uint8Array {
  return Uint8Array.from(mac.split(":"), (part) => Number.parseInt(part, 16));
}

/** `bytes`: six of them. */
export function macOfBytes(bytes: Uint8Array): Mac {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":") as Mac;
}

/** Group addresses: multicast and broadcast. */
export function isGroupMac(mac: Mac): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
}

/** Not assigned by a vendor: somebody's own choice, as all that are made up should be. */
export function isLocalMac(mac: Mac): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 2) === 2;
}

/**
 * A unicast, locally administered address that always is the same for a name (FNV-1a, 64 bit). Two names meet
 * on one with a chance of 2^-40 for each pair, and `check` tells when they do.
 */
export function macOfName(name: string): Mac {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(name)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  const bytes = Uint8Array.from({ length: 6 }, (_, i) => Number((hash >> BigInt(8 * i)) & 0xffn));
  bytes[0] = 0x02;
  return macOfBytes(bytes);
}
