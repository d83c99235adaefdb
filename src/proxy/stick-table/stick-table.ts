// One stick table, in memory that all processes have in common. No I/O and no clock: `nowMs` comes in. Every
// call takes the table for itself while it works (about 0.1 µs), so that what rules read of it is exact
// whichever worker a client meets. An entry that somebody tracks is never taken away; an index of any other
// is only good within the call that gives it.
import { type HashSecret, halfSipHash } from "../../base/half-sip-hash.ts";
import type { StickTableDefinition, StoredName } from "../../model/stick-table.ts";
import type { SampleValue } from "../rules/sample-value.ts";
import { type ChangeEntry, EntryData, type ReadEntry } from "./entry-data.ts";
import { ENTRY, layoutOf, TABLE, type TableLayout } from "./layout.ts";
import { TableEvents } from "./table-events.ts";
import { encodeKey } from "./table-key.ts";
import { lockTable, takeLockOf, unlockTable } from "./table-lock.ts";

export interface TablePlace {
  /** All zero at first. */
  readonly buffer: ArrayBuffer;
  readonly capacity: number;
  /** Clients choose keys, but not which of them meet in one chain. The same for all processes. */
  readonly secret: HashSecret;
  /** This process's number, from 0, and how many there can be. */
  readonly process: number;
  readonly processCount: number;
  /** Added to `nowMs` it is the same time in all processes. */
  readonly clockOffsetMs: number;
}

type VisitEntry = (entry: number, time: number) => void;

/** No entry. */
export const NONE = -1;

/** So many entries are visited before others have their turn. */
const VISIT_COUNT = 32;

/** A place in the order of use: which use it was, and of which entry, if that is known. */
export interface UsePlace {
  use: number;
  entry: number;
}

export class StickTable {
  readonly definition: StickTableDefinition;
  readonly #layout: TableLayout;
  readonly #process: number;
  readonly #clockOffsetMs: number;
  readonly #secret: HashSecret;
  readonly #head: Int32Array;
  readonly #uses: Float64Array;
  readonly #chains: Int32Array;
  readonly #links: Int32Array;
  readonly #numbers: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #key: Uint8Array;
  readonly #strideWords: number;
  readonly data: EntryData;
  readonly events: TableEvents;

  constructor(definition: StickTableDefinition, place: TablePlace) {
    this.definition = definition;
    const layout = layoutOf(definition, place.capacity, place.processCount);
    this.#layout = layout;
    this.#process = place.process;
    this.#clockOffsetMs = place.clockOffsetMs;
    this.#secret = place.secret;
    const { buffer } = place;
    const { chainsAt, chainCount, entriesAt, byteLength } = layout;
    this.#head = new Int32Array(buffer, 0, layout.namesAt / 4);
    this.#uses = new Float64Array(buffer, 0, layout.namesAt / 8);
    this.#chains = new Int32Array(buffer, chainsAt, chainCount);
    const entryBytes = byteLength - entriesAt;
    this.#links = new Int32Array(buffer, entriesAt, entryBytes / 4);
    this.#numbers = new Float64Array(buffer, entriesAt, entryBytes / 8);
    this.#bytes = new Uint8Array(buffer, entriesAt, entryBytes);
    this.#strideWords = layout.entryBytes / 4;
    this.#key = new Uint8Array(definition.keyBytes);
    this.data = new EntryData(layout, buffer, place.process);
    this.events = new TableEvents(this.data);
  }

  /** Memory of one process alone. */
  static alone(definition: StickTableDefinition, secret: HashSecret = [0, 0]): StickTable {
    // Nobody wants a million entries to see what a rule does.
    const capacity = Math.min(definition.size, 4096);
    const buffer = new ArrayBuffer(layoutOf(definition, capacity, 1).byteLength);
    const place = { buffer, capacity, secret, process: 0, processCount: 1, clockOffsetMs: 0 };
    return new StickTable(definition, place);
  }

