// HAProxy's hash functions over strings of bytes, 32 bits each. The same key must meet the same server as
// in HAProxy, so the results are exact (sources: sdbm and djb2 as published; CRC-32 of IEEE 802.3; wt6 of
// Willy Tarreau; xxHash's specification; full avalanche of Bob Jenkins).

export function sdbm(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (text.charCodeAt(i) + (hash << 6) + (hash << 16) - hash) | 0;
  return hash >>> 0;
}

export function djb2(text: string): number {
  let hash = 5381;
  for (let i = 0; i < text.length; i++) hash = ((hash << 5) + hash + text.charCodeAt(i)) | 0;
  return hash >>> 0;
}

export function wt6(text: string): number {
  let h0 = 0xa53c965a | 0;
  let h1 = 0x5ca6953a | 0;
  let step0 = 6;
  let step1 = 18;
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i);
    h0 = ~(h0 ^ byte);
    h1 = ~(h1 + byte) | 0;
    const rotated = (h1 << step0) | (h1 >>> (32 - step0));
    h1 = (h0 << step1) | (h0 >>> (32 - step1));
    h0 = rotated;
    const steps = ((h0 >>> 16) ^ h1) & 0xffff;
    step0 = steps & 0x1f;
    step1 = steps >>> 11;
  }
  return (h0 ^ h1) >>> 0;
}

const CRC_TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  return value;
});

export function crc32(text: string): number {
  let hash = -1;
  for (let i = 0; i < text.length; i++) hash = (hash >>> 8) ^ CRC_TABLE[(hash ^ text.charCodeAt(i)) & 0xff]!;
  return ~hash >>> 0;
}

/** `full_hash`: spreads a hash over all 32 bits. */
export function avalanche(hash: number): number {
  let a = hash | 0;
  a = (a + 0x7ed55d16 + (a << 12)) | 0;
  a = a ^ 0xc761c23c ^ (a >>> 19);
  a = (a + 0x165667b1 + (a << 5)) | 0;
  a = (a + 0xd3a2646c) ^ (a << 9);
  a = (a + 0xfd7046c5 + (a << 3)) | 0;
  a = a ^ 0xb55a4f09 ^ (a >>> 16);
  return Math.imul(a, 3221225473) >>> 0;
}

const PRIME1 = 0x9e3779b1 | 0;
const PRIME2 = 0x85ebca77 | 0;
const PRIME3 = 0xc2b2ae3d | 0;
const PRIME4 = 0x27d4eb2f | 0;
const PRIME5 = 0x165667b1 | 0;

export function xxh32(text: string, seed: number): number {
  let at = 0;
  let hash: number;
  if (text.length >= 16) {
    const lanes = [seed + PRIME1 + PRIME2, seed + PRIME2, seed, seed - PRIME1];
    for (; at + 16 <= text.length; at += 16) {
      for (let lane = 0; lane < 4; lane++) {
        const mixed = (lanes[lane]! + Math.imul(littleEndian(text, at + lane * 4), PRIME2)) | 0;
        lanes[lane] = Math.imul(rotate(mixed, 13), PRIME1);
      }
    }
    hash = (rotate(lanes[0]!, 1) + rotate(lanes[1]!, 7) + rotate(lanes[2]!, 12) + rotate(lanes[3]!, 18)) | 0;
  } else hash = (seed + PRIME5) | 0;
  hash = (hash + text.length) | 0;
  for (; at + 4 <= text.length; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(littleEndian(text, at), PRIME3)) | 0, 17), PRIME4);
  }
  for (; at < text.length; at++)
    hash = Math.imul(rotate((hash + Math.imul(text.charCodeAt(at), PRIME5)) | 0, 11), PRIME1);
  hash = Math.imul(hash ^ (hash >>> 15), PRIME2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function littleEndian(text: string, at: number): number {
  return (
    text.charCodeAt(at) |
    (text.charCodeAt(at + 1) << 8) |
    (text.charCodeAt(at + 2) << 16) |
    (text.charCodeAt(at + 3) << 24)
  );
}
