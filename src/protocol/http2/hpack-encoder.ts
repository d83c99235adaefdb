// Writes the fields of a header block (RFC 7541). What servers say again and again goes into the dynamic
// table; what differs from response to response, and what must not be guessed at by others, does not.
import { writeLatin1 } from "../http1/bytes.ts";
import { DynamicTable, STATIC_COUNT, STATIC_FIELDS } from "./header-table.ts";
import { encodeHuffman, huffmanLength } from "./huffman.ts";

/** The most that we keep for a client that would let us keep more. */
const TABLE_BYTES_MAX = 4096;
/** Longer values are hardly ever said twice. */
const INDEXED_VALUE_LENGTH_MAX = 256;

/** Differ from response to response. */
const PASSING: ReadonlySet<string> = new Set([
  "age",
  "content-length",
  "content-location",
  "content-range",
  "date",
  "etag",
  "expires",
  "last-modified",
  "location",
]);
/** Nobody on the way may index these either (RFC 7541 section 7.1.3). */
const SECRET: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "proxy-authenticate",
  "set-cookie",
  "www-authenticate",
]);

/** By name: index of the first static field, and of those with a value by "name value". */
const STATIC_INDEX: ReadonlyMap<string, number> = new Map(
  STATIC_FIELDS.flatMap(([name, value], i) => [
    [`${name} ${value}`, i + 1] as const,
    ...(STATIC_FIELDS.findIndex((field) => field[0] === name) === i ? [[name, i + 1] as const] : []),
  ]),
);

export class HpackEncoder {
  readonly #table = new DynamicTable(TABLE_BYTES_MAX);
  /** A size that the next block has to announce; -1: none. */
  #newTableBytes = -1;
  #smallestTableBytes = -1;

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  limitTable(bytesMax: number): void {
    const bytes = Math.min(bytesMax, TABLE_BYTES_MAX);
    if (bytes === this.#table.bytesMax && this.#newTableBytes < 0) return;
    this.#table.bytesMax = bytes;
    this.#newTableBytes = bytes;
    if (this.#smallestTableBytes < 0 || bytes < this.#smallestTableBytes) this.#smallestTableBytes = bytes;
  }

  /** Most bytes that a field takes. */
  static fieldLengthMax(name: string, value: string): number {
    return name.length + value.length + 12;
  }

  /** Most bytes that `beginBlock` writes. */
  static readonly blockStartLengthMax = 8;

  /** To be called before the fields of each block. Returns the end of what was written. */
  beginBlock(target: Uint8Array, at: number): number {
    if (this.#newTableBytes < 0) return at;
    // A table that was smaller in between has lost its entries (section 4.2).
    if (this.#smallestTableBytes < this.#newTableBytes)
      at = writeInteger(this.#smallestTableBytes, 5, 0x20, target, at);
    at = writeInteger(this.#newTableBytes, 5, 0x20, target, at);
    this.#newTableBytes = this.#smallestTableBytes = -1;
    return at;
  }

  /** `name` in lower case. Returns the end of what was written. */
  encodeField(name: string, value: string, target: Uint8Array, at: number): number {
    const isSecret = SECRET.has(name);
    let nameIndex = STATIC_INDEX.get(name) ?? 0;
    if (!isSecret) {
      const whole = nameIndex === 0 ? undefined : STATIC_INDEX.get(`${name} ${value}`);
      if (whole !== undefined) return writeInteger(whole, 7, 0x80, target, at);
    }
    const isPassing = PASSING.has(name) || value.length > INDEXED_VALUE_LENGTH_MAX;
    if (!isSecret && !isPassing) {
      const age = this.#table.find(name, value);
      if (age !== null && age >= 0) return writeInteger(STATIC_COUNT + 1 + age, 7, 0x80, target, at);
      if (age !== null && nameIndex === 0) nameIndex = STATIC_COUNT + 1 + ~age;
      at = writeInteger(nameIndex, 6, 0x40, target, at);
      this.#table.add(name, value);
    } else at = writeInteger(nameIndex, 4, isSecret ? 0x10 : 0, target, at);
    if (nameIndex === 0) at = writeText(name, target, at);
    return writeText(value, target, at);
  }
}

function writeText(text: string, target: Uint8Array, at: number): number {
  const coded = huffmanLength(text);
  if (coded < text.length) {
    at = writeInteger(coded, 7, 0x80, target, at);
    return encodeHuffman(text, target, at);
  }
  at = writeInteger(text.length, 7, 0, target, at);
  return writeLatin1(text, target, at);
}

/** RFC 7541 section 5.1. */
function writeInteger(
  value: number,
  prefixBits: number,
  flags: number,
  target: Uint8Array,
  at: number,
): number {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) {
    target[at++] = flags | value;
    return at;
  }
  target[at++] = flags | mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest >>= 7) target[at++] = (rest & 0x7f) | 0x80;
  target[at++] = rest;
  return at;
}
