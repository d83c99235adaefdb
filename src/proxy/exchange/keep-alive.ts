// Which connections live on after an exchange, and what Connection headers say of it (RFC 9112 section 9).
// The parser has taken `close` and `keep-alive` out of what was received; other tokens (upgrade) stay, as in
// HAProxy. Ours is written only where it differs from the version's default.
import { FRAMING_UNTIL_CLOSE, type MessageHead } from "../../protocol/http1/message-head.ts";
import type { Stream } from "../stream.ts";

/**
 * Methods that may be repeated on another connection when a reused one turns out to be dead (RFC 9110 section
 * 9.2.2).
 */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/** Before the response: the configuration lets the server connection live. */
export function mayKeepServer(stream: Stream): boolean {
  const front = stream.frontend.definition.options.connectionMode;
  return front === "keep-alive" && stream.backend!.definition.options.connectionMode === "keep-alive";
}

/** A reply of our own behind which nothing follows. */
export function endsConnection({ framing, status }: MessageHead): boolean {
  return framing === FRAMING_UNTIL_CLOSE || status === 400 || status === 408;
}

/** With the response: the server lets it live too. */
export function doesServerKeep(response: MessageHead): boolean {
  if (response.connectionClose || (response.versionMinor === 0 && !response.connectionKeepAlive))
    return false;
  return response.framing !== FRAMING_UNTIL_CLOSE;
}

/** The client and the configuration let the client's connection live. */
export function mayKeepClient(stream: Stream, isStopping: boolean): boolean {
  if (isStopping) return false;
  const request = stream.request;
  if (request === null || request.connectionClose) return false;
  if (request.versionMinor === 0 && !request.connectionKeepAlive) return false;
  // A backend's `option httpclose` closes its own side only.
  return stream.frontend.definition.options.connectionMode !== "close";
}

export function setServerConnectionHeader(stream: Stream, isKept: boolean): void {
  const head = stream.request!;
  if (head.connectionUpgrade) return;
  const isShownKept = isKept || stream.backend!.definition.options.httpPretendKeepalive;
  const isOld = head.versionMinor === 0;
  if (isShownKept === isOld) head.addHeader("connection", isShownKept ? "keep-alive" : "close");
}

export function setClientConnectionHeader(head: MessageHead, isKept: boolean, isOldClient: boolean): void {
  if (head.connectionUpgrade && head.status === 101) return;
  const isOld = head.versionMinor === 0;
  if (!isKept) {
    if (!isOld) head.addHeader("connection", "close");
  } else if (isOld || isOldClient) head.addHeader("connection", "keep-alive");
}

/**
 * Whether the client's connection lives on behind this response, and what the response says of it. Without
 * chunks, for a client of HTTP/1.0, only the close tells the end.
 */
export function decideClientKeeping(
  stream: Stream,
  response: MessageHead,
  isDechunking: boolean,
  isStopping: boolean,
): boolean {
  const isKept =
    mayKeepClient(stream, isStopping) && response.framing !== FRAMING_UNTIL_CLOSE && !isDechunking;
  if (isDechunking) response.removeHeader("transfer-encoding");
  setClientConnectionHeader(response, isKept, stream.request!.versionMinor === 0);
  return isKept;
}

/** From here on bytes are not HTTP any more. */
export function opensTunnel(stream: Stream, response: MessageHead): boolean {
  if (response.status === 101) return true;
  return stream.request!.method === "CONNECT" && response.status >= 200 && response.status < 300;
}

/**
 * NTLM and Negotiate authenticate the connection, not the request (RFC 4559 section 6): it must not be
 * shared.
 */
export function isConnectionAuthenticated(response: MessageHead): boolean {
  if (response.status !== 401 && response.status !== 407) return false;
  const name = response.status === 401 ? "www-authenticate" : "proxy-authenticate";
  for (let i = response.indexOf(name); i >= 0; i = response.indexOf(name, i + 1)) {
    if (/^(NTLM|Negotiate)\b/i.test(response.valueAt(i))) return true;
  }
  return false;
}
