// Reference-counted pieces of native memory, handed to the kernel and to OpenSSL by address. A pool grows by
// slabs and never shrinks, because the kernel, OpenSSL and JavaScript views may all point into it; free
// chunks are reused last in first out, so that the ones in the processor's cache come first.
import assert from "node:assert/strict";
import type { Chunk } from "../../transport/contract.ts";
import type { Native } from "../native.ts";

/** Free bytes before received data, so that a core can put headers in front without copying. */
export const HEADROOM = 256;
const WORD = 4294967296;
const SLAB_BYTES = 2 * 1024 * 1024;

/** Bulk data up to this length moves to a smaller chunk. */
const SHRINK_BYTES = 16384;
/** What callers bring in memory of their own is copied in pieces of this size. */
const COPY_BYTES = 262144;

export class UringChunk implements Chunk {
  readonly bytes: Uint8Array;
  readonly address: number;
  readonly pointer: bigint;
  /** `pointer` behind the headroom. */
  readonly dataPointer: bigint;
  /** The two halves of `dataPointer`. */
  readonly dataLow: number;
  readonly dataHigh: number;
  readonly pool: ChunkPool;
  /** Position within its pool. */
  readonly index: number;
  referenceCount = 0;

  constructor(pool: ChunkPool, index: number, bytes: Uint8Array, pointer: bigint) {
    this.pool = pool;
    this.index = index;
    this.bytes = bytes;
    this.pointer = pointer;
    this.dataPointer = pointer + BigInt(HEADROOM);
    this.address = Number(pointer);
    this.dataLow = (this.address + HEADROOM) % WORD;
    this.dataHigh = Math.floor((this.address + HEADROOM) / WORD);
  }

  /** The address of byte `start`, without making a new BigInt where it is a usual one. */
  pointerAt(start: number): bigint {
    if (start === 0) return this.pointer;
    return start === HEADROOM ? this.dataPointer : this.pointer + BigInt(start);
  }

  retain(): void {
    if (this.referenceCount <= 0) throw new Error("a chunk was retained after its last release");
    this.referenceCount++;
  }

  release(): void {
    if (this.referenceCount <= 0) throw new Error("a chunk was released once too often");
    if (--this.referenceCount === 0) this.pool.takeBack(this);
  }
}

export class ChunkPool {
  readonly chunkBytes: number;
  /** Beyond this many chunks nothing more is received into this pool; `acquire` alone may go further. */
  readonly chunkCountMax: number;
  readonly #native: Native;
  readonly #chunks: UringChunk[] = [];
  readonly #free: UringChunk[] = [];

  constructor(native: Native, chunkBytes: number, chunkCountMax: number) {
    this.#native = native;
    this.chunkBytes = chunkBytes;
    this.chunkCountMax = chunkCountMax;
  }

  get chunkCount(): number {
    return this.#chunks.length;
  }

  get freeCount(): number {
    return this.#free.length;
  }

  at(index: number): UringChunk {
    return this.#chunks[index]!;
  }

  /** A chunk that the caller holds once. The pool grows when none is free. */
  acquire(): UringChunk {
    if (this.#free.length === 0) this.#grow();
    const chunk = this.#free.pop()!;
    chunk.referenceCount = 1;
    return chunk;
  }

  /** Like `acquire`, but null when the pool has reached its limit: for receiving, which can wait. */
  acquireBelowLimit(): UringChunk | null {
    if (this.#free.length === 0 && this.#chunks.length >= this.chunkCountMax) return null;
    return this.acquire();
  }

  takeBack(chunk: UringChunk): void {
    this.#free.push(chunk);
  }

  #grow(): void {
    const count = Math.max(1, Math.min(Math.floor(SLAB_BYTES / this.chunkBytes), this.chunkCountMax));
    const slab = this.#native.map(count * this.chunkBytes);
    for (let i = 0; i < count; i++) {
      const offset = i * this.chunkBytes;
      const bytes = new Uint8Array(slab.buffer, offset, this.chunkBytes);
      const chunk = new UringChunk(this, this.#chunks.length, bytes, slab.pointer + BigInt(offset));
      this.#chunks.push(chunk);
      this.#free.push(chunk);
    }
  }
}

/** The pools of one engine, by size. */
export class ChunkPools {
  /** Heads: about one page. */
  readonly small: ChunkPool;
  /** One TLS record with its overhead. */
  readonly record: ChunkPool;
  readonly medium: ChunkPool;
  /** Bodies. */
  readonly large: ChunkPool;
  readonly huge: ChunkPool;

  constructor(native: Native, limits: { readonly smallCountMax: number; readonly largeCountMax: number }) {
    this.small = new ChunkPool(native, 4096 + HEADROOM, limits.smallCountMax);
    this.record = new ChunkPool(native, 17 * 1024, 4096);
    this.medium = new ChunkPool(native, 65536 + 4096, 1024);
    this.large = new ChunkPool(native, 262144 + 4096, limits.largeCountMax);
    this.huge = new ChunkPool(native, 1048576 + 4096, 64);
  }

  /**
   * Moves what a large chunk holds behind its headroom to a smaller one when it is little: it would hold 256
   * KiB for as long as it is queued somewhere. Takes over the reference and gives one.
   */
  shrink(chunk: UringChunk, length: number): UringChunk {
    if (length > SHRINK_BYTES) return chunk;
    const smaller = this.acquire(HEADROOM + length);
    smaller.bytes.set(chunk.bytes.subarray(HEADROOM, HEADROOM + length), HEADROOM);
    chunk.release();
    return smaller;
  }

  /** bytes[start, end) in chunks of ours, each from its first byte on. The caller has their references. */
  *copy(bytes: Uint8Array, start: number, end: number): Generator<{ chunk: UringChunk; length: number }> {
    for (let at = start; at < end; at += COPY_BYTES) {
      const length = Math.min(COPY_BYTES, end - at);
      const chunk = this.acquire(length);
      chunk.bytes.set(bytes.subarray(at, at + length));
      yield { chunk, length };
    }
  }

  /** A chunk of at least `byteCount` bytes, at most 1 MiB. */
  acquire(byteCount: number): UringChunk {
    if (byteCount <= this.small.chunkBytes) return this.small.acquire();
    if (byteCount <= this.record.chunkBytes) return this.record.acquire();
    if (byteCount <= this.medium.chunkBytes) return this.medium.acquire();
    if (byteCount <= this.large.chunkBytes) return this.large.acquire();
    assert(byteCount <= this.huge.chunkBytes, "chunks have at most 1 MiB");
    return this.huge.acquire();
  }
}
