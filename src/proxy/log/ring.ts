// The events of a `ring` section: bytes in a circle, each event behind its length. Nobody waits for anybody:
// a new event takes the place of the oldest ones, and a reader who was too slow goes on with what is left.
// Places are counted from the beginning of time, so that a reader needs nothing but the number of its own.
import type { RingDefinition } from "../../model/log-forward.ts";

const LENGTH_BYTES = 4;

export class Ring {
  readonly definition: Pick<RingDefinition, "name" | "description" | "lengthMax" | "sizeBytes">;
  /** Events that no longer were there when somebody wanted to send them. */
  droppedCount = 0;
  /** Places of the oldest event, and of the next that comes. */
  #oldest = 0;
  #oldestNumber = 0;
  #next = 0;
  #nextNumber = 0;
  readonly #bytes: Uint8Array;
  readonly #watchers: Set<() => void> = new Set();

  constructor(definition: Ring["definition"]) {
    this.definition = definition;
    this.#bytes = new Uint8Array(definition.sizeBytes + LENGTH_BYTES);
  }

  get oldest(): number {
    return this.#oldest;
  }

  /** How many events are there. */
  get count(): number {
    return this.#nextNumber - this.#oldestNumber;
  }

  /** How many events have been before the oldest. */
  get oldestNumber(): number {
    return this.#oldestNumber;
  }

  get next(): number {
    return this.#next;
  }

  /** An event without the newline at its end. One that is too long is cut. */
  append(source: Uint8Array, start: number, end: number): void {
    const length = Math.min(end - start, this.definition.lengthMax);
    const needed = LENGTH_BYTES + length;
    while (this.#next + needed - this.#oldest > this.#bytes.length) {
      this.#oldest = this.#behind(this.#oldest);
      this.#oldestNumber++;
    }
    for (let i = 0; i < LENGTH_BYTES; i++)
      this.#bytes[(this.#next + i) % this.#bytes.length] = length >>> (8 * i);
    this.#put(this.#next + LENGTH_BYTES, source.subarray(start, start + length));
    this.#next += needed;
    this.#nextNumber++;
    for (const wake of this.#watchers) wake();
  }

  /** The event at a place; null behind the last. One that is gone gives the oldest that is there. */
  read(place: number): { readonly event: Uint8Array; readonly next: number; readonly isGap: boolean } | null {
    const at = Math.max(place, this.#oldest);
    if (at >= this.#next) return null;
    const next = this.#behind(at);
    return { event: this.#get(at + LENGTH_BYTES, next), next, isGap: at > place };
  }

  /** `wake` is called at each new event, in the middle of what makes it. Returns how to end that. */
  watch(wake: () => void): () => void {
    this.#watchers.add(wake);
    return () => void this.#watchers.delete(wake);
  }

  /** Takes over what another one has, as far as there is room. */
  copyFrom(other: Ring): void {
    for (let one = other.read(0); one !== null; one = other.read(one.next))
      this.append(one.event, 0, one.event.length);
  }

  #behind(place: number): number {
    let length = 0;
    for (let i = 0; i < LENGTH_BYTES; i++)
      length += this.#bytes[(place + i) % this.#bytes.length]! * 2 ** (8 * i);
    return place + LENGTH_BYTES + length;
  }

  #put(place: number, source: Uint8Array): void {
    const at = place % this.#bytes.length;
    const first = Math.min(source.length, this.#bytes.length - at);
    this.#bytes.set(source.subarray(0, first), at);
    this.#bytes.set(source.subarray(first), 0);
  }

  /** Lent until the next event comes. */
  #get(start: number, end: number): Uint8Array {
    const at = start % this.#bytes.length;
    const length = end - start;
    if (at + length <= this.#bytes.length) return this.#bytes.subarray(at, at + length);
    const joined = new Uint8Array(length);
    joined.set(this.#bytes.subarray(at));
    joined.set(this.#bytes.subarray(0, at + length - this.#bytes.length), this.#bytes.length - at);
    return joined;
  }
}
