// One stick table, in memory that all processes have in common. No I/O and no clock: `nowMs` comes in. Every
// call takes the table for itself while it works (about 0.1 µs), so that what rules read of it is exact
// whichever worker a client meets. An entry that somebody tracks is never taken away; an index of any other
// is only good within the call that gives it.
import { type HashSecret, halfSipHash } from "../../base/half-sip-hash.ts";
import type { StickTableDefinition, StoredName } from "../../model/stick-table.ts";
import type { SampleValue } from "../rules/sample-value.ts";
import { type ChangeEntry, EntryData, type ReadEntry } from "./entry-data.ts";
import { EntryLists, type HashedKey, NONE, type UsePlace } from "./entry-lists.ts";
import { layoutOf, type TableLayout } from "./layout.ts";
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

/** So many entries are visited before others have their turn. */
const VISIT_COUNT = 32;

export class StickTable {
  readonly definition: StickTableDefinition;
  readonly #layout: TableLayout;
  readonly #process: number;
  readonly #clockOffsetMs: number;
  readonly #secret: HashSecret;
  readonly #head: Int32Array;
  readonly #lists: EntryLists;
  /** Of the call that is under way. */
  readonly #key: HashedKey;
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
    this.#head = new Int32Array(buffer, 0, layout.namesAt / 4);
    this.#lists = new EntryLists(definition, layout, buffer);
    this.#key = { bytes: new Uint8Array(definition.keyBytes), length: 0, hash: 0 };
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
    return this.#lists.used;
  }

  /** How many more there may be. */
  get free(): number {
    return Math.max(0, this.definition.size - this.used);
  }

  /** Starts to track a key: its entry, made if there is none. NONE: no key, or no room. */
  track(value: SampleValue, nowMs: number, first: VisitEntry | null): number {
    if (!this.#encode(value)) return NONE;
    const time = this.#lock(nowMs);
    const entry = this.#lists.findOrCreate(this.#key, time);
    if (entry !== NONE) {
      this.#lists.addUse(entry, this.#process, 1);
      first?.(entry, time);
    }
    this.#unlock();
    return entry;
  }

  /** The end of `track`. */
  release(entry: number, nowMs: number, last: VisitEntry | null): void {
    const time = this.#lock(nowMs);
    last?.(entry, time);
    this.#lists.addUse(entry, this.#process, -1);
    this.#lists.touch(entry, time);
    this.#unlock();
  }

  /** Changes an entry that is tracked. */
  change(entry: number, nowMs: number, change: ChangeEntry): number {
    const time = this.#lock(nowMs);
    const result = change(entry, time);
    this.#lists.touch(entry, time);
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
    const entry = this.#lists.find(this.#key, time);
    const result = entry === NONE ? undefined : read(entry, time);
    this.#unlock();
    return result;
  }

  /** Changes the entry of a key, made if there is none; undefined: no key, or no room. */
  update(value: SampleValue, nowMs: number, change: ChangeEntry): number | undefined {
    if (!this.#encode(value)) return undefined;
    const time = this.#lock(nowMs);
    const entry = this.#lists.findOrCreate(this.#key, time);
    const result = entry === NONE ? undefined : change(entry, time);
    this.#unlock();
    return result;
  }

  /** As `lookUp`, and it is used for as long again as a new one (`stick match`). */
  refresh(value: SampleValue, nowMs: number, read: ReadEntry): number | undefined {
    return this.lookUp(value, nowMs, (entry, time) => {
      this.#lists.touch(entry, time);
      return read(entry, time);
    });
  }

  /** How often entries were used so far. */
  get useCount(): number {
    return this.#lists.useCount;
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
    const lists = this.#lists;
    let entry = lists.firstBehind(place);
    for (let count = 0; entry !== NONE && count < countMax; count++) {
      place.use = lists.useOf(entry);
      place.entry = entry;
      if (!lists.isLearned(entry)) visit(entry, time);
      entry = lists.newerThan(entry);
    }
    this.#unlock();
  }

  /** Visits what is in some of the table's slots, from one on; the next one, or NONE at the end. */
  eachInSlots(
    from: number,
    countMax: number,
    nowMs: number,
    visit: (entry: number, time: number) => void,
  ): number {
    const time = this.#lock(nowMs);
    const lists = this.#lists;
    const { reached } = lists;
    const end = Math.min(from + countMax, reached);
    for (let entry = from; entry < end; entry++) {
      if (!lists.isLive(entry)) continue;
      if (lists.isExpired(entry, time)) lists.drop(entry);
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
    if (key.length > this.#key.bytes.length || key.length === 0) return;
    this.#key.bytes.set(key);
    this.#hash(key.length);
    const time = this.#lock(nowMs);
    const entry = this.#lists.findOrCreate(this.#key, time);
    if (entry !== NONE) {
      change(entry, time);
      this.#lists.markLearned(entry, time + (remainingMs ?? Number.POSITIVE_INFINITY));
    }
    this.#unlock();
  }

  /** The number of its last use. */
  useOf(entry: number): number {
    return this.#lists.useOf(entry);
  }

  /** Takes away what is there of a key. "busy": it is tracked. */
  remove(value: SampleValue, nowMs: number): "gone" | "busy" {
    if (!this.#encode(value)) return "gone";
    const time = this.#lock(nowMs);
    const entry = this.#lists.find(this.#key, time);
    const isBusy = entry !== NONE && this.usesOf(entry) > 0;
    if (entry !== NONE && !isBusy) this.#lists.drop(entry);
    this.#unlock();
    return isBusy ? "busy" : "gone";
  }

  /** Takes away all that nobody tracks and `matches` holds for. */
  removeAll(nowMs: number, matches: (entry: number, nowMs: number) => boolean): void {
    this.each(nowMs, (entry, time) => {
      if (this.usesOf(entry) === 0 && matches(entry, time)) this.#lists.drop(entry);
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

  /** Whether a value can be a key. */
  takes(value: SampleValue): boolean {
    return this.#encode(value);
  }

  /** The bytes of the key that a value is; null: it is none. */
  encoded(value: SampleValue): Uint8Array | null {
    return this.#encode(value) ? this.#key.bytes.slice(0, this.#key.length) : null;
  }

  /** A copy. */
  keyBytesOf(entry: number): Uint8Array {
    return this.#lists.keyBytesOf(entry);
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
    return this.#lists.usesOf(entry);
  }

  /** Milliseconds until it expires; 0 when it never does. */
  remainingMs(entry: number, time: number): number {
    return this.definition.expireMs === null ? 0 : Math.max(0, this.#lists.expiryOf(entry) - time);
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
    if (takeLockOf(this.#head, process, this.#process)) this.#lists.rebuild();
    else this.#lock(0);
    this.#unlock();
    // Nobody else writes those cells, and its successor is not there yet.
    this.#lists.forgetProcess(process);
  }

  #lock(nowMs: number): number {
    if (!lockTable(this.#head, this.#process)) this.#lists.rebuild();
    return Math.floor(nowMs + this.#clockOffsetMs);
  }

  #unlock(): void {
    unlockTable(this.#head);
  }

  #encode(value: SampleValue): boolean {
    const length = encodeKey(this.definition.keyType, value, this.#key.bytes);
    if (length < 0) return false;
    this.#hash(length);
    return true;
  }

  #hash(length: number): void {
    const key = this.#key;
    key.length = length;
    key.hash = halfSipHash(key.bytes, length, this.#secret);
  }
}
