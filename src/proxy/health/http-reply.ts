// Reads the reply to an HTTP health check from what has come so far. A check's reply is small and read once
// or twice, so this starts anew each time and unwraps chunks into one string; traffic goes another way.
import { FRAMING_CHUNKED, FRAMING_LENGTH, MessageHead } from "../../protocol/http1/message-head.ts";
import { parseResponseHead } from "../../protocol/http1/response-parser.ts";

export type HttpReply =
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed" }
  | {
      readonly kind: "reply";
      readonly head: MessageHead /** as far as it has come, Latin-1 */;
      readonly body: string;
      readonly isComplete: boolean;
    };

/** `text`: bytes as Latin-1. `isFinal`: the server has closed. Interim responses are skipped. */
export function parseHttpReply(text: string, isFinal: boolean): HttpReply {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  let at = 0;
  for (;;) {
    const head = new MessageHead();
    const length = parseResponseHead(head, bytes, at, bytes.length, "GET");
    if (length === 0) return { kind: "incomplete" };
    if (length < 0) return { kind: "malformed" };
    at += length;
    if (head.status < 200 && head.status !== 101) continue;
    return readBody(head, text.slice(at), isFinal);
  }
}

function readBody(head: MessageHead, rest: string, isFinal: boolean): HttpReply {
  if (head.framing === FRAMING_LENGTH) {
    return {
      kind: "reply",
      head,
      body: rest.slice(0, head.contentLength),
      isComplete: rest.length >= head.contentLength,
    };
  }
  if (head.framing === FRAMING_CHUNKED) return readChunks(head, rest);
  return { kind: "reply", head, body: rest, isComplete: isFinal };
}

function readChunks(head: MessageHead, rest: string): HttpReply {
  let body = "";
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf("\r\n", at);
    if (lineEnd < 0) return { kind: "reply", head, body, isComplete: false };
    const [digits] = /^[0-9A-Fa-f]{1,8}/.exec(rest.slice(at, lineEnd)) ?? [];
    if (digits === undefined) return { kind: "malformed" };
    const size = Number.parseInt(digits, 16);
    if (size === 0) return { kind: "reply", head, body, isComplete: true };
    body += rest.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}
