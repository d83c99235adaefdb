// A kept object as a reply: with its age, and as 304 where the client has it already (RFC 9110 section 13,
// as far as HAProxy 2.6 goes: If-None-Match, else If-Modified-Since).
import { CHUNK_HEAD_BYTES_MAX, CHUNK_TAIL, LAST_CHUNK, writeChunkHead } from "../../protocol/http1/body.ts";
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import type { Reply } from "../exchange/replies.ts";
import { parseHttpDate } from "./freshness.ts";
import type { CachedObject } from "./shared-cache.ts";

/** The body is without chunks. */
export function cachedReply(request: MessageHead, object: CachedObject, nowSeconds: number): Reply {
  const stored = Buffer.from(object.head).toString("latin1");
  const age = Math.max(0, nowSeconds - object.bornSeconds);
  const head = `${stored}age: ${age}\r\n\r\n`;
  if (!isUnchanged(request, stored, object.bornSeconds))
    return { status: 200, head, body: object.body, isCached: true };
  return {
    status: 304,
    // There is no body that could come in chunks.
    head: head
      .replace(/^(HTTP\/1\.\d) .*/, "$1 304 Not Modified")
      .replace(/\r\ntransfer-encoding:[^\r]*/i, ""),
    body: EMPTY,
    isCached: true,
  };
}

const EMPTY = new Uint8Array(0);

function isUnchanged(request: MessageHead, stored: string, bornSeconds: number): boolean {
  const tags = request.firstValue("if-none-match");
  if (tags !== null) return hasTag(request, tagIn(stored));
  const since = parseHttpDate(request.firstValue("if-modified-since") ?? "");
  if (since === null) return false;
  const modified = dateIn(stored, "last-modified") ?? dateIn(stored, "date") ?? bornSeconds;
  return modified <= since;
}

/** Weak comparison (RFC 9110 section 8.8.3.2): "W/" does not count. */
function hasTag(request: MessageHead, tag: string | null): boolean {
  const asked = valuesOf(request, "if-none-match").flatMap(
    (value) => value.match(/\*|(?:W\/)?"[^"]*"/g) ?? [],
  );
  return asked.some((one) => one === "*" || (tag !== null && one.replace(/^W\//, "") === tag));
}

function valuesOf(head: MessageHead, name: string): string[] {
  const values: string[] = [];
  for (let i = head.indexOf(name); i >= 0; i = head.indexOf(name, i + 1)) values.push(head.valueAt(i));
  return values;
}

function tagIn(stored: string): string | null {
  return headerIn(stored, "etag")?.replace(/^W\//, "") ?? null;
}

function dateIn(stored: string, name: string): number | null {
  const value = headerIn(stored, name);
  return value === null ? null : parseHttpDate(value);
}

function headerIn(stored: string, name: string): string | null {
  return new RegExp(`\\r\\n${name}: *([^\\r]*)`, "i").exec(stored)?.[1]?.trim() ?? null;
}

/** A whole body as one chunk. */
export function asChunks(body: Uint8Array): Uint8Array {
  if (body.length === 0) return LAST_CHUNK;
  const head = Buffer.alloc(CHUNK_HEAD_BYTES_MAX);
  const length = writeChunkHead(body.length, head, 0);
  return Buffer.concat([head.subarray(0, length), body, CHUNK_TAIL, LAST_CHUNK]);
}
