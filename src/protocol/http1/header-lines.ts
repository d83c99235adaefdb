// The header lines of an HTTP/1 head, common to requests and responses: one pass over the bytes, names folded
// to lower case in place, and the headers that decide about framing and connection noted on the way.
//
// Folded lines (obs-fold) are joined by turning their line ends into spaces in place, and bare LF ends a
// line: both as HAProxy reads them (RFC 9112 sections 5.2 and 2.2 allow either); neither is ever forwarded.
// NUL is refused.
import { ascii, equalsIgnoreCase, foldedWord, packed, readLatin1, word } from "./bytes.ts";
import { CHARACTER_CLASS, TOKEN, UPPER, VALUE } from "./character-class.ts";
import { FRAMING_CHUNKED, type MessageHead, REFORMAT } from "./message-head.ts";
import { INCOMPLETE, MALFORMED } from "./start-line.ts";

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const COMMA = 44;
const COLON = 58;

const CONTINUE = ascii("100-continue");

// Names are compared four bytes at a time, the last of them overlapping: half the cost of a loop.
const CHUN = packed("chun");
const CLOS = packed("clos");
const CONN = packed("conn");
const CONT = packed("cont");
const COOK = packed("cook");
const DING = packed("ding");
const ECTI = packed("ecti");
const ENT_ = packed("ent-");
const EXPE = packed("expe");
const HOST = packed("host");
const KEEP = packed("keep");
const LENG = packed("leng");
const LIVE = packed("live");
const LOSE = packed("lose");
const NGTH = packed("ngth");
const NKED = packed("nked");
const ODIN = packed("odin");
const OKIE = packed("okie");
const PECT = packed("pect");
const RADE = packed("rade");
const SFER = packed("sfer");
const TION = packed("tion");
const TRAN = packed("tran");
const UPGR = packed("upgr");
const _ALI = packed("-ali");
const _ENC = packed("-enc");

/** Lengths of the names that `noteHeader` knows, as bits. */
const NOTED_LENGTHS = (1 << 2) | (1 << 4) | (1 << 6) | (1 << 7) | (1 << 10) | (1 << 14) | (1 << 17);

/**
 * Reads header lines from `pos` on. Returns the position behind the empty line, INCOMPLETE or MALFORMED. When
 * more is needed, `head.resumeAt` is the start of the first line that is not complete.
 */
