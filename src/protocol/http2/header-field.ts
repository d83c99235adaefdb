// One field of a header block, as the line that it is in HTTP/1.1: "name: value" with its line end, in memory
// that others may share. So what is in a table of HPACK is copied as it is to where it goes, and is looked at
// once, when it comes in, and not in each request that names it. A request of a browser has twenty fields
// that were in the one before: as text, checked by regular expressions, they were 8 µs.
import { copyBytes, readLatin1, writeLatin1 } from "../http1/bytes.ts";

/** What an entry of a table costs beside its text (RFC 7541 section 4.1). */
const ENTRY_OVERHEAD_BYTES = 32;
/** Of a line, what is neither name nor value. */
export const LINE_OVERHEAD_BYTES = 4;

const CR = 13;
const LF = 10;
const SPACE = 32;
const COLON = 58;

export class HeaderField {
  bytes: Uint8Array;
  start: number;
  nameEnd: number;
  /** Behind the line's end. */
  end: number;
  /** What is known of its name, and of all of it (field-kind.ts). 0: nobody has looked. */
  nameKind = 0;
  kind = 0;

  constructor(bytes: Uint8Array, start: number, nameEnd: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.nameEnd = nameEnd;
    this.end = end;
  }

  static of(name: string, value: string): HeaderField {
    const bytes = new Uint8Array(name.length + value.length + LINE_OVERHEAD_BYTES);
    const nameEnd = writeLatin1(name, bytes, 0);
    const end = endLine(bytes, writeLatin1(value, bytes, writeColon(bytes, nameEnd)));
    return new HeaderField(bytes, 0, nameEnd, end);
  }

  get valueStart(): number {
    return this.nameEnd + 2;
  }

  get valueEnd(): number {
    return this.end - 2;
  }

  get name(): string {
    return readLatin1(this.bytes, this.start, this.nameEnd);
  }

  get value(): string {
    return readLatin1(this.bytes, this.nameEnd + 2, this.end - 2);
  }

  /** As HPACK and HTTP/2 count it. */
  get size(): number {
    return this.end - this.start - LINE_OVERHEAD_BYTES + ENTRY_OVERHEAD_BYTES;
  }
}

/** Returns where the value begins. */
export function writeColon(target: Uint8Array, at: number): number {
  target[at++] = COLON;
  target[at++] = SPACE;
  return at;
}

export function endLine(target: Uint8Array, at: number): number {
  target[at++] = CR;
  target[at++] = LF;
  return at;
}

/** The copy of a field that lies in `target` from `at` on. */
export function copyField(field: HeaderField, target: Uint8Array, at: number): HeaderField {
  const end = copyBytes(field.bytes, field.start, field.end, target, at);
  const copy = new HeaderField(target, at, at + field.nameEnd - field.start, end);
  copy.nameKind = field.nameKind;
  copy.kind = field.kind;
  return copy;
}
