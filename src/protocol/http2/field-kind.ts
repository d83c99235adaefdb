// What a field of a request is, and whether it may be one at all, in the strict reading of RFC 9113 sections
// 8.1 to 8.3: whatever could be read as another message in HTTP/1 is malformed. Found once for each field
// that a table keeps.
import { isText } from "../http1/bytes.ts";
import { CHARACTER_CLASS, TARGET, TOKEN, UPPER } from "../http1/character-class.ts";
import type { HeaderField } from "./header-field.ts";

/** Numbers, so that a field is told from others by one comparison. */
export const KIND = {
  unknown: 0,
  method: 1,
  scheme: 2,
  authority: 3,
  path: 4,
  /** Those above stand before all others, once each. */
  lastPseudo: 4,
  plain: 5,
  host: 6,
  cookie: 7,
  contentLength: 8,
  /** Kinds of names only: what becomes of them is decided by the value. */
  te: 9,
  /** Of one connection, which a message cannot carry in HTTP/2 (section 8.2.2). */
  connection: 10,
  /** The only things that need no look at their values: there is no right one. */
  malformed: 11,
} as const;

const SPECIAL_NAMES: readonly (readonly [name: string, kind: number])[] = [
  [":method", KIND.method],
  [":scheme", KIND.scheme],
  [":authority", KIND.authority],
  [":path", KIND.path],
  ["host", KIND.host],
  ["cookie", KIND.cookie],
  ["content-length", KIND.contentLength],
  ["te", KIND.te],
  ["connection", KIND.connection],
  ["keep-alive", KIND.connection],
  ["proxy-connection", KIND.connection],
  ["transfer-encoding", KIND.connection],
  ["upgrade", KIND.connection],
];
const CONTENT_LENGTH_DIGITS_MAX = 15;

/** The kind of a field of a request, noted in it. */
export function kindOf(field: HeaderField): number {
  if (field.kind === KIND.unknown) field.kind = findKind(field);
  return field.kind;
}

/** By its name alone, noted in it: for fields that are new but for a name of the table. */
export function nameKindOf(field: HeaderField): number {
  if (field.nameKind === KIND.unknown) field.nameKind = findNameKind(field.bytes, field.start, field.nameEnd);
  return field.nameKind;
}

function findNameKind(bytes: Uint8Array, start: number, end: number): number {
  for (const [name, kind] of SPECIAL_NAMES)
    if (name.length === end - start && isText(bytes, start, name)) return kind;
  if (start === end) return KIND.malformed;
  for (let i = start; i < end; i++)
    if ((CHARACTER_CLASS[bytes[i]!]! & (TOKEN | UPPER)) !== TOKEN) return KIND.malformed;
  return KIND.plain;
}

function findKind(field: HeaderField): number {
  const kind = nameKindOf(field);
  const { bytes, valueStart, valueEnd } = field;
  switch (kind) {
    case KIND.method:
      return isMethod(bytes, valueStart, valueEnd) ? kind : KIND.malformed;
    case KIND.scheme:
      return isScheme(bytes, valueStart, valueEnd) ? kind : KIND.malformed;
    case KIND.authority:
    case KIND.host:
      return isAuthority(bytes, valueStart, valueEnd) ? kind : KIND.malformed;
    case KIND.path:
      return isPath(bytes, valueStart, valueEnd) ? kind : KIND.malformed;
    case KIND.contentLength:
      return isLength(bytes, valueStart, valueEnd) ? kind : KIND.malformed;
    case KIND.te:
      return valueEnd - valueStart === 8 && isText(bytes, valueStart, "trailers")
        ? KIND.plain
        : KIND.malformed;
    case KIND.plain:
    case KIND.cookie:
      return isValue(bytes, valueStart, valueEnd) ? kind : KIND.malformed;
    default:
      return KIND.malformed;
  }
}

/** Section 8.2.1: no control but a tab between, no blank at the ends. */
export function isValue(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end) return true;
  if (bytes[start]! <= 0x20 || bytes[end - 1]! <= 0x20) return false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if ((byte < 0x20 && byte !== 9) || byte === 0x7f) return false;
  }
  return true;
}

function isMethod(bytes: Uint8Array, start: number, end: number): boolean {
  // The connection's preface.
  if (end - start === 3 && isText(bytes, start, "PRI")) return false;
  for (let i = start; i < end; i++) if ((CHARACTER_CLASS[bytes[i]!]! & TOKEN) === 0) return false;
  return start < end;
}

/** A letter, then letters, digits, "+", "-", ".". */
function isScheme(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    const isLetter = ((byte | 0x20) - 97) >>> 0 < 26;
    const isOther = (byte - 48) >>> 0 < 10 || byte === 43 || byte === 45 || byte === 46;
    if (!isLetter && (i === start || !isOther)) return false;
  }
  return start < end;
}

/** Without userinfo (section 8.3.1): of the characters of a target none of "@", "/", "?" and the like. */
function isAuthority(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (IN_AUTHORITY[bytes[i]!] === 0) return false;
  return start < end;
}

/** Visible ASCII behind a "/" and without "#", which begins a fragment; or "*". */
function isPath(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start === 1 && bytes[start] === 42) return true;
  if (bytes[start] !== 47) return false;
  for (let i = start; i < end; i++) if ((CHARACTER_CLASS[bytes[i]!]! & TARGET) === 0) return false;
  return start < end;
}

function isLength(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((bytes[i]! - 48) >>> 0 > 9) return false;
  return start < end && end - start <= CONTENT_LENGTH_DIGITS_MAX;
}

const IN_AUTHORITY: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9\-._~%!$&'()*+,;=:[\]]/.test(String.fromCharCode(byte)) ? 1 : 0,
);
