// Where the body of an HTTP/1 message ends (RFC 9112 sections 6 and 7). The decoder does not unwrap: it tells
// how many of the received bytes belong to the message, so that they can be relayed as they are, without a
// copy. Because of that chunked bodies must be well formed to the letter: CRLF ends every line, sizes are 1
// to 13 hexadecimal digits, extensions and trailers are bounded and hold no stray CR, LF or NUL, and no
// trailer speaks of framing. Whatever else HAProxy would repair (bare LF) is refused, so nobody behind us can
// find other chunks than we did.
import { Buffer } from "node:buffer";
import { ascii, equalsIgnoreCase } from "./bytes.ts";
import { BLANK, CHARACTER_CLASS, HEX, TOKEN, VALUE } from "./character-class.ts";
import {
  FRAMING_CHUNKED,
  FRAMING_LENGTH,
  FRAMING_NONE,
  FRAMING_UNTIL_CLOSE,
  type Framing,
} from "./message-head.ts";

/** HAProxy's bound: 52 bits, so that no number format in between loses any. */
const CHUNK_SIZE_DIGITS_MAX = 13;
/** Most bytes of blanks and extension behind a chunk's size. */
const CHUNK_EXTENSION_BYTES_MAX = 1024;
/** Most bytes of all trailers of a message together. */
const TRAILER_BYTES_MAX = 8192;

const CR = 13;
const LF = 10;
const COLON = 58;
const SEMICOLON = 59;

/**
 * A trailer by one of these names could be taken for a header by somebody who merges the two (RFC 9110
 * section 6.5.1).
 */
const FORBIDDEN_TRAILERS = ["content-length", "transfer-encoding", "host"].map(ascii);

type State =
  | "size"
  | "size-blank"
  | "extension"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailer-start"
  | "trailer-name"
  | "trailer-value"
  | "trailer-lf"
  | "end-lf";

export class BodyDecoder {
  /** No byte behind this point belongs to the message. */
  isComplete = true;
  /** Bytes of content so far, without chunk framing. */
  payloadBytes = 0;
  /** Bytes of content still to come: of the whole body with a length, of the current chunk when chunked. */
  remaining = 0;
  /** Set to an array, it gets the bytes of the trailers' lines; for whoever sends them in another form. */
  trailers: number[] | null = null;

  #framing: Framing = FRAMING_NONE;
  #state: State = "size";
  #digitCount = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  /** The name of the current trailer, kept across pieces as far as is needed to know it. */
  #trailerName = new Uint8Array(32);
  #trailerNameLength = 0;
  #isMalformed = false;

  /** Begins a body. `contentLength` counts for FRAMING_LENGTH only. */
  reset(framing: Framing, contentLength: number): void {
    this.#framing = framing;
    this.payloadBytes = 0;
    this.remaining = framing === FRAMING_LENGTH ? contentLength : 0;
    this.isComplete = framing === FRAMING_NONE || (framing === FRAMING_LENGTH && contentLength === 0);
    this.#isMalformed = false;
    if (framing !== FRAMING_CHUNKED) return;
    this.#state = "size";
    this.#digitCount = 0;
    this.#trailerBytes = 0;
  }

