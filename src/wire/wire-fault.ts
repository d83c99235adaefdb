// Why bytes are no header of the kind that was expected. A value: whoever sends garbage must not throw
// anything here.
import type { Result } from "../base/failure.ts";

export interface WireFault {
  /** The header that it should have been: "ipv4". */
  readonly header: string;
  /** One clause, such as "is cut after 12 bytes". */
  readonly message: string;
}

export type Decoded<T> = Result<T, WireFault>;

export function wireFault(
  header: string,
  message: string,
): { readonly ok: false; readonly error: WireFault } {
  return { ok: false, error: { header, message } };
}

/** Big-endian 16 bit number at `offset`. The caller has checked that it is there. */
export function uint16At(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 8) | bytes[offset + 1]!;
}

/** Big-endian 32 bit number at `offset`, 0..2^32-1. */
export function uint32At(bytes: Uint8Array, offset: number): number {
  return ((uint16At(bytes, offset) << 16) | uint16At(bytes, offset + 2)) >>> 0;
}

/** The two bytes of a number, for literals of packets. */
export function uint16(value: number): [number, number] {
  return [(value >>> 8) & 0xff, value & 0xff];
}

export function uint32(value: number): [number, number, number, number] {
  return [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

export function joinBytes(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
