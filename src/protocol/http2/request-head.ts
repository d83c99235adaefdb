// Makes the head of an HTTP/1.1 request of the fields of an HTTP/2 one as they are decoded: its bytes, and
// the offsets in them that a parser of HTTP/1.1 would find, since that would be the second look at each byte.
// Whatever could be read as another message in HTTP/1 is malformed here (field-kind.ts). Cookie crumbs are
// joined (RFC 9113 section 8.2.3), Host comes from ":authority", and the target is the whole URI, as
// HAProxy's logs and rules have it.
import { CHUNK_HEAD_BYTES_MAX } from "../http1/body.ts";
import { ascii, copyBytes, isText, readLatin1, writeLatin1 } from "../http1/bytes.ts";
import { noteLine } from "../http1/header-lines.ts";
import { MessageHead } from "../http1/message-head.ts";
import { decideRequest, methodText } from "../http1/request-parser.ts";
import { KIND, kindOf } from "./field-kind.ts";
import { endLine, HeaderField, LINE_OVERHEAD_BYTES } from "./header-field.ts";
import type { FieldSink } from "./hpack-decoder.ts";

const INITIAL_BYTES = 4096;
const VERSION_LINE_END = ascii(" HTTP/1.1\r\n");
const HOST_NAME = ascii("host: ");
const COOKIE_NAME = ascii("cookie: ");
const CHUNKED = HeaderField.of("transfer-encoding", "chunked");
const SPACE = 32;
const COLON = 58;
const SLASH = 47;
const SEMICOLON = 59;
const STAR = 42;

/** What a chunk of data needs beside it: its size before, the line's end behind. */
export const CHUNK_OVERHEAD_BYTES: number = CHUNK_HEAD_BYTES_MAX + 2;

/** A value of a field, where it lies. */
class Span {
  bytes: Uint8Array = VERSION_LINE_END;
  start = 0;
  end = 0;

  /** No value that is kept here can be empty. */
  get isSet(): boolean {
    return this.end > 0;
  }

  get length(): number {
    return this.end - this.start;
  }

  clear(): void {
    this.start = this.end = 0;
  }

  set(field: HeaderField): void {
    this.bytes = field.bytes;
    this.start = field.valueStart;
    this.end = field.valueEnd;
  }

  is(text: string): boolean {
    return this.end - this.start === text.length && isText(this.bytes, this.start, text);
  }

  writeTo(target: Uint8Array, at: number): number {
    return copyBytes(this.bytes, this.start, this.end, target, at);
  }
}

/** One for all connections: a block is decoded at once. */
export class RequestHeadWriter implements FieldSink {
  /** The head is bytes[0, length). Whoever keeps it copies it. */
  bytes: Uint8Array = new Uint8Array(INITIAL_BYTES);
  length = 0;
  #head: MessageHead = new MessageHead();
  #isMalformed = false;
  #isLineWritten = false;
  readonly #method = new Span();
  readonly #scheme = new Span();
  readonly #authority = new Span();
  readonly #path = new Span();
  /** Of a Host field, where there is no authority. */
  readonly #host = new Span();
  #cookie: Uint8Array = new Uint8Array(0);
  #cookieLength = 0;

  /** `head` gets the offsets. */
  begin(head: MessageHead): void {
    head.reset();
    head.isResponse = false;
    head.versionMinor = 1;
    head.isVerbatim = head.isStartLineVerbatim = true;
    head.bytes = this.bytes;
    this.#head = head;
    this.length = 0;
    this.#isMalformed = false;
    this.#isLineWritten = false;
    this.#method.clear();
    this.#scheme.clear();
    this.#authority.clear();
    this.#path.clear();
    this.#host.clear();
    this.#cookieLength = 0;
  }

