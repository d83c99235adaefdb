// Makes header blocks of HTTP/1.1 response heads and trailers: the status as ":status", and nothing that
// speaks of one connection (RFC 9113 section 8.2.2).
import type { MessageHead } from "../http1/message-head.ts";
import { HpackEncoder } from "./hpack-encoder.ts";

const LEFT_OUT: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/** Names and values in turn. */
export function responseFieldsOf(head: MessageHead): string[] {
  const fields = [":status", String(head.status)];
  for (let i = 0; i < head.headerCount; i++) {
    if (head.isRemovedAt(i)) continue;
    const name = head.nameAt(i);
    if (!LEFT_OUT.has(name)) fields.push(name, head.valueAt(i));
  }
  return fields;
}

/** `lines`: well-formed trailer lines of HTTP/1.1, each with its CRLF. */
export function trailerFieldsOf(lines: string): string[] {
  const fields: string[] = [];
  for (const line of lines.split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    if (name !== "" && !LEFT_OUT.has(name)) fields.push(name, line.slice(colon + 1).trim());
  }
  return fields;
}

export function encodeBlock(encoder: HpackEncoder, fields: readonly string[]): Uint8Array {
  let lengthMax = HpackEncoder.blockStartLengthMax;
  for (let i = 0; i < fields.length; i += 2)
    lengthMax += HpackEncoder.fieldLengthMax(fields[i]!, fields[i + 1]!);
  const block = new Uint8Array(lengthMax);
  let at = encoder.beginBlock(block, 0);
  for (let i = 0; i < fields.length; i += 2) at = encoder.encodeField(fields[i]!, fields[i + 1]!, block, at);
  return block.subarray(0, at);
}
