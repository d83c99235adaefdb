// `cookie … dynamic`: servers without a cookie of their own get one made from their address and a secret, so
// that several balancers with the same `dynamic-cookie-key` agree on it. XXH64 by Yann Collet's
// specification.
import { parseIpAddress } from "../../base/address.ts";
import type { Backend } from "../runtime.ts";

/**
 * Gives servers their dynamic cookies and files them under `serversByCookie`. To be called when the backend
 * has its servers, and again when an address changed. Does nothing unless `dynamic` and the key are
 * configured.
 */
export function assignDynamicCookies(backend: Backend): void {
  const { cookie, dynamicCookieKey } = backend.settings;
  if (cookie === null || !cookie.dynamic || dynamicCookieKey === null) return;
  backend.serversByCookie.clear();
  for (const server of backend.servers) {
    if (server.definition.cookie === null)
      server.cookie = makeDynamicCookie(dynamicCookieKey, server.host, server.port ?? 0);
    if (server.cookie !== null && !backend.serversByCookie.has(server.cookie))
      backend.serversByCookie.set(server.cookie, server);
  }
}

/** 16 hexadecimal digits; null when `host` is no IP address. */
export function makeDynamicCookie(key: string, host: string, port: number): string | null {
  const address = parseIpAddress(host);
  if (address === null) return null;
  const keyBytes = Uint8Array.from(key, (character) => character.charCodeAt(0));
  const bytes = new Uint8Array(keyBytes.length + address.bytes.length + 4);
  bytes.set(keyBytes);
  bytes.set(address.bytes, keyBytes.length);
  new DataView(bytes.buffer).setUint32(bytes.length - 4, port);
  return hashXxh64(bytes).toString(16).padStart(16, "0");
}

const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;

/** XXH64 with seed 0. For a few bytes now and then: made of BigInts. */
export function hashXxh64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let hash = PRIME_5;
  if (bytes.length >= 32) {
    const lanes = [u64(PRIME_1 + PRIME_2), PRIME_2, 0n, u64(-PRIME_1)];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane++)
        lanes[lane] = round(lanes[lane]!, view.getBigUint64(at + lane * 8, true));
    }
    hash = u64([1n, 7n, 12n, 18n].reduce((sum, bits, lane) => sum + rotate(lanes[lane]!, bits), 0n));
    for (const lane of lanes) hash = u64((hash ^ round(0n, lane)) * PRIME_1 + PRIME_4);
  }
  hash = u64(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) {
    hash = u64(rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * PRIME_1 + PRIME_4);
  }
  if (at + 4 <= bytes.length) {
    hash = u64(rotate(hash ^ u64(BigInt(view.getUint32(at, true)) * PRIME_1), 23n) * PRIME_2 + PRIME_3);
    at += 4;
  }
  for (; at < bytes.length; at++) hash = u64(rotate(hash ^ u64(BigInt(bytes[at]!) * PRIME_5), 11n) * PRIME_1);
  hash = u64((hash ^ (hash >> 33n)) * PRIME_2);
  hash = u64((hash ^ (hash >> 29n)) * PRIME_3);
  return hash ^ (hash >> 32n);
}

function round(lane: bigint, input: bigint): bigint {
  return u64(rotate(u64(lane + input * PRIME_2), 31n) * PRIME_1);
}

function rotate(value: bigint, bits: bigint): bigint {
  return u64(value << bits) | (value >> (64n - bits));
}

function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
