// The tables of HPACK: the static one (RFC 7541 appendix A) and the dynamic one, a queue of fields with a
// bound on its size that each end keeps for what the other has told it (section 2.3.2 and chapter 4).
import { copyField, HeaderField } from "./header-field.ts";

/** Index 1 is the first. A name alone stands for an empty value. */
export const STATIC_FIELDS: readonly HeaderField[] = (
  ":authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https|:status 200|" +
  ":status 204|:status 206|:status 304|:status 400|:status 404|:status 500|accept-charset|" +
  "accept-encoding gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|" +
  "authorization|cache-control|content-disposition|content-encoding|content-language|content-length|" +
  "content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|" +
  "if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards|" +
  "proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|" +
  "strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate"
)
  .split("|")
  .map((field) => {
    const blank = field.indexOf(" ");
    return blank < 0
      ? HeaderField.of(field, "")
      : HeaderField.of(field.slice(0, blank), field.slice(blank + 1));
  });

export const STATIC_COUNT: number = STATIC_FIELDS.length;

/**
 * Lines of fields lie in blocks of this size, behind one another; a block is collected when the last of its
 * fields has been dropped. One for each field would be memory outside of V8's heap, at 0.2 µs.
 */
const BLOCK_BYTES = 2048;
/** Dropped fields at the front of the queue, before it is moved up. */
const COMPACT_COUNT = 64;

export class DynamicTable {
  /** The newest last; what lies before `#first` has been dropped. */
  #fields: HeaderField[] = [];
  #first = 0;
  #size = 0;
  #sizeMax: number;
  #addedCount = 0;
  #block: Uint8Array = new Uint8Array(0);
  #blockUsed = 0;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get count(): number {
    return this.#fields.length - this.#first;
  }

  /** Fields that were ever added: the number of the next one. */
  get addedCount(): number {
    return this.#addedCount;
  }

  get size(): number {
    return this.#size;
  }

  get sizeMax(): number {
    return this.#sizeMax;
  }

  set sizeMax(sizeMax: number) {
    this.#sizeMax = sizeMax;
    this.#evict(sizeMax);
  }

  /** `age` 0 is the newest. The caller has looked at `count`. */
  at(age: number): HeaderField {
    return this.#fields[this.#fields.length - 1 - age]!;
  }

  /** A copy of it; null for what is larger than the whole table, and empties it (RFC 7541 section 4.4). */
  add(field: HeaderField): HeaderField | null {
    const { size } = field;
    if (size > this.#sizeMax) {
      this.#evict(0);
      return null;
    }
    // The field may be named by one that is dropped now: it is copied first.
    const copy = this.#copy(field);
    this.#evict(this.#sizeMax - size);
    this.#addedCount++;
    this.#fields.push(copy);
    this.#size += size;
    return copy;
  }

  #copy(field: HeaderField): HeaderField {
    const length = field.end - field.start;
    if (this.#blockUsed + length > this.#block.length) {
      this.#block = new Uint8Array(Math.max(BLOCK_BYTES, length));
      this.#blockUsed = 0;
    }
    const copy = copyField(field, this.#block, this.#blockUsed);
    this.#blockUsed = copy.end;
    return copy;
  }

  #evict(sizeMax: number): void {
    const fields = this.#fields;
    while (this.#size > sizeMax && this.#first < fields.length) {
      this.#size -= fields[this.#first]!.size;
      // Dropped fields must not be kept alive until the queue is moved up.
      fields[this.#first++] = DROPPED;
    }
    if (this.#first < COMPACT_COUNT || this.#first * 2 < fields.length) return;
    this.#fields = fields.slice(this.#first);
    this.#first = 0;
  }
}

const DROPPED = HeaderField.of("", "");