  /**
   * Takes the bytes of this body off bytes[start, end). Returns how many there were, framing included, from
   * `start` on; less than all means that the body is complete. -1: malformed, now and on every further call.
   */
  feed(bytes: Uint8Array, start: number, end: number): number {
    if (this.#framing === FRAMING_CHUNKED) return this.#feedChunked(bytes, start, end, null);
    return this.#feedPlain(start, end);
  }

  /** As `feed`, and appends views of the content, without chunk framing, to `parts`. */
  collect(bytes: Uint8Array, start: number, end: number, parts: Uint8Array[]): number {
    const ranges: number[] = [];
    const taken = this.locate(bytes, start, end, ranges);
    for (let i = 0; i < ranges.length; i += 2) parts.push(bytes.subarray(ranges[i], ranges[i + 1]));
    return taken;
  }

  /** As `feed`, and appends start and end of each piece of content, without chunk framing, to `ranges`. */
  locate(bytes: Uint8Array, start: number, end: number, ranges: number[]): number {
    if (this.#framing === FRAMING_CHUNKED) return this.#feedChunked(bytes, start, end, ranges);
    const taken = this.#feedPlain(start, end);
    if (taken > 0) ranges.push(start, start + taken);
    return taken;
  }

  /**
   * The peer has closed in order. True when that completes the body or it was complete; false when it is cut.
   */
  finishAtClose(): boolean {
    if (this.#framing === FRAMING_UNTIL_CLOSE) this.isComplete = true;
    return this.isComplete;
  }

  #feedPlain(start: number, end: number): number {
    if (this.isComplete) return 0;
    let taken = end - start;
    if (this.#framing === FRAMING_LENGTH) {
      if (taken > this.remaining) taken = this.remaining;
      this.remaining -= taken;
      this.isComplete = this.remaining === 0;
    }
    this.payloadBytes += taken;
    return taken;
  }

  #feedChunked(bytes: Uint8Array, start: number, end: number, ranges: number[] | null): number {
    if (this.isComplete) return 0;
    let pos = start;
    while (pos < end && !this.isComplete && !this.#isMalformed) {
      if (this.#state === "data") {
        const taken = Math.min(this.remaining, end - pos);
        if (ranges !== null) ranges.push(pos, pos + taken);
        this.payloadBytes += taken;
        this.remaining -= taken;
        pos += taken;
        if (this.remaining === 0) this.#state = "data-cr";
      } else this.#step(bytes[pos++]!);
    }
    return this.#isMalformed ? -1 : pos - start;
  }

  /** One byte of framing. */
  #step(byte: number): void {
    const bits = CHARACTER_CLASS[byte]!;
    switch (this.#state) {
      case "size":
        if ((bits & HEX) !== 0) this.#takeDigit(byte);
        else if (this.#digitCount > 0 && byte === CR) this.#state = "size-lf";
        else if (this.#digitCount > 0 && ((bits & BLANK) !== 0 || byte === SEMICOLON)) {
          this.#extensionBytes = 0;
          this.#state = byte === SEMICOLON ? "extension" : "size-blank";
        } else this.#isMalformed = true;
        return;
      case "size-blank":
        if (byte === CR) this.#state = "size-lf";
        else if (byte === SEMICOLON) this.#state = "extension";
        else if ((bits & BLANK) === 0 || ++this.#extensionBytes > CHUNK_EXTENSION_BYTES_MAX)
          this.#isMalformed = true;
        return;
      case "extension":
        if (byte === CR) this.#state = "size-lf";
        else if ((bits & VALUE) === 0 || ++this.#extensionBytes > CHUNK_EXTENSION_BYTES_MAX)
          this.#isMalformed = true;
        return;
      case "size-lf":
        this.#expect(byte, LF, this.remaining === 0 ? "trailer-start" : "data");
        return;
      case "data-cr":
        this.#expect(byte, CR, "data-lf");
        return;
      case "data-lf":
        this.#expect(byte, LF, "size");
        this.#digitCount = 0;
        return;
      default:
        this.#stepTrailer(byte, bits);
    }
  }

  #stepTrailer(byte: number, bits: number): void {
    if (++this.#trailerBytes > TRAILER_BYTES_MAX) {
      this.#isMalformed = true;
      return;
    }
    this.trailers?.push(byte);
    switch (this.#state) {
      case "trailer-start":
        this.#trailerNameLength = 0;
        if (byte === CR) this.#state = "end-lf";
        else if ((bits & TOKEN) === 0) this.#isMalformed = true;
        else {
          this.#state = "trailer-name";
          this.#trailerName[this.#trailerNameLength++] = byte;
        }
        return;
      case "trailer-name":
        if (byte === COLON) {
          this.#state = "trailer-value";
          this.#isMalformed = this.#isTrailerForbidden();
        } else if ((bits & TOKEN) === 0) this.#isMalformed = true;
        else if (this.#trailerNameLength < this.#trailerName.length)
          this.#trailerName[this.#trailerNameLength++] = byte;
        return;
      case "trailer-value":
        if (byte === CR) this.#state = "trailer-lf";
        else if ((bits & VALUE) === 0) this.#isMalformed = true;
        return;
      case "trailer-lf":
        this.#expect(byte, LF, "trailer-start");
        return;
      default:
        // end-lf
        if (byte === LF) this.isComplete = true;
        else this.#isMalformed = true;
    }
  }

  #takeDigit(byte: number): void {
    if (++this.#digitCount > CHUNK_SIZE_DIGITS_MAX) {
      this.#isMalformed = true;
      return;
    }
    const digit = byte <= 57 ? byte - 48 : (byte | 32) - 87;
    this.remaining = (this.#digitCount === 1 ? 0 : this.remaining) * 16 + digit;
  }

  #expect(byte: number, expected: number, next: State): void {
    if (byte === expected) this.#state = next;
    else this.#isMalformed = true;
  }

  #isTrailerForbidden(): boolean {
    return FORBIDDEN_TRAILERS.some((name) =>
      equalsIgnoreCase(this.#trailerName, 0, this.#trailerNameLength, name),
    );
  }
}

/** Most bytes that `writeChunkHead` writes. */
export const CHUNK_HEAD_BYTES_MAX = 16;
/** Goes behind the data of each chunk. */
export const CHUNK_TAIL: Uint8Array = Buffer.from("\r\n");
/** Ends a chunked body without trailers. */
export const LAST_CHUNK: Uint8Array = Buffer.from("0\r\n\r\n");

/**
 * Writes the line that opens a chunk of `byteCount` bytes to `target` from `at` on; returns its end. A chunk
 * of 0 bytes would end the body: the caller writes LAST_CHUNK for that and nothing for empty data.
 */
export function writeChunkHead(byteCount: number, target: Uint8Array, at: number): number {
  let digits = 1;
  for (let rest = byteCount; rest >= 16; rest = Math.floor(rest / 16)) digits++;
  let rest = byteCount;
  for (let i = at + digits - 1; i >= at; i--) {
    const digit = rest % 16;
    target[i] = digit < 10 ? 48 + digit : 87 + digit;
    rest = Math.floor(rest / 16);
  }
  at += digits;
  target[at++] = CR;
  target[at++] = LF;
  return at;
}
