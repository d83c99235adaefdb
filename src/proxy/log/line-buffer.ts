// Memory that log lines are written into byte by byte. Putting a line together as one string and encoding
// that costs twice as much (bench/micro/rules.ts: 990 ns against 470 ns for an httplog line): some fifty
// intermediate strings, and a copy to flatten them.
import { Buffer } from "node:buffer";

/** Above this, the native copy is faster than a loop. */
const LOOP_LENGTH_MAX = 64;

export class LineBuffer {
  readonly bytes: Buffer;
  /** Bytes written. */
  length = 0;
  /** Nothing is written at or behind this offset: set it to cut a line. */
  limit: number;

  constructor(capacityBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacityBytes);
    this.limit = capacityBytes;
  }

  /** One byte per character; what does not fit is cut off. Characters above 0xff lose bits. */
  append(text: string): void {
    const room = this.limit - this.length;
    if (text.length > LOOP_LENGTH_MAX || text.length > room) {
      this.length += this.bytes.write(text.length > room ? text.slice(0, room) : text, this.length, "latin1");
      return;
    }
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.length = at;
  }

  /** Copies bytes[start, end); what does not fit is cut off. */
  appendBytes(bytes: Uint8Array, start: number, end: number): void {
    const cut = Math.min(end, start + this.limit - this.length);
    for (let i = start; i < cut; i++) this.bytes[this.length++] = bytes[i]!;
  }
}
