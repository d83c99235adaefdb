// What an encoder has to know of a field's name: its place in the static table, whether others may remember
// its value, and whether it belongs to one connection and stays out. Found by the key that the parser of
// HTTP/1 makes of each name, without making text of it.
import { isText } from "../http1/bytes.ts";
import { STATIC_FIELDS } from "./header-table.ts";

export interface FieldName {
  readonly text: string;
  readonly key: number;
  /** 0: it is not in the static table. */
  readonly staticIndex: number;
  /** Nobody on the way may index its value (RFC 7541 section 7.1.3). */
  readonly isSecret: boolean;
  /** Says something of one connection (RFC 9113 section 8.2.2). */
  readonly isLeftOut: boolean;
  readonly isContentLength: boolean;
  readonly isTransferEncoding: boolean;
  next: FieldName | null;
}

const SECRET: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "proxy-authenticate",
  "set-cookie",
  "www-authenticate",
]);
const LEFT_OUT: readonly string[] = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
];
const BUCKET_MASK = 0xff;

/** As `MessageHead.keys`: length, first and last byte. */
export function nameKey(bytes: Uint8Array, start: number, end: number): number {
  return ((end - start) << 16) | (bytes[start]! << 8) | bytes[end - 1]!;
}

/** Of bytes[start…], which has that key. One without a text: nothing is known of it. */
export function fieldNameOf(key: number, bytes: Uint8Array, start: number): FieldName {
  let name = BUCKETS[bucketOf(key)]!;
  while (name.key !== key || !isText(bytes, start, name.text)) {
    if (name.next === null) return UNKNOWN;
    name = name.next;
  }
  return name;
}

function bucketOf(key: number): number {
  return (key ^ (key >>> 6) ^ (key >>> 14)) & BUCKET_MASK;
}

function describe(text: string, key: number): FieldName {
  const isTransferEncoding = text === "transfer-encoding";
  return {
    text,
    key,
    staticIndex: STATIC_FIELDS.findIndex(({ name }) => name === text) + 1,
    isSecret: SECRET.has(text),
    isLeftOut: LEFT_OUT.includes(text),
    isContentLength: text === "content-length",
    isTransferEncoding,
    next: null,
  };
}

const UNKNOWN = describe("", 0);

const BUCKETS: readonly FieldName[] = buildBuckets();

function buildBuckets(): FieldName[] {
  const buckets: FieldName[] = Array.from({ length: BUCKET_MASK + 1 }, () => UNKNOWN);
  for (const text of new Set([...STATIC_FIELDS.map(({ name }) => name), ...LEFT_OUT])) {
    const bytes = Buffer.from(text, "latin1");
    const name = describe(text, nameKey(bytes, 0, bytes.length));
    const bucket = bucketOf(name.key);
    if (buckets[bucket] !== UNKNOWN) name.next = buckets[bucket]!;
    buckets[bucket] = name;
  }
  return buckets;
}
