// Reads the head of an HTTP/1 response: RFC 9112 section 6.3 decides how its body ends, which depends on the
// request's method. Like the request parser in form and strictness. Stricter than HAProxy 2.6: the version
// must be "HTTP/…", the status three digits, and Transfer-Encoding exactly "chunked" (HAProxy refuses other
// codings too, but not empty ones).
import { BLANK, CHARACTER_CLASS, VALUE } from "./character-class.ts";
import { namesWebSocket, parseHeaderLines } from "./header-lines.ts";
import {
  FRAMING_CHUNKED,
  FRAMING_LENGTH,
  FRAMING_NONE,
  FRAMING_UNTIL_CLOSE,
  type MessageHead,
} from "./message-head.ts";
import {
  DEFAULT_HEAD_LIMITS,
  type HeadLimits,
  INCOMPLETE,
  MALFORMED,
  parseVersion,
  resume,
  skipEmptyLines,
  stopAt,
} from "./start-line.ts";

const LF = 10;
const CR = 13;
const SPACE = 32;

/**
 * Parses bytes[start, end) into `head`, as `parseRequestHead` does; what is refused is -502. `requestMethod`
 * is that of the request it answers, as it was sent: to HEAD there is no body, and 2xx to CONNECT opens a
 * tunnel. 1xx heads are returned like others, with `framing` none; the final head follows them (but for 101).
 */
export function parseResponseHead(
  head: MessageHead,
  bytes: Uint8Array,
  start: number,
  end: number,
  requestMethod: string,
  limits: HeadLimits = DEFAULT_HEAD_LIMITS,
): number {
  let pos = start;
  if (head.resumeAt < 0) {
    head.reset();
    head.isResponse = true;
    head.bytes = bytes;
    pos = parseStatusLine(head, bytes, start, end);
  } else if (!resume(head, bytes, start, end)) pos = INCOMPLETE;
  else if (head.headersStart >= 0) pos = head.resumeAt;
  else pos = parseStatusLine(head, bytes, head.resumeAt, end);

  if (pos >= 0) pos = parseHeaderLines(head, bytes, pos, end, limits.headerCountMax);
  if (pos >= 0 && pos - start <= limits.headBytesMax) {
    head.resumeAt = -1;
    head.end = pos;
    return decideResponse(head, requestMethod) ? pos - start : -502;
  }
  if (pos === INCOMPLETE && end - start < limits.headBytesMax) {
    head.resumeStart = start;
    return 0;
  }
  head.resumeAt = -1;
  return -502;
}

function parseStatusLine(head: MessageHead, bytes: Uint8Array, pos: number, end: number): number {
  const table = CHARACTER_CLASS;
  pos = skipEmptyLines(head, bytes, pos, end);
  if (pos < 0) return pos;
  const lineStart = pos;
  head.start = lineStart;
  const version = parseVersion(bytes, pos, end);
  if (version === MALFORMED) return MALFORMED;
  if (version === INCOMPLETE) return stopAt(head, lineStart, end);
  head.versionMinor = version === 10 ? 0 : 1;
  let isOurForm = version <= 11;
  pos += 8;
  if (pos >= end) return stopAt(head, lineStart, end);
  if ((table[bytes[pos]!]! & BLANK) === 0) return MALFORMED;
  if (bytes[pos++] !== SPACE) isOurForm = false;
  while (pos < end && (table[bytes[pos]!]! & BLANK) !== 0) {
    pos++;
    isOurForm = false;
  }

  let status = 0;
  let digitCount = 0;
  for (; pos < end && digitCount < 4; pos++, digitCount++) {
    const digit = bytes[pos]! - 48;
    if (digit < 0 || digit > 9) break;
    status = status * 10 + digit;
  }
  if (pos >= end) return stopAt(head, lineStart, end);
  if (digitCount !== 3 || status < 100) return MALFORMED;
  head.setReceivedStatus(status);

  let byte = bytes[pos]!;
  if ((table[byte]! & BLANK) === 0) {
    if (byte !== CR && byte !== LF) return MALFORMED;
    isOurForm = false;
  } else if (byte === SPACE) pos++;
  while (pos < end && (table[bytes[pos]!]! & BLANK) !== 0) {
    pos++;
    isOurForm = false;
  }
  head.reasonStart = pos;
  while (pos < end && (table[(byte = bytes[pos]!)]! & VALUE) !== 0) pos++;
  head.reasonEnd = pos;
  if (pos < end && byte === CR) pos++;
  else isOurForm = false;
  if (pos >= end) return stopAt(head, lineStart, end);
  if (bytes[pos] !== LF) return MALFORMED;
  if (head.reasonStart === head.reasonEnd && bytes[head.reasonStart - 1] !== SPACE) isOurForm = false;
  head.isVerbatim = head.isStartLineVerbatim = isOurForm;
  head.headersStart = pos + 1;
  return pos + 1;
}

/** RFC 9112 section 6.3. False: refuse. */
function decideResponse(head: MessageHead, requestMethod: string): boolean {
  const { status } = head;
  if (head.transferEncodingIndex >= 0) {
    if (head.framing !== FRAMING_CHUNKED || head.hasOtherTransferCoding) return false;
    if (head.contentLength >= 0) {
      head.removeAt(head.contentLengthIndex);
      head.contentLength = -1;
      head.connectionClose = true;
    } else if (head.versionMinor === 0) head.connectionClose = true;
  } else if (head.contentLength >= 0) head.framing = FRAMING_LENGTH;
  else head.framing = FRAMING_UNTIL_CLOSE;

  if (status < 200 || status === 204) {
    // Neither may carry these (RFC 9110 section 8.6, RFC 9112 section 6.1).
    if (head.transferEncodingIndex >= 0) head.removeAt(head.transferEncodingIndex);
    if (head.contentLength >= 0) head.removeAt(head.contentLengthIndex);
    head.contentLength = -1;
    head.framing = FRAMING_NONE;
  } else if (status === 304 || requestMethod === "HEAD") head.framing = FRAMING_NONE;
  else if (requestMethod === "CONNECT" && status < 300) {
    if (head.transferEncodingIndex >= 0) head.removeAt(head.transferEncodingIndex);
    if (head.contentLength >= 0) head.removeAt(head.contentLengthIndex);
    head.contentLength = -1;
    head.framing = FRAMING_NONE;
  }
  if (status !== 101) head.connectionUpgrade = false;
  // Without this header a WebSocket server has not proved that it understood (RFC 6455 section 4.2.2).
  const upgrade = head.connectionUpgrade ? head.upgrade : null;
  return upgrade === null || !namesWebSocket(upgrade) || head.has("sec-websocket-accept");
}
