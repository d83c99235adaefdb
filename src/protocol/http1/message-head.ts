// The head of an HTTP/1 message, request or response: offsets into the bytes it came in, plus what rules
// changed. Parsers fill it, rules edit it, `encodeInto` writes it. It is no parser and knows nothing of
// bodies.
//
// It looks as it does because every request passes here twice: parsing and encoding a 150 byte request and a
// 150 byte response have to cost 0.6 µs together. So objects are reused, offsets live in one Int32Array, text
// is made only when it is asked for, and header lines that nobody touched are copied in runs. Measured on a
// shared 2-core VM, for 120 and 141 bytes: 530 ns to parse both, 130 ns to encode both, 90 ns for each header
// added (bench/micro/http1.ts). V8 flag --max-inlined-bytecode-size-cumulative=3000 takes a tenth off that;
// bytes take 0.3 to 0.8 ns each, whatever one does.
//
// Invariants: names in `bytes` are in lower case (the parser folds them in place, as HAProxy does); what
// encodeInto writes parses back to the same head; no value can hold CR, LF or NUL, so nothing can inject a
// header.
import { Buffer } from "node:buffer";
import { copyBytes, isText, readLatin1, writeLatin1 } from "./bytes.ts";
import { originLength, sanitizeTarget } from "./request-target.ts";

/** How the end of a message's body is found. */
export type Framing = 0 | 1 | 2 | 3;
export const FRAMING_NONE = 0;
export const FRAMING_LENGTH = 1;
export const FRAMING_CHUNKED = 2;
export const FRAMING_UNTIL_CLOSE = 3;

/** Bits of `flags`. 0: as received, and written exactly as we would write it. */
const REMOVED = 1;
/** Received, but not in our own form (bare LF, no or several blanks around the value). */
export const REFORMAT = 2;
const VALUE_REPLACED = 4;
const ADDED = 8;
/** Added, and its line is encoded already. */
const PREPARED = 16;

/** No longer name can be received, and longer ones have no room in a key. */
const NAME_LENGTH_MAX = 0x7fff;

const EMPTY = new Uint8Array(0);
const INITIAL_CAPACITY = 64;

const CR = 13;
const LF = 10;
const SPACE = 32;
const SLASH = 47;
const COLON = 58;

export class MessageHead {
  /** The memory that the head lies in: lent by the engine, or our own after `detach`. */
  bytes: Uint8Array = EMPTY;
  /** First byte of the start line. */
  start = 0;
  /** Behind the empty line. */
  end = 0;

  isResponse = false;
  contentLength = -1;
  framing: Framing = FRAMING_NONE;
  /**
   * The peer wants the connection closed, or the message leaves no choice (both lengths, HTTP/1.0 chunked
   * response).
   */
  connectionClose = false;
  connectionKeepAlive = false;
  /** "Connection: upgrade" in a message that may switch protocols. */
  connectionUpgrade = false;
  expectContinue = false;
  /** Index of the first such header, -1 when there is none. Not kept up by later edits. */
  hostIndex = -1;
  cookieIndex = -1;
  /** Number of headers, removed ones included: the bound for indexes. */
  headerCount = 0;

  // Below: shared with the parsers in this folder; others leave it alone.

  /** 4 per header: start and end of name, start and end of value. */
  offsets: Int32Array = new Int32Array(INITIAL_CAPACITY * 4);
  /** Length, first and last byte of each name: decides nearly all comparisons. */
  keys: Int32Array = new Int32Array(INITIAL_CAPACITY);
  flags: Uint8Array = new Uint8Array(INITIAL_CAPACITY);
  receivedCount = 0;
  /** Behind the last header line, before the empty line. */
  headersEnd = 0;
  headersStart = 0;
  /** True while start line and all headers stand in `bytes` as we would write them. */
  isVerbatim = false;
  isStartLineVerbatim = false;
  targetStart = 0;
  targetEnd = 0;
  reasonStart = 0;
  reasonEnd = 0;
  upgradeIndex = -1;
  contentLengthIndex = -1;
  transferEncodingIndex = -1;
  hasOtherTransferCoding = false;
  /** Where an unfinished parse goes on (start of an incomplete line); -1: the next parse starts anew. */
  resumeAt = -1;
  /** `start` of the unfinished parse, and the end of the bytes that it has seen. */
  resumeStart = 0;
  scannedTo = 0;