export function parseHeaderLines(
  head: MessageHead,
  bytes: Uint8Array,
  pos: number,
  end: number,
  headerCountMax: number,
): number {
  let { offsets, keys, flags } = head;
  let count = head.receivedCount;
  let isVerbatim = head.isVerbatim;
  let nameStart = pos;
  for (;;) {
    nameStart = pos;
    if (pos >= end) break;
    let byte = bytes[pos]!;
    if (byte === CR || byte === LF) {
      if (byte === CR) {
        if (pos + 1 >= end) break;
        if (bytes[pos + 1] !== LF) return MALFORMED;
        pos++;
      }
      head.receivedCount = head.headerCount = count;
      head.isVerbatim = isVerbatim;
      head.headersEnd = nameStart;
      return pos + 1;
    }
    // Name.
    pos = scanName(bytes, pos, end);
    if (pos >= end) break;
    byte = bytes[pos]!;
    if (byte !== COLON || pos === nameStart) return MALFORMED;
    const nameEnd = pos++;
    // Value: without blanks at either end.
    let valueStart = pos;
    let valueEnd = pos;
    let isOurForm = true;
    for (;;) {
      pos = scanValue(bytes, pos, end);
      if (pos >= end) break;
      byte = bytes[pos]!;
      valueEnd = pos;
      if (byte === CR) {
        if (++pos >= end) break;
        byte = bytes[pos]!;
      } else isOurForm = false;
      if (byte !== LF) return MALFORMED;
      if (++pos >= end) break;
      // A line that begins with a blank continues this one.
      byte = bytes[pos]!;
      if (byte !== SPACE && byte !== TAB) break;
      for (let i = valueEnd; i < pos; i++) bytes[i] = SPACE;
      isOurForm = true;
    }
    if (pos >= end) break;
    if (bytes[valueStart] === SPACE && valueStart < valueEnd) valueStart++;
    else isOurForm = false;
    if (isBlank(bytes[valueStart]!)) {
      while (valueStart < valueEnd && isBlank(bytes[valueStart]!)) valueStart++;
      isOurForm = false;
    }
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1]!)) {
      valueEnd--;
      isOurForm = false;
    }
    // Note it.
    if (count >= headerCountMax) return MALFORMED;
    if (count >= flags.length) {
      head.receivedCount = count;
      head.grow();
      ({ offsets, keys, flags } = head);
    }
    const at = count * 4;
    offsets[at] = nameStart;
    offsets[at + 1] = nameEnd;
    offsets[at + 2] = valueStart;
    offsets[at + 3] = valueEnd;
    const length = nameEnd - nameStart;
    keys[count] = (length << 16) | (bytes[nameStart]! << 8) | bytes[nameEnd - 1]!;
    if (isOurForm) flags[count] = 0;
    else {
      flags[count] = REFORMAT;
      isVerbatim = false;
    }
    count++;
    if (length <= 17 && ((NOTED_LENGTHS >> length) & 1) !== 0) {
      head.receivedCount = count;
      head.isVerbatim = isVerbatim;
      if (!noteHeader(head, bytes, count - 1, length, nameStart, valueStart, valueEnd)) return MALFORMED;
      isVerbatim = head.isVerbatim;
    }
  }
  head.receivedCount = head.headerCount = count;
  head.isVerbatim = isVerbatim;
  head.resumeAt = nameStart;
  head.scannedTo = end;
  return INCOMPLETE;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/**
 * Folds A-Z to lower case on the way. Its own function, like scanValue: V8 keeps small loops in registers.
 */
function scanName(bytes: Uint8Array, pos: number, end: number): number {
  const table = CHARACTER_CLASS;
  for (;;) {
    while (pos < end && (bytes[pos]! - 97) >>> 0 < 26) pos++;
    if (pos >= end) return pos;
    const byte = bytes[pos]!;
    const bits = table[byte]!;
    if ((bits & TOKEN) === 0) return pos;
    if ((bits & UPPER) !== 0) bytes[pos] = byte | 32;
    pos++;
  }
}

/** The position of the first byte that cannot stand in a value, `end` if there is none. */
function scanValue(bytes: Uint8Array, pos: number, end: number): number {
  const table = CHARACTER_CLASS;
  while (pos < end) {
    const byte = bytes[pos]!;
    if (byte < 32 && (table[byte]! & VALUE) === 0) return pos;
    pos++;
  }
  return pos;
}

/**
 * Notes a line that is known to be well formed and in our own form, behind those before it, for who writes
 * heads. False: with them it is malformed.
 */
export function noteLine(
  head: MessageHead,
  bytes: Uint8Array,
  nameStart: number,
  nameEnd: number,
  valueStart: number,
  valueEnd: number,
): boolean {
  const i = head.receivedCount++;
  if (i >= head.flags.length) head.grow();
  const { offsets } = head;
  offsets[i * 4] = nameStart;
  offsets[i * 4 + 1] = nameEnd;
  offsets[i * 4 + 2] = valueStart;
  offsets[i * 4 + 3] = valueEnd;
  const length = nameEnd - nameStart;
  head.keys[i] = (length << 16) | (bytes[nameStart]! << 8) | bytes[nameEnd - 1]!;
  head.flags[i] = 0;
  if (length > 17 || ((NOTED_LENGTHS >> length) & 1) === 0) return true;
  return noteHeader(head, bytes, i, length, nameStart, valueStart, valueEnd);
}

