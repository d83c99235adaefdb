// Reads the head of an HTTP/1 request: RFC 9112 in its strict reading, with HAProxy 2.6's answers to bad
// ones. One pass, no text made; see message-head.ts for why it looks like this.
//
// We agree with HAProxy 2.6 on what is accepted and with which status the rest is refused, except that we
// refuse more (each of these is framing or routing that a server might read differently; HAProxy passes them
// on):
//   - NUL in a header value; HTTP/0.x in the version; Transfer-Encoding in HTTP/1.0 or with CONNECT;
//   - empty elements in Transfer-Encoding; Content-Length of 2^53 and above;
// - targets that are neither "/…", "*", nor a URI with a scheme (except for CONNECT); URIs without authority;
//   - the HTTP/2 preface, which HAProxy upgrades to HTTP/2.
// Forwarded differently but meaning the same: "CHUNKED" in lower case, Content-Length without leading zeros.
import { isText, readLatin1 } from "./bytes.ts";
import { BLANK, CHARACTER_CLASS, TARGET, TOKEN } from "./character-class.ts";
import { namesWebSocket, parseHeaderLines } from "./header-lines.ts";
import { FRAMING_CHUNKED, FRAMING_LENGTH, FRAMING_NONE, type MessageHead } from "./message-head.ts";
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
const STAR = 42;
const SLASH = 47;

const METHODS = ["GET", "PUT", "HEAD", "POST", "PATCH", "TRACE", "DELETE", "OPTIONS", "CONNECT"];

/**
 * Parses bytes[start, end) into `head`. Returns
 *   > 0: the number of bytes of the head, leading empty lines and final empty line included;
 * 0: more bytes are needed; call again with the same bytes and more behind them, in the same place or
 * another;
 * < 0: minus the status to answer: 400, 413 (HTTP/1.0 GET, HEAD or DELETE with a body), 422 (transfer coding
 * other
 *        than chunked). The connection has to be closed after the answer.
 * Writes to `bytes`: header names are folded to lower case, folded lines joined.
 */
export function parseRequestHead(
  head: MessageHead,
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: HeadLimits = DEFAULT_HEAD_LIMITS,
): number {
  let pos = start;
  if (head.resumeAt < 0) {
    head.reset();
    head.isResponse = false;
    head.bytes = bytes;
    pos = parseRequestLine(head, bytes, start, end);
  } else if (!resume(head, bytes, start, end)) pos = INCOMPLETE;
  else if (head.headersStart >= 0) pos = head.resumeAt;
  else pos = parseRequestLine(head, bytes, head.resumeAt, end);

  if (pos >= 0) pos = parseHeaderLines(head, bytes, pos, end, limits.headerCountMax);
  if (pos >= 0 && pos - start <= limits.headBytesMax) {
    head.resumeAt = -1;
    head.end = pos;
    const status = decideRequest(head);
    return status === 0 ? pos - start : -status;
  }
  if (pos === INCOMPLETE && end - start < limits.headBytesMax) {
    head.resumeStart = start;
    return 0;
  }
  head.resumeAt = -1;
  return -400;
}

/** Leading empty lines and the request line. Returns the position behind it, INCOMPLETE or MALFORMED. */
function parseRequestLine(head: MessageHead, bytes: Uint8Array, pos: number, end: number): number {
  const table = CHARACTER_CLASS;
  pos = skipEmptyLines(head, bytes, pos, end);
  if (pos < 0) return pos;
  const lineStart = pos;
  head.start = lineStart;
  let bits = 0;
  while (pos < end && ((bits = table[bytes[pos]!]!) & TOKEN) !== 0) pos++;
  if (pos >= end) return stopAt(head, lineStart, end);
  if ((bits & BLANK) === 0 || pos === lineStart) return MALFORMED;
  head.setReceivedMethod(methodText(bytes, lineStart, pos));
  let isOurForm = bytes[pos++] === SPACE;

  while (pos < end && (table[bytes[pos]!]! & BLANK) !== 0) {
    pos++;
    isOurForm = false;
  }
  head.targetStart = pos;
  while (pos < end && ((bits = table[bytes[pos]!]!) & TARGET) !== 0) pos++;
  if (pos >= end) return stopAt(head, lineStart, end);
  if ((bits & BLANK) === 0 || pos === head.targetStart) return MALFORMED;
  head.targetEnd = pos;
  if (bytes[pos++] !== SPACE) isOurForm = false;

  while (pos < end && (table[bytes[pos]!]! & BLANK) !== 0) {
    pos++;
    isOurForm = false;
  }
  const version = parseVersion(bytes, pos, end);
  if (version === MALFORMED) return MALFORMED;
  if (version === INCOMPLETE) return stopAt(head, lineStart, end);
  head.versionMinor = version === 10 ? 0 : 1;
  if (version > 11) isOurForm = false;
  pos += 8;
  if (pos < end && bytes[pos] === CR) pos++;
  else isOurForm = false;
  if (pos >= end) return stopAt(head, lineStart, end);
  if (bytes[pos] !== LF) return MALFORMED;
  head.isVerbatim = head.isStartLineVerbatim = isOurForm;
  head.headersStart = pos + 1;
  return pos + 1;
}

/**
 * What is left to decide when the whole head is there. Returns 0 or the status to refuse it with.
 * `looksAtAuthority`: false where who made the head knows that there is nothing to see.
 */
