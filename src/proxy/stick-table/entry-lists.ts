// The entries of a stick table and how they hang together: chains by hash, the list in the order of last use,
// which is that of expiry, and the slots that are free. Whoever calls has the table for himself
// (table-lock.ts).
import type { StickTableDefinition } from "../../model/stick-table.ts";
import { ENTRY, TABLE, type TableLayout } from "./layout.ts";

/** So many tracked entries are looked at before a new key is refused. */
const LOOK_COUNT = 64;

/** No entry. */
export const NONE = -1;

/** A place in the order of use: which use it was, and of which entry, if that is known. */
export interface UsePlace {
  use: number;
  entry: number;
}

/** A key as bytes: the first `length` of them, and their hash. */
export interface HashedKey {
  readonly bytes: Uint8Array;
  length: number;
  hash: number;
}

export class EntryLists {
  readonly #definition: StickTableDefinition;
  readonly #layout: TableLayout;
  readonly #head: Int32Array;
  readonly #uses: Float64Array;
  readonly #chains: Int32Array;
  readonly #links: Int32Array;
  readonly #numbers: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #strideWords: number;

  constructor(definition: StickTableDefinition, layout: TableLayout, buffer: ArrayBuffer) {
    this.#definition = definition;
    this.#layout = layout;
    const { chainsAt, chainCount, entriesAt, byteLength } = layout;
    this.#head = new Int32Array(buffer, 0, layout.namesAt / 4);
    this.#uses = new Float64Array(buffer, 0, layout.namesAt / 8);
    this.#chains = new Int32Array(buffer, chainsAt, chainCount);
    const entryBytes = byteLength - entriesAt;
    this.#links = new Int32Array(buffer, entriesAt, entryBytes / 4);
    this.#numbers = new Float64Array(buffer, entriesAt, entryBytes / 8);
    this.#bytes = new Uint8Array(buffer, entriesAt, entryBytes);
    this.#strideWords = layout.entryBytes / 4;
  }

  /** Entries that are there, those included whose time is over and that nobody has come across since. */
  get used(): number {
    return this.#head[TABLE.used]!;
  }

  /** How often entries were used so far. */
  get useCount(): number {
    return this.#uses[TABLE.uses]!;
  }

  /** Slots behind were never in use. */
  get reached(): number {
    return this.#head[TABLE.reached]!;
  }

  isLive(entry: number): boolean {
    return this.#links[this.#word(entry) + ENTRY.isLive] === 1;
  }

  isLearned(entry: number): boolean {
    return this.#links[this.#word(entry) + ENTRY.isLearned] === 1;
  }