/** Looks at headers that matter for framing, connection and routing. False: the message is malformed. */
function noteHeader(
  head: MessageHead,
  bytes: Uint8Array,
  i: number,
  length: number,
  nameStart: number,
  valueStart: number,
  valueEnd: number,
): boolean {
  switch (length) {
    case 2:
      if (!head.isResponse && bytes[nameStart] === 116 && bytes[nameStart + 1] === 101) noteTe(head, i);
      return true;
    case 4:
      if (word(bytes, nameStart) === HOST && !head.isResponse)
        return noteHost(head, bytes, i, valueStart, valueEnd);
      return true;
    case 6:
      if (head.cookieIndex < 0 && word(bytes, nameStart) === COOK && word(bytes, nameStart + 2) === OKIE)
        head.cookieIndex = i;
      else if (
        word(bytes, nameStart) === EXPE &&
        word(bytes, nameStart + 2) === PECT &&
        equalsIgnoreCase(bytes, valueStart, valueEnd, CONTINUE)
      ) {
        head.expectContinue = true;
      }
      return true;
    case 7:
      if (head.upgradeIndex < 0 && word(bytes, nameStart) === UPGR && word(bytes, nameStart + 3) === RADE)
        head.upgradeIndex = i;
      return true;
    case 10:
      if (
        word(bytes, nameStart) === CONN &&
        word(bytes, nameStart + 4) === ECTI &&
        word(bytes, nameStart + 6) === TION
      )
        noteConnection(head, bytes, i, valueStart, valueEnd);
      return true;
    case 14:
      if (
        !(
          word(bytes, nameStart) === CONT &&
          word(bytes, nameStart + 4) === ENT_ &&
          word(bytes, nameStart + 8) === LENG &&
          word(bytes, nameStart + 10) === NGTH
        )
      )
        return true;
      return noteContentLength(head, bytes, i, valueStart, valueEnd);
    case 17:
      if (
        !(
          word(bytes, nameStart) === TRAN &&
          word(bytes, nameStart + 4) === SFER &&
          word(bytes, nameStart + 8) === _ENC &&
          word(bytes, nameStart + 12) === ODIN &&
          word(bytes, nameStart + 13) === DING
        )
      )
        return true;
      return noteTransferEncoding(head, bytes, i, valueStart, valueEnd);
    default:
      return true;
  }
}

/** Repeated equal Host headers are merged, different ones refused. */
function noteHost(head: MessageHead, bytes: Uint8Array, i: number, start: number, end: number): boolean {
  if (head.hostIndex < 0) {
    head.hostIndex = i;
    return true;
  }
  if (head.valueAt(head.hostIndex).toLowerCase() !== readLatin1(bytes, start, end).toLowerCase())
    return false;
  head.removeAt(i);
  return true;
}

/**
 * Digits, or a list of equal numbers, as RFC 9112 section 6.3 allows; repetitions are removed. Numbers of
 * 2^53 and above are refused, and leading zeros are not forwarded: some servers read them as octal.
 */
