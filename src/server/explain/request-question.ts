// The question in the words of `sallyport explain request` and of the dashboard: a URL as curl takes it, and
// what goes with it.
import { Buffer } from "node:buffer";
import type { SocketAddress } from "../../base/address.ts";
import { parseIpAddress } from "../../base/address.ts";
import { type AssumedResponse, BODY_BYTES_MAX, type RequestQuestion } from "../../proxy/explain/question.ts";

export interface RequestWords {
  readonly url: string;
  readonly method: string | null;
  readonly headers: readonly string[];
  readonly bodyBytes: string | null;
  readonly from: string | null;
  /** The address that the client reached; null: the URL's, if that is one. */
  readonly to: string | null;
  readonly down: readonly string[];
  readonly responseStatus: string | null;
  readonly responseHeaders: readonly string[];
}

export type QuestionReading =
  | { readonly kind: "question"; readonly question: RequestQuestion }
  | { readonly kind: "wrong"; readonly message: string };

/** Documentation's address (RFC 5737): a client of whom nothing is said. */
const FROM_DEFAULT = "198.51.100.7";
const FROM_PORT_DEFAULT = 50_000;

export function readRequestQuestion(words: RequestWords): QuestionReading {
  try {
    return { kind: "question", question: questionOf(words) };
  } catch (error) {
    if (error instanceof WrongWords) return { kind: "wrong", message: error.message };
    throw error;
  }
}

class WrongWords extends Error {}

function questionOf(words: RequestWords): RequestQuestion {
  const url = readUrl(words.url);
  const isTls = url.protocol === "https:" || url.protocol === "wss:" || url.protocol === "tls:";
  const isBare = url.protocol === "tcp:" || url.protocol === "tls:";
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  if (isBare && url.port === "") throw new WrongWords(`${words.url} needs a port`);
  const urlHost = url.hostname.replace(/^\[|\]$/g, "");
  const host = words.to ?? (parseIpAddress(urlHost) === null ? null : urlHost);
  if (host !== null && parseIpAddress(host) === null) throw new WrongWords(`${host} is no IP address`);
  const serverName = parseIpAddress(urlHost) === null ? urlHost : "";
  return {
    from: readFrom(words.from ?? FROM_DEFAULT),
    to: { host, port },
    tls: isTls ? { serverName, alpn: isBare ? [] : ["http/1.1"] } : null,
    request: isBare ? null : readRequest(words, url),
    response: readResponse(words),
    down: words.down,
  };
}

function readUrl(text: string): URL {
  const whole = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : null;
  if (url === null || url.hostname === "") throw new WrongWords(`${text} is no URL`);
  if (!["http:", "https:", "ws:", "wss:", "tcp:", "tls:"].includes(url.protocol))
    throw new WrongWords(`${url.protocol.slice(0, -1)} is not spoken: http, https, ws, wss, tcp or tls`);
  return url;
}

function readRequest(words: RequestWords, url: URL): RequestQuestion["request"] {
  const bodyBytes = readCount(words.bodyBytes ?? "0");
  const given = words.headers.map(readHeader);
  const own: [string, string][] = [];
  const add = (name: string, value: string): void => {
    if (!given.some(([other]) => other.toLowerCase() === name.toLowerCase())) own.push([name, value]);
  };
  add("Host", url.host);
  if (url.username !== "") {
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    add("Authorization", `Basic ${Buffer.from(credentials).toString("base64")}`);
  }
  if (url.protocol.startsWith("ws")) {
    add("Connection", "Upgrade");
    add("Upgrade", "websocket");
  }
  const method = words.method ?? (bodyBytes > 0 ? "POST" : "GET");
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method)) throw new WrongWords(`${method} is no method`);
  // An empty value takes the header away, as with curl.
  const headers = [...own, ...given].filter(([, value]) => value !== "");
  return { method, target: url.pathname + url.search, headers, bodyBytes };
}

function readResponse({ responseStatus, responseHeaders }: RequestWords): AssumedResponse {
  const match = /^(\d{3})(?: (.*))?$/.exec(responseStatus ?? "200 OK");
  const status = Number(match?.[1] ?? 0);
  if (match === null || status < 200 ? status !== 101 : status > 599)
    throw new WrongWords(`${responseStatus} is no status of a response`);
  return {
    status,
    reason: match?.[2] ?? (status === 200 ? "OK" : ""),
    headers: responseHeaders.map(readHeader),
  };
}

function readHeader(text: string): readonly [string, string] {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*(.*?)\s*$/.exec(text);
  if (match === null) throw new WrongWords(`${JSON.stringify(text)} is no header: write 'Name: value'`);
  return [match[1]!, Buffer.from(match[2]!, "utf8").toString("latin1")];
}

function readCount(text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (count < 0 || count > BODY_BYTES_MAX)
    throw new WrongWords(`${text} is no number of bytes from 0 to ${BODY_BYTES_MAX}`);
  return count;
}

/** "198.51.100.7", "198.51.100.7:4000", "[2001:db8::1]:4000". */
function readFrom(text: string): SocketAddress {
  const match = /^\[(.+)\](?::(\d{1,5}))?$/.exec(text) ?? /^([^:]+):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? text;
  const address = parseIpAddress(host);
  const port = match?.[2] === undefined ? FROM_PORT_DEFAULT : Number(match[2]);
  if (address === null || port > 65535) throw new WrongWords(`${text} is no IP address of a client`);
  return { family: address.family, host, port };
}
