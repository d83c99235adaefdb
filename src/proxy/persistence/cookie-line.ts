// One Cookie or Set-Cookie value that is being read and edited, cookie by cookie. Knows the syntax that
// HAProxy 2.6 knows (RFC 2109's and the browsers': blanks around the equal sign, quoted values, `$`
// attributes) and repairs delimiters as it does when a cookie is taken out, so that what servers see is the
// same to the byte.

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const DOLLAR = 0x24;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUAL = 0x3d;
const BACKSLASH = 0x5c;

export class CookieLine {
  text: string;
  /**
   * Of the present cookie: its delimiter (or first character), name, value, and the delimiter behind it (or
   * the end).
   */
  start = 0;
  nameStart = 0;
  nameEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  next = 0;
  readonly #isResponse: boolean;
  #equal = 0;
  #isFirst = true;

  /** In a response the line holds one cookie, and everything behind its value is attributes. */
  constructor(text: string, isResponse: boolean) {
    this.text = text;
    this.#isResponse = isResponse;
  }

  /** Goes on to the next cookie; false at the end of the line. */
  advance(): boolean {
    const { text } = this;
    if (this.next >= text.length) return false;
    this.start = this.next;
    this.nameStart = this.#skipBlanks(this.#isFirst ? this.start : this.start + 1);
    this.#isFirst = false;
    this.#findName();
    if (text.charCodeAt(this.#equal) === EQUAL && this.#equal < text.length) {
      this.valueStart = this.#skipBlanks(this.#equal + 1);
      this.next = this.#findValueEnd(this.valueStart);
      this.valueEnd = this.next;
      while (this.valueEnd > this.valueStart && isBlank(text.charCodeAt(this.valueEnd - 1))) this.valueEnd--;
    } else this.valueStart = this.valueEnd = this.next = this.#equal;
    if (this.#isResponse && this.next < text.length) this.next = text.length;
    return true;
  }

  /** `$Path` and the like: belongs to the cookie before it. */
  get isAttribute(): boolean {
    return this.text.charCodeAt(this.nameStart) === DOLLAR;
  }

  get hasEqualSign(): boolean {
    return this.valueEnd !== this.#equal;
  }

  isNamed(name: string): boolean {
    return this.nameEnd - this.nameStart === name.length && this.text.startsWith(name, this.nameStart);
  }

  /** Takes out blanks around the equal sign of the present cookie. */
  tighten(): void {
    const before = this.#equal - this.nameEnd;
    const behind = this.valueStart - this.#equal - 1;
    if (before === 0 && behind === 0) return;
    this.text = `${this.text.slice(0, this.nameEnd)}=${this.text.slice(this.valueStart)}`;
    this.#equal = this.nameEnd;
    this.valueStart = this.#equal + 1;
    this.valueEnd -= before + behind;
    this.next -= before + behind;
  }

  /** Puts `replacement` in the place of text[from, to), which lies within the present value. */
  replace(from: number, to: number, replacement: string): void {
    this.text = this.text.slice(0, from) + replacement + this.text.slice(to);
    const growth = replacement.length - (to - from);
    this.valueEnd += growth;
    this.next += growth;
  }

  /**
   * Takes out text[from, to): whole cookies, `from` and `to` being their delimiters. The present one lies
   * behind.
   */
  remove(from: number, to: number): void {
    const { text } = this;
    let kept = text.slice(0, from);
    let rest = to;
    if (from === 0) {
      if (rest < text.length) rest++;
    } else {
      kept = kept.replace(/[ \t]+$/, "");
      if (rest < text.length) {
        kept += text[rest++]!;
        if (kept.length + 1 < rest) kept += " ";
      }
    }
    rest = this.#skipBlanks(rest);
    this.text = kept + text.slice(rest);
    this.next += kept.length - rest;
  }

  /** Drops everything from `at` on. */
  truncate(at: number): void {
    this.text = this.text.slice(0, at);
  }

  /** The name ends at the last character that is not blank before an equal sign, a delimiter or the end. */
  #findName(): void {
    const { text } = this;
    let at = this.nameStart;
    this.nameEnd = at;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === EQUAL || code === SEMICOLON || (code === COMMA && !this.#isResponse)) break;
      at++;
      if (!isBlank(code)) this.nameEnd = at;
    }
    this.#equal = at;
  }

  #findValueEnd(from: number): number {
    const { text } = this;
    let isQuoted = false;
    for (let i = from; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (isQuoted && code === BACKSLASH) i++;
      else if (code === QUOTE) isQuoted = !isQuoted;
      else if (!isQuoted && (code === COMMA || code === SEMICOLON)) return i;
    }
    return text.length;
  }

  #skipBlanks(at: number): number {
    while (at < this.text.length && isBlank(this.text.charCodeAt(at))) at++;
    return at;
  }
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
