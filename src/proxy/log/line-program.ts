// A compiled log format as a row of steps that one loop carries out. It looks as it does because a line is written for
// every request: with a function per variable, each calling another to read its value, an httplog line costs 1.37 µs
// of a request's 3.4; as cases of one switch, which V8 compiles as a whole, with names encoded beforehand, 0.7 µs
// (bench/micro/exchange.ts). Variables without a case of their own are made as text, which costs more.
//
// A case may write STEP_BYTES_MAX bytes without asking for room; LineBuffer has that much behind its limit.
import { COUNTER } from "../state.ts";
import type { Stream } from "../stream.ts";
import type { WriteText } from "./aliases.ts";
import { putLogDate } from "./dates.ts";
import { EncodedText, type LineBuffer, putEncoded, putText } from "./line-buffer.ts";
import { activeConnections, backendConnections, hasCookieFlags, serverConnections } from "./readings.ts";
import { acceptDateMs, activeMs, requestDateMs, totalMs } from "./timing.ts";

/** What a step writes before its constant text. The names are those of the log-format variables. */
export const STEP = {
  nothing: 0,
  text: 1,
  captures: 2,
  ci: 3,
  cp: 4,
  t: 5,
  tr: 6,
  f: 7,
  ft: 8,
  b: 9,
  s: 10,
  TR: 11,
  Tw: 12,
  Tc: 13,
  Tr: 14,
  Ta: 15,
  Tt: 16,
  ST: 17,
  B: 18,
  U: 19,
  CC: 20,
  CS: 21,
  ts: 22,
  tsc: 23,
  ac: 24,
  fc: 25,
  bc: 26,
  sc: 27,
  rc: 28,
  sq: 29,
  bq: 30,
  r: 31,
  quotedR: 32,
} as const;
export type StepKind = (typeof STEP)[keyof typeof STEP];

export interface LineStep {
  readonly kind: StepKind;
  readonly write: WriteText;
  /** Constant text behind the variable. */
  readonly after: EncodedText;
  /** The same if it is one byte, as it mostly is; else -1. */
  readonly separator: number;
}

const PLUS = 43;
const DASH = 45;
const QUOTE = 34;
const SPACE = 32;
const ZERO = 48;
/** Longer methods and targets may come to where HAProxy cuts a request line, and are left to its text. */
const PLAIN_LENGTH_MAX = 500;

const NO_SERVER = new EncodedText("<NOSRV>");
const BAD_REQUEST = new EncodedText("<BADREQ>");
const VERSION_1_1 = new EncodedText(" HTTP/1.1");
const VERSION_1_0 = new EncodedText(" HTTP/1.0");

const writeNothing: WriteText = Object.assign(() => "", { step: STEP.nothing });

/** `parts` as `compileFormatParts` gives them: constant texts and variables. */
export function compileSteps(parts: readonly (string | WriteText)[]): readonly LineStep[] {
  const steps: LineStep[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    const next = parts[i + 1];
    if (typeof part === "string") steps.push(stepOf(writeNothing, part));
    else if (typeof next !== "string") steps.push(stepOf(part, ""));
    else {
      steps.push(stepOf(part, next));
      i++;
    }
  }
  return steps;
}

function stepOf(write: WriteText, after: string): LineStep {
  const text = new EncodedText(after);
  return {
    kind: write.step ?? STEP.text,
    write,
    after: text,
    separator: text.length === 1 ? text.bytes[0]! : -1,
  };
}

