// The peers protocol 2.1, sans I/O: what follows the handshake (HAProxy's peers.txt). Update messages are
// given as bytes behind their number and time, for only the table that was announced tells what is in them.
import { failed, failure, type Result, success } from "../../base/failure.ts";
import { encodeInteger, encodeWord, FieldReader } from "./integers.ts";

export const CONTROL = {
  resyncRequest: 0,
  resyncFinished: 1,
  resyncPartial: 2,
  resyncConfirmed: 3,
  heartbeat: 4,
} as const;

export interface TableAnnouncement {
  readonly id: number;
  readonly name: string;
  readonly keyType: number;
  readonly keyBytes: number;
  /** By their numbers, in ascending order; `count` is 1 but for lists. */
  readonly data: readonly AnnouncedData[];
  readonly expireMs: number;
}

export interface AnnouncedData {
  readonly number: number;
  readonly count: number;
  readonly periodMs: number;
}

export type PeerMessage =
  | { readonly kind: "control"; readonly type: number }
  | { readonly kind: "error" }
  | { readonly kind: "table"; readonly table: TableAnnouncement }
  | { readonly kind: "switch"; readonly id: number }
  | { readonly kind: "acknowledged"; readonly id: number; readonly update: number }
  | {
      readonly kind: "update";
      /** Null: one more than the last. */
      readonly update: number | null;
      /** How long the entry has to live; null: it was not said. */
      readonly remainingMs: number | null;
      readonly body: Uint8Array;
    };

const CLASS = { control: 0, error: 1, table: 10 } as const;
/** 133 and 134 are 128 and 129 with a time, which version 2.1 always sends. */
const TYPE = {
  update: 128,
  nextUpdate: 129,
  define: 130,
  switch: 131,
  acknowledge: 132,
  timedUpdate: 133,
  nextTimedUpdate: 134,
} as const;
const MESSAGE_BYTES_MAX = 65536;
/** Numbers of lists, and of what has a period (models know the names: STORED_NAMES). */
const LISTS: ReadonlySet<number> = new Set([22, 23, 24]);
const RATES: ReadonlySet<number> = new Set([3, 5, 8, 10, 12, 14, 16, 18, 21, 24]);
const DATA_COUNT = 25;

export function encodeControl(type: number): number[] {
  return [CLASS.control, type];
}

export function encodeTable({ id, name, keyType, keyBytes, data, expireMs }: TableAnnouncement): number[] {
  const body: number[] = [];
  encodeInteger(id, body);
  encodeInteger(name.length, body);
  for (let i = 0; i < name.length; i++) body.push(name.charCodeAt(i) & 0xff);
  encodeInteger(keyType, body);
  encodeInteger(keyBytes, body);
  encodeInteger(
    data.reduce((sum, { number }) => sum + 2 ** number, 0),
    body,
  );
  encodeInteger(expireMs, body);
  for (const { number, count, periodMs } of data) {
    if (!LISTS.has(number) && !RATES.has(number)) continue;
    encodeInteger(number, body);
    if (LISTS.has(number)) encodeInteger(count, body);
    if (RATES.has(number)) encodeInteger(periodMs, body);
  }
  return framed(TYPE.define, body);
}

export function encodeUpdate(update: number, remainingMs: number, body: readonly number[]): number[] {
  const whole: number[] = [];
  encodeWord(update, whole);
  encodeWord(remainingMs, whole);
  for (const byte of body) whole.push(byte);
  return framed(TYPE.timedUpdate, whole);
}

export function encodeAcknowledgement(id: number, update: number): number[] {
  const body: number[] = [];
  encodeInteger(id, body);
  encodeWord(update, body);
  return framed(TYPE.acknowledge, body);
}

function framed(type: number, body: readonly number[]): number[] {
  const message: number[] = [CLASS.table, type];
  encodeInteger(body.length, message);
  for (const byte of body) message.push(byte);
  return message;
}

/** Collects bytes and gives whole messages. After a failure it gives no more. */
export class PeerMessageDecoder {
  #held: Uint8Array = new Uint8Array(0);

