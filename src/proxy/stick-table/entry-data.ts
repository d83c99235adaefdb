// What is stored with an entry: closures that read and change it, made once for a rule and run within the
// table's calls. All of them give numbers; a name of a server is kept beside the entries and has a number
// too.
import type { StoredName } from "../../model/stick-table.ts";
import { ENTRY, type StoredCell, TABLE, type TableLayout } from "./layout.ts";
import { addToRate, RATE_CELLS, readRate, setRate } from "./sliding-rate.ts";

/** `time` is the table's own. */
export type ReadEntry = (entry: number, time: number) => number;
export type ChangeEntry = ReadEntry;
export interface Window {
  read(entry: number): readonly [began: number, current: number, past: number];
  write(entry: number, began: number, current: number, past: number): void;
}
export type SetEntry = (entry: number, time: number, value: number) => number;

/** Counters have 32 bits, those of bytes 64, of which we keep 53. */
const COUNTER_MODULUS = 2 ** 32;

export class EntryData {
  readonly #layout: TableLayout;
  readonly #process: number;
  readonly #head: Int32Array;
  readonly #names: Uint8Array;
  readonly #links: Int32Array;
  readonly #numbers: Float64Array;

  constructor(layout: TableLayout, buffer: ArrayBuffer, process: number) {
    this.#layout = layout;
    this.#process = process;
    this.#head = new Int32Array(buffer, 0, layout.namesAt / 4);
    this.#names = new Uint8Array(buffer, layout.namesAt, layout.namesBytes);
    const entryBytes = layout.byteLength - layout.entriesAt;
    this.#links = new Int32Array(buffer, layout.entriesAt, entryBytes / 4);
    this.#numbers = new Float64Array(buffer, layout.entriesAt, entryBytes / 8);
  }

  /** Null: it is not stored, or the list has no such place. `gpc0` is also the first of `gpc`. */
  reader(name: StoredName, index = 0): ReadEntry | null {
    const found = this.#cellOf(name, index);
    if (found === null) return null;
    const { cell, at } = found;
    if (cell.shape === "gauge") return (entry) => this.#sumConnections(entry);
    if (cell.shape !== "rate") return (entry) => this.#numbers[this.#number(entry) + at]!;
    const { periodMs } = cell.data;
    return (entry, time) => readRate(this.#numbers, this.#number(entry) + at, periodMs, time);
  }

  /** What rules and the runtime API put in its place; the value before. */
  writer(name: StoredName, index: number, value: number): ChangeEntry | null {
    const set = this.setter(name, index);
    return set === null ? null : (entry, time) => set(entry, time, value);
  }

  setter(name: StoredName, index = 0): SetEntry | null {
    const found = this.#cellOf(name, index);
    if (found === null) return null;
    const { cell, at } = found;
    if (cell.shape === "gauge") return (entry, _time, value) => this.#setConnections(entry, value);
    return (entry, time, value) => {
      const numbers = this.#numbers;
      const place = this.#number(entry) + at;
      const before = numbers[place]!;
      if (cell.shape === "rate") setRate(numbers, place, value, time);
      else numbers[place] = value;
      return before;
    };
  }

  /**
   * Adds to a counter and to its rate, as far as they are stored; the counter then, or else the rate's
   * window.
   */
  adder(counter: StoredName, rate: StoredName, index = 0): SetEntry | null {
    const total = this.#cellOf(counter, index);
    const speed = this.#cellOf(rate, index);
    if (total === null && speed === null) return null;
    const modulus = counter.startsWith("bytes") ? Number.POSITIVE_INFINITY : COUNTER_MODULUS;
    return (entry, time, delta) => {
      const numbers = this.#numbers;
      const base = this.#number(entry);
      if (speed !== null) addToRate(numbers, base + speed.at, speed.cell.data.periodMs, delta, time);
      if (total === null) return numbers[base + speed!.at + 1]!;
      const sum = numbers[base + total.at]! + delta;
      numbers[base + total.at] = sum < modulus ? sum : sum - modulus;
      return numbers[base + total.at]!;
    };
  }

  /** A rate as it is kept: when its window began, its events, those of the window before. */
  window(name: StoredName, index: number): Window | null {
    const found = this.#cellOf(name, index);
    if (found === null || found.cell.shape !== "rate") return null;
    const numbers = this.#numbers;
    return {
      read: (entry) => {
        const place = this.#number(entry) + found.at;
        return [numbers[place]!, numbers[place + 1]!, numbers[place + 2]!];
      },
      write: (entry, began, current, past) => {
        const place = this.#number(entry) + found.at;
        numbers[place] = began;
        numbers[place + 1] = current;
        numbers[place + 2] = past;
      },
    };
  }

  /** This process has so many connections of it more. */
  addConnections(entry: number, delta: number): void {
    const at = this.#connections(entry) + this.#process;
    this.#links[at] = this.#links[at]! + delta;
  }

  /** The number that a server's name is kept under, 0 for none; new ones are kept while there is room. */
  internName(name: string): number {
    const bytes = Buffer.from(name, "latin1").subarray(0, 255);
    const names = this.#names;
    const end = this.#head[TABLE.nameBytes]!;
    for (let at = 0; at < end; at += 1 + names[at]!)
      if (bytes.equals(names.subarray(at + 1, at + 1 + names[at]!))) return at + 1;
    if (end + 1 + bytes.length > names.length) return 0;
    names[end] = bytes.length;
    names.set(bytes, end + 1);
    this.#head[TABLE.nameBytes] = end + 1 + bytes.length;
    return end + 1;
  }

  /** Null for number 0. */
  nameOf(number: number): string | null {
    if (number === 0) return null;
    const length = this.#names[number - 1]!;
    return Buffer.from(this.#names.subarray(number, number + length)).toString("latin1");
  }

  #cellOf(name: StoredName, index: number): { readonly cell: StoredCell; readonly at: number } | null {
    const { stored } = this.#layout;
    const single = /^(gp[ct])([01])(_rate)?$/.exec(name);
    const own = stored.get(name);
    const cell =
      own ?? (single === null ? undefined : stored.get(`${single[1]}${single[3] ?? ""}` as StoredName));
    if (cell === undefined) return null;
    // The lists' names are `gpc`, `gpt` and `gpc_rate`: what the expression above leaves of the others.
    const place = own === undefined ? Number(single![2]) : index;
    if (place < 0 || place >= cell.data.count) return null;
    return { cell, at: cell.at + place * (cell.shape === "rate" ? RATE_CELLS : 1) };
  }

  #number(entry: number): number {
    return (entry * this.#layout.entryBytes + this.#layout.numbersAt) / 8;
  }

  #connections(entry: number): number {
    return (entry * this.#layout.entryBytes) / 4 + ENTRY.held + this.#layout.processCount;
  }

  #sumConnections(entry: number): number {
    const from = this.#connections(entry);
    let sum = 0;
    for (let i = 0; i < this.#layout.processCount; i++) sum += this.#links[from + i]!;
    return Math.max(0, sum);
  }

  #setConnections(entry: number, value: number): number {
    const before = this.#sumConnections(entry);
    this.addConnections(entry, value - before);
    return before;
  }
}