export function decideRequest(head: MessageHead, looksAtAuthority = true): number {
  const isConnect = head.method === "CONNECT";
  if (head.transferEncodingIndex >= 0) {
    if (head.framing !== FRAMING_CHUNKED) return 400;
    if (head.versionMinor === 0) return isBodylessMethod(head.method) ? 413 : 400;
    if (isConnect) return 400;
    if (head.hasOtherTransferCoding) return 422;
    // RFC 9112 section 6.3: such a message may be an attempt at smuggling. The coding wins, and nothing
    // follows it.
    if (head.contentLength >= 0) {
      head.removeAt(head.contentLengthIndex);
      head.contentLength = -1;
      head.connectionClose = true;
    }
  } else if (head.contentLength >= 0) {
    if (head.versionMinor === 0 && head.contentLength > 0 && isBodylessMethod(head.method)) return 413;
    if (isConnect) {
      // A CONNECT has no body; what follows belongs to the tunnel.
      head.removeAt(head.contentLengthIndex);
      head.contentLength = -1;
    } else head.framing = FRAMING_LENGTH;
  } else head.framing = FRAMING_NONE;
  if (head.connectionUpgrade && !decideUpgrade(head)) return 400;
  // "PRI * HTTP/2.0" opens HTTP/2 (RFC 9113 section 3.4), which is not spoken here.
  if (head.method === "PRI") return 400;
  const first = head.bytes[head.targetStart];
  if (
    !looksAtAuthority ||
    (first === SLASH && !isConnect) ||
    (first === STAR && head.targetEnd - head.targetStart === 1 && !isConnect)
  ) {
    return 0;
  }
  return applyAuthority(head, isConnect) ? 0 : 400;
}

/** A request with a body cannot upgrade; a WebSocket handshake needs its key (RFC 6455 section 4.1). */
function decideUpgrade(head: MessageHead): boolean {
  if (head.framing === FRAMING_CHUNKED || head.contentLength > 0) {
    head.removeHeader("upgrade");
    head.connectionUpgrade = false;
    return true;
  }
  if (head.upgradeIndex < 0) return true;
  // Of several Upgrade headers, HAProxy heeds the last.
  let last = head.upgradeIndex;
  for (let i = last; i >= 0; i = head.indexOf("upgrade", i + 1)) last = i;
  if (!namesWebSocket(head.valueAt(last))) return true;
  for (let i = head.indexOf("sec-websocket-key"); i >= 0; i = head.indexOf("sec-websocket-key", i + 1)) {
    if (head.valueAt(i).length === 24) return true;
  }
  return false;
}

/** RFC 9110 gives a body in these no meaning, and HTTP/1.0 servers stumble over it. */
function isBodylessMethod(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "DELETE";
}

const DEFAULT_PORTS: { readonly [scheme: string]: string } = { http: "80", https: "443" };

/**
 * Absolute-form and authority-form: the authority must agree with Host, and a default port is taken out of
 * both (RFC 9110 section 4.2.3). False: refuse.
 */
function applyAuthority(head: MessageHead, isConnect: boolean): boolean {
  const target = readLatin1(head.bytes, head.targetStart, head.targetEnd);
  const parts = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?([^/]*)(.*)$/.exec(target)!;
  const scheme = parts[1]?.toLowerCase() ?? null;
  const authority = parts[2]!;
  // CONNECT takes an authority only, everything else a whole URI.
  if (authority === "" || (scheme === null) !== isConnect || (isConnect && parts[3] !== "")) return false;
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const colon = /:(\d*)$/.exec(host);
  const port = colon === null ? null : colon[1]!;
  if (isConnect && (port === null || port === "")) return false;
  const isDefaultPort =
    port !== null &&
    (scheme === null
      ? port === "80" || port === "443"
      : port === (DEFAULT_PORTS[scheme] ?? "") || port === "");
  const hostWithoutPort = colon === null ? host : host.slice(0, colon.index);
  if (hostWithoutPort === "") return false;
  if (
    head.hostIndex >= 0 &&
    !agrees(head.valueAt(head.hostIndex), host, hostWithoutPort, isDefaultPort, scheme)
  )
    return false;
  if (colon !== null && isDefaultPort) {
    // Beside CONNECT, HAProxy leaves a Host whose port is empty as it is.
    const isLeft = isConnect && head.hostIndex >= 0 && head.valueAt(head.hostIndex).endsWith(":");
    if (head.hostIndex >= 0 && !isLeft) head.setValueAt(head.hostIndex, hostWithoutPort);
    if (scheme !== null) {
      const end = target.length - parts[3]!.length;
      head.target = target.slice(0, end - colon[0].length) + parts[3]!;
    }
  }
  return true;
}

/** Compares Host with an authority; a default port may be missing or empty on either side. */
function agrees(
  value: string,
  host: string,
  hostWithoutPort: string,
  isDefaultPort: boolean,
  scheme: string | null,
): boolean {
  const folded = value.toLowerCase();
  if (folded === host.toLowerCase()) return true;
  if (!isDefaultPort && host !== hostWithoutPort) return false;
  const name = hostWithoutPort.toLowerCase();
  if (folded === name || folded === `${name}:`) return true;
  const port = scheme === null ? undefined : DEFAULT_PORTS[scheme];
  return port !== undefined && folded === `${name}:${port}`;
}

export function methodText(bytes: Uint8Array, start: number, end: number): string {
  // GET and POST are nearly all there is.
  const length = end - start;
  if (length === 3 && bytes[start] === 71 && bytes[start + 1] === 69 && bytes[start + 2] === 84) return "GET";
  for (const method of METHODS) {
    if (method.length === length && isText(bytes, start, method)) return method;
  }
  return readLatin1(bytes, start, end);
}
