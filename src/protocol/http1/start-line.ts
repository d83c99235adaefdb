// What request and status line have in common: limits, versions, empty lines before them, and going on with a
// head that came in pieces. A parse that needs more remembers the start of the first incomplete line and goes
// on from there, and looks at it again only when a line end has come: a head sent byte by byte costs no more
// than twice a whole one per line.
import { ascii, packed, word } from "./bytes.ts";
import type { MessageHead } from "./message-head.ts";

export interface HeadLimits {
  /** Most bytes from the first byte to the empty line, both included. */
  readonly headBytesMax: number;
  /** Most header lines. */
  readonly headerCountMax: number;
}

/** HAProxy's: tune.bufsize 16384 less tune.maxrewrite 1024, and tune.http.maxhdr 101 less the end marker. */
export const DEFAULT_HEAD_LIMITS: HeadLimits = { headBytesMax: 15360, headerCountMax: 100 };

/** Instead of a position: more bytes are needed. */
export const INCOMPLETE = -2;
/** Instead of a position: the message is malformed. */
export const MALFORMED = -1;

const LF = 10;
const CR = 13;
const SLASH = 47;
const HTTP = packed("HTTP");
const HTTP_SLASH = ascii("HTTP/");

/** Notes where to go on when more bytes come. */
export function stopAt(head: MessageHead, lineStart: number, end: number): typeof INCOMPLETE {
  head.resumeAt = lineStart;
  head.scannedTo = end;
  return INCOMPLETE;
}

/** Prepares going on; false when the new bytes hold no line end, so that nothing can have been completed. */
export function resume(head: MessageHead, bytes: Uint8Array, start: number, end: number): boolean {
  if (start !== head.resumeStart) {
    head.shiftOffsets(start - head.resumeStart);
    head.resumeStart = start;
  }
  head.bytes = bytes;
  // The last byte seen may have been a line end whose line was not known to be complete.
  for (let i = Math.max(head.resumeAt, head.scannedTo - 1); i < end; i++) {
    if (bytes[i] === LF) return true;
  }
  head.scannedTo = end;
  return false;
}

/**
 * RFC 9112 section 2.2: empty lines before a message are skipped. Returns the start of the message, or as the
 * parsers.
 */
export function skipEmptyLines(head: MessageHead, bytes: Uint8Array, pos: number, end: number): number {
  for (;;) {
    if (pos >= end) return stopAt(head, pos, end);
    const byte = bytes[pos];
    if (byte === CR) {
      if (pos + 1 >= end) return stopAt(head, pos, end);
      if (bytes[pos + 1] !== LF) return MALFORMED;
      pos += 2;
    } else if (byte === LF) pos++;
    else return pos;
  }
}

/**
 * "HTTP/1.1" gives 11. MALFORMED for other text and versions below 1.0; INCOMPLETE when it is not complete.
 */
export function parseVersion(bytes: Uint8Array, pos: number, end: number): number {
  if (end - pos < 8) {
    for (let i = pos; i < end && i < pos + 5; i++) {
      if (bytes[i] !== HTTP_SLASH[i - pos]) return MALFORMED;
    }
    return INCOMPLETE;
  }
  if (word(bytes, pos) !== HTTP || bytes[pos + 4] !== SLASH) return MALFORMED;
  const major = bytes[pos + 5]! - 48;
  const minor = bytes[pos + 7]! - 48;
  if (major < 1 || major > 9 || minor < 0 || minor > 9 || bytes[pos + 6] !== 46) return MALFORMED;
  return major * 10 + minor;
}
