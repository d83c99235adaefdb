// Sessions that can be resumed without tickets (`no-tls-tickets`): a table in memory that all workers map, so
// that a client is known again whichever of them accepts it. Each place has a number in front that is odd
// while somebody writes there: who reads sees the same even number before and after, or has read nothing.
import { openSharedMemory } from "../shared-memory.ts";

const PLACE_BYTES = 2048;
/** Sequence, time of expiry, length of the session, length of its id, each an Int32; then the id. */
const HEADER_BYTES = 16;
const ID_BYTES = 32;
const DATA_AT: number = HEADER_BYTES + ID_BYTES;
/** With the certificate of a client in it a session may be longer; then it is not resumed. */
const DATA_BYTES_MAX: number = PLACE_BYTES - DATA_AT;
/** A session may stand in any of so many places behind each other. */
const WAYS = 4;

export function sessionStoreBytes(sessionCountMax: number): number {
  return setsOf(sessionCountMax) * WAYS * PLACE_BYTES;
}

function setsOf(sessionCountMax: number): number {
  return Math.max(1, Math.ceil(sessionCountMax / WAYS));
}

export class SessionStore {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #setCount: number;

  constructor(buffer: ArrayBuffer) {
    this.#words = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.#setCount = Math.floor(buffer.byteLength / (WAYS * PLACE_BYTES));
  }

  /** Of a file that the master has made; null where memory cannot be shared. */
  static open(path: string, byteLength: number): SessionStore | null {
    const memory = openSharedMemory(path, byteLength, false);
    return memory.ok && memory.value.isMapped ? new SessionStore(memory.value.buffer) : null;
  }

  /** What is too long, or met somebody who writes at the same place, is not kept. */
  put(id: Uint8Array, session: Uint8Array, expiresSeconds: number): void {
    if (session.length > DATA_BYTES_MAX || id.length === 0 || id.length > ID_BYTES) return;
    const place = this.#placeFor(id);
    const word = place / 4;
    const sequence = Atomics.load(this.#words, word);
    if (sequence % 2 !== 0) return;
    if (Atomics.compareExchange(this.#words, word, sequence, sequence + 1) !== sequence) return;
    this.#words[word + 1] = expiresSeconds;
    this.#words[word + 2] = session.length;
    this.#words[word + 3] = id.length;
    this.#bytes.set(id, place + HEADER_BYTES);
    this.#bytes.set(session, place + DATA_AT);
    Atomics.store(this.#words, word, (sequence + 2) | 0);
  }

  /** A copy; null when it is not there, or not any more. */
  get(id: Uint8Array, nowSeconds: number): Uint8Array | null {
    for (const place of this.#places(id)) {
      const word = place / 4;
      const sequence = Atomics.load(this.#words, word);
      if (sequence % 2 !== 0 || !this.#isAt(place, id) || this.#words[word + 1]! <= nowSeconds) continue;
      const session = this.#bytes.slice(place + DATA_AT, place + DATA_AT + this.#words[word + 2]!);
      if (Atomics.load(this.#words, word) === sequence) return session;
    }
    return null;
  }

  remove(id: Uint8Array): void {
    for (const place of this.#places(id)) if (this.#isAt(place, id)) this.#words[place / 4 + 1] = 0;
  }

  #isAt(place: number, id: Uint8Array): boolean {
    if (this.#words[place / 4 + 3] !== id.length) return false;
    for (let i = 0; i < id.length; i++) if (this.#bytes[place + HEADER_BYTES + i] !== id[i]) return false;
    return true;
  }

  /** Where it is already, or what expires first: what is free has expired long ago. */
  #placeFor(id: Uint8Array): number {
    const places = this.#places(id);
    const known = places.find((place) => this.#isAt(place, id));
    if (known !== undefined) return known;
    const expiryOf = (place: number) => this.#words[place / 4 + 1]!;
    return places.reduce((best, place) => (expiryOf(place) < expiryOf(best) ? place : best));
  }

  /** Ids are random, so their first bytes spread them. */
  #places(id: Uint8Array): number[] {
    const hash = (id[0]! << 24) | (id[1]! << 16) | (id[2]! << 8) | id[3]!;
    const first = ((hash >>> 0) % this.#setCount) * WAYS * PLACE_BYTES;
    return Array.from({ length: WAYS }, (_, way) => first + way * PLACE_BYTES);
  }
}