  /** Likewise, by name. */
  static allAlone(definitions: readonly StickTableDefinition[]): ReadonlyMap<string, StickTable> {
    return new Map(definitions.map((definition) => [definition.name, StickTable.alone(definition)]));
  }

  get name(): string {
    return this.definition.name;
  }

  has(name: StoredName): boolean {
    return this.#layout.stored.has(name);
  }

  /** Entries that are there, those included whose time is over and that nobody has come across since. */
  get used(): number {
    return this.#head[TABLE.used]!;
  }

  /** How many more there may be. */
  get free(): number {
    return Math.max(0, this.definition.size - this.used);
  }

  /** Starts to track a key: its entry, made if there is none. NONE: no key, or no room. */
  track(value: SampleValue, nowMs: number, first: VisitEntry | null): number {
    if (!this.#encode(value)) return NONE;
    const time = this.#lock(nowMs);
    const entry = this.#findOrCreate(time);
    if (entry !== NONE) {
      this.#addUse(entry, 1);
      first?.(entry, time);
    }
    this.#unlock();
    return entry;
  }

  /** The end of `track`. */
  release(entry: number, nowMs: number, last: VisitEntry | null): void {
    const time = this.#lock(nowMs);
    last?.(entry, time);
    this.#addUse(entry, -1);
    this.#touch(entry, time);
    this.#unlock();
  }

  /** Changes an entry that is tracked. */
  change(entry: number, nowMs: number, change: ChangeEntry): number {
    const time = this.#lock(nowMs);
    const result = change(entry, time);
    this.#touch(entry, time);
    this.#unlock();
    return result;
  }

  /** Reads an entry that is tracked. */
  read(entry: number, nowMs: number, read: ReadEntry): number {
    const time = this.#lock(nowMs);
    const result = read(entry, time);
    this.#unlock();
    return result;
  }

  /** Reads what is there of a key; undefined when there is no entry. */
  lookUp(value: SampleValue, nowMs: number, read: ReadEntry): number | undefined {
    if (!this.#encode(value)) return undefined;
    const time = this.#lock(nowMs);
    const entry = this.#find(time);
    const result = entry === NONE ? undefined : read(entry, time);
    this.#unlock();
    return result;
  }

  /** Changes the entry of a key, made if there is none; undefined: no key, or no room. */
  update(value: SampleValue, nowMs: number, change: ChangeEntry): number | undefined {
    if (!this.#encode(value)) return undefined;
    const time = this.#lock(nowMs);
    const entry = this.#findOrCreate(time);
    const result = entry === NONE ? undefined : change(entry, time);
    this.#unlock();
    return result;
  }

  /** As `lookUp`, and it is used for as long again as a new one (`stick match`). */
  refresh(value: SampleValue, nowMs: number, read: ReadEntry): number | undefined {
    return this.lookUp(value, nowMs, (entry, time) => {
      this.#touch(entry, time);
      return read(entry, time);
    });
  }

  /** How often entries were used so far. */
  get useCount(): number {
    return this.#uses[TABLE.uses]!;
  }

  /**
   * Visits entries that this machine has used behind a place in the order of use, the first use first, and
   * moves the place on: by `countMax` at most.
   */
  eachUsedBehind(
    place: UsePlace,
    countMax: number,
    nowMs: number,
    visit: (entry: number, time: number) => void,
  ): void {
    const time = this.#lock(nowMs);
    let next = this.#firstBehind(place);
    for (let count = 0; next !== 0 && count < countMax; count++) {
      const entry = next - 1;
      place.use = this.useOf(entry);
      place.entry = entry;
      if (this.#links[this.#word(entry) + ENTRY.isLearned] === 0) visit(entry, time);
      next = this.#links[this.#word(entry) + ENTRY.newer]!;
    }
    this.#unlock();
  }

  /** Where the place's entry has been used again, from the end. */
  #firstBehind({ use, entry }: UsePlace): number {
    const isThere =
      entry !== NONE && this.#links[this.#word(entry) + ENTRY.isLive] === 1 && this.useOf(entry) === use;
    if (isThere) return this.#links[this.#word(entry) + ENTRY.newer]!;
    let next = this.#head[TABLE.newest]!;
    let first = 0;
    while (next !== 0 && this.useOf(next - 1) > use) {
      first = next;
      next = this.#links[this.#word(next - 1) + ENTRY.older]!;
    }
    return first;
  }

  /** Visits what is in some of the table's slots, from one on; the next one, or NONE at the end. */
  eachInSlots(
    from: number,
    countMax: number,
    nowMs: number,
    visit: (entry: number, time: number) => void,
  ): number {
    const time = this.#lock(nowMs);
    const reached = this.#head[TABLE.reached]!;
    const end = Math.min(from + countMax, reached);
    for (let entry = from; entry < end; entry++) {
      if (this.#links[this.#word(entry) + ENTRY.isLive] !== 1) continue;
      if (this.#isExpired(entry, time)) this.#drop(entry);
      else visit(entry, time);
    }
    this.#unlock();
    return end < reached ? end : NONE;
  }

  /** What another machine tells of a key, whose bytes these are. */
  learn(
    key: Uint8Array,
    remainingMs: number | null,
    nowMs: number,
    change: (entry: number, time: number) => void,
  ): void {
    if (key.length > this.#key.length || key.length === 0) return;
    this.#key.set(key);
    this.#keyLength = key.length;
    this.#hash = halfSipHash(this.#key, key.length, this.#secret);
    const time = this.#lock(nowMs);
    const entry = this.#findOrCreate(time);
    if (entry !== NONE) {
      change(entry, time);
      this.#links[this.#word(entry) + ENTRY.isLearned] = 1;
      const { expireMs } = this.definition;
      if (expireMs !== null && remainingMs !== null && remainingMs < expireMs)
        this.#numbers[(entry * this.#layout.entryBytes + this.#layout.numbersAt) / 8] = time + remainingMs;
    }
    this.#unlock();
  }

  /** The number of its last use. */
  useOf(entry: number): number {
    return this.#numbers[(entry * this.#layout.entryBytes + this.#layout.numbersAt) / 8 + 1]!;
  }

  /** Takes away what is there of a key. "busy": it is tracked. */
  remove(value: SampleValue, nowMs: number): "gone" | "busy" {
    if (!this.#encode(value)) return "gone";
    const time = this.#lock(nowMs);
    const entry = this.#find(time);
    const isBusy = entry !== NONE && this.usesOf(entry) > 0;
    if (entry !== NONE && !isBusy) this.#drop(entry);
    this.#unlock();
    return isBusy ? "busy" : "gone";
  }

  /** Takes away all that nobody tracks and `matches` holds for. */
  removeAll(nowMs: number, matches: (entry: number, nowMs: number) => boolean): void {
    this.each(nowMs, (entry, time) => {
      if (this.usesOf(entry) === 0 && matches(entry, time)) this.#drop(entry);
    });
  }

  /**
   * Calls `visit` for each entry; it must be quick, for all who use the table wait meanwhile: some entries at
   * a time, between which others have their turn.
   */
  each(nowMs: number, visit: (entry: number, nowMs: number) => void): void {
    let from = 0;
    while (from !== NONE) from = this.eachInSlots(from, VISIT_COUNT, nowMs, visit);
  }

  /** The bytes of the key that a value is; null: it is none. */
  encoded(value: SampleValue): Uint8Array | null {
    return this.#encode(value) ? this.#key.slice(0, this.#keyLength) : null;
  }

  /** A copy. */
  keyBytesOf(entry: number): Uint8Array {
    const at = entry * this.#layout.entryBytes + this.#layout.keyAt;
    return this.#bytes.slice(at, at + this.#links[this.#word(entry) + ENTRY.keyLength]!);
  }

  /** As a value that gives the same key again. */
  keyOf(entry: number): SampleValue {
    const bytes = this.keyBytesOf(entry);
    const { keyType } = this.definition;
    if (keyType === "ip" || keyType === "ipv6")
      return { kind: "ip", family: keyType === "ip" ? 4 : 6, bytes };
    if (keyType === "integer") return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
    return Buffer.from(bytes).toString("latin1");
  }

  /** By how many streams and connections of all processes it is tracked. */
  usesOf(entry: number): number {
    const from = this.#word(entry) + ENTRY.held;
    let sum = 0;
    for (let i = 0; i < this.#layout.processCount; i++) sum += this.#links[from + i]!;
    return sum;
  }

  /** Milliseconds until it expires; 0 when it never does. */
  remainingMs(entry: number, time: number): number {
    return this.definition.expireMs === null ? 0 : Math.max(0, this.#expiryOf(entry) - time);
  }

  /** Milliseconds since it was last used. */
  idleMs(entry: number, time: number): number {
    const { expireMs } = this.definition;
    return expireMs === null ? 0 : Math.max(0, expireMs - this.remainingMs(entry, time));
  }

  /**
   * A process is gone: what it held is given back, and what it left half done is put in order. For the
   * master.
   */
  forgetProcess(process: number): void {
    if (takeLockOf(this.#head, process, this.#process)) this.#rebuild();
    else this.#lock(0);
    this.#unlock();
    // Nobody else writes those cells, and its successor is not there yet.
    const { processCount } = this.#layout;
    for (let entry = 0; entry < this.#head[TABLE.reached]!; entry++) {
      const from = this.#word(entry) + ENTRY.held;
      this.#links[from + process] = 0;
      this.#links[from + processCount + process] = 0;
    }
  }

  /** The lists anew, of the entries that are whole. */
  #rebuild(): void {
    const head = this.#head;
    this.#chains.fill(0);
    head[TABLE.used] = 0;
    head[TABLE.free] = 0;
    head[TABLE.oldest] = 0;
    head[TABLE.newest] = 0;
    const live: number[] = [];
    for (let entry = 0; entry < Math.min(head[TABLE.reached]!, this.#layout.capacity); entry++) {
      if (this.#links[this.#word(entry) + ENTRY.isLive] === 1) live.push(entry);
      else this.#giveBack(entry);
    }
    live.sort((a, b) => this.#expiryOf(a) - this.#expiryOf(b));
    for (const entry of live) this.#link(entry);
  }

  #lock(nowMs: number): number {
    if (!lockTable(this.#head, this.#process)) this.#rebuild();
    return Math.floor(nowMs + this.#clockOffsetMs);
  }

  #unlock(): void {
    unlockTable(this.#head);
  }

  #keyLength = 0;
  #hash = 0;

  #encode(value: SampleValue): boolean {
    this.#keyLength = encodeKey(this.definition.keyType, value, this.#key);
    if (this.#keyLength < 0) return false;
    this.#hash = halfSipHash(this.#key, this.#keyLength, this.#secret);
    return true;
  }

  #word(entry: number): number {
    return entry * this.#strideWords;
  }

  #expiryOf(entry: number): number {
    return this.#numbers[(entry * this.#layout.entryBytes + this.#layout.numbersAt) / 8]!;
  }

  #find(time: number): number {
    const links = this.#links;
    for (let next = this.#chains[this.#chainOf(this.#hash)]!; next !== 0; ) {
      const entry = next - 1;
      const word = this.#word(entry);
      if (links[word + ENTRY.hash] === this.#hash && this.#hasKey(entry)) {
        if (!this.#isExpired(entry, time)) return entry;
        this.#drop(entry);
        return NONE;
      }
      next = links[word + ENTRY.next]!;
    }
    return NONE;
  }

  #chainOf(hash: number): number {
    return hash & (this.#layout.chainCount - 1);
  }

  #hasKey(entry: number): boolean {
    if (this.#links[this.#word(entry) + ENTRY.keyLength] !== this.#keyLength) return false;
    const at = entry * this.#layout.entryBytes + this.#layout.keyAt;
    for (let i = 0; i < this.#keyLength; i++) if (this.#bytes[at + i] !== this.#key[i]) return false;
    return true;
  }

  #isExpired(entry: number, time: number): boolean {
    return this.#expiryOf(entry) <= time && this.usesOf(entry) === 0;
  }

  #findOrCreate(time: number): number {
    const known = this.#find(time);
    if (known !== NONE) {
      this.#touch(known, time);
      return known;
    }
    return this.#create(time);
  }

  #create(time: number): number {
    this.#dropExpired(time, 2);
    const { size, isKept } = this.definition;
    if (this.used >= this.#layout.capacity) {
      if (isKept) this.#dropExpired(time, size);
      else this.#dropOldest(Math.floor(size / 256) + 1);
      if (this.used >= this.#layout.capacity) return NONE;
    }
    const entry = this.#takeFree();
    const word = this.#word(entry);
    const { entryBytes, keyAt } = this.#layout;
    this.#bytes.fill(0, entry * entryBytes, (entry + 1) * entryBytes);
    this.#bytes.set(this.#key.subarray(0, this.#keyLength), entry * entryBytes + keyAt);
    this.#links[word + ENTRY.keyLength] = this.#keyLength;
    this.#links[word + ENTRY.hash] = this.#hash;
    this.#setExpiry(entry, time);
    this.#link(entry);
    return entry;
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

  #drop(entry: number): void {
    const links = this.#links;
    const word = this.#word(entry);
    links[word + ENTRY.isLive] = 0;
    const chain = this.#chainOf(links[word + ENTRY.hash]!);
    let before = -1;
    for (let next = this.#chains[chain]!; next !== entry + 1; next = links[before]!)
      before = this.#word(next - 1) + ENTRY.next;
    if (before < 0) this.#chains[chain] = links[word + ENTRY.next]!;
    else links[before] = links[word + ENTRY.next]!;
    this.#detach(entry);
    this.#head[TABLE.used] = this.#head[TABLE.used]! - 1;
    this.#giveBack(entry);
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
    const at = (entry * this.#layout.entryBytes + this.#layout.numbersAt) / 8;
    const use = this.#uses[TABLE.uses]! + 1;
    this.#uses[TABLE.uses] = use;
    this.#numbers[at] = time + (this.definition.expireMs ?? Number.POSITIVE_INFINITY);
    this.#numbers[at + 1] = use;
    this.#links[this.#word(entry) + ENTRY.isLearned] = 0;
  }

  /** It was used just now. */
  #touch(entry: number, time: number): void {
    this.#setExpiry(entry, time);
    if (this.#head[TABLE.newest] === entry + 1) return;
    this.#detach(entry);
    this.#append(entry);
  }

  /**
   * Looks at some of the oldest. Those that are tracked go to the end: they cannot be what is next to expire.
   */
  #dropExpired(time: number, countMax: number): void {
    for (let i = 0; i < countMax; i++) {
      const entry = this.#head[TABLE.oldest]! - 1;
      if (entry < 0 || this.#expiryOf(entry) > time) return;
      if (this.usesOf(entry) > 0) this.#touch(entry, time);
      else this.#drop(entry);
    }
  }

  #dropOldest(count: number): void {
    let next = this.#head[TABLE.oldest]!;
    for (let left = count; left > 0 && next !== 0; ) {
      const entry = next - 1;
      next = this.#links[this.#word(entry) + ENTRY.newer]!;
      if (this.usesOf(entry) > 0) continue;
      this.#drop(entry);
      left--;
    }
  }

  #addUse(entry: number, delta: number): void {
    const at = this.#word(entry) + ENTRY.held + this.#process;
    this.#links[at] = this.#links[at]! + delta;
  }
}
