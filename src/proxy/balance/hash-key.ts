// What the hashing algorithms hash: for each of `source`, `uri`, `url_param`, `hdr`, `rdp-cookie` and `hash
// EXPR` a function from a stream to an unsigned 32-bit hash, or NO_KEY when the stream has no such thing and
// takes its turn by round robin instead. Which bytes count is as in HAProxy 2.6.

import { parseIpAddress } from "../../base/address.ts";
import type { BalanceDefinition, HashType } from "../../model/proxy.ts";
import { readRdpCookie } from "../../protocol/rdp/rdp-cookie.ts";
import type { SampleValue } from "../rules/sample-value.ts";
import type { Stream } from "../stream.ts";
import { avalanche, HASH_FUNCTIONS } from "./hash.ts";

/** No hash has this value: they are all 0 or above. */
export const NO_KEY = -1;

export type KeyHash = (stream: Stream) => number;
type RangeHash = (key: string, start: number, end: number) => number;
type Keyed<A extends BalanceDefinition["algorithm"]> = Extract<BalanceDefinition, { algorithm: A }>;

/** The algorithms that hash. */
export type HashingDefinition =
  | { readonly algorithm: "source" }
  | Keyed<"uri">
  | Keyed<"url_param">
  | Keyed<"hdr">
  | Keyed<"rdp-cookie">
  | Keyed<"hash">;

/** `evaluateKey` is the compiled sample of `hash EXPR`; null for the others. */
export function createKeyHash(
  definition: HashingDefinition,
  hashType: HashType,
  evaluateKey: ((stream: Stream) => SampleValue | null) | null,
): KeyHash {
  const plain = HASH_FUNCTIONS[hashType.function];
  const hash: RangeHash = hashType.avalanche ? (key, start, end) => avalanche(plain(key, start, end)) : plain;
  switch (definition.algorithm) {
    case "source":
      return (stream) => hashSource(stream.session.source.host, hashType.avalanche);
    case "uri":
      return (stream) => hashUri(stream, definition, hash);
    case "url_param":
      return (stream) => hashUrlParameter(stream, definition.name, hash);
    case "hdr": {
      const name = definition.name.toLowerCase();
      return (stream) => hashHeader(stream, name, definition.useDomainOnly, hash);
    }
    case "rdp-cookie":
      return (stream) => hashRdpCookie(stream.content, definition.name, hash);
    case "hash":
      return (stream) => {
        const value = evaluateKey === null ? null : evaluateKey(stream);
        if (value === null) return NO_KEY;
        const bytes = sampleBytes(value);
        return hash(bytes, 0, bytes.length);
      };
  }
}