  receiveField(field: HeaderField): void {
    if (this.#isMalformed) return;
    const kind = field.kind === KIND.unknown ? kindOf(field) : field.kind;
    if (kind <= KIND.lastPseudo) {
      this.#receivePseudo(kind, field);
      return;
    }
    if (!this.#isLineWritten) this.#writeRequestLine();
    if (kind === KIND.plain) this.#addLine(field);
    else if (kind === KIND.cookie) this.#addCrumb(field);
    else if (kind === KIND.host) this.#receiveHost(field);
    else if (kind === KIND.contentLength) this.#receiveLength(field);
    else this.#isMalformed = true;
  }

  /** False: malformed. Otherwise head and bytes are complete. */
  finish(isEndOfStream: boolean): boolean {
    const head = this.#head;
    if (!this.#isLineWritten) this.#writeRequestLine();
    if (this.#isMalformed) return false;
    const isConnect = head.method === "CONNECT";
    const { contentLength } = head;
    if ((isEndOfStream && contentLength > 0) || (isConnect && contentLength >= 0)) return false;
    if (this.#cookieLength > 0) this.#addCookie();
    if (this.#host.isSet) this.#addOrigin();
    if (!isEndOfStream && contentLength < 0 && !isConnect) this.#addLine(CHUNKED);
    head.headerCount = head.receivedCount;
    head.headersEnd = this.length;
    this.#reserve(2);
    head.end = this.length = endLine(this.bytes, this.length);
    return true;
  }

  #receivePseudo(kind: number, field: HeaderField): void {
    const span =
      kind === KIND.method
        ? this.#method
        : kind === KIND.scheme
          ? this.#scheme
          : kind === KIND.authority
            ? this.#authority
            : this.#path;
    if (this.#isLineWritten || span.isSet) this.#isMalformed = true;
    else span.set(field);
  }

  /** Method and target, and Host behind them. What must be there is. */
  #writeRequestLine(): void {
    this.#isLineWritten = true;
    const head = this.#head;
    const authority = this.#authority;
    const isConnect = this.#method.is("CONNECT");
    if (!this.#method.isSet || !(isConnect ? this.#isConnectWhole() : this.#isTargetWhole()))
      this.#isMalformed = true;
    if (this.#isMalformed) return;
    this.#reserve(this.#method.length + this.#scheme.length + 2 * authority.length + this.#path.length + 32);
    const { bytes } = this;
    let at = this.#method.writeTo(bytes, 0);
    head.setReceivedMethod(methodText(bytes, 0, at));
    bytes[at++] = SPACE;
    head.start = 0;
    head.targetStart = at;
    if (!isConnect && authority.isSet && !this.#isStar()) {
      at = this.#scheme.writeTo(bytes, at);
      bytes[at++] = COLON;
      bytes[at++] = SLASH;
      bytes[at++] = SLASH;
    }
    if (authority.isSet && !this.#isStar()) at = authority.writeTo(bytes, at);
    at = this.#path.writeTo(bytes, at);
    head.targetEnd = at;
    head.headersStart = this.length = copyBytes(VERSION_LINE_END, 0, VERSION_LINE_END.length, bytes, at);
    if (!authority.isSet) return;
    const nameStart = this.length;
    at = authority.writeTo(bytes, copyBytes(HOST_NAME, 0, HOST_NAME.length, bytes, nameStart));
    this.length = endLine(bytes, at);
    this.#note(nameStart, nameStart + 4, at);
  }

  // No getters: V8 looks for private ones by a call into its runtime, each time.

  #isStar(): boolean {
    return this.#path.length === 1 && this.#path.bytes[this.#path.start] === STAR;
  }

  #isConnectWhole(): boolean {
    return this.#authority.isSet && !this.#scheme.isSet && !this.#path.isSet;
  }

  #isTargetWhole(): boolean {
    return this.#scheme.isSet && this.#path.isSet && (!this.#isStar() || this.#method.is("OPTIONS"));
  }

  #addLine(field: HeaderField): void {
    this.#reserve(field.end - field.start);
    const start = this.length;
    this.length = copyBytes(field.bytes, field.start, field.end, this.bytes, start);
    this.#note(start, start + field.nameEnd - field.start, this.length - 2);
  }

  #note(start: number, nameEnd: number, valueEnd: number): void {
    if (!noteLine(this.#head, this.bytes, start, nameEnd, nameEnd + 2, valueEnd)) this.#isMalformed = true;
  }

  /** It must say what the authority says, and is said once. */
  #receiveHost(field: HeaderField): void {
    const said = this.#authority.isSet ? this.#authority : this.#host;
    if (!said.isSet) {
      this.#host.set(field);
      this.#addLine(field);
      return;
    }
    const other = readLatin1(said.bytes, said.start, said.end);
    if (other.toLowerCase() !== field.value.toLowerCase()) this.#isMalformed = true;
  }

  #receiveLength(field: HeaderField): void {
    const head = this.#head;
    if (head.contentLength < 0) this.#addLine(field);
    else if (head.contentLength !== Number(field.value)) this.#isMalformed = true;
  }

  #addCrumb(field: HeaderField): void {
    const length = field.valueEnd - field.valueStart;
    if (this.#cookieLength + length + LINE_OVERHEAD_BYTES > this.#cookie.length) {
      const larger = new Uint8Array(2 * (this.#cookieLength + length) + INITIAL_BYTES);
      copyBytes(this.#cookie, 0, this.#cookieLength, larger, 0);
      this.#cookie = larger;
    }
    let at = this.#cookieLength;
    if (at === 0) at = copyBytes(COOKIE_NAME, 0, COOKIE_NAME.length, this.#cookie, 0);
    else {
      this.#cookie[at++] = SEMICOLON;
      this.#cookie[at++] = SPACE;
    }
    this.#cookieLength = copyBytes(field.bytes, field.valueStart, field.valueEnd, this.#cookie, at);
  }

  #addCookie(): void {
    this.#reserve(this.#cookieLength + 2);
    const start = this.length;
    const valueEnd = copyBytes(this.#cookie, 0, this.#cookieLength, this.bytes, start);
    this.length = endLine(this.bytes, valueEnd);
    this.#note(start, start + 6, valueEnd);
  }

  /** Only a Host field has told where the request goes: what stands behind the method moves up for it. */
  #addOrigin(): void {
    if (this.#isStar()) return;
    const head = this.#head;
    const host = readLatin1(this.#host.bytes, this.#host.start, this.#host.end);
    const origin = `${readLatin1(this.#scheme.bytes, this.#scheme.start, this.#scheme.end)}://${host}`;
    this.#reserve(origin.length);
    const { targetStart } = head;
    this.bytes.copyWithin(targetStart + origin.length, targetStart, this.length);
    writeLatin1(origin, this.bytes, targetStart);
    this.length += origin.length;
    head.shiftOffsets(origin.length);
    head.start = 0;
    head.targetStart = targetStart;
  }

  #reserve(byteCount: number): void {
    if (this.length + byteCount <= this.bytes.length) return;
    const larger = new Uint8Array(2 * (this.length + byteCount));
    copyBytes(this.bytes, 0, this.length, larger, 0);
    this.bytes = this.#head.bytes = larger;
  }
}

/**
 * What is left to decide once the head lies where it stays: 0, or the status to refuse it with. The authority
 * is Host, so they need not be compared; only a port that goes without saying is looked for.
 */
export function settleRequestHead(head: MessageHead): number {
  return decideRequest(head, hasUsualPort(head) || head.method === "CONNECT");
}

/** Whether Host ends with ":80", ":443" or ":". */
function hasUsualPort({ bytes, offsets, hostIndex }: MessageHead): boolean {
  if (hostIndex < 0) return false;
  const end = offsets[hostIndex * 4 + 3]!;
  const start = Math.max(offsets[hostIndex * 4 + 2]!, end - 4);
  for (let i = start; i < end; i++) if (bytes[i] === COLON) return true;
  return false;
}
