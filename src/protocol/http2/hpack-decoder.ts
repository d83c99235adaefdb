// Reads the fields of a header block (RFC 7541). A block that breaks the rules leaves the two ends with
// different tables, so it is an error of the connection. One that is only too large is decoded to its end,
// without keeping more of it: a field by index costs its few bytes, however long its text is, so that a small
// block cannot become much memory ("HPACK bomb").
import { readLatin1 } from "../http1/bytes.ts";
import { DynamicTable, fieldBytes, STATIC_COUNT, STATIC_FIELDS } from "./header-table.ts";
import { decodeHuffman } from "./huffman.ts";

/** No length or index that is meant well has more digits. */
const INTEGER_SHIFT_MAX = 21;

/** The largest list of fields that is kept, as RFC 9113 counts it (section 6.5.2). */
export interface FieldLimits {
  readonly listBytesMax: number;
}

export class HpackDecoder {
  /** Names and values in turn, one character per byte. Of the last block. */
  fields: string[] = [];
  /** The last block had more than the limit: `fields` are not all of them. */
  isTooLarge = false;
  readonly #table: DynamicTable;
  readonly #tableBytesMax: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #pos = 0;
  #end = 0;

  /** `tableBytesMax`: what we have announced as SETTINGS_HEADER_TABLE_SIZE. */
  constructor(tableBytesMax: number) {
    this.#tableBytesMax = tableBytesMax;
    this.#table = new DynamicTable(tableBytesMax);
  }

  /** False: malformed, and nothing more can be decoded on this connection. */
  decode(bytes: Uint8Array, start: number, end: number, { listBytesMax }: FieldLimits): boolean {
    this.fields = [];
    this.isTooLarge = false;
    this.#bytes = bytes;
    this.#pos = start;
    this.#end = end;
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
      const [name, value] = this.#readField(first) ?? [null, ""];
      if (name === null) return false;
      listBytes += fieldBytes(name, value);
      if (listBytes <= listBytesMax) this.fields.push(name, value);
      else this.isTooLarge = true;
    }
    return true;
  }

  #readTableSize(): boolean {
    const size = this.#readInteger(5);
    if (size < 0 || size > this.#tableBytesMax) return false;
    this.#table.bytesMax = size;
    return true;
  }

  #readField(first: number): readonly [string, string] | null {
    if (first >= 0x80) return this.#fieldAt(this.#readInteger(7));
    const isIndexed = first >= 0x40;
    const index = this.#readInteger(isIndexed ? 6 : 4);
    if (index < 0) return null;
    const name = index === 0 ? this.#readText() : (this.#fieldAt(index)?.[0] ?? null);
    if (name === null) return null;
    const value = this.#readText();
    if (value === null) return null;
    if (isIndexed) this.#table.add(name, value);
    return [name, value];
  }

  #fieldAt(index: number): readonly [string, string] | null {
    if (index < 1) return null;
    if (index <= STATIC_COUNT) return STATIC_FIELDS[index - 1]!;
    const age = index - STATIC_COUNT - 1;
    return age < this.#table.count ? [this.#table.nameAt(age), this.#table.valueAt(age)] : null;
  }

  #readText(): string | null {
    if (this.#pos >= this.#end) return null;
    const isHuffman = this.#bytes[this.#pos]! >= 0x80;
    const length = this.#readInteger(7);
    if (length < 0 || length > this.#end - this.#pos) return null;
    const start = this.#pos;
    this.#pos += length;
    if (isHuffman) return decodeHuffman(this.#bytes, start, this.#pos);
    return readLatin1(this.#bytes, start, this.#pos);
  }

  /** Section 5.1. -1: cut, or larger than anything can be. */
  #readInteger(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
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
