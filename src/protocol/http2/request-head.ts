// Makes the head of an HTTP/1.1 request of the fields of an HTTP/2 one, in the strict reading of RFC 9113,
// sections 8.1 to 8.3: whatever could be read as another message in HTTP/1 is malformed here, since the
// head that is made goes the way of all heads. Cookie crumbs are joined (section 8.2.3), Host comes from
// ":authority", and the target is the whole URI, as HAProxy's logs and rules have it.
import { CHUNK_HEAD_BYTES_MAX } from "../http1/body.ts";

export interface RequestParts {
  readonly method: string;
  /** The head, one character per byte. */
  readonly head: string;
  /** What "content-length" says; -1 without one. */
  readonly contentLength: number;
  /** The body is to be sent in chunks. */
  readonly isChunked: boolean;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const LOWER_TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** No control but a tab between, no blank at the ends (section 8.2.1). */
const VALUE = /^(?:[^\0-\x20\x7f](?:[^\0-\x08\x0a-\x1f\x7f]*[^\0-\x20\x7f])?)?$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
/** Without userinfo (section 8.3.1). */
const AUTHORITY = /^[A-Za-z0-9\-._~%!$&'()*+,;=:[\]]+$/;
/** Visible ASCII without "#", which begins a fragment. */
const PATH = /^\/[\x21\x22\x24-\x7e]*$/;

/** Of one connection, which a message cannot carry in HTTP/2 (section 8.2.2). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);
const FORBIDDEN_TRAILERS: ReadonlySet<string> = new Set(["content-length", "host", "te", "trailer"]);

/** `fields`: names and values in turn. Null: malformed. */
export function requestPartsOf(fields: readonly string[], isEndOfStream: boolean): RequestParts | null {
  const pseudo: { [name: string]: string } = {};
  let first = 0;
  for (; first < fields.length && fields[first]!.startsWith(":"); first += 2) {
    const name = fields[first]!;
    const value = fields[first + 1]!;
    if (name !== ":method" && name !== ":scheme" && name !== ":authority" && name !== ":path") return null;
    if (pseudo[name] !== undefined || value === "") return null;
    pseudo[name] = value;
  }
  const method = pseudo[":method"];
  const authority = pseudo[":authority"] ?? null;
  if (method === undefined || !TOKEN.test(method) || method === "PRI") return null;
  if (authority !== null && !AUTHORITY.test(authority)) return null;
  const lines = readLines(fields, first, authority);
  if (lines === null) return null;
  const target = targetOf(method, pseudo[":scheme"], lines.host, pseudo[":path"]);
  if (target === null || (isEndOfStream && lines.contentLength > 0)) return null;
  const isConnect = method === "CONNECT";
  if (isConnect && (authority === null || lines.contentLength >= 0)) return null;
  const isChunked = !isEndOfStream && lines.contentLength < 0 && !isConnect;
  const framing = isChunked ? "transfer-encoding: chunked\r\n" : "";
  return {
    method,
    head: `${method} ${target} HTTP/1.1\r\n${lines.text}${framing}\r\n`,
    contentLength: lines.contentLength,
    isChunked,
  };
}

/** Null: malformed. What is sent by connection stays out: the path to the server has its own. */
function targetOf(
  method: string,
  scheme: string | undefined,
  host: string | null,
  path: string | undefined,
): string | null {
  if (method === "CONNECT") return scheme === undefined && path === undefined ? host : null;
  if (scheme === undefined || path === undefined || !SCHEME.test(scheme)) return null;
  if (path === "*") return method === "OPTIONS" ? path : null;
  if (!PATH.test(path)) return null;
  return host === null ? path : `${scheme}://${host}${path}`;
}

interface HeaderLines {
  readonly text: string;
  readonly host: string | null;
  readonly contentLength: number;
}

function readLines(fields: readonly string[], first: number, authority: string | null): HeaderLines | null {
  let host = authority;
  let contentLength = -1;
  let cookie: string | null = null;
  let text = "";
  for (let i = first; i < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    if (!LOWER_TOKEN.test(name) || !VALUE.test(value) || CONNECTION_FIELDS.has(name)) return null;
    switch (name) {
      case "te":
        if (value !== "trailers") return null;
        break;
      case "host":
        if (host === null && !AUTHORITY.test(value)) return null;
        if (host !== null && host.toLowerCase() !== value.toLowerCase()) return null;
        host ??= value;
        continue;
      case "cookie":
        cookie = cookie === null ? value : `${cookie}; ${value}`;
        continue;
      case "content-length": {
        if (!/^[0-9]{1,15}$/.test(value)) return null;
        if (contentLength >= 0 && contentLength !== Number(value)) return null;
        const isRepeated = contentLength >= 0;
        contentLength = Number(value);
        if (isRepeated) continue;
      }
    }
    text += `${name}: ${value}\r\n`;
  }
  const hostLine = host === null ? "" : `host: ${host}\r\n`;
  const cookieLine = cookie === null ? "" : `cookie: ${cookie}\r\n`;
  return { text: hostLine + text + cookieLine, host, contentLength };
}

/** The lines of trailers, each with its end. Null: malformed. */
export function trailerLinesOf(fields: readonly string[]): string | null {
  let text = "";
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    if (!LOWER_TOKEN.test(name) || !VALUE.test(value)) return null;
    if (CONNECTION_FIELDS.has(name) || FORBIDDEN_TRAILERS.has(name)) return null;
    text += `${name}: ${value}\r\n`;
  }
  return text;
}

/** What a chunk of data needs beside it: its size before, the line's end behind. */
export const CHUNK_OVERHEAD_BYTES: number = CHUNK_HEAD_BYTES_MAX + 2;
