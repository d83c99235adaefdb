// Ranges of chunks waiting to be sent, in order, each with a reference of its own. Three parallel arrays used
// between a head and a tail: they never shrink, because setting an array's length is a call of the runtime
// that frees the storage which the next push has to allocate again, six times per request (2 % of a small
// one). A crowd of small ranges is copied together: else a peer that sends single bytes would hold a chunk
// with each of them.
import type { ChunkPool, UringChunk } from "./chunk-pool.ts";

const COMPACT_AT = 64;
/** Storage for this many ranges stays with an empty queue. */
const KEPT_COUNT = 128;
/** With so many ranges queued, further ones of up to so many bytes are copied. */
const CROWDED_COUNT = 32;
const SMALL_BYTES = 1024;

export class SendQueue {
  readonly #chunks: UringChunk[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  #head = 0;
  #tail = 0;
  readonly #copies: ChunkPool;
  /** Of the last range, if it is a copy, which may be made longer. */
  #lastCopy: UringChunk | null = null;
  byteCount = 0;

  /** `copies`: where chunks for copied ranges come from. */
  constructor(copies: ChunkPool) {
    this.#copies = copies;
  }

  get count(): number {
    return this.#tail - this.#head;
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
    if (this.#tail - this.#head >= CROWDED_COUNT && end - start <= SMALL_BYTES) {
      this.#pushCopy(chunk.bytes.subarray(start, end));
      chunk.release();
      return;
    }
    this.#lastCopy = null;
    this.#pushRange(chunk, start, end);
  }

  #pushCopy(bytes: Uint8Array): void {
    const copy = this.#lastCopy;
    const end = this.#ends[this.#tail - 1]!;
    if (copy !== null && end + bytes.length <= copy.bytes.length) {
      copy.bytes.set(bytes, end);
      this.#ends[this.#tail - 1] = end + bytes.length;
      this.byteCount += bytes.length;
      return;
    }
    const fresh = this.#copies.acquire();
    fresh.bytes.set(bytes);
    this.#pushRange(fresh, 0, bytes.length);
    this.#lastCopy = fresh;
  }

  #pushRange(chunk: UringChunk, start: number, end: number): void {
    const at = this.#tail++;
    this.#chunks[at] = chunk;
    this.#starts[at] = start;
    this.#ends[at] = end;
    this.byteCount += end - start;
  }

  /** Drops `byteCount` bytes from the front, releasing the chunks that are done with. */
  consume(byteCount: number): void {
    this.byteCount -= byteCount;
    while (this.#head < this.#tail) {
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

  /** Replaces everything by one copy of it. There must be no more than fits into a chunk for copies. */
  coalesce(): void {
    const chunk = this.#copies.acquire();
    const length = this.gatherInto(chunk.bytes, chunk.bytes.length);
    this.clear();
    // The queue takes over the reference.
    this.push(chunk, 0, length);
  }

  clear(): void {
    for (let i = this.#head; i < this.#tail; i++) this.#chunks[i]!.release();
    this.byteCount = 0;
    this.#reset();
  }

  /** A queue that never runs empty would grow for ever. */
  #compact(): void {
    const count = this.#tail - this.#head;
    this.#chunks.copyWithin(0, this.#head, this.#tail);
    this.#starts.copyWithin(0, this.#head, this.#tail);
    this.#ends.copyWithin(0, this.#head, this.#tail);
    this.#head = 0;
    this.#tail = count;
  }

  #reset(): void {
    this.#head = 0;
    this.#tail = 0;
    this.#lastCopy = null;
    if (this.#chunks.length <= KEPT_COUNT) return;
    this.#chunks.length = 0;
    this.#starts.length = 0;
    this.#ends.length = 0;
  }
}
