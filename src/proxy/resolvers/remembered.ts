// What nameservers have told of a name. They need not tell everything each time, so what is missing from an
// answer stays for as long as `hold obsolete` says.

interface Entry<T> {
  value: T;
  seenMs: number;
}

export class Remembered<T> {
  readonly #keyOf: (value: T) => string;
  readonly #entries: Map<string, Entry<T>> = new Map();

  constructor(keyOf: (value: T) => string) {
    this.#keyOf = keyOf;
  }

  get values(): T[] {
    return [...this.#entries.values()].map(({ value }) => value);
  }

  /** What came now replaces what it was before; what is too old goes. */
  receive(values: readonly T[], obsoleteMs: number, nowMs: number): void {
    for (const value of values) this.#entries.set(this.#keyOf(value), { value, seenMs: nowMs });
    for (const [key, { seenMs }] of this.#entries)
      if (seenMs < nowMs && nowMs - seenMs >= obsoleteMs) this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