function noteContentLength(
  head: MessageHead,
  bytes: Uint8Array,
  i: number,
  start: number,
  end: number,
): boolean {
  // Nine digits stay within the integers that V8 keeps unboxed.
  const fastEnd = Math.min(end, start + 9);
  let value = 0;
  let pos = start;
  for (; pos < fastEnd; pos++) {
    const digit = bytes[pos]! - 48;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  if (pos === start) return false;
  if (pos === fastEnd && pos < end) {
    for (; pos < end && bytes[pos]! >= 48 && bytes[pos]! <= 57; pos++);
    value = Number(readLatin1(bytes, start, pos));
    if (value > Number.MAX_SAFE_INTEGER) return false;
  }
  if (head.contentLength >= 0 && head.contentLength !== value) return false;
  if (pos < end) {
    const elements = readLatin1(bytes, start, end).split(",");
    for (const element of elements) {
      const digits = /^[ \t]*(\d+)[ \t]*$/.exec(element);
      if (digits === null || Number(digits[1]) !== value) return false;
    }
  }
  if (head.contentLength >= 0) head.removeAt(i);
  else {
    head.contentLength = value;
    head.contentLengthIndex = i;
    if (pos < end || (bytes[start] === 48 && pos - start > 1)) head.setValueAt(i, String(value));
  }
  return true;
}

/**
 * Only "chunked", once, in all Transfer-Encoding headers together. "gzip, chunked" is well formed but not
 * supported: `hasOtherTransferCoding`. Empty list elements are refused, because not everybody behind us reads
 * past them.
 */
function noteTransferEncoding(
  head: MessageHead,
  bytes: Uint8Array,
  i: number,
  start: number,
  end: number,
): boolean {
  if (head.framing === FRAMING_CHUNKED) return false;
  if (end - start === 7 && foldedWord(bytes, start) === CHUN && foldedWord(bytes, start + 3) === NKED) {
    // Written in lower case: the coding's name is case-insensitive for us, but not for every server.
    for (let k = start; k < end; k++) bytes[k]! |= 32;
    head.transferEncodingIndex = i;
    head.framing = FRAMING_CHUNKED;
    return true;
  }
  const codings = readLatin1(bytes, start, end).toLowerCase().split(",");
  const isChunkedLast = trimBlanks(codings.at(-1)!) === "chunked";
  if (codings.slice(0, -1).some((coding) => trimBlanks(coding) === "chunked")) return false;
  head.hasOtherTransferCoding = true;
  head.transferEncodingIndex = i;
  if (isChunkedLast) head.framing = FRAMING_CHUNKED;
  return true;
}

/**
 * TE concerns this connection only; what servers are told is whether trailers are understood. HAProxy takes
 * the value from "trailers" on and drops the header when something other than a comma follows, or "trailers"
 * is missing.
 */
function noteTe(head: MessageHead, i: number): void {
  const value = head.valueAt(i);
  const at = value.indexOf("trailers");
  const next = value[at + 8];
  if (at < 0 || (next !== undefined && next !== ",")) head.removeAt(i);
  else if (value !== "trailers") head.setValueAt(i, "trailers");
}

/**
 * Notes "close", "keep-alive" and "upgrade". The first two concern this connection only and are taken out, as
 * HAProxy does; a header that says nothing else is removed.
 */
function noteConnection(head: MessageHead, bytes: Uint8Array, i: number, start: number, end: number): void {
  if (
    end - start === 10 &&
    foldedWord(bytes, start) === KEEP &&
    foldedWord(bytes, start + 4) === _ALI &&
    foldedWord(bytes, start + 6) === LIVE
  ) {
    head.connectionKeepAlive = true;
    head.removeAt(i);
  } else if (
    end - start === 5 &&
    foldedWord(bytes, start) === CLOS &&
    foldedWord(bytes, start + 1) === LOSE
  ) {
    head.connectionClose = true;
    head.removeAt(i);
  } else if (end - start === 7 && foldedWord(bytes, start) === UPGR && foldedWord(bytes, start + 3) === RADE)
    head.connectionUpgrade = true;
  else noteConnectionList(head, i, readLatin1(bytes, start, end));
}

function noteConnectionList(head: MessageHead, i: number, value: string): void {
  const kept: string[] = [];
  let hasRemoved = false;
  for (const element of splitList(value)) {
    const trimmed = trimBlanks(element);
    const token = trimmed.toLowerCase();
    if (token === "close") head.connectionClose = true;
    else if (token === "keep-alive") head.connectionKeepAlive = true;
    else {
      if (token === "upgrade") head.connectionUpgrade = true;
      if (token !== "") kept.push(trimmed);
      continue;
    }
    hasRemoved = true;
  }
  if (kept.length === 0) head.removeAt(i);
  else if (hasRemoved) head.setValueAt(i, kept.join(","));
}

/** String.trim takes away more than HTTP's blanks. */
function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}

/** Splits at commas outside of quoted strings. */
function splitList(value: string): string[] {
  const elements: string[] = [];
  let from = 0;
  let isQuoted = false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === 34) isQuoted = !isQuoted;
    else if (code === 92 && isQuoted) i++;
    else if (code === COMMA && !isQuoted) {
      elements.push(value.slice(from, i));
      from = i + 1;
    }
  }
  elements.push(value.slice(from));
  return elements;
}

/** True when an Upgrade header names WebSocket. */
export function namesWebSocket(upgrade: string): boolean {
  return splitList(upgrade).some((protocol) => trimBlanks(protocol).toLowerCase() === "websocket");
}
