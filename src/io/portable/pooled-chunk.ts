// Memory for the portable engine. What Node reads into belongs to the garbage collector, so counting its
// references would gain nothing; what `allocate` hands out is counted and goes back to a free list, because
// allocating and zeroing large buffers is what costs.
import assert from "node:assert/strict";
import type { Chunk } from "../../transport/contract.ts";

/** Chunks are made in these sizes; a larger wish is served outside of the pool. */
const SIZE_CLASSES = [4 * 1024, 16 * 1024, 64 * 1024, 256 * 1024, 1024 * 1024] as const;
/** Free memory kept per size; more is left to the garbage collector. */
const FREE_BYTES_MAX = 4 * 1024 * 1024;

/** A buffer that Node owns. */
export class ReceivedChunk implements Chunk {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  retain(): void {}

  release(): void {}
}

class PooledChunk implements Chunk {
  readonly bytes: Uint8Array;
  references = 1;
  readonly #free: PooledChunk[];

  constructor(byteCount: number, free: PooledChunk[]) {
    this.bytes = Buffer.allocUnsafeSlow(byteCount);
    this.#free = free;
  }

  retain(): void {
    assert(this.references > 0, "chunk retained after its last release");
    this.references++;
  }

  release(): void {
    assert(this.references > 0, "chunk released more often than retained");
    if (--this.references > 0) return;
    if ((this.#free.length + 1) * this.bytes.length <= FREE_BYTES_MAX) this.#free.push(this);
  }
}

export class ChunkPool {
  readonly #free: PooledChunk[][] = SIZE_CLASSES.map(() => []);

  /** At least `byteCount` bytes of undefined content, held once by the caller. */
  allocate(byteCount: number): Chunk {
    const index = SIZE_CLASSES.findIndex((size) => size >= byteCount);
    if (index < 0) return new PooledChunk(byteCount, []);
    const free = this.#free[index]!;
    const chunk = free.pop();
    if (chunk === undefined) return new PooledChunk(SIZE_CLASSES[index]!, free);
    chunk.references = 1;
    return chunk;
  }
}
