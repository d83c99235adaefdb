// Messages of the DNS (RFC 1035, section 4; AAAA: RFC 3596; SRV: RFC 2782; EDNS0: RFC 6891): questions of
// ours to bytes, answers of others to plain data. Whether a message is an answer to a question is not known
// here.
import { formatIpAddress } from "../../base/address.ts";
import { decodeName, encodeName, type NameInMessage } from "./name.ts";

export const RECORD_TYPE = { A: 1, CNAME: 5, AAAA: 28, SRV: 33, OPT: 41 } as const;
export type QuestionType = "A" | "AAAA" | "SRV";

/** RFC 1035, 4.1.1. */
export const RESPONSE_CODE = { none: 0, noSuchName: 3, refused: 5 } as const;

const CLASS_IN = 1;
const HEADER_BYTES = 12;
const FLAG = { response: 0x8000, truncated: 0x0200, recursionDesired: 0x0100 } as const;
const OPCODE_MASK = 0x7800;

export interface Question {
  /** In lower case, without a dot at the end. */
  readonly name: string;
  /** Null: one that we do not ask for. */
  readonly type: QuestionType | null;
}

export type DnsRecord =
  | {
      readonly kind: "address";
      readonly name: string;
      readonly family: 4 | 6;
      /** "192.0.2.1" or "2001:db8::1". */
      readonly address: string;
    }
  | { readonly kind: "alias"; readonly name: string; readonly target: string }
  | {
      readonly kind: "service";
      readonly name: string;
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    };

export interface DnsMessage {
  readonly id: number;
  readonly isResponse: boolean;
  /** Something is missing that did not fit. */
  readonly isTruncated: boolean;
  readonly code: number;
  /** Null: none, or more than one. */
  readonly question: Question | null;
  /** Records of other types and classes are left out. */
  readonly answers: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

/**
 * A question that asks for recursion. `payloadBytes`: the largest answer over UDP that we take. Null when no
 * message can have such a name.
 */
export function encodeQuestion(
  id: number,
  name: string,
  type: QuestionType,
  payloadBytes: number,
): Uint8Array | null {
  const encoded = encodeName(name);
  if (encoded === null || encoded.length === 1) return null;
  const bytes = new Uint8Array(HEADER_BYTES + encoded.length + 4 + 11);
  write16(bytes, 0, id);
  write16(bytes, 2, FLAG.recursionDesired);
  write16(bytes, 4, 1);
  write16(bytes, 10, 1);
  bytes.set(encoded, HEADER_BYTES);
  let at = HEADER_BYTES + encoded.length;
  write16(bytes, at, RECORD_TYPE[type]);
  write16(bytes, at + 2, CLASS_IN);
  // The OPT record: no name, the size where a class would be, neither flags nor options.
  at += 4;
  write16(bytes, at + 1, RECORD_TYPE.OPT);
  write16(bytes, at + 3, payloadBytes);
  return bytes;
}

/** Null when it is no message. Bytes behind its end are left alone. */
export function decodeMessage(bytes: Uint8Array): DnsMessage | null {
  if (bytes.length < HEADER_BYTES) return null;
  const flags = read16(bytes, 2);
  if ((flags & OPCODE_MASK) !== 0) return null;
  const questions = decodeQuestions(bytes, read16(bytes, 4));
  if (questions === null) return null;
  const isTruncated = (flags & FLAG.truncated) !== 0;
  const names: KnownNames = new Map();
  const decode = (start: number | undefined, countAt: number): Records | null =>
    start === undefined ? null : decodeRecords(bytes, start, read16(bytes, countAt), names);
  const answers = decode(questions.end, 6);
  const authorities = decode(answers?.end, 8);
  const additional = decode(authorities?.end, 10);
  // A message that says so itself may end anywhere.
  if (additional === null && !isTruncated) return null;
  return {
    id: read16(bytes, 0),
    isResponse: (flags & FLAG.response) !== 0,
    isTruncated,
    code: flags & 0x000f,
    question: questions.only,
    answers: answers?.records ?? [],
    additional: additional?.records ?? [],
  };
}

function decodeQuestions(bytes: Uint8Array, count: number): { only: Question | null; end: number } | null {
  let only: Question | null = null;
  let at = HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    const name = decodeName(bytes, at);
    if (name === null || name.end + 4 > bytes.length) return null;
    const [type, recordClass] = [read16(bytes, name.end), read16(bytes, name.end + 2)];
    only = { name: name.name, type: recordClass === CLASS_IN ? questionTypeOf(type) : null };
    at = name.end + 4;
  }
  return { only: count === 1 ? only : null, end: at };
}

function questionTypeOf(type: number): QuestionType | null {
  if (type === RECORD_TYPE.A) return "A";
  if (type === RECORD_TYPE.AAAA) return "AAAA";
  return type === RECORD_TYPE.SRV ? "SRV" : null;
}

interface Records {
  readonly records: readonly DnsRecord[];
  readonly end: number;
}

function decodeRecords(bytes: Uint8Array, start: number, count: number, names: KnownNames): Records | null {
  const records: DnsRecord[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const name = decodeOwner(bytes, at, names);
    if (name === null || name.end + 10 > bytes.length) return null;
    const dataAt = name.end + 10;
    const end = dataAt + read16(bytes, name.end + 8);
    if (end > bytes.length) return null;
    if (read16(bytes, name.end + 2) === CLASS_IN) {
      const record = decodeData(bytes, name.name, read16(bytes, name.end), dataAt, end);
      if (record === "malformed") return null;
      if (record !== null) records.push(record);
    }
    at = end;
  }
  return { records, end: at };
}

/** Names that records lead to by the same pointer, by its two bytes. */
type KnownNames = Map<number, string>;

/** Nearly all records of an answer have one name, and to read it anew for each would be most of the work. */
function decodeOwner(bytes: Uint8Array, at: number, names: KnownNames): NameInMessage | null {
  if (at + 1 >= bytes.length || bytes[at]! < 0xc0) return decodeName(bytes, at);
  const pointer = read16(bytes, at);
  const known = names.get(pointer);
  if (known !== undefined) return { name: known, end: at + 2 };
  const decoded = decodeName(bytes, at);
  if (decoded !== null) names.set(pointer, decoded.name);
  return decoded;
}

/** Null: of a type that nobody here asks for. */
function decodeData(
  bytes: Uint8Array,
  name: string,
  type: number,
  start: number,
  end: number,
): DnsRecord | null | "malformed" {
  switch (type) {
    case RECORD_TYPE.A:
    case RECORD_TYPE.AAAA: {
      const family = type === RECORD_TYPE.A ? 4 : 6;
      if (end - start !== (family === 4 ? 4 : 16)) return "malformed";
      const address = formatIpAddress({ kind: "ip", family, bytes: bytes.slice(start, end) });
      return { kind: "address", name, family, address };
    }
    case RECORD_TYPE.CNAME: {
      const target = decodeName(bytes, start);
      return target?.end === end ? { kind: "alias", name, target: target.name } : "malformed";
    }
    case RECORD_TYPE.SRV: {
      const target = end - start < 7 ? null : decodeName(bytes, start + 6);
      if (target?.end !== end) return "malformed";
      const [priority, weight, port] = [0, 2, 4].map((offset) => read16(bytes, start + offset)) as Numbers;
      return { kind: "service", name, priority, weight, port, target: target.name };
    }
    default:
      return null;
  }
}

type Numbers = [number, number, number];

function read16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value & 0xff;
}
