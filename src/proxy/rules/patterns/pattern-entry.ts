// One pattern of a list, and in maps its value. Everybody who uses the list has the same object.
import type { SampleValue } from "../sample-value.ts";

export type ReadValue = (text: string) => SampleValue | null;

export class PatternEntry {
  /** By this number the runtime API names it in this process. */
  readonly id: number;
  readonly key: string;
  #value: string | null;
  /** What a converter has made of the value, and which. */
  #read: ReadValue | null = null;
  #sample: SampleValue | undefined;

  constructor(id: number, key: string, value: string | null) {
    this.id = id;
    this.key = key;
    this.#value = value;
  }

  /** Null in a list without values. */
  get value(): string | null {
    return this.#value;
  }

  set value(value: string | null) {
    this.#value = value;
    this.#read = null;
  }

  /** The value as `read` understands it, worked out once; undefined when it is no such thing. */
  sample(read: ReadValue): SampleValue | undefined {
    if (this.#read !== read) {
      this.#sample = read(this.#value ?? "") ?? undefined;
      this.#read = read;
    }
    return this.#sample;
  }
}