  /** Another machine has told of it, and how long it has to live, if less than it would have. */
  markLearned(entry: number, expiryMs: number): void {
    this.#links[this.#word(entry) + ENTRY.isLearned] = 1;
    const at = this.#numberAt(entry);
    if (expiryMs < this.#numbers[at]!) this.#numbers[at] = expiryMs;
  }

  /** The number of its last use. */
  useOf(entry: number): number {
    return this.#numbers[this.#numberAt(entry) + 1]!;
  }

  expiryOf(entry: number): number {
    return this.#numbers[this.#numberAt(entry)]!;
  }

  isExpired(entry: number, time: number): boolean {
    return this.expiryOf(entry) <= time && this.usesOf(entry) === 0;
  }

  /** By how many streams and connections of all processes it is tracked. */
  usesOf(entry: number): number {
    const from = this.#word(entry) + ENTRY.held;
    let sum = 0;
    for (let i = 0; i < this.#layout.processCount; i++) sum += this.#links[from + i]!;
    return sum;
  }

  addUse(entry: number, process: number, delta: number): void {
    const at = this.#word(entry) + ENTRY.held + process;
    this.#links[at] = this.#links[at]! + delta;
  }

  /** What that process holds, it holds no more. */
  forgetProcess(process: number): void {
    const { processCount } = this.#layout;
    for (let entry = 0; entry < this.reached; entry++) {
      const from = this.#word(entry) + ENTRY.held;
      this.#links[from + process] = 0;
      this.#links[from + processCount + process] = 0;
    }
  }

  /** A copy. */
  keyBytesOf(entry: number): Uint8Array {
    const at = entry * this.#layout.entryBytes + this.#layout.keyAt;
    return this.#bytes.slice(at, at + this.#links[this.#word(entry) + ENTRY.keyLength]!);
  }

  /** NONE: there is none, or none any more. */
  find(key: HashedKey, time: number): number {
    const links = this.#links;
    let next = this.#chains[this.#chainOf(key.hash)]!;
    for (let steps = 0; next !== 0; steps++) {
      // Somebody was taken for dead and went on: a chain must not keep anybody for ever.
      if (steps > this.#layout.capacity) {
        this.rebuild();
        return NONE;
      }
      const entry = next - 1;
      const word = this.#word(entry);
      if (links[word + ENTRY.hash] === key.hash && this.#hasKey(entry, key)) {
        if (!this.isExpired(entry, time)) return entry;
        this.drop(entry);
        return NONE;
      }
      next = links[word + ENTRY.next]!;
    }
    return NONE;
  }

  /** NONE: there is no room. */
  findOrCreate(key: HashedKey, time: number): number {
    const known = this.find(key, time);
    if (known !== NONE) {
      this.touch(known, time);
      return known;
    }
    return this.#create(key, time);
  }

  #create(key: HashedKey, time: number): number {
    this.#dropExpired(time, 2);
    const { size, isKept } = this.#definition;
    if (this.used >= this.#layout.capacity) {
      if (isKept) this.#dropExpired(time, size);
      else this.#dropOldest(Math.floor(size / 256) + 1, time);
      if (this.used >= this.#layout.capacity) return NONE;
    }
    const entry = this.#takeFree();
    const word = this.#word(entry);
    const { entryBytes, keyAt } = this.#layout;
    this.#bytes.fill(0, entry * entryBytes, (entry + 1) * entryBytes);
    this.#bytes.set(key.bytes.subarray(0, key.length), entry * entryBytes + keyAt);
    this.#links[word + ENTRY.keyLength] = key.length;
    this.#links[word + ENTRY.hash] = key.hash;
    this.#setExpiry(entry, time);
    this.#link(entry);
    return entry;
  }

  /** It was used just now. */
  touch(entry: number, time: number): void {
    this.#setExpiry(entry, time);
    if (this.#head[TABLE.newest] === entry + 1) return;
    this.#detach(entry);
    this.#append(entry);
  }

  /** Its time is over, or somebody wants it gone. Not for one that is tracked. */
  drop(entry: number): void {
    const links = this.#links;
    const word = this.#word(entry);
    links[word + ENTRY.isLive] = 0;
    const chain = this.#chainOf(links[word + ENTRY.hash]!);
    let before = -1;
    for (let next = this.#chains[chain]!; next !== entry + 1 && next !== 0; next = links[before]!)
      before = this.#word(next - 1) + ENTRY.next;
    if (before < 0) this.#chains[chain] = links[word + ENTRY.next]!;
    else links[before] = links[word + ENTRY.next]!;
    this.#detach(entry);
    this.#head[TABLE.used] = this.#head[TABLE.used]! - 1;
    this.#giveBack(entry);
  }

  /**
   * The entry that was used next behind a place; where that one's has been used again, looked for from the
   * end.
   */
  firstBehind({ use, entry }: UsePlace): number {
    if (entry !== NONE && this.isLive(entry) && this.useOf(entry) === use) return this.newerThan(entry);
    let next = this.#head[TABLE.newest]!;
    let first = 0;
    while (next !== 0 && this.useOf(next - 1) > use) {
      first = next;
      next = this.#links[this.#word(next - 1) + ENTRY.older]!;
    }
    return first - 1;
  }

  /** The next one in the order of use. */
  newerThan(entry: number): number {
    return this.#links[this.#word(entry) + ENTRY.newer]! - 1;
  }

  /** All lists anew, of the entries that are whole: somebody has died at work. */
  rebuild(): void {
    const head = this.#head;
    this.#chains.fill(0);
    head[TABLE.used] = 0;
    head[TABLE.free] = 0;
    head[TABLE.oldest] = 0;
    head[TABLE.newest] = 0;
    const live: number[] = [];
    for (let entry = 0; entry < Math.min(head[TABLE.reached]!, this.#layout.capacity); entry++) {
      if (this.isLive(entry)) live.push(entry);
      else this.#giveBack(entry);
    }
    live.sort((a, b) => this.useOf(a) - this.useOf(b));
    for (const entry of live) this.#link(entry);
  }

  #takeFree(): number {
    const free = this.#head[TABLE.free]!;
    if (free === 0) return this.#head[TABLE.reached]!++;
    this.#head[TABLE.free] = this.#links[this.#word(free - 1) + ENTRY.next]!;
    return free - 1;
  }

  #giveBack(entry: number): void {
    this.#links[this.#word(entry) + ENTRY.next] = this.#head[TABLE.free]!;
    this.#head[TABLE.free] = entry + 1;
  }

  /** Into its chain, and to the end of the list of use. */
  #link(entry: number): void {
    const links = this.#links;
    const word = this.#word(entry);
    const chain = this.#chainOf(links[word + ENTRY.hash]!);
    links[word + ENTRY.next] = this.#chains[chain]!;
    this.#chains[chain] = entry + 1;
    this.#append(entry);
    this.#head[TABLE.used] = this.#head[TABLE.used]! + 1;
    links[word + ENTRY.isLive] = 1;
  }

  #append(entry: number): void {
    const word = this.#word(entry);
    const newest = this.#head[TABLE.newest]!;
    this.#links[word + ENTRY.older] = newest;
    this.#links[word + ENTRY.newer] = 0;
    if (newest === 0) this.#head[TABLE.oldest] = entry + 1;
    else this.#links[this.#word(newest - 1) + ENTRY.newer] = entry + 1;
    this.#head[TABLE.newest] = entry + 1;
  }

  #detach(entry: number): void {
    const links = this.#links;
    const older = links[this.#word(entry) + ENTRY.older]!;
    const newer = links[this.#word(entry) + ENTRY.newer]!;
    if (older === 0) this.#head[TABLE.oldest] = newer;
    else links[this.#word(older - 1) + ENTRY.newer] = newer;
    if (newer === 0) this.#head[TABLE.newest] = older;
    else links[this.#word(newer - 1) + ENTRY.older] = older;
  }

  #setExpiry(entry: number, time: number): void {
    const at = this.#numberAt(entry);
    const use = this.#uses[TABLE.uses]! + 1;
    this.#uses[TABLE.uses] = use;
    this.#numbers[at] = time + (this.#definition.expireMs ?? Number.POSITIVE_INFINITY);
    this.#numbers[at + 1] = use;
    this.#links[this.#word(entry) + ENTRY.isLearned] = 0;
  }

  /**
   * Looks at some of the oldest. Those that are tracked go to the end: they cannot be what is next to expire.
   */
  #dropExpired(time: number, countMax: number): void {
    for (let i = 0; i < countMax; i++) {
      const entry = this.#head[TABLE.oldest]! - 1;
      if (entry < 0 || this.expiryOf(entry) > time) return;
      if (this.usesOf(entry) > 0) this.touch(entry, time);
      else this.drop(entry);
    }
  }

  /**
   * Those that are tracked go to the end; after some of them it is given up, or a full table would hold up
   * all.
   */
  #dropOldest(count: number, time: number): void {
    let left = count;
    for (let looked = 0; left > 0 && looked < 2 * count + LOOK_COUNT; looked++) {
      const entry = this.#head[TABLE.oldest]! - 1;
      if (entry < 0) return;
      if (this.usesOf(entry) > 0) this.touch(entry, time);
      else {
        this.drop(entry);
        left--;
      }
    }
  }

  #word(entry: number): number {
    return entry * this.#strideWords;
  }

  /** Of its first Float64 cell. */
  #numberAt(entry: number): number {
    return (entry * this.#layout.entryBytes + this.#layout.numbersAt) / 8;
  }

  #chainOf(hash: number): number {
    return hash & (this.#layout.chainCount - 1);
  }

  #hasKey(entry: number, key: HashedKey): boolean {
    if (this.#links[this.#word(entry) + ENTRY.keyLength] !== key.length) return false;
    const at = entry * this.#layout.entryBytes + this.#layout.keyAt;
    for (let i = 0; i < key.length; i++) if (this.#bytes[at + i] !== key.bytes[i]) return false;
    return true;
  }
}
