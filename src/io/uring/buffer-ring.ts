// Buffers lent to the kernel for receiving: it takes one only when bytes have come, so waiting connections
// hold none. The ring holds few at first, which keeps them in the processor's cache, and doubles when the
// kernel finds it empty. Every buffer the kernel reports is given back by the release of its chunk, whoever
// the completion was for.
import { type Failure, failure } from "../../base/failure.ts";
import type { Native } from "../native.ts";
import { type ChunkPool, HEADROOM, type UringChunk } from "./chunk-pool.ts";
import type { Ring } from "./ring.ts";

export class BufferRing {
  readonly group: number;
  readonly pool: ChunkPool;
  readonly #entryCount: number;
  readonly #words: Uint32Array;
  readonly #halves: Uint16Array;
  /** The chunk that lies in the ring under each buffer number, and the numbers that are free. */
  readonly #lent: (UringChunk | null)[];
  readonly #freeNumbers: number[] = [];
  #tail = 0;
  #lentCount = 0;
  #wantedCount: number;

  constructor(native: Native, pool: ChunkPool, group: number, entryCount: number, wantedCount: number) {
    this.group = group;
    this.pool = pool;
    this.#entryCount = entryCount;
    this.#wantedCount = wantedCount;
    const memory = native.map(entryCount * 16);
    this.#words = new Uint32Array(memory.buffer);
    this.#halves = new Uint16Array(memory.buffer);
    this.#lent = new Array<UringChunk | null>(entryCount).fill(null);
    for (let i = entryCount - 1; i >= 0; i--) this.#freeNumbers.push(i);
    this.pointer = memory.pointer;
  }

  readonly pointer: bigint;

  /** Null when the kernel has taken the ring. */
  register(ring: Ring): Failure | null {
    if (ring.registerBufferRing(this.group, this.pointer, this.#entryCount)) return null;
    return failure("unsupported", "proxy", "io_uring cannot be used: this kernel's lacks buffer rings");
  }

  get lentCount(): number {
    return this.#lentCount;
  }

  /**
   * Lends buffers until the ring has what it wants. False when it is empty because the pool is at its limit.
   */
  topUp(): boolean {
    if (this.#lentCount >= this.#wantedCount) return true;
    while (this.#lentCount < this.#wantedCount) {
      const chunk = this.pool.acquireBelowLimit();
      if (chunk === null) break;
      this.#lend(chunk);
    }
    Atomics.store(this.#halves, 7, this.#tail);
    return this.#lentCount > 0;
  }

  /** The kernel found the ring empty: lend more from now on. */
  grow(): void {
    this.#wantedCount = Math.min(this.#wantedCount * 2, this.#entryCount);
  }

  /** The chunk under the number that a completion names; the caller now holds it once. */
  take(number: number): UringChunk {
    const chunk = this.#lent[number];
    if (chunk === null || chunk === undefined)
      throw new Error("the kernel named a buffer that it does not have");
    this.#lent[number] = null;
    this.#freeNumbers.push(number);
    this.#lentCount--;
    return chunk;
  }

  #lend(chunk: UringChunk): void {
    const number = this.#freeNumbers.pop()!;
    this.#lent[number] = chunk;
    const at = this.#tail & (this.#entryCount - 1);
    // struct io_uring_buf { u64 addr; u32 len; u16 bid; u16 resv; }: the resv of the first one is the ring's
    // tail.
    this.#words[at * 4] = chunk.dataLow;
    this.#words[at * 4 + 1] = chunk.dataHigh;
    this.#words[at * 4 + 2] = chunk.bytes.length - HEADROOM;
    this.#halves[at * 8 + 6] = number;
    this.#tail = (this.#tail + 1) & 0xffff;
    this.#lentCount++;
  }
}
