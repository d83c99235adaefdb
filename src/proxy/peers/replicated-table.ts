// A stick table as the peers protocol has it: what it is announced as, its entries as bytes, and what others
// tell of theirs. `conn_cur` is told and never taken over, since it speaks of connections here.
import { STORED_NAMES, type StickKeyType, type StoredData, shapeOf } from "../../model/stick-table.ts";
import { encodeInteger, FieldReader } from "../../protocol/peers/integers.ts";
import type { AnnouncedData, TableAnnouncement } from "../../protocol/peers/messages.ts";
import type { StickTable } from "../stick-table/stick-table.ts";

const KEY_TYPES: Readonly<Record<StickKeyType, number>> = {
  integer: 2,
  ip: 4,
  ipv6: 5,
  string: 6,
  binary: 7,
};
/** Names of servers are sent in full each time, under a number that the protocol wants. */
const NAME_NUMBER = 1;

/** "/t" for the table t of the section itself, as HAProxy calls it among peers. */
export function announcementOf({ definition }: StickTable, id: number): TableAnnouncement {
  const { name, keyType, keyBytes, stored, expireMs } = definition;
  return {
    id,
    name: name.includes("/") ? name.slice(name.indexOf("/")) : name,
    keyType: KEY_TYPES[keyType],
    // HAProxy counts the zero at the end of a text.
    keyBytes: keyType === "string" ? keyBytes + 1 : keyBytes,
    data: stored.map(({ name: kind, count, periodMs }) => ({
      number: STORED_NAMES.indexOf(kind),
      count,
      periodMs,
    })),
    expireMs: expireMs ?? 0,
  };
}

/** The key and data of an entry, behind its number and time. */
export function encodeEntry(table: StickTable, entry: number, time: number): number[] {
  const { keyType, stored } = table.definition;
  const key = table.keyBytesOf(entry);
  const body: number[] = [];
  if (keyType === "string") encodeInteger(key.length, body);
  for (const byte of key) body.push(byte);
  for (const data of stored)
    for (let index = 0; index < data.count; index++) encodeData(table, data, index, entry, time, body);
  return body;
}

function encodeData(
  { data }: StickTable,
  { name }: StoredData,
  index: number,
  entry: number,
  time: number,
  body: number[],
): void {
  const window = data.window(name, index);
  if (window !== null) {
    const [began, current, past] = window.read(entry);
    encodeInteger(Math.min(time - began, AGE_MAX_MS), body);
    encodeInteger(current, body);
    encodeInteger(past, body);
    return;
  }
  const value = data.reader(name, index)!(entry, time);
  if (shapeOf(name) === "server-key") encodeName(data.nameOf(value), body);
  else encodeInteger(value, body);
}

const AGE_MAX_MS = 2 ** 31 - 1;
const COUNTER_MAX = 2 ** 32 - 1;

function encodeName(name: string | null, body: number[]): void {
  if (name === null) {
    encodeInteger(0, body);
    return;
  }
  const text: number[] = [];
  encodeInteger(NAME_NUMBER, text);
  encodeInteger(name.length, text);
  for (let i = 0; i < name.length; i++) text.push(name.charCodeAt(i) & 0xff);
  encodeInteger(text.length, body);
  for (const byte of text) body.push(byte);
}

/** Entries of one announced table of one peer. */
export class RemoteTable {
  readonly id: number;
  readonly table: StickTable;
  readonly #data: readonly AnnouncedData[];
  readonly #names: Map<number, string> = new Map();

  /** Null: it is none of ours, or has other keys. */
  static match(announcement: TableAnnouncement, tables: readonly StickTable[]): RemoteTable | null {
    const table = tables.find((one) => {
      const own = announcementOf(one, 0);
      return (
        own.name === announcement.name &&
        own.keyType === announcement.keyType &&
        own.keyBytes === announcement.keyBytes
      );
    });
    return table === undefined ? null : new RemoteTable(announcement, table);
  }

  private constructor({ id, data }: TableAnnouncement, table: StickTable) {
    this.id = id;
    this.table = table;
    this.#data = data;
  }

  /** False: what came is no entry. */
  learn(body: Uint8Array, remainingMs: number | null, nowMs: number): boolean {
    const { keyType, keyBytes } = this.table.definition;
    const reader = new FieldReader(body);
    const key = reader.bytes(keyType === "string" ? reader.integer() : keyBytes);
    if (reader.isBroken || key.length > keyBytes) return false;
    const values = this.#data.map((data) => this.#readData(data, reader));
    if (reader.isBroken) return false;
    const { data: own } = this.table;
    this.table.learn(key, remainingMs, nowMs, (entry, time) => {
      for (const [i, { number }] of this.#data.entries()) {
        const name = STORED_NAMES[number];
        if (name === undefined || name === "conn_cur" || !this.table.has(name)) continue;
        for (const [index, value] of values[i]!.entries()) {
          if (typeof value === "number") own.setter(name, index)?.(entry, time, value);
          else if (typeof value === "string") own.setter(name, index)?.(entry, time, own.internName(value));
          else own.window(name, index)?.write(entry, time - value[0], value[1], value[2]);
        }
      }
    });
    return true;
  }

  #readData({ number, count }: AnnouncedData, reader: FieldReader): WireValue[] {
    const name = STORED_NAMES[number];
    const shape = name === undefined ? "value" : shapeOf(name);
    const valueMax = name?.startsWith("bytes") === true ? Number.MAX_SAFE_INTEGER : COUNTER_MAX;
    return Array.from({ length: count }, () => {
      if (shape === "rate") {
        const [age, current, past] = [reader.integer(), reader.integer(), reader.integer()];
        return [Math.min(age, AGE_MAX_MS), Math.min(current, COUNTER_MAX), Math.min(past, COUNTER_MAX)];
      }
      return shape === "server-key" ? this.#readName(reader) : Math.min(reader.integer(), valueMax);
    });
  }

  /** A number, and the first time its name. */
  #readName(reader: FieldReader): WireValue {
    const length = reader.integer();
    if (length === 0) return 0;
    const text = new FieldReader(reader.bytes(length));
    const number = text.integer();
    if (!text.isAtEnd) {
      const name = Buffer.from(text.bytes(text.integer())).toString("latin1");
      if (this.#names.size < NAMES_MAX || this.#names.has(number)) this.#names.set(number, name);
    }
    return text.isBroken ? 0 : (this.#names.get(number) ?? 0);
  }
}

type WireValue = number | string | readonly [ageMs: number, current: number, past: number];

/** HAProxy numbers 128 names. */
const NAMES_MAX = 1024;