  #versionMinor: 0 | 1 = 1;
  #method = "";
  #target: string | null = null;
  #status = 0;
  #reason: string | null = null;
  // Text of added names and of added or replaced values; filled only where flags say so.
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  readonly #lines: Uint8Array[] = [];
  #own: Uint8Array = EMPTY;
  /** Length of the target's front that is not written; and that as text, once it is needed. */
  #hiddenLength = 0;
  #hiddenOrigin: string | null = null;

  /** Forgets everything but its memory. Parsers call it themselves. */
  reset(): void {
    this.headerCount = 0;
    this.receivedCount = 0;
    this.contentLength = -1;
    this.framing = FRAMING_NONE;
    this.connectionClose = false;
    this.connectionKeepAlive = false;
    this.connectionUpgrade = false;
    this.expectContinue = false;
    this.hasOtherTransferCoding = false;
    this.hostIndex = -1;
    this.cookieIndex = -1;
    this.upgradeIndex = -1;
    this.contentLengthIndex = -1;
    this.transferEncodingIndex = -1;
    this.resumeAt = -1;
    this.headersStart = -1;
    this.isVerbatim = true;
    this.isStartLineVerbatim = true;
    this.#target = null;
    this.#reason = null;
    this.#hiddenLength = 0;
  }

  /**
   * Turns into a head of our own making, without headers: a redirect, an error page, a health check's
   * request.
   */
  startRequest(method: string, target: string, versionMinor: 0 | 1 = 1): void {
    this.#startFresh(versionMinor);
    this.isResponse = false;
    this.method = method;
    this.target = target;
  }

  startResponse(status: number, reason: string, versionMinor: 0 | 1 = 1): void {
    this.#startFresh(versionMinor);
    this.isResponse = true;
    this.status = status;
    this.reason = reason;
  }

  /** HTTP/1.0 or HTTP/1.1; received versions above 1.1 count as 1.1. Settable: encodeInto writes it. */
  get versionMinor(): 0 | 1 {
    return this.#versionMinor;
  }

  set versionMinor(versionMinor: 0 | 1) {
    this.#versionMinor = versionMinor;
    this.#dropStartLine();
  }

  get method(): string {
    return this.#method;
  }

  /** Throws nothing: a method that is no token is ignored. */
  set method(method: string) {
    if (!isToken(method)) return;
    this.#method = method;
    this.#dropStartLine();
  }

