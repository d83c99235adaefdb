// Bytes and latin1 text for the HTTP/1 code. A byte costs 0.8 to 1.3 ns in a loop and a character of a string
// 2 ns; native latin1Write costs 22 ns whatever its length, latin1Slice 50 ns. V8 copies short runs faster in
// a plain loop than natively: Buffer's copy costs 45 ns whatever the length; `TypedArray.set` with
// `subarray`, which allocates a view, 60 to 90 ns.
import { Buffer } from "node:buffer";

const LOOP_COPY_MAX = 32;

const LOOP_WRITE_MAX = 9;

const latin1Write = Buffer.prototype.latin1Write as (
  this: Uint8Array,
  text: string,
  at: number,
  length: number,
) => number;
const latin1Slice = Buffer.prototype.latin1Slice as (this: Uint8Array, start: number, end: number) => string;
const nativeCopy = Buffer.prototype.copy as (
  this: Uint8Array,
  target: Uint8Array,
  at: number,
  from: number,
  to: number,
) => number;

/**
 * Copies source[from, to) to target[at…); returns the end of what was written. The caller has checked the
 * room.
 */
export function copyBytes(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
): number {
  if (to - from > LOOP_COPY_MAX) {
    nativeCopy.call(source, target, at, from, to);
    return at + (to - from);
  }
  while (from < to) target[at++] = source[from++]!;
  return at;
}

/** Writes text whose characters are all below 0x100; returns the end of what was written. */
export function writeLatin1(text: string, target: Uint8Array, at: number): number {
  const length = text.length;
  if (length > LOOP_WRITE_MAX) {
    latin1Write.call(target, text, at, length);
    return at + length;
  }
  for (let i = 0; i < length; i++) target[at++] = text.charCodeAt(i);
  return at;
}

/** The bytes as text, one character each. */
export function readLatin1(bytes: Uint8Array, start: number, end: number): string {
  return start === end ? "" : latin1Slice.call(bytes, start, end);
}

/** ASCII text as bytes, to compare with. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Four bytes as one number. The caller has made sure that they are there. */
export function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/**
 * As `word`, with letters in lower case. Only controls and other symbols can be confused by it: compare with
 * letters.
 */
export function foldedWord(bytes: Uint8Array, at: number): number {
  return word(bytes, at) | 0x20202020;
}

/** Four characters of text as `word` reads them. */
export function packed(text: string): number {
  return word(ascii(text), 0);
}

/** Case-insensitive comparison of ASCII bytes with lower-case text. */
export function equalsIgnoreCase(
  bytes: Uint8Array,
  start: number,
  end: number,
  lowerCase: Uint8Array,
): boolean {
  if (end - start !== lowerCase.length) return false;
  for (let i = 0; i < lowerCase.length; i++) {
    const byte = bytes[start + i]!;
    if (byte === lowerCase[i]) continue;
    if (byte < 65 || byte > 90 || (byte | 32) !== lowerCase[i]) return false;
  }
  return true;
}

/** True when `text` stands at `start`. */
export function isText(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[start + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}
