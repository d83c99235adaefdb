// Memory that log lines are written into byte by byte, without strings in between. Lines are cut at `limit`.
import { Buffer } from "node:buffer";

/** Above this, the native copy is faster than a loop. */
const LOOP_LENGTH_MAX = 64;
/** Most bytes that may be written without asking for room, as long as `length` is below `limit`. */
export const STEP_BYTES_MAX = 64;

const latin1Write = Buffer.prototype.latin1Write as (
  this: Uint8Array,
  text: string,
  at: number,
  length: number,
) => number;

export class LineBuffer {
  readonly bytes: Uint8Array;
  /** Bytes written. */
  length = 0;
  /** What is written at or behind this offset is cut off: set it to cut a line. */
  limit: number;

  constructor(capacityBytes: number) {
    this.bytes = new Uint8Array(capacityBytes + STEP_BYTES_MAX);
    this.limit = capacityBytes;
  }

  /** One byte per character. Characters above 0xff lose bits. */
  append(text: string): void {
    this.length = putText(text, this.bytes, this.length, this.limit);
  }

  appendBytes(source: Uint8Array, start: number, end: number): void {
    if (this.length >= this.limit) return;
    const cut = Math.min(end, start + this.limit - this.length);
    this.bytes.set(source.subarray(start, cut), this.length);
    this.length += cut - start;
  }
}

/** Writes latin1 text from `at` on, as far as it fits below `limit`; returns the end of what was written. */
export function putText(text: string, bytes: Uint8Array, at: number, limit: number): number {
  let { length } = text;
  if (at + length > limit) length = Math.max(0, limit - at);
  if (length > LOOP_LENGTH_MAX) {
    latin1Write.call(bytes, text, at, length);
    return at + length;
  }
  for (let i = 0; i < length; i++) bytes[at++] = text.charCodeAt(i);
  return at;
}

/** As `putText`, with bytes. For short ones. */
export function copyUpTo(source: Uint8Array, bytes: Uint8Array, at: number, limit: number): number {
  let { length } = source;
  if (at + length > limit) length = Math.max(0, limit - at);
  for (let i = 0; i < length; i++) bytes[at++] = source[i]!;
  return at;
}
