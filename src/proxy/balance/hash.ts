// The hash functions of `hash-type`: sdbm, djb2, wt6, crc32, and the avalanche that spreads their results.
// Inputs are byte strings (Latin-1) or ranges of them, results unsigned 32-bit. Together with the server map
// and the tree of consistent hashing they decide which server a key meets, so every bit has to be as in
// HAProxy 2.6.
import type { HashType } from "../../model/proxy.ts";

/** Hashes `key[start, end)`. */
export type HashFunction = (key: string, start: number, end: number) => number;

export const HASH_FUNCTIONS: Readonly<Record<HashType["function"], HashFunction>> = {
  sdbm: hashSdbm,
  djb2: hashDjb2,
  wt6: hashWt6,
  crc32: hashCrc32,
  none: readUnsigned,
};

export function hashSdbm(key: string, start: number, end: number): number {
  let hash = 0;
  for (let i = start; i < end; i++)
    hash = ((key.charCodeAt(i) & 0xff) + (hash << 6) + (hash << 16) - hash) | 0;
  return hash >>> 0;
}

export function hashDjb2(key: string, start: number, end: number): number {
  let hash = 5381;
  for (let i = start; i < end; i++) hash = ((hash << 5) + hash + (key.charCodeAt(i) & 0xff)) | 0;
  return hash >>> 0;
}

/** Two words that are mixed and rotated by amounts taken from themselves. */
export function hashWt6(key: string, start: number, end: number): number {
  let first = 0xa53c965a | 0;
  let second = 0x5ca6953a | 0;
  let firstStep = 6;
  let secondStep = 18;
  for (let i = start; i < end; i++) {
    const byte = key.charCodeAt(i) & 0xff;
    first = ~(first ^ byte);
    second = ~(second + byte);
    const rotated = rotateLeft(second, firstStep);
    second = rotateLeft(first, secondStep);
    first = rotated;
    const steps = ((first >>> 16) ^ second) & 0xffff;
    firstStep = steps & 0x1f;
    secondStep = steps >>> 11;
  }
  return (first ^ second) >>> 0;
}

/** CRC-32 of IEEE 802.3. */
export function hashCrc32(key: string, start: number, end: number): number {
  let crc = -1;
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ key.charCodeAt(i)) & 0xff]!;
  return ~crc >>> 0;
}

/** Robert Jenkins' 32-bit integer mix, then a multiplication by a prime near 3/4 of the range. */
export function avalanche(value: number): number {
  let a = value | 0;
  a = (a + 0x7ed55d16 + (a << 12)) | 0;
  a = a ^ 0xc761c23c ^ (a >>> 19);
  a = (a + 0x165667b1 + (a << 5)) | 0;
  a = ((a + 0xd3a2646c) | 0) ^ (a << 9);
  a = (a + 0xfd7046c5 + (a << 3)) | 0;
  a = a ^ 0xb55a4f09 ^ (a >>> 16);
  return Math.imul(a, 3221225473) >>> 0;
}

/** `none`: the key is a number and is its own hash. */
function readUnsigned(key: string, start: number, end: number): number {
  const number = Number.parseInt(key.slice(start, end), 10);
  return Number.isNaN(number) ? 0 : number >>> 0;
}

function rotateLeft(value: number, step: number): number {
  // A shift by 32 is a shift by 0 in JavaScript, which gives the same word: fine for a rotation by 0.
  return (value << step) | (value >>> (32 - step));
}

const CRC_TABLE: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});
