// Bytes and latin1 text for the HTTP/1 code. V8 copies short runs faster in a plain loop than through
// `TypedArray.set` and `subarray`, which allocate a view: measured break-even is at about 200 bytes.
import { Buffer } from "node:buffer";

const LOOP_COPY_MAX = 192;

const latin1Slice = Buffer.prototype.latin1Slice as (this: Uint8Array, start: number, end: number) => string;

/** Copies source[from, to) to target[at…); returns the end of what was written. The caller has checked the room. */
export function copyBytes(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
): number {
  if (to - from > LOOP_COPY_MAX) {
    target.set(source.subarray(from, to), at);
    return at + (to - from);
  }
  while (from < to) target[at++] = source[from++]!;
  return at;
}

/** Writes text whose characters are all below 0x100; returns the end of what was written. */
export function writeLatin1(text: string, target: Uint8Array, at: number): number {
  const length = text.length;
  for (let i = 0; i < length; i++) target[at++] = text.charCodeAt(i);
  return at;
}

/** The bytes as text, one character each. */
export function readLatin1(bytes: Uint8Array, start: number, end: number): string {
  return start === end ? "" : latin1Slice.call(bytes, start, end);
}

/** Case-insensitive comparison of ASCII bytes with lower-case text. */
export function equalsIgnoreCase(bytes: Uint8Array, start: number, end: number, lowerCase: string): boolean {
  if (end - start !== lowerCase.length) return false;
  for (let i = 0; i < lowerCase.length; i++) {
    const byte = bytes[start + i]!;
    const folded = byte >= 65 && byte <= 90 ? byte | 32 : byte;
    if (folded !== lowerCase.charCodeAt(i)) return false;
  }
  return true;
}
