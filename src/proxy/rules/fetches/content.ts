// Fetches on raw bytes, for tcp content rules (HAProxy manual 7.3.5). Whatever more bytes could change is
// noted, so that the rule waits.
import type { MessageHead } from "../../../protocol/http1/message-head.ts";
import { readRdpCookie } from "../../../protocol/rdp/rdp-cookie.ts";
import { type ClientHello, readClientHello } from "../../../protocol/tls/client-hello.ts";
import type { Stream } from "../../stream.ts";
import { noteChangeable } from "../content-state.ts";
import type { FetchCompiler, ReadSample } from "../fetch.ts";
import { latin1 } from "../sample-cast.ts";
import type { SampleValue } from "../sample-value.ts";

type Names =
  | "req.len"
  | "req.payload"
  | "req.payload_lv"
  | "req.rdp_cookie"
  | "req.rdp_cookie_cnt"
  | "req.ssl_hello_type"
  | "req.ssl_alpn"
  | "req.ssl_ec_ext"
  | "req.ssl_st_ext"
  | "req.ssl_sni"
  | "req.ssl_ver"
  | "req.proto_http"
  | "res.len"
  | "res.payload"
  | "res.payload_lv"
  | "res.ssl_hello_type"
  | "wait_end";

export const CONTENT_FETCHES: Readonly<Record<Names, FetchCompiler>> = {
  "req.len": lengthFetch(requestBytes, ({ request, body }) =>
    request === null
      ? null
      : messageLength(request, [request.method, request.target, "HTTP/1.1"]) + (body?.length ?? 0),
  ),
  "req.payload": payloadFetch(requestBytes),
  "req.payload_lv": measuredPayloadFetch(requestBytes),
  "req.rdp_cookie": rdpCookieFetch((value) => value),
  "req.rdp_cookie_cnt": rdpCookieFetch((value) => (value === undefined ? 0 : 1)),
  "req.ssl_hello_type": helloFetch(() => CLIENT_HELLO),
  // The first of the client's protocols, as HAProxy has it.
  "req.ssl_alpn": helloFetch(({ alpn }) => alpn[0]),
  "req.ssl_ec_ext": helloFetch(({ extensions }) => extensions.includes(SUPPORTED_GROUPS)),
  // 0 without the extension, 1 when it is empty, 2 with a ticket.
  "req.ssl_st_ext": helloFetch(({ ticketLength }) =>
    ticketLength === null ? 0 : ticketLength === 0 ? 1 : 2,
  ),
  "req.ssl_sni": helloFetch((hello) => hello.serverName || undefined),
  "req.ssl_ver": helloFetch((hello) => (hello.recordVersion >> 8) * 65536 + (hello.recordVersion & 0xff)),
  "req.proto_http": () => (stream) => {
    if (stream.request !== null) return true;
    noteChangeable(stream);
    return looksLikeHttp(stream.content) ? true : undefined;
  },
  "res.len": lengthFetch(responseBytes, ({ response }) =>
    response === null ? null : messageLength(response, ["HTTP/1.1", `${response.status}`, response.reason]),
  ),
  "res.payload": payloadFetch(responseBytes),
  "res.ssl_hello_type": () => (stream) => {
    const content = stream.responseContent;
    if (content.length < 6) noteChangeable(stream);
    // A record of a handshake of version 3.x, and what its first message is.
    return content.length >= 6 && content[0] === 22 && content[1] === 3 ? content[5]! : undefined;
  },
  "res.payload_lv": measuredPayloadFetch(responseBytes),
  wait_end: () => (stream) => {
    noteChangeable(stream);
    return stream.isContentFinal ? true : undefined;
  },
};

const CLIENT_HELLO = 1;

type Locate = (stream: Stream) => Uint8Array;

function requestBytes(stream: Stream): Uint8Array {
  return stream.content;
}

function responseBytes(stream: Stream): Uint8Array {
  return stream.responseContent;
}

/** In mode http it is the length of the message as HAProxy keeps it. */
function lengthFetch(locate: Locate, ofMessage: (stream: Stream) => number | null): FetchCompiler {
  return () => (stream) => {
    const messageBytes = ofMessage(stream);
    if (messageBytes !== null) return messageBytes;
    noteChangeable(stream);
    return locate(stream).length;
  };
}

/** Around the three texts of the first line, and behind the last header, as HAProxy 2.6 was seen to count. */
const FIRST_LINE_BYTES = 20;
const LAST_HEADER_BYTES = 1;

function messageLength(head: MessageHead, firstLine: readonly string[]): number {
  let length = FIRST_LINE_BYTES + LAST_HEADER_BYTES;
  for (const text of firstLine) length += text.length;
  for (let i = 0; i < head.headerCount; i++)
    if (!head.isRemovedAt(i)) length += head.nameAt(i).length + head.valueAt(i).length;
  return length;
}

/** `payload(offset,length)`; length 0 takes all there is. */
function payloadFetch(locate: Locate): FetchCompiler {
  return (parameters): ReadSample => {
    const offset = Number(parameters[0] ?? 0);
    const length = Number(parameters[1] ?? 0);
    return (stream) => {
      const data = locate(stream);
      if (length === 0) noteChangeable(stream);
      if (data.length < offset + length) {
        noteChangeable(stream);
        return undefined;
      }
      return latin1(data.subarray(offset, length === 0 ? data.length : offset + length));
    };
  };
}

/**
 * `payload_lv(offset1,length,offset2)`: the bytes at offset1 say how many there are, which begin behind them,
 * at offset2, or so far from behind them as a sign says.
 */
function measuredPayloadFetch(locate: Locate): FetchCompiler {
  return (parameters): ReadSample => {
    const offset = Number(parameters[0] ?? 0);
    const behind = offset + Number(parameters[1] ?? 0);
    const other = String(parameters[2] ?? "");
    const from = other === "" ? behind : /^[+-]/.test(other) ? behind + Number(other) : Number(other);
    return (stream) => {
      const data = locate(stream);
      let length = 0;
      for (let i = offset; i < behind && i < data.length; i++) length = length * 256 + data[i]!;
      if (data.length < behind || data.length < from + length) {
        noteChangeable(stream);
        return undefined;
      }
      return length === 0 || from < 0 ? undefined : latin1(data.subarray(from, from + length));
    };
  };
}

/** The one cookie that the protocol knows, if its name is the wanted one or none is wanted. */
function rdpCookieFetch(read: (value: string | undefined) => SampleValue | undefined): FetchCompiler {
  return (parameters): ReadSample => {
    const wanted = String(parameters[0] ?? "").toLowerCase();
    return (stream) => {
      const cookie = readRdpCookie(stream.content);
      if (cookie === "incomplete") noteChangeable(stream);
      if (cookie === "incomplete" || cookie === null) return read(undefined);
      return read(wanted === "" || cookie.name.toLowerCase() === wanted ? cookie.value : undefined);
    };
  };
}

/** The type of the extension that elliptic curves are named in (RFC 8422). */
const SUPPORTED_GROUPS = 10;

function helloFetch(read: (hello: ClientHello) => SampleValue | undefined): FetchCompiler {
  return () => (stream) => {
    const { content } = stream;
    const result = readClientHello(content, 0, content.length);
    if (result.kind === "incomplete") noteChangeable(stream);
    return result.kind === "hello" ? read(result.hello) : undefined;
  };
}

function looksLikeHttp(content: Uint8Array): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP\/1\.[01]\r?\n/.test(latin1(content));
}