  /** What the bytes complete. */
  receive(bytes: Uint8Array): Result<readonly PeerMessage[]> {
    this.#held = this.#held.length === 0 ? bytes.slice() : Buffer.concat([this.#held, bytes]);
    const messages: PeerMessage[] = [];
    let at = 0;
    for (;;) {
      const read = this.#readOne(at);
      if (read === "broken") return failed(failure("protocol", "client", "a peer sent what is no message"));
      if (read === null) break;
      messages.push(read.message);
      at = read.end;
    }
    this.#held = this.#held.subarray(at);
    return success(messages);
  }

  /** Null: more bytes are needed. */
  #readOne(at: number): { readonly message: PeerMessage; readonly end: number } | "broken" | null {
    const bytes = this.#held;
    if (bytes.length < at + 2) return null;
    const [kind, type] = [bytes[at]!, bytes[at + 1]!];
    if (type < 128) {
      if (kind === CLASS.control) return { message: { kind: "control", type }, end: at + 2 };
      return kind === CLASS.error ? { message: { kind: "error" }, end: at + 2 } : "broken";
    }
    const header = new FieldReader(bytes, at + 2);
    const length = header.integer();
    if (header.isBroken) return bytes.length > at + 12 ? "broken" : null;
    if (length > MESSAGE_BYTES_MAX) return "broken";
    const end = header.at + length;
    if (bytes.length < end) return null;
    const message =
      kind === CLASS.table ? readTableMessage(type, new FieldReader(bytes, header.at, end)) : null;
    return message === null ? "broken" : { message, end };
  }
}

/** Null: broken, or of a type that nobody knows. */
function readTableMessage(type: number, reader: FieldReader): PeerMessage | null {
  const message = readBody(type, reader);
  return reader.isBroken ? null : message;
}

function readBody(type: number, reader: FieldReader): PeerMessage | null {
  switch (type) {
    case TYPE.define:
      return { kind: "table", table: readTable(reader) };
    case TYPE.switch:
      return { kind: "switch", id: reader.integer() };
    case TYPE.acknowledge:
      return { kind: "acknowledged", id: reader.integer(), update: reader.word() };
    case TYPE.update:
    case TYPE.nextUpdate:
    case TYPE.timedUpdate:
    case TYPE.nextTimedUpdate: {
      const hasNumber = type === TYPE.update || type === TYPE.timedUpdate;
      const update = hasNumber ? reader.word() : null;
      const remainingMs = type >= TYPE.timedUpdate ? reader.word() : null;
      return { kind: "update", update, remainingMs, body: reader.rest() };
    }
    default:
      return null;
  }
}

function readTable(reader: FieldReader): TableAnnouncement {
  const id = reader.integer();
  const name = Buffer.from(reader.bytes(reader.integer())).toString("latin1");
  const keyType = reader.integer();
  const keyBytes = reader.integer();
  const field = reader.integer();
  const expireMs = reader.isAtEnd ? 0 : reader.integer();
  const numbers = Array.from({ length: DATA_COUNT }, (_, number) => number).filter(
    (number) => Math.floor(field / 2 ** number) % 2 === 1,
  );
  const parameters = readParameters(reader);
  const data = numbers.map((number) => ({
    number,
    ...(parameters.get(number) ?? { count: 1, periodMs: 0 }),
  }));
  return { id, name, keyType, keyBytes, data, expireMs };
}

/** Old versions send none. */
function readParameters(
  reader: FieldReader,
): Map<number, { readonly count: number; readonly periodMs: number }> {
  const parameters = new Map<number, { readonly count: number; readonly periodMs: number }>();
  while (!reader.isAtEnd && !reader.isBroken && parameters.size < DATA_COUNT) {
    const number = reader.integer();
    const count = LISTS.has(number) ? reader.integer() : 1;
    const periodMs = RATES.has(number) ? reader.integer() : 0;
    if (!LISTS.has(number) && !RATES.has(number)) break;
    parameters.set(number, { count: Math.min(count, 100), periodMs });
  }
  return parameters;
}
