// Reads the fields of a header block (RFC 7541). A block that breaks the rules leaves the two ends with
// different tables, so it is an error of the connection. One that is only too large is decoded to its end,
// without keeping more of it: a field by index costs its few bytes, however long its text is, so that a small
// block cannot become much memory ("HPACK bomb").
import { copyBytes } from "../http1/bytes.ts";
import { endLine, HeaderField, LINE_OVERHEAD_BYTES, writeColon } from "./header-field.ts";
import { DynamicTable, STATIC_COUNT, STATIC_FIELDS } from "./header-table.ts";
import { decodeHuffman, huffmanTextLengthMax } from "./huffman.ts";

/** No length or index that is meant well has more digits. */
const INTEGER_SHIFT_MAX = 21;
const INDEX_MASK = 0x7f;

/** Who is given the fields, one after the other. Each lasts until the end of its block. */
export interface FieldSink {
  receiveField(field: HeaderField): void;
}

export class HpackDecoder {
  /** The last block had more than the limit: the sink was not given all of it. */
  isTooLarge = false;
  readonly #table: DynamicTable;
  readonly #tableBytesMax: number;
  /** The present one, if it is no entry of a table. */
  readonly #literal = new HeaderField(literals, 0, 0, 0);
  #bytes: Uint8Array = literals;
  #pos = 0;
  #end = 0;
  /** Where the next text goes in `literals`. */
  #literalsEnd = 0;

  /** `tableBytesMax`: what we have announced as SETTINGS_HEADER_TABLE_SIZE. */
  constructor(tableBytesMax: number) {
    this.#tableBytesMax = tableBytesMax;
    this.#table = new DynamicTable(tableBytesMax);
  }

  /**
   * False: malformed, and nothing more can be decoded on this connection. `listBytesMax`: the largest list of
   * fields that is passed on, as RFC 9113 counts it (section 6.5.2).
   */
  decode(bytes: Uint8Array, start: number, end: number, listBytesMax: number, sink: FieldSink): boolean {
    this.isTooLarge = false;
    this.#bytes = bytes;
    this.#pos = start;
    this.#end = end;
    this.#literalsEnd = 0;
    let listBytes = 0;
    let mayResize = true;
    while (this.#pos < end) {
      const first = bytes[this.#pos]!;
      if ((first & 0xe0) === 0x20) {
        // A new size of the table stands before all fields (section 4.2).
        if (!mayResize || !this.#readTableSize()) return false;
        continue;
      }
      mayResize = false;
      const field = first >= 0x80 ? this.#fieldAt(this.#readInteger(INDEX_MASK)) : this.#readLiteral(first);
      if (field === null) return false;
      listBytes += field.size;
      if (listBytes <= listBytesMax) sink.receiveField(field);
      else {
        this.isTooLarge = true;
        // Nobody will look at it any more.
        this.#literalsEnd = 0;
      }
    }
    return true;
  }

  #readTableSize(): boolean {
    const size = this.#readInteger(0x1f);
    if (size < 0 || size > this.#tableBytesMax) return false;
    this.#table.sizeMax = size;
    return true;
  }

  #fieldAt(index: number): HeaderField | null {
    if (index < 1) return null;
    if (index <= STATIC_COUNT) return STATIC_FIELDS[index - 1]!;
    const age = index - STATIC_COUNT - 1;
    return age < this.#table.count ? this.#table.at(age) : null;
  }

  #readLiteral(first: number): HeaderField | null {
    const isIndexed = first >= 0x40;
    const index = this.#readInteger(isIndexed ? 0x3f : 0x0f);
    if (index < 0) return null;
    const start = this.#literalsEnd;
    const field = this.#literal;
    let at = start;
    field.nameKind = field.kind = 0;
    if (index === 0) at = this.#readText(at);
    else {
      const named = this.#fieldAt(index);
      if (named === null) return null;
      reserve(at + named.nameEnd - named.start, at);
      at = copyBytes(named.bytes, named.start, named.nameEnd, literals, at);
      field.nameKind = named.nameKind;
    }
    if (at < 0) return null;
    field.start = start;
    field.nameEnd = at;
    at = this.#readText(writeColon(literals, at));
    if (at < 0) return null;
    field.end = this.#literalsEnd = endLine(literals, at);
    field.bytes = literals;
    return isIndexed ? (this.#table.add(field) ?? field) : field;
  }

  /** Puts the text at `at` in `literals` and returns its end; -1: malformed. */
  #readText(at: number): number {
    if (this.#pos >= this.#end) return -1;
    const isHuffman = this.#bytes[this.#pos]! >= 0x80;
    const length = this.#readInteger(0x7f);
    if (length < 0 || length > this.#end - this.#pos) return -1;
    const start = this.#pos;
    this.#pos += length;
    reserve(at + (isHuffman ? huffmanTextLengthMax(length) : length), at);
    return isHuffman
      ? decodeHuffman(this.#bytes, start, this.#pos, literals, at)
      : copyBytes(this.#bytes, start, this.#pos, literals, at);
  }

  /** Section 5.1. `mask`: of the bits of the first byte that belong to it. -1: cut, or larger than can be. */
  #readInteger(mask: number): number {
    let value = this.#bytes[this.#pos++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= INTEGER_SHIFT_MAX; shift += 7) {
      if (this.#pos >= this.#end) return -1;
      const byte = this.#bytes[this.#pos++]!;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1;
  }
}

/** The lines of one block's fields that no table holds. One for all decoders: a block is decoded at once. */
let literals = new Uint8Array(4096);

/** Keeps what stands before `used`. Fields that were given out stay where they are, in the old memory. */
function reserve(end: number, used: number): void {
  const needed = end + LINE_OVERHEAD_BYTES;
  if (needed <= literals.length) return;
  const larger = new Uint8Array(Math.max(needed, literals.length * 2));
  copyBytes(literals, 0, used, larger, 0);
  literals = larger;
}