  /** The request target as latin1 text. */
  get target(): string {
    return (this.#target ??= readLatin1(this.bytes, this.targetStart, this.targetEnd));
  }

  /** Bytes that no target may hold (controls, blanks, non-ASCII) are percent-encoded. "" becomes "/". */
  set target(target: string) {
    this.#target = sanitizeTarget(target);
    this.#dropStartLine();
  }

  /**
   * Scheme and authority at the front of the target are there for rules and logs, but not written, as long as
   * they are what they are now: servers of HTTP/1 want the path (RFC 9112 section 3.2.1).
   */
  hideOrigin(): void {
    this.#hiddenLength = originLength(this.#target, this.bytes, this.targetStart, this.targetEnd);
    this.#hiddenOrigin = this.#target?.slice(0, this.#hiddenLength) ?? null;
    if (this.#hiddenLength > 0) this.#dropStartLine();
  }

  /** What is written of the target as text. */
  #shownTarget(target: string): string {
    const length = this.#hiddenLength;
    if (length === 0) return target;
    this.#hiddenOrigin ??= readLatin1(this.bytes, this.targetStart, this.targetStart + length);
    return target.startsWith(this.#hiddenOrigin) ? target.slice(length) || "/" : target;
  }

  /**
   * False while the target is just bytes[targetStart, targetEnd): nobody has changed it or asked for its
   * text.
   */
  get hasTargetText(): boolean {
    return this.#target !== null;
  }

  /** Whether the target begins with that latin1 text; makes no text of the target for it. */
  targetStartsWith(text: string): boolean {
    if (this.#target !== null) return this.#target.startsWith(text);
    return text.length <= this.targetEnd - this.targetStart && isText(this.bytes, this.targetStart, text);
  }

  get status(): number {
    return this.#status;
  }

  set status(status: number) {
    if (!(status >= 100 && status <= 999)) return;
    // The reason must be read before the start line it stands in is forgotten.
    this.#reason ??= this.reason;
    this.#status = Math.trunc(status);
    this.#dropStartLine();
  }

  get reason(): string {
    return (this.#reason ??= readLatin1(this.bytes, this.reasonStart, this.reasonEnd));
  }

  /** Makes no text of it. */
  get reasonLength(): number {
    return this.#reason === null ? this.reasonEnd - this.reasonStart : this.#reason.length;
  }

  set reason(reason: string) {
    this.#reason = sanitizeValue(reason);
    this.#dropStartLine();
  }

  /** Of the first such header, null when there is none. */
  get upgrade(): string | null {
    return this.firstValue("upgrade");
  }

  /** The name in lower case. */
  nameAt(i: number): string {
    if ((this.flags[i]! & ADDED) !== 0) return this.#names[i]!;
    return readLatin1(this.bytes, this.offsets[i * 4]!, this.offsets[i * 4 + 1]!);
  }

  /** The value as latin1 text, without blanks around it. */
  valueAt(i: number): string {
    if ((this.flags[i]! & (ADDED | VALUE_REPLACED)) !== 0) return this.#values[i]!;
    return readLatin1(this.bytes, this.offsets[i * 4 + 2]!, this.offsets[i * 4 + 3]!);
  }

  /** The headers as they came, whatever rules have made of them since; names in lower case. */
  receivedHeaders(): [name: string, value: string][] {
    const { bytes, offsets, receivedCount } = this;
    return Array.from({ length: receivedCount }, (_, i) => [
      readLatin1(bytes, offsets[i * 4]!, offsets[i * 4 + 1]!),
      readLatin1(bytes, offsets[i * 4 + 2]!, offsets[i * 4 + 3]!),
    ]);
  }

  isRemovedAt(i: number): boolean {
    return (this.flags[i]! & REMOVED) !== 0;
  }

  /** Its line does not stand in `bytes` as it is now: `encodeHeaderAt` writes it. */
  isRewrittenAt(i: number): boolean {
    return (this.flags[i]! & (ADDED | VALUE_REPLACED)) !== 0;
  }

  /**
   * Index of the first header of that name at or behind `from` that is not removed, -1 when there is none.
   */
  indexOf(lowerCaseName: string, from = 0): number {
    const length = lowerCaseName.length;
    if (length === 0) return -1;
    const key = (length << 16) | (lowerCaseName.charCodeAt(0) << 8) | lowerCaseName.charCodeAt(length - 1);
    const { keys, flags } = this;
    for (let i = from; i < this.headerCount; i++) {
      if (keys[i] !== key || (flags[i]! & REMOVED) !== 0) continue;
      if (this.#hasNameAt(i, lowerCaseName)) return i;
    }
    return -1;
  }

  firstValue(lowerCaseName: string): string | null {
    const i = this.indexOf(lowerCaseName);
    return i < 0 ? null : this.valueAt(i);
  }

  has(lowerCaseName: string): boolean {
    return this.indexOf(lowerCaseName) >= 0;
  }

  /**
   * Appends a header behind all others; the name is written in lower case. A name that is no token is
   * refused: false. In the value, CR, LF and NUL become spaces; text with characters above 0xff is written as
   * UTF-8.
   */
  addHeader(name: string, value: string): boolean {
    const headerName = internName(name);
    if (headerName === null) return false;
    const i = this.headerCount;
    if (i >= this.flags.length) this.grow();
    this.headerCount = i + 1;
    this.flags[i] = ADDED;
    this.keys[i] = headerName.key;
    this.#names[i] = headerName.lowerCase;
    this.#values[i] = sanitizeValue(value);
    return true;
  }

  /** As `addHeader`, with what `prepareHeader` has checked and encoded. */
  addPrepared(header: PreparedHeader): void {
    const i = this.headerCount;
    if (i >= this.flags.length) this.grow();
    this.headerCount = i + 1;
    this.flags[i] = ADDED | PREPARED;
    this.keys[i] = header.key;
    this.#names[i] = header.name;
    this.#values[i] = header.value;
    this.#lines[i] = header.line;
  }

  /** As `setHeader`, with what `prepareHeader` has checked and encoded. */
  setPrepared(header: PreparedHeader): void {
    for (let i = this.indexOf(header.name); i >= 0; i = this.indexOf(header.name, i + 1)) this.removeAt(i);
    this.addPrepared(header);
  }

  /** Removes all headers of that name, then appends one: HAProxy's set-header. */
  setHeader(name: string, value: string): boolean {
    if (internName(name) === null) return false;
    this.removeHeader(name);
    return this.addHeader(name, value);
  }

  /** Removes all headers of that name in any case; returns how many there were. */
  removeHeader(name: string): number {
    const lowerCaseName = internName(name)?.lowerCase ?? "";
    let count = 0;
    for (let i = this.indexOf(lowerCaseName); i >= 0; i = this.indexOf(lowerCaseName, i + 1)) {
      this.removeAt(i);
      count++;
    }
    return count;
  }

  removeAt(i: number): void {
    this.flags[i]! |= REMOVED;
    this.isVerbatim = false;
  }

  /** Replaces a value where it stands. Sanitised as in `addHeader`. */
  setValueAt(i: number, value: string): void {
    this.flags[i] = (this.flags[i]! | VALUE_REPLACED) & ~PREPARED;
    this.#values[i] = sanitizeValue(value);
    this.isVerbatim = false;
  }

  /** Most bytes that `encodeInto` can write. */
  encodedLengthMax(): number {
    // Each received line can gain ": " for ":" and CRLF for LF; the start line a CR and a one-byte status
    // more.
    let length = this.end - this.start + 2 * this.receivedCount + 16 + this.#method.length;
    if (this.#target !== null) length += this.#target.length;
    if (this.#reason !== null) length += this.#reason.length;
    if (this.isVerbatim && this.headerCount === this.receivedCount) return length;
    for (let i = 0; i < this.headerCount; i++) {
      const flags = this.flags[i]!;
      if ((flags & ADDED) !== 0) length += this.#names[i]!.length + 4;
      if ((flags & (ADDED | VALUE_REPLACED)) !== 0) length += this.#values[i]!.length;
    }
    return length;
  }

  /**
   * Writes the head with its empty line to `target` from `at` on; returns the new end. There must be room for
   * `encodedLengthMax` bytes, and `target` must not overlap `bytes`.
   */
  encodeInto(target: Uint8Array, at: number): number {
    const { bytes } = this;
    if (this.isVerbatim) at = copyBytes(bytes, this.start, this.headersEnd, target, at);
    else at = this.#encodeReceived(target, at);
    for (let i = this.receivedCount; i < this.headerCount; i++) {
      if ((this.flags[i]! & REMOVED) === 0) at = this.encodeHeaderAt(i, target, at);
    }
    target[at++] = CR;
    target[at++] = LF;
    return at;
  }

  /** Copies the head's bytes into memory of its own, so that the buffer it came in can be given back. */
  detach(): void {
    const length = this.end - this.start;
    if (this.bytes === this.#own) return;
    if (this.#own.length < length) this.#own = new Uint8Array(Math.max(512, length * 2));
    copyBytes(this.bytes, this.start, this.end, this.#own, 0);
    this.bytes = this.#own;
    this.shiftOffsets(-this.start);
  }

  /** Moves all offsets: the same bytes now stand `by` further on. For `detach` and for resumed parsing. */
  shiftOffsets(by: number): void {
    for (let i = 0; i < this.receivedCount * 4; i++) this.offsets[i]! += by;
    this.start += by;
    this.end += by;
    if (this.headersStart >= 0) this.headersStart += by;
    this.headersEnd += by;
    this.targetStart += by;
    this.targetEnd += by;
    this.reasonStart += by;
    this.reasonEnd += by;
    if (this.resumeAt >= 0) this.resumeAt += by;
    this.scannedTo += by;
  }

  /** Doubles the room for headers. */
  grow(): void {
    const offsets = new Int32Array(this.offsets.length * 2);
    offsets.set(this.offsets);
    this.offsets = offsets;
    const keys = new Int32Array(this.keys.length * 2);
    keys.set(this.keys);
    this.keys = keys;
    const flags = new Uint8Array(this.flags.length * 2);
    flags.set(this.flags);
    this.flags = flags;
  }

  /** For the parsers: what the start line said, without the checks and effects of the setters. */
  setReceivedMethod(method: string): void {
    this.#method = method;
  }

  setReceivedStatus(status: number): void {
    this.#status = status;
  }

  #startFresh(versionMinor: 0 | 1): void {
    this.reset();
    this.bytes = EMPTY;
    this.start = this.end = this.headersStart = this.headersEnd = 0;
    this.targetStart = this.targetEnd = this.reasonStart = this.reasonEnd = 0;
    this.versionMinor = versionMinor;
    this.#dropStartLine();
  }

  #dropStartLine(): void {
    this.isStartLineVerbatim = false;
    this.isVerbatim = false;
  }

  #hasNameAt(i: number, lowerCaseName: string): boolean {
    if ((this.flags[i]! & ADDED) !== 0) return this.#names[i] === lowerCaseName;
    const { bytes } = this;
    const nameStart = this.offsets[i * 4]!;
    for (let k = 1; k < lowerCaseName.length - 1; k++) {
      if (bytes[nameStart + k] !== lowerCaseName.charCodeAt(k)) return false;
    }
    return true;
  }

  #encodeReceived(target: Uint8Array, at: number): number {
    const { bytes, flags, offsets } = this;
    let runStart = this.start;
    let runEnd = this.headersStart;
    if (!this.isStartLineVerbatim) {
      at = this.#encodeStartLine(target, at);
      runStart = runEnd;
    }
    for (let i = 0; i < this.receivedCount; i++) {
      const flag = flags[i]!;
      if ((flag & REMOVED) !== 0) continue;
      const lineStart = offsets[i * 4]!;
      if (flag !== 0 || lineStart !== runEnd) {
        at = copyBytes(bytes, runStart, runEnd, target, at);
        runStart = runEnd = lineStart;
      }
      if (flag === 0) runEnd = offsets[i * 4 + 3]! + 2;
      else at = this.encodeHeaderAt(i, target, at);
    }
    return copyBytes(bytes, runStart, runEnd, target, at);
  }

  /** Writes one header with its line end; returns the new end. */
  encodeHeaderAt(i: number, target: Uint8Array, at: number): number {
    const flags = this.flags[i]!;
    if ((flags & PREPARED) !== 0) {
      const line = this.#lines[i]!;
      return copyBytes(line, 0, line.length, target, at);
    }
    const { offsets } = this;
    if ((flags & ADDED) !== 0) at = writeLatin1(this.#names[i]!, target, at);
    else at = copyBytes(this.bytes, offsets[i * 4]!, offsets[i * 4 + 1]!, target, at);
    target[at++] = COLON;
    target[at++] = SPACE;
    if ((flags & (ADDED | VALUE_REPLACED)) !== 0) at = writeLatin1(this.#values[i]!, target, at);
    else at = copyBytes(this.bytes, offsets[i * 4 + 2]!, offsets[i * 4 + 3]!, target, at);
    target[at++] = CR;
    target[at++] = LF;
    return at;
  }

  #encodeStartLine(target: Uint8Array, at: number): number {
    if (this.isResponse) {
      at = writeLatin1(this.versionMinor === 1 ? "HTTP/1.1 " : "HTTP/1.0 ", target, at);
      const status = this.#status;
      target[at++] = 48 + Math.trunc(status / 100);
      target[at++] = 48 + (Math.trunc(status / 10) % 10);
      target[at++] = 48 + (status % 10);
      target[at++] = SPACE;
      if (this.#reason !== null) at = writeLatin1(this.#reason, target, at);
      else at = copyBytes(this.bytes, this.reasonStart, this.reasonEnd, target, at);
      target[at++] = CR;
      target[at++] = LF;
      return at;
    }
    at = writeLatin1(this.#method, target, at);
    target[at++] = SPACE;
    if (this.#target !== null) at = writeLatin1(this.#shownTarget(this.#target), target, at);
    else if (this.targetStart + this.#hiddenLength < this.targetEnd)
      at = copyBytes(this.bytes, this.targetStart + this.#hiddenLength, this.targetEnd, target, at);
    else target[at++] = SLASH;
    return writeLatin1(this.versionMinor === 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n", target, at);
  }
}

/** True for a non-empty token of RFC 9110: what a method or a header name may be. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}

interface HeaderName {
  readonly lowerCase: string;
  readonly key: number;
}

/** Names that rules have used: nearly always the same few, written in the configuration. */
const internedNames = new Map<string, HeaderName>();
const INTERNED_NAMES_MAX = 1024;

/** Null when the name is no token. */
function internName(name: string): HeaderName | null {
  const known = internedNames.get(name);
  if (known !== undefined) return known;
  if (!isToken(name) || name.length > NAME_LENGTH_MAX) return null;
  const lowerCase = name.toLowerCase();
  const headerName = { lowerCase, key: nameKey(lowerCase) };
  // Names can be made from requests: full, the table starts anew rather than growing.
  if (internedNames.size >= INTERNED_NAMES_MAX) internedNames.clear();
  internedNames.set(name, headerName);
  return headerName;
}

function nameKey(lowerCaseName: string): number {
  const { length } = lowerCaseName;
  return (length << 16) | (lowerCaseName.charCodeAt(0) << 8) | lowerCaseName.charCodeAt(length - 1);
}

/** A header that is known before the message that it is added to: checked and encoded once. */
export interface PreparedHeader {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
  readonly key: number;
  /** With its line end. */
  readonly line: Uint8Array;
}

/** Null when the name is no token. The value is sanitised as in `addHeader`. */
export function prepareHeader(name: string, value: string): PreparedHeader | null {
  const headerName = internName(name);
  if (headerName === null) return null;
  const sanitized = sanitizeValue(value);
  const line = Buffer.from(`${headerName.lowerCase}: ${sanitized}\r\n`, "latin1");
  return { name: headerName.lowerCase, value: sanitized, key: headerName.key, line };
}

/** The text as it may stand in a header value: one character per byte, no CR, LF or NUL. */
export function sanitizeValue(value: string): string {
  if (!/[\0\r\n\u0100-\uffff]/.test(value)) return value;
  // Characters above 0xff become the bytes of their UTF-8 form, which holds no byte below 0x80.
  const latin1 = /^[\0-\xff]*$/.test(value) ? value : Buffer.from(value, "utf8").toString("latin1");
  return latin1.replace(/[\r\n\0]/g, " ");
}
