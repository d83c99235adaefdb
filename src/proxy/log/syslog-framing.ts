// Messages out of a stream (RFC 6587): with their length before them, or with a newline behind them, which
// may change from one to the next. Who sends what is neither is cut off, as by HAProxy: nobody could say
// where the next message begins. Nothing is kept but one unfinished message, which is bounded.

/** No more digits than these can be a length that is taken. */
const LENGTH_DIGITS_MAX = 6;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const LESS_THAN = 0x3c;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

export class SyslogFraming {
  readonly #messageBytesMax: number;
  /** What has come of the next message. */
  #rest: Buffer;
  #length = 0;
  #searched = 0;
  /** What was sent is no message, or too long. Nothing is taken any more. */
  isBroken = false;

  constructor(messageBytesMax: number) {
    this.#messageBytesMax = messageBytesMax;
    this.#rest = Buffer.allocUnsafe(512);
  }

  /** Calls `take` with each message that is whole now; the bytes are lent for the call. */
  receive(bytes: Uint8Array, take: (message: Uint8Array) => void): void {
    if (this.isBroken) return;
    let input = bytes;
    if (this.#length > 0) {
      this.#keep(bytes);
      input = this.#rest.subarray(0, this.#length);
    }
    let at = 0;
    while (at < input.length) {
      const end = this.#endOfMessage(input, at);
      if (end === null) break;
      this.#searched = 0;
      take(input.subarray(end.start, end.end));
      at = end.next;
    }
    this.#retain(input, at);
  }

  /** Null: it is not whole, or there will be none. */
  #endOfMessage(input: Uint8Array, at: number): { start: number; end: number; next: number } | null {
    const first = input[at]!;
    if (first === LESS_THAN) return this.#endOfLine(input, at);
    if (first > DIGIT_0 && first <= DIGIT_9) return this.#endOfCounted(input, at);
    this.isBroken = true;
    return null;
  }

  #endOfLine(input: Uint8Array, at: number): { start: number; end: number; next: number } | null {
    const end = input.indexOf(NEWLINE, at + this.#searched);
    const length = (end < 0 ? input.length : end) - at;
    this.isBroken = length > this.#messageBytesMax;
    // What was looked at is not looked at again when it comes in single bytes.
    this.#searched = length;
    return end < 0 || this.isBroken ? null : { start: at, end, next: end + 1 };
  }

  #endOfCounted(input: Uint8Array, at: number): { start: number; end: number; next: number } | null {
    let length = 0;
    let i = at;
    for (; i < input.length && input[i]! >= DIGIT_0 && input[i]! <= DIGIT_9; i++)
      length = length * 10 + input[i]! - DIGIT_0;
    const isUnfinished = i === input.length;
    this.isBroken =
      i - at > LENGTH_DIGITS_MAX || length > this.#messageBytesMax || (!isUnfinished && input[i] !== SPACE);
    if (this.isBroken || isUnfinished) return null;
    const start = i + 1;
    const end = start + length;
    return end > input.length ? null : { start, end, next: end };
  }

  /** Appends to what is kept. */
  #keep(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#rest.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#rest.length));
      this.#rest.copy(larger, 0, 0, this.#length);
      this.#rest = larger;
    }
    this.#rest.set(bytes, this.#length);
    this.#length = length;
  }

  #retain(input: Uint8Array, at: number): void {
    const isKept = input.buffer === this.#rest.buffer && input.byteOffset === this.#rest.byteOffset;
    if (isKept) this.#rest.copyWithin(0, at, this.#length);
    this.#length = isKept ? this.#length - at : 0;
    if (!isKept && at < input.length) this.#keep(input.subarray(at));
  }
}
