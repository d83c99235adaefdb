// The target of a request: what may be written of it, and "scheme://authority" at the front of a whole URI.
import { Buffer } from "node:buffer";

const STAR = 42;
const SLASH = 47;
const COLON = 58;

/**
 * Its length, 0 where there is none: of `text`, or of the target in bytes[start, end) while it is no text.
 */
export function originLength(text: string | null, bytes: Uint8Array, start: number, end: number): number {
  if (text !== null) return /^[^/*]+:\/\/[^/]+/.exec(text)?.[0].length ?? 0;
  let pos = start;
  while (pos < end && bytes[pos] !== SLASH && bytes[pos] !== STAR) pos++;
  if (pos - start < 2 || bytes[pos - 1] !== COLON || bytes[pos + 1] !== SLASH) return 0;
  pos += 2;
  const authorityStart = pos;
  while (pos < end && bytes[pos] !== SLASH) pos++;
  return pos === authorityStart ? 0 : pos - start;
}

/** Bytes that no target may hold are percent-encoded. "" becomes "/". */
export function sanitizeTarget(target: string): string {
  if (target === "") return "/";
  if (/^[\x21-\x7e]+$/.test(target)) return target;
  const latin1 = /^[\0-\xff]*$/.test(target) ? target : Buffer.from(target, "utf8").toString("latin1");
  return latin1.replace(
    /[^\x21-\x7e]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
