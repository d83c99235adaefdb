// The variables of a log line, and the runs of them that nearly every format has in common with `option
// httplog`, put into a line. Runs are functions of their own because each step of a line program is a jump
// that the processor guesses wrong after every system call: with four steps in place of twenty-three, a line
// costs 410 ns and not 490 (bench/micro/rules.ts).
//
// Unless it takes a limit, a function writes up to STEP_BYTES_MAX bytes without asking for room.
import { COUNTER } from "../state.ts";
import type { Stream } from "../stream.ts";
import { putLogDate } from "./dates.ts";
import { EncodedText, type LineBuffer, putEncoded, putText } from "./line-buffer.ts";
import { activeConnections, backendConnections, hasCookieFlags, serverConnections } from "./readings.ts";
import { activeMs, requestDateMs } from "./timing.ts";

const PLUS = 43;
const DASH = 45;
const SLASH = 47;
const QUOTE = 34;
const SPACE = 32;
const ZERO = 48;
const COLON = 58;
const TILDE = 126;
const LEFT_BRACKET = 91;
const RIGHT_BRACKET = 93;
/** Longer methods and targets may come to where HAProxy cuts a request line, and are left to its text. */
const PLAIN_LENGTH_MAX = 500;

const NO_SERVER = new EncodedText("<NOSRV>");
const BAD_REQUEST = new EncodedText("<BADREQ>");
const VERSION_1_1 = new EncodedText(" HTTP/1.1");
const VERSION_2 = new EncodedText(" HTTP/2.0");
const VERSION_1_0 = new EncodedText(" HTTP/1.0");

/** `%ci:%cp [%tr] %ft %b/%s` */
export function putParties(stream: Stream, line: LineBuffer, at: number, limit: number): number {
  const { bytes } = line;
  at = putHost(stream, line, at, limit);
  bytes[at++] = COLON;
  at = putPort(stream, bytes, at);
  bytes[at++] = SPACE;
  bytes[at++] = LEFT_BRACKET;
  at = putLogDate(requestDateMs(stream), line, at);
  bytes[at++] = RIGHT_BRACKET;
  bytes[at++] = SPACE;
  at = putFrontend(stream, line, at, limit);
  bytes[at++] = SPACE;
  at = putBackend(stream, line, at, limit);
  bytes[at++] = SLASH;
  return putServer(stream, line, at, limit);
}

/** `%TR/%Tw/%Tc/%Tr/%Ta` */
export function putTimes(stream: Stream, bytes: Uint8Array, at: number): number {
  at = putInteger(stream.requestMs, bytes, at);
  bytes[at++] = SLASH;
  at = putInteger(stream.queueMs, bytes, at);
  bytes[at++] = SLASH;
  at = putInteger(stream.connectMs, bytes, at);
  bytes[at++] = SLASH;
  at = putInteger(stream.responseMs, bytes, at);
  bytes[at++] = SLASH;
  return putGrowing(stream, activeMs(stream), bytes, at);
}

/** `%ST %B %CC %CS %tsc` */
export function putOutcome(stream: Stream, bytes: Uint8Array, at: number, limit: number): number {
  at = putStatus(stream, bytes, at);
  bytes[at++] = SPACE;
  at = putGrowing(stream, stream.bytesOut, bytes, at);
  bytes[at++] = SPACE;
  at = putOptional(stream.capturedCookie, bytes, at, limit);
  bytes[at++] = SPACE;
  at = putOptional(stream.capturedServerCookie, bytes, at, limit);
  bytes[at++] = SPACE;
  return putFlags(stream, bytes, at);
}

/** `%ac/%fc/%bc/%sc/%rc %sq/%bq` */
export function putLoad(stream: Stream, bytes: Uint8Array, at: number): number {
  at = putInteger(activeConnections(stream), bytes, at);
  bytes[at++] = SLASH;
  at = putInteger(stream.frontend.state.total(stream.frontend.slot, COUNTER.scur), bytes, at);
  bytes[at++] = SLASH;
  at = putInteger(backendConnections(stream), bytes, at);
  bytes[at++] = SLASH;
  at = putInteger(serverConnections(stream), bytes, at);
  bytes[at++] = SLASH;
  at = putRetries(stream, bytes, at);
  bytes[at++] = SPACE;
  at = putInteger(stream.serverQueuePosition, bytes, at);
  bytes[at++] = SLASH;
  return putInteger(stream.backendQueuePosition, bytes, at);
}

export function putPort(stream: Stream, bytes: Uint8Array, at: number): number {
  const { source, bind } = stream.session;
  return putInteger(source.family === "unix" ? bind.id : source.port, bytes, at);
}

/** A frontend with TLS has a tilde behind its name. */
export function putFrontend(stream: Stream, line: LineBuffer, at: number, limit: number): number {
  at = putEncoded(stream.frontend.nameText, line, at, limit);
  if (stream.session.bind.tls !== null) line.bytes[at++] = TILDE;
  return at;
}

export function putBackend(stream: Stream, line: LineBuffer, at: number, limit: number): number {
  return putEncoded((stream.backend ?? stream.frontend).nameText, line, at, limit);
}

