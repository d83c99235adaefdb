// Makes header blocks of HTTP/1.1 response heads and trailers: the status as ":status", and nothing that
// speaks of one connection (RFC 9113 section 8.2.2). What is known of the body is told beside it.
import {
  FRAMING_CHUNKED,
  FRAMING_LENGTH,
  FRAMING_NONE,
  FRAMING_UNTIL_CLOSE,
  type Framing,
  type MessageHead,
} from "../http1/message-head.ts";
import { fieldNameOf, nameKey } from "./field-name.ts";
import { HpackEncoder } from "./hpack-encoder.ts";

const SPACE = 32;
const TAB = 9;
const COLON = 58;
const LF = 10;
/** "HTTP/1.1 200 " and two line ends. */
const HEAD_OVERHEAD_BYTES = 17;

/** One for all connections: a head is encoded at once. */
export class ResponseBlockWriter {
  // Of the last head:
  /** How its body comes from the exchange. */
  framing: Framing = FRAMING_NONE;
  contentLength = -1;
  /** Bytes that it would have in HTTP/1.1: what logs and counters say. */
  http1Length = 0;
  #line: Uint8Array = new Uint8Array(1024);

  /** Most bytes that `write` needs. */
  static lengthMax(head: MessageHead): number {
    return (
      head.encodedLengthMax() +
      head.headerCount * HpackEncoder.fieldOverheadMax +
      HpackEncoder.blockStartLengthMax
    );
  }

  /** `requestMethod`: of the request that is answered. Returns the end of what was written. */
  write(
    encoder: HpackEncoder,
    head: MessageHead,
    requestMethod: string,
    target: Uint8Array,
    at: number,
  ): number {
    const { status, bytes, offsets, keys } = head;
    const hasNoBody = status < 200 || status === 204 || (requestMethod === "CONNECT" && status < 300);
    this.contentLength = -1;
    this.http1Length = HEAD_OVERHEAD_BYTES + head.reasonLength;
    let isChunked = false;
    at = encoder.encodeStatus(status, target, encoder.beginBlock(target, at));
    for (let i = 0; i < head.headerCount; i++) {
      if (head.isRemovedAt(i)) continue;
      let from = bytes;
      let nameStart = offsets[i * 4]!;
      let nameEnd = offsets[i * 4 + 1]!;
      let valueStart = offsets[i * 4 + 2]!;
      let valueEnd = offsets[i * 4 + 3]!;
      if (head.isRewrittenAt(i)) {
        from = this.#roomFor(head, head.valueAt(i), i);
        nameStart = 0;
        nameEnd = keys[i]! >>> 16;
        valueStart = nameEnd + 2;
        valueEnd = head.encodeHeaderAt(i, from, 0) - 2;
        while (valueStart < valueEnd && isBlank(from[valueStart]!)) valueStart++;
        while (valueStart < valueEnd && isBlank(from[valueEnd - 1]!)) valueEnd--;
      }
      this.http1Length += nameEnd - nameStart + valueEnd - valueStart + 4;
      const name = fieldNameOf(keys[i]!, from, nameStart);
      if (name.isTransferEncoding) isChunked = true;
      if (name.isContentLength) this.contentLength = numberIn(from, valueStart, valueEnd);
      if (name.isLeftOut || (hasNoBody && name.isContentLength)) continue;
      at = encoder.encodeField(name, from, nameStart, nameEnd, valueStart, valueEnd, target, at);
    }
    if (hasNoBody || status === 304 || requestMethod === "HEAD") this.framing = FRAMING_NONE;
    else if (isChunked) this.framing = FRAMING_CHUNKED;
    else this.framing = this.contentLength >= 0 ? FRAMING_LENGTH : FRAMING_UNTIL_CLOSE;
    return at;
  }

  /** Memory for a line that has yet to be written. */
  #roomFor({ keys }: MessageHead, value: string, i: number): Uint8Array {
    const length = (keys[i]! >>> 16) + value.length + 4;
    if (length > this.#line.length) this.#line = new Uint8Array(length * 2);
    return this.#line;
  }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** Digits, as the parser of HTTP/1 has let them pass. */
function numberIn(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 10 + bytes[i]! - 48;
  return value;
}

/** `lines`: well-formed trailer lines of HTTP/1.1, each with its CRLF, and an empty one. Null: no fields. */
export function encodeTrailers(encoder: HpackEncoder, lines: Uint8Array): Uint8Array | null {
  const block = new Uint8Array(
    lines.length * (1 + HpackEncoder.fieldOverheadMax) + HpackEncoder.blockStartLengthMax,
  );
  let at = encoder.beginBlock(block, 0);
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf(LF, start) + 1;
    const nameEnd = lines.indexOf(COLON, start);
    if (nameEnd < 0 || nameEnd >= end) break;
    for (let i = start; i < nameEnd; i++) if ((lines[i]! - 65) >>> 0 < 26) lines[i]! |= 32;
    let valueStart = nameEnd + 1;
    let valueEnd = end - 2;
    while (valueStart < valueEnd && isBlank(lines[valueStart]!)) valueStart++;
    while (valueStart < valueEnd && isBlank(lines[valueEnd - 1]!)) valueEnd--;
    const name = fieldNameOf(nameKey(lines, start, nameEnd), lines, start);
    if (!name.isLeftOut)
      at = encoder.encodeField(name, lines, start, nameEnd, valueStart, valueEnd, block, at);
    start = end;
  }
  return at === 0 ? null : block.subarray(0, at);
}
