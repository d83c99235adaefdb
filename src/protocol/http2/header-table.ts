// The tables of HPACK: the static one (RFC 7541 appendix A) and the dynamic one, a queue of fields with a
// bound on its size that each end keeps for what the other has told it (section 2.3.2 and chapter 4).

/** What an entry costs beside its text (RFC 7541 section 4.1). */
const ENTRY_OVERHEAD_BYTES = 32;

/** Index 1 is the first. A name alone stands for an empty value. */
export const STATIC_FIELDS: readonly (readonly [name: string, value: string])[] = (
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
    return blank < 0 ? ([field, ""] as const) : ([field.slice(0, blank), field.slice(blank + 1)] as const);
  });

export const STATIC_COUNT: number = STATIC_FIELDS.length;

export function fieldBytes(name: string, value: string): number {
  return name.length + value.length + ENTRY_OVERHEAD_BYTES;
}

export class DynamicTable {
  /** Names and values in turn, the newest last; what lies before `#first` has been dropped. */
  #texts: string[] = [];
  #first = 0;
  #bytes = 0;
  #bytesMax: number;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return (this.#texts.length - this.#first) / 2;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get bytesMax(): number {
    return this.#bytesMax;
  }

  set bytesMax(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#evict(bytesMax);
  }

  /** `age` 0 is the newest. The caller has looked at `count`. */
  nameAt(age: number): string {
    return this.#texts[this.#texts.length - 2 - age * 2]!;
  }

  valueAt(age: number): string {
    return this.#texts[this.#texts.length - 1 - age * 2]!;
  }

  /** What is larger than the whole table empties it (RFC 7541 section 4.4). */
  add(name: string, value: string): void {
    const bytes = fieldBytes(name, value);
    this.#evict(this.#bytesMax - bytes);
    if (bytes > this.#bytesMax) return;
    this.#texts.push(name, value);
    this.#bytes += bytes;
  }

  /** The age of that field, or of one with that name as `~age`; null when there is neither. */
  find(name: string, value: string): number | null {
    let byName: number | null = null;
    for (let age = 0; age < this.count; age++) {
      if (this.nameAt(age) !== name) continue;
      if (this.valueAt(age) === value) return age;
      byName ??= ~age;
    }
    return byName;
  }

  #evict(bytesMax: number): void {
    const texts = this.#texts;
    while (this.#bytes > bytesMax && this.#first < texts.length) {
      this.#bytes -= fieldBytes(texts[this.#first]!, texts[this.#first + 1]!);
      // Dropped text must not be kept alive until the queue is moved up.
      texts[this.#first++] = "";
      texts[this.#first++] = "";
    }
    if (this.#first > 64 && this.#first * 2 > texts.length) {
      this.#texts = texts.slice(this.#first);
      this.#first = 0;
    }
  }
}