/** The 32-bit words of the address, XORed; the hash function is not applied. A unix socket has no key. */
export function hashSource(host: string, withAvalanche: boolean): number {
  let word = readIpv4(host);
  if (word === NO_KEY) {
    const address = parseIpAddress(host);
    if (address === null) return NO_KEY;
    const { bytes } = address;
    word = 0;
    for (let i = 0; i + 4 <= bytes.length; i += 4) {
      word ^= (bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!;
    }
    word >>>= 0;
  }
  return withAvalanche ? avalanche(word) : word;
}

/** Without making an array of it: this runs for every request of a `balance source` backend. */
function readIpv4(host: string): number {
  let word = 0;
  let part = 0;
  for (let i = 0; i < host.length; i++) {
    const code = host.charCodeAt(i);
    if (code === 0x2e) {
      word = (word << 8) | part;
      part = 0;
    } else if (code >= 0x30 && code <= 0x39) part = part * 10 + code - 0x30;
    else return NO_KEY;
  }
  return host === "" ? NO_KEY : ((word << 8) | part) >>> 0;
}

function hashUri(stream: Stream, definition: Keyed<"uri">, hash: RangeHash): number {
  const { request } = stream;
  if (request === null) return NO_KEY;
  const uri = request.target;
  const start = definition.pathOnly ? pathStart(uri) : 0;
  return hash(uri, start, uriEnd(uri, start, definition));
}

/**
 * Where the hashed part of a URI ends: at the question mark unless `whole`, after `len` bytes, before slash
 * `depth` + 1.
 */
function uriEnd(uri: string, start: number, definition: Keyed<"uri">): number {
  const limit = definition.length === null ? uri.length : Math.min(uri.length, start + definition.length);
  let slashesLeft = definition.depth === null ? -1 : definition.depth + 1;
  for (let i = start; i < limit; i++) {
    const code = uri.charCodeAt(i);
    if (code === 0x2f) {
      if (--slashesLeft === 0) return i;
    } else if (code === 0x3f && !definition.whole) return i;
  }
  return limit;
}

/** Where the path of an absolute-form target starts; "*" and authority-form have none. */
function pathStart(uri: string): number {
  if (uri.charCodeAt(0) === 0x2f) return 0;
  const scheme = uri.indexOf("://");
  if (scheme < 0) return uri.length;
  const slash = uri.indexOf("/", scheme + 3);
  return slash < 0 ? uri.length : slash;
}

function hashUrlParameter(stream: Stream, name: string, hash: RangeHash): number {
  const { request } = stream;
  if (request === null) return NO_KEY;
  const uri = request.target;
  const query = uri.indexOf("?");
  if (query >= 0) {
    const fromQuery = hashParameter(uri, query + 1, name, hash, false);
    if (fromQuery !== NO_KEY) return fromQuery;
  }
  if (request.method !== "POST" || stream.body === null) return NO_KEY;
  return hashParameter(latin1(stream.body, 0, stream.body.length), 0, name, hash, true);
}

/**
 * Hashes the value of the first `name=`. In a body, a value that starts with something no token has is no
 * parameter.
 */
function hashParameter(text: string, start: number, name: string, hash: RangeHash, isBody: boolean): number {
  for (let at = start; at >= 0 && at < text.length - name.length; ) {
    if (text.startsWith(name, at) && text.charCodeAt(at + name.length) === 0x3d) {
      const valueStart = at + name.length + 1;
      const ampersand = text.indexOf("&", valueStart);
      const valueEnd = ampersand < 0 ? text.length : ampersand;
      if (isBody && valueEnd > valueStart && !isToken(text.charCodeAt(valueStart))) {
        return isLinearSpace(text.charCodeAt(valueStart)) ? hash(text, valueStart, valueStart) : NO_KEY;
      }
      return hash(text, valueStart, valueEnd);
    }
    const ampersand = text.indexOf("&", at);
    at = ampersand < 0 ? -1 : ampersand + 1;
  }
  return NO_KEY;
}

function hashHeader(stream: Stream, name: string, useDomainOnly: boolean, hash: RangeHash): number {
  const { request } = stream;
  const index = request === null ? -1 : request.indexOf(name);
  if (request === null || index < 0) return NO_KEY;
  const value = request.valueAt(index);
  let start = 0;
  let end = valueEnd(value);
  while (start < end && isSpace(value.charCodeAt(start))) start++;
  while (end > start && isSpace(value.charCodeAt(end - 1))) end--;
  if (start === end) return NO_KEY;
  return useDomainOnly ? hashDomain(value, start, end, hash) : hash(value, start, end);
}

/** Only the label before the last dot: "example" of "www.example.com". Without a dot, everything. */
function hashDomain(value: string, start: number, end: number, hash: RangeHash): number {
  const dot = value.lastIndexOf(".", end - 1);
  if (dot <= start) return hash(value, start, end);
  // HAProxy looks for the dot before from two characters on, so that an empty label counts as part of the
  // next.
  const dotBefore = dot - 2 < start ? -1 : value.lastIndexOf(".", dot - 2);
  return hash(value, dotBefore < start ? start : dotBefore + 1, dot);
}

/** End of the first of several comma-separated values, quoted strings respected. */
function valueEnd(value: string): number {
  let isQuoted = false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (isQuoted && code === 0x5c) i++;
    else if (code === 0x22) isQuoted = !isQuoted;
    else if (code === 0x2c && !isQuoted) return i;
  }
  return value.length;
}

export function hashRdpCookie(content: Uint8Array, name: string, hash: RangeHash): number {
  const cookie = readRdpCookie(content);
  if (cookie === null || cookie === "incomplete" || cookie.name.toLowerCase() !== name.toLowerCase())
    return NO_KEY;
  return hash(cookie.value, 0, cookie.value.length);
}

/** A sample as the bytes that HAProxy hashes: integers are 8 bytes, addresses 4 or 16, in network order. */
function sampleBytes(value: SampleValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "object") return latin1(value.bytes, 0, value.bytes.length);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(
    0,
    typeof value === "bigint" ? value : BigInt(Math.trunc(Number(value))),
  );
  return latin1(bytes, 0, 8);
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function isLinearSpace(code: number): boolean {
  return isSpace(code) || code === 0x0d || code === 0x0a;
}

/** RFC 9110 token characters. */
function isToken(code: number): boolean {
  return code > 0x20 && code < 0x7f && !'"(),/:;<=>?@[\\]{}'.includes(String.fromCharCode(code));
}
