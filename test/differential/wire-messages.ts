// Takes recorded bytes apart into HTTP messages, so that they can be compared: heads byte for byte, bodies by
// content, since two proxies may cut chunks at different places. Lenient on purpose: it shows what is there,
// it judges nothing.
import { createHash } from "node:crypto";

/** Longer content is shown by its length and digest. */
const SHOWN_BYTES_MAX = 600;

export interface WireMessage {
  /** With its final empty line. */
  readonly head: string;
  readonly framing: "none" | "length" | "chunked" | "until-close";
  readonly body: Buffer;
  /** Lines behind the last chunk. */
  readonly trailers: string;
  readonly isComplete: boolean;
}

export interface WireReading {
  readonly messages: readonly WireMessage[];
  /** What follows and is no (further) message: tunnelled bytes, half a head. */
  readonly rest: Buffer;
}

/** `methods` are those of the requests that the responses answer, in order. */
export function readResponses(bytes: Buffer, methods: readonly string[], isClosed: boolean): WireReading {
  let answered = 0;
  return read(bytes, isClosed, (head) => {
    const status = Number(head.slice(9, 12));
    if (status === 101) return "tunnel";
    if (status < 200) return "none";
    const method = methods[answered++] ?? "GET";
    if (method === "HEAD" || status === 204 || status === 304) return "none";
    if (method === "CONNECT" && status < 300) return "tunnel";
    return "until-close";
  });
}

export function readRequests(bytes: Buffer): WireReading {
  return read(bytes, false, () => "none");
}

function read(
  bytes: Buffer,
  isClosed: boolean,
  unframed: (head: string) => "none" | "until-close" | "tunnel",
): WireReading {
  const messages: WireMessage[] = [];
  let at = 0;
  while (at < bytes.length) {
    const headEnd = bytes.indexOf("\r\n\r\n", at);
    if (headEnd < 0) break;
    const head = bytes.toString("latin1", at, headEnd + 4);
    at = headEnd + 4;
    const kind = unframed(head);
    const message =
      kind === "until-close" || head.startsWith("HTTP/") === false
        ? readBody(bytes, at, head, isClosed, kind)
        : { head, framing: "none" as const, body: Buffer.alloc(0), trailers: "", isComplete: true, end: at };
    at = message.end;
    messages.push(message);
    if (kind === "tunnel" || !message.isComplete) break;
  }
  return { messages, rest: bytes.subarray(at) };
}

function readBody(
  bytes: Buffer,
  start: number,
  head: string,
  isClosed: boolean,
  unframed: "none" | "until-close" | "tunnel",
): WireMessage & { readonly end: number } {
  if (/^transfer-encoding:.*chunked/im.test(head)) return readChunked(bytes, start, head);
  const length = /^content-length: *(\d+)/im.exec(head);
  if (length !== null) {
    const end = Math.min(bytes.length, start + Number(length[1]));
    const isComplete = end - start === Number(length[1]);
    return { head, framing: "length", body: bytes.subarray(start, end), trailers: "", isComplete, end };
  }
  if (unframed !== "until-close")
    return { head, framing: "none", body: Buffer.alloc(0), trailers: "", isComplete: true, end: start };
  const body = bytes.subarray(start);
  return { head, framing: "until-close", body, trailers: "", isComplete: isClosed, end: bytes.length };
}

function readChunked(bytes: Buffer, start: number, head: string): WireMessage & { readonly end: number } {
  const parts: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const isCut = Number.isNaN(size) || bytes.length < lineEnd + 2 + size + (size > 0 ? 2 : 0);
    if (isCut) {
      if (lineEnd >= 0 && !Number.isNaN(size)) parts.push(bytes.subarray(lineEnd + 2));
      const body = Buffer.concat(parts);
      return { head, framing: "chunked", body, trailers: "", isComplete: false, end: bytes.length };
    }
    at = lineEnd + 2;
    if (size === 0) break;
    parts.push(bytes.subarray(at, at + size));
    at += size + 2;
  }
  const isBare = bytes.toString("latin1", at, at + 2) === "\r\n";
  const end = isBare ? at : bytes.indexOf("\r\n\r\n", at) + 2;
  const isComplete = end > 1 && bytes.length >= end + 2;
  return {
    head,
    framing: "chunked",
    body: Buffer.concat(parts),
    trailers: isComplete ? bytes.toString("latin1", at, end) : "",
    isComplete,
    end: isComplete ? end + 2 : bytes.length,
  };
}

/** For people: every CRLF a line end, other line ends and controls visible. */
export function showMessage(message: WireMessage): string {
  const parts = [showText(message.head)];
  if (message.body.length > 0 || !message.isComplete) parts.push(showBytes(message.body));
  if (message.trailers !== "") parts.push(`trailers: ${showText(message.trailers)}`);
  if (message.framing === "until-close") parts.push("(until close)");
  if (!message.isComplete) parts.push("(cut)");
  return parts.join("\n");
}

export function showBytes(bytes: Buffer): string {
  if (bytes.length <= SHOWN_BYTES_MAX) return showText(bytes.toString("latin1"));
  return `<${bytes.length} bytes ${createHash("sha1").update(bytes).digest("hex").slice(0, 12)}>`;
}

export function showText(text: string): string {
  return text
    .replaceAll(/[^\x20-\x7e\r\n]|\r(?!\n)|(?<!\r)\n/g, (character) => JSON.stringify(character).slice(1, -1))
    .replaceAll("\r\n", "\n")
    .trimEnd();
}