export function putServer(stream: Stream, line: LineBuffer, at: number, limit: number): number {
  const { server, serviceName } = stream;
  if (server !== null) return putEncoded(server.nameText, line, at, limit);
  return serviceName ? putText(serviceName, line.bytes, at, limit) : putEncoded(NO_SERVER, line, at, limit);
}

/** With `option logasap`, what can still grow has a plus sign. */
export function putGrowing(stream: Stream, value: number, bytes: Uint8Array, at: number): number {
  if (stream.frontend.definition.options.logasap) bytes[at++] = PLUS;
  return putInteger(value, bytes, at);
}

export function putStatus(stream: Stream, bytes: Uint8Array, at: number): number {
  return putInteger(stream.frontend.definition.mode === "http" ? stream.status : 0, bytes, at);
}

export function putOptional(text: string | null, bytes: Uint8Array, at: number, limit: number): number {
  if (text) return putText(text, bytes, at, limit);
  bytes[at] = DASH;
  return at + 1;
}

/** `%tsc` */
export function putFlags(stream: Stream, bytes: Uint8Array, at: number): number {
  bytes[at] = stream.cause.charCodeAt(0);
  bytes[at + 1] = stream.phase.charCodeAt(0);
  const hasCookie = hasCookieFlags(stream);
  bytes[at + 2] = hasCookie ? stream.cookieRequest.charCodeAt(0) : DASH;
  bytes[at + 3] = hasCookie ? stream.cookieResponse.charCodeAt(0) : DASH;
  return at + 4;
}

export function putRetries(stream: Stream, bytes: Uint8Array, at: number): number {
  if (stream.isRedispatched) bytes[at++] = PLUS;
  return putInteger(stream.retries, bytes, at);
}

/** `%{+Q}r` in whole; -1 as `putRequestLine`. */
export function putQuotedRequestLine(stream: Stream, line: LineBuffer, at: number, limit: number): number {
  const end = putRequestLine(stream, line, at + 1, limit);
  if (end < 0) return -1;
  line.bytes[at] = QUOTE;
  line.bytes[end] = QUOTE;
  return end + 1;
}

/** The client's address, which is encoded once for a connection. */
export function putHost({ session }: Stream, line: LineBuffer, at: number, limit: number): number {
  const { host, family } = session.source;
  if (family === "unix") return putText("unix", line.bytes, at, limit);
  let text = session.sourceText;
  if (text === null || text.of !== host) {
    text = { of: host, encoded: new EncodedText(host) };
    session.sourceText = text;
  }
  return putEncoded(text.encoded, line, at, limit);
}

/** A number without its fraction. */
export function putInteger(value: number, bytes: Uint8Array, at: number): number {
  if (!(value >= 0 && value < 1e9)) return putText(`${Math.trunc(value)}`, bytes, at, bytes.length);
  let rest = value | 0;
  if (rest < 10) {
    bytes[at] = ZERO + rest;
    return at + 1;
  }
  let end = at;
  for (let scale = rest; scale > 0; scale = (scale / 10) | 0) end++;
  for (let i = end; rest > 0; rest = (rest / 10) | 0) bytes[--i] = ZERO + (rest % 10);
  return end;
}

/** `%r` without quotes; -1 when it is too long or holds bytes that have to be encoded. */
export function putRequestLine(stream: Stream, line: LineBuffer, at: number, limit: number): number {
  const { request, originalMethod, originalTarget } = stream;
  const { bytes } = line;
  if (request === null) return putEncoded(BAD_REQUEST, line, at, limit);
  at = putPlainText(originalMethod ?? request.method, bytes, at, limit);
  if (at < 0) return -1;
  bytes[at++] = SPACE;
  if (originalTarget === null && !request.hasTargetText)
    at = putPlainBytes(request.bytes, request.targetStart, request.targetEnd, bytes, at, limit);
  else at = putPlainText(originalTarget ?? request.target, bytes, at, limit);
  if (at < 0) return -1;
  const version = request.versionMinor === 1 ? VERSION_1_1 : VERSION_1_0;
  return putEncoded(stream.session.isHttp2 ? VERSION_2 : version, line, at, limit);
}

/** Printable ASCII without `"` and `#`; -1 for anything else, for long text, or if there is no room. */
function putPlainText(text: string, bytes: Uint8Array, at: number, limit: number): number {
  const { length } = text;
  if (length > PLAIN_LENGTH_MAX || at + length > limit) return -1;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code < 32 || code > 126 || code === 34 || code === 35) return -1;
    bytes[at++] = code;
  }
  return at;
}

function putPlainBytes(
  source: Uint8Array,
  from: number,
  to: number,
  bytes: Uint8Array,
  at: number,
  limit: number,
): number {
  if (to - from > PLAIN_LENGTH_MAX || at + to - from > limit) return -1;
  while (from < to) {
    const byte = source[from++]!;
    if (byte < 32 || byte > 126 || byte === 34 || byte === 35) return -1;
    bytes[at++] = byte;
  }
  return at;
}