/** Appends the line of a stream; what does not fit is cut off. */
export function runSteps(steps: readonly LineStep[], stream: Stream, line: LineBuffer): void {
  const { bytes, limit } = line;
  let at = line.length;
  for (let i = 0; i < steps.length && at < limit; i++) {
    const step = steps[i]!;
    const { write } = step;
    // V8 makes a jump table only of literal labels.
    switch (step.kind) {
      // nothing
      case 0:
        break;
      // captures
      case 2: {
        const { requestCaptures, responseCaptures } = stream.frontend.settings;
        if (requestCaptures.length === 0 && responseCaptures.length === 0) break;
        at = putText(write(stream), bytes, at, limit);
        break;
      }
      // ci
      case 3: {
        const { source } = stream.session;
        at = source.family === "unix" ? putText("unix", bytes, at, limit) : putHost(stream, line, at, limit);
        break;
      }
      // cp
      case 4: {
        const { source, bind } = stream.session;
        at = putInteger(source.family === "unix" ? bind.id : source.port, bytes, at);
        break;
      }
      // t
      case 5:
        at = putLogDate(acceptDateMs(stream), line, at);
        break;
      // tr
      case 6:
        at = putLogDate(requestDateMs(stream), line, at);
        break;
      // f
      case 7:
        at = putEncoded(stream.frontend.nameText, line, at, limit);
        break;
      // ft
      case 8:
        at = putEncoded(stream.frontend.nameText, line, at, limit);
        if (stream.session.bind.tls !== null) bytes[at++] = 126;
        break;
      // b
      case 9:
        at = putEncoded((stream.backend ?? stream.frontend).nameText, line, at, limit);
        break;
      // s
      case 10:
        if (stream.server === null && stream.serviceName) at = putText(stream.serviceName, bytes, at, limit);
        else at = putEncoded(stream.server === null ? NO_SERVER : stream.server.nameText, line, at, limit);
        break;
      // TR
      case 11:
        at = putInteger(stream.requestMs, bytes, at);
        break;
      // Tw
      case 12:
        at = putInteger(stream.queueMs, bytes, at);
        break;
      // Tc
      case 13:
        at = putInteger(stream.connectMs, bytes, at);
        break;
      // Tr
      case 14:
        at = putInteger(stream.responseMs, bytes, at);
        break;
      // Ta
      case 15:
        if (stream.frontend.definition.options.logasap) bytes[at++] = PLUS;
        at = putInteger(activeMs(stream), bytes, at);
        break;
      // Tt
      case 16:
        if (stream.frontend.definition.options.logasap) bytes[at++] = PLUS;
        at = putInteger(totalMs(stream), bytes, at);
        break;
      // ST
      case 17:
        at = putInteger(stream.frontend.definition.mode === "http" ? stream.status : 0, bytes, at);
        break;
      // B
      case 18:
        if (stream.frontend.definition.options.logasap) bytes[at++] = PLUS;
        at = putInteger(stream.bytesOut, bytes, at);
        break;
      // U
      case 19:
        at = putInteger(stream.bytesIn, bytes, at);
        break;
      // CC
      case 20:
        if (stream.capturedCookie) at = putText(stream.capturedCookie, bytes, at, limit);
        else bytes[at++] = DASH;
        break;
      // CS
      case 21:
        if (stream.capturedServerCookie) at = putText(stream.capturedServerCookie, bytes, at, limit);
        else bytes[at++] = DASH;
        break;
      // tsc
      case 23:
        bytes[at + 2] = hasCookieFlags(stream) ? stream.cookieRequest.charCodeAt(0) : DASH;
        bytes[at + 3] = hasCookieFlags(stream) ? stream.cookieResponse.charCodeAt(0) : DASH;
        bytes[at] = stream.cause.charCodeAt(0);
        bytes[at + 1] = stream.phase.charCodeAt(0);
        at += 4;
        break;
      // ts
      case 22:
        bytes[at++] = stream.cause.charCodeAt(0);
        bytes[at++] = stream.phase.charCodeAt(0);
        break;
      // ac
      case 24:
        at = putInteger(activeConnections(stream), bytes, at);
        break;
      // fc
      case 25:
        at = putInteger(stream.frontend.state.total(stream.frontend.slot, COUNTER.scur), bytes, at);
        break;
      // bc
      case 26:
        at = putInteger(backendConnections(stream), bytes, at);
        break;
      // sc
      case 27:
        at = putInteger(serverConnections(stream), bytes, at);
        break;
      // rc
      case 28:
        if (stream.isRedispatched) bytes[at++] = PLUS;
        at = putInteger(stream.retries, bytes, at);
        break;
      // sq
      case 29:
        at = putInteger(stream.serverQueuePosition, bytes, at);
        break;
      // bq
      case 30:
        at = putInteger(stream.backendQueuePosition, bytes, at);
        break;
      // r
      case 31: {
        const end = putRequestLine(stream, line, at, limit);
        at = end >= 0 ? end : putText(write(stream), bytes, at, limit);
        break;
      }
      // quotedR
      case 32: {
        bytes[at] = QUOTE;
        const end = putRequestLine(stream, line, at + 1, limit);
        if (end >= 0) {
          bytes[end] = QUOTE;
          at = end + 1;
        } else at = putText(write(stream), bytes, at, limit);
        break;
      }
      default:
        at = putText(write(stream), bytes, at, limit);
    }
    if (step.separator >= 0) bytes[at++] = step.separator;
    else at = putEncoded(step.after, line, at, limit);
  }
  line.length = at < limit ? at : limit;
}

/** The client's address, which is encoded once for a connection. */
function putHost({ session }: Stream, line: LineBuffer, at: number, limit: number): number {
  const { host } = session.source;
  let text = session.sourceText;
  if (text === null || text.of !== host) {
    text = { of: host, encoded: new EncodedText(host) };
    session.sourceText = text;
  }
  return putEncoded(text.encoded, line, at, limit);
}

/** A number without its fraction. */
function putInteger(value: number, bytes: Uint8Array, at: number): number {
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
function putRequestLine(stream: Stream, line: LineBuffer, at: number, limit: number): number {
  const { request, originalMethod, originalTarget } = stream;
  const { bytes } = line;
  if (request === null) return putEncoded(BAD_REQUEST, line, at, limit);
  at = putPlainText(originalMethod ?? request.method, bytes, at, limit);
  if (at < 0) return -1;
  bytes[at++] = SPACE;
  if (originalTarget === null && !request.hasTargetText)
    at = putPlainBytes(request.bytes, request.targetStart, request.targetEnd, bytes, at, limit);
  else at = putPlainText(originalTarget ?? request.target, bytes, at, limit);
  return at < 0 ? -1 : putEncoded(request.versionMinor === 1 ? VERSION_1_1 : VERSION_1_0, line, at, limit);
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
