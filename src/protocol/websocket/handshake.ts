// The opening handshake of WebSocket (RFC 6455, section 4) as its server sees it: whether a request asks for
// it in order, and the answer. Who may have it is not decided here. Pure.
import { createHash } from "node:crypto";
import { failed, type Result, success } from "../../base/failure.ts";

/** The parts of a request's head that matter; names of headers in lower case, as node:http gives them. */
export interface UpgradeRequest {
  readonly method: string;
  /** "1.1" */
  readonly version: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface WebSocketRequest {
  readonly key: string;
  /** What the client can speak, in its order of preference. */
  readonly protocols: readonly string[];
}

export interface HandshakeFault {
  /** 426 tells a client which version it should have spoken (section 4.4). */
  readonly status: 400 | 426;
  readonly message: string;
}

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** 16 bytes in Base64. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

/** Section 4.2.1. */
export function readHandshake({
  method,
  version,
  headers,
}: UpgradeRequest): Result<WebSocketRequest, HandshakeFault> {
  if (method !== "GET" || version !== "1.1") return bad("a WebSocket begins with GET of HTTP/1.1");
  if (!wordsOf(headers["upgrade"]).some((word) => word.toLowerCase() === "websocket"))
    return bad("the header Upgrade does not ask for websocket");
  if (!wordsOf(headers["connection"]).some((word) => word.toLowerCase() === "upgrade"))
    return bad("the header Connection does not have Upgrade");
  if (headers["sec-websocket-version"] !== "13")
    return failed({ status: 426, message: "only version 13 of WebSocket is spoken here" });
  const key = headers["sec-websocket-key"];
  if (typeof key !== "string" || !KEY.test(key)) return bad("Sec-WebSocket-Key is not 16 bytes in Base64");
  const protocols = wordsOf(headers["sec-websocket-protocol"]);
  if (!protocols.every((word) => TOKEN.test(word))) return bad("Sec-WebSocket-Protocol is no list of tokens");
  return success({ key, protocols });
}

/** The head of the answer 101 (section 4.2.2), in Latin-1. `protocol` must be one that the client named. */
export function handshakeAnswer(key: string, protocol: string | null): string {
  return [
    "HTTP/1.1 101 Switching Protocols",
    "upgrade: websocket",
    "connection: Upgrade",
    `sec-websocket-accept: ${acceptKey(key)}`,
    ...(protocol === null ? [] : [`sec-websocket-protocol: ${protocol}`]),
    "",
    "",
  ].join("\r\n");
}

export function acceptKey(key: string): string {
  return createHash("sha1")
    .update(key + GUID)
    .digest("base64");
}

function wordsOf(value: string | readonly string[] | undefined): string[] {
  if (value === undefined) return [];
  return [value]
    .flat()
    .join(",")
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

function bad(message: string): Result<never, HandshakeFault> {
  return failed({ status: 400, message });
}
