// The checksum of zlib's own format (RFC 1950 section 9), which Node has no function for.

const MODULUS = 65_521;
/** So many bytes can be summed up before the sums leave 32 bits. */
const RUN_BYTES = 5552;

/** `value`: of the bytes before; 1 at the beginning. */
export function adler32(bytes: Uint8Array, value: number): number {
  let low = value & 0xffff;
  let high = value >>> 16;
  for (let start = 0; start < bytes.length; start += RUN_BYTES) {
    const end = Math.min(start + RUN_BYTES, bytes.length);
    for (let i = start; i < end; i++) {
      low += bytes[i]!;
      high += low;
    }
    low %= MODULUS;
    high %= MODULUS;
  }
  return ((high << 16) | low) >>> 0;
}
