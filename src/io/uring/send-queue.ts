// Ranges of chunks waiting to be sent, in order, each with a reference of its own. Three parallel arrays and
// a head, so that queueing allocates nothing in the steady state.
import type { UringChunk } from "./chunk-pool.ts";

const COMPACT_AT = 64;

export class SendQueue {
  readonly #chunks: UringChunk[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #head = 0;
  byteCount = 0;

  get count(): number {
    return this.#chunks.length - this.#head;
  }

  chunkAt(index: number): UringChunk {
    return this.#chunks[this.#head + index]!;
  }

  startAt(index: number): number {
    return this.#starts[this.#head + index]!;
  }

  endAt(index: number): number {
    return this.#ends[this.#head + index]!;
  }

  /** Takes over one reference of the caller's. */
  push(chunk: UringChunk, start: number, end: number): void {
    this.#chunks.push(chunk);
    this.#starts.push(start);
    this.#ends.push(end);
    this.byteCount += end - start;
  }

  /** Drops `byteCount` bytes from the front, releasing the chunks that are done with. */
  consume(byteCount: number): void {
    this.byteCount -= byteCount;
    while (this.#head < this.#chunks.length) {
      const length = this.#ends[this.#head]! - this.#starts[this.#head]!;
      if (byteCount < length) {
        this.#starts[this.#head]! += byteCount;
        if (this.#head >= COMPACT_AT) this.#compact();
        return;
      }
      byteCount -= length;
      this.#chunks[this.#head]!.release();
      this.#head++;
    }
    this.#reset();
  }

  /** Copies up to `byteCountMax` bytes from the front to `target`; returns how many. They stay queued. */
  gatherInto(target: Uint8Array, byteCountMax: number): number {
    let length = 0;
    for (let i = 0; i < this.count && length < byteCountMax; i++) {
      const start = this.startAt(i);
      const end = Math.min(this.endAt(i), start + byteCountMax - length);
      target.set(this.chunkAt(i).bytes.subarray(start, end), length);
      length += end - start;
    }
    return length;
  }

  /** Replaces everything by a copy of it. Takes over the reference. */
  replaceAll(chunk: UringChunk, byteCount: number): void {
    this.clear();
    this.push(chunk, 0, byteCount);
  }

  clear(): void {
    for (let i = this.#head; i < this.#chunks.length; i++) this.#chunks[i]!.release();
    this.byteCount = 0;
    this.#reset();
  }

  /** A queue that never runs empty would grow for ever. */
  #compact(): void {
    this.#chunks.splice(0, this.#head);
    this.#starts.splice(0, this.#head);
    this.#ends.splice(0, this.#head);
    this.#head = 0;
  }

  #reset(): void {
    this.#chunks.length = 0;
    this.#starts.length = 0;
    this.#ends.length = 0;
    this.#head = 0;
  }
}
