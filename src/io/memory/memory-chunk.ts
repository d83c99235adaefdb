// Chunks that catch their own misuse: a released one is filled with 0xDD, is never used again, and using its
// count afterwards is an assertion. What is still held at the end of a run can be listed.
import assert from "node:assert/strict";
import type { Chunk } from "../../transport/contract.ts";

/** What a reader sees who kept a chunk without retaining it. */
export const POISON = 0xdd;

export class MemoryChunk implements Chunk {
  readonly bytes: Uint8Array;
  #references = 1;
  readonly #live: Set<MemoryChunk>;

  /** Held once by the caller. `live` has it as a member for as long as anybody holds it. */
  constructor(byteCount: number, live: Set<MemoryChunk>) {
    this.bytes = new Uint8Array(byteCount);
    this.#live = live;
    live.add(this);
  }

  get references(): number {
    return this.#references;
  }

  retain(): void {
    assert(this.#references > 0, "chunk retained after its last release");
    this.#references++;
  }

  release(): void {
    assert(this.#references > 0, "chunk released more often than retained");
    if (--this.#references > 0) return;
    this.bytes.fill(POISON);
    this.#live.delete(this);
  }
}
