// The streams of one connection: those that are open, by number; those between two, for the next one; and the
// numbers of some that we have reset, of which frames may still be on their way.
import type { Http2Stream } from "./http2-stream.ts";

const REMEMBERED_RESETS_MAX = 200;

export class StreamSet {
  /** The highest number that the client has begun. */
  lastId = 0;
  readonly #open: Map<number, Http2Stream> = new Map();
  /** All there are, those between two streams included. */
  readonly #slots: Set<Http2Stream> = new Set();
  readonly #free: Http2Stream[] = [];
  readonly #resetIds: Set<number> = new Set();

  get openCount(): number {
    return this.#open.size;
  }

  get(streamId: number): Http2Stream | undefined {
    return this.#open.get(streamId);
  }

  open(): Iterable<Http2Stream> {
    return this.#open.values();
  }

  /** One for the next stream: used before, or made. It stays free until `begin`. */
  nextFree(make: () => Http2Stream): Http2Stream {
    for (let free = this.#free.at(-1); free !== undefined; free = this.#free.at(-1)) {
      // Its exchange may have had enough of being idle.
      if (free.endsWith === null) return free;
      this.#free.pop();
    }
    const slot = make();
    this.#slots.add(slot);
    this.#free.push(slot);
    return slot;
  }

  /** Takes what `nextFree` gave. */
  begin(streamId: number): void {
    this.#open.set(streamId, this.#free.pop()!);
  }

  /** Over, and in order. Its slot can be used again once its exchange is through, too. */
  end(streamId: number): void {
    this.#open.delete(streamId);
  }

  reuse(stream: Http2Stream): void {
    this.#free.push(stream);
  }

  /** Over, with its slot. */
  drop(stream: Http2Stream): void {
    this.#open.delete(stream.streamId);
    this.#slots.delete(stream);
    const at = stream.isFree ? this.#free.indexOf(stream) : -1;
    if (at >= 0) this.#free.splice(at, 1);
  }

  /** Empties it; returns all that there were. */
  dropAll(): Http2Stream[] {
    const slots = [...this.#slots];
    this.#open.clear();
    this.#slots.clear();
    this.#free.length = 0;
    return slots;
  }

  /** No stream of that number can have begun. */
  isIdle(streamId: number): boolean {
    return streamId === 0 || streamId % 2 === 0 || streamId > this.lastId;
  }

  rememberReset(streamId: number): void {
    this.#resetIds.add(streamId);
    if (this.#resetIds.size <= REMEMBERED_RESETS_MAX) return;
    for (const oldest of this.#resetIds) {
      this.#resetIds.delete(oldest);
      return;
    }
  }

  wasReset(streamId: number): boolean {
    return this.#resetIds.has(streamId);
  }
}
