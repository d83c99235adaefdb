// Datagrams between members, signed with the cluster's key where the file names one: HMAC-SHA256 in a line
// before the text, so that tcpdump -A still shows it.
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";

/** Of the file of a key, in bytes. */
const KEY_BYTES_MIN = 16;
const SIGNED = /^([0-9a-f]{64})\n/;

export interface Opened {
  readonly text: string;
  /** Signed with our key; without a key, not signed at all. */
  readonly isTrusted: boolean;
}

/** Null without a key file; a complaint when it cannot be used. */
export function readKey(path: string | null): { readonly key: Buffer | null } | string {
  if (path === null) return { key: null };
  try {
    const key = Buffer.from(readFileSync(path, "utf8").trim());
    if (key.length < KEY_BYTES_MIN)
      return `the key in ${path} is too short: take ${KEY_BYTES_MIN} bytes or more, as of openssl rand -hex 32`;
    return { key };
  } catch (error) {
    return `the cluster's key cannot be read: ${(error as Error).message}`;
  }
}

export function seal(text: string, key: Buffer | null): string {
  return key === null ? text : `${signatureOf(text, key).toString("hex")}\n${text}`;
}

export function unseal(datagram: string, key: Buffer | null): Opened {
  const [head = "", signature] = SIGNED.exec(datagram) ?? [];
  const text = datagram.slice(head.length);
  if (key === null || signature === undefined)
    return { text, isTrusted: key === null && signature === undefined };
  return { text, isTrusted: timingSafeEqual(Buffer.from(signature, "hex"), signatureOf(text, key)) };
}

function signatureOf(text: string, key: Buffer): Buffer {
  return createHmac("sha256", key).update("sallyport cluster 1\0").update(text).digest();
}
