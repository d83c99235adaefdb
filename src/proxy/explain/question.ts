// What an explanation is asked, and what it knows of the world around the configuration.
import type { SocketAddress } from "../../base/address.ts";
import type { Bind } from "../../model/proxy.ts";
import { encodeClientHello } from "../../protocol/tls/encode-client-hello.ts";

export interface RequestQuestion {
  /** Who asks; where a listener takes PROXY headers, whom the header names. */
  readonly from: SocketAddress;
  /** Null host: any listener on that port, since the client's name for it says nothing of its address. */
  readonly to: { readonly host: string | null; readonly port: number };
  /** Null: the client speaks in the clear. "" sends no SNI. */
  readonly tls: { readonly serverName: string; readonly alpn: readonly string[] } | null;
  /** Null: nothing is sent but the connection is made, for tcp mode. */
  readonly request: QuestionRequest | null;
  readonly response: AssumedResponse;
  /** Servers that are down, as "NAME" or "BACKEND/NAME". All others are taken to be up. */
  readonly down: readonly string[];
}

export interface QuestionRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly bodyBytes: number;
}

export interface AssumedResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export const OK_RESPONSE: AssumedResponse = { status: 200, reason: "OK", headers: [] };

export interface ExplainFacts {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly hostname: string;
  readonly pid: number;
  readonly processVariables: Readonly<Record<string, string | undefined>>;
  /** By the path of a `crt`: the names of each certificate there; a missing path could not be read. */
  readonly certificateNames: ReadonlyMap<string, readonly (readonly string[])[]>;
  /** Where servers are now that are followed by name, by "BACKEND/SERVER". Left out: nobody knows. */
  readonly endpoints?: ReadonlyMap<string, KnownEndpoint>;
}

export interface KnownEndpoint {
  /** "": nowhere. */
  readonly host: string;
  readonly port: number | null;
  /** Whose address it is. */
  readonly hostName: string | null;
}

/** Lines of the request's head as the client sends them. */
export function requestLines(request: QuestionRequest): string[] {
  const { method, target, headers, bodyBytes } = request;
  const lines = [`${method} ${target} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  const isFramed = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  if (bodyBytes > 0 && !isFramed) lines.push(`Content-Length: ${bodyBytes}`);
  return lines;
}

/** All that the client sends, one character per byte. */
export function requestText(request: QuestionRequest): string {
  const isChunked = request.headers.some(
    ([name, value]) => name.toLowerCase() === "transfer-encoding" && /chunked/i.test(value),
  );
  return `${requestLines(request).join("\r\n")}\r\n\r\n${bodyText(request.bodyBytes, isChunked)}`;
}

export function responseLines({ status, reason, headers }: AssumedResponse, bodyBytes: number): string[] {
  const lines = [`HTTP/1.1 ${status} ${reason}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  const isFramed = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name));
  const isBodiless = status < 200 || status === 204 || status === 304;
  if (!isFramed && !isBodiless) lines.push(`Content-Length: ${bodyBytes}`);
  return lines;
}

/** What a server sends that was asked with `method`. */
export function responseText(response: AssumedResponse, method: string): string {
  const framed = (name: string) => response.headers.find(([given]) => given.toLowerCase() === name)?.[1];
  const length = Math.min(Number(framed("content-length") ?? 0) || 0, BODY_BYTES_MAX);
  const isChunked = /chunked/i.test(framed("transfer-encoding") ?? "");
  const isBodiless =
    method === "HEAD" || response.status < 200 || response.status === 204 || response.status === 304;
  const body = isBodiless ? "" : bodyText(length, isChunked);
  return `${responseLines(response, 0).join("\r\n")}\r\n\r\n${body}`;
}

/** The first bytes of a client that speaks TLS to a listener that does not end it. */
export function helloText({ serverName, alpn }: NonNullable<RequestQuestion["tls"]>): string {
  return String.fromCharCode(...encodeClientHello(serverName, alpn));
}

/** Bodies have no meaning here; a longer one would only take time. */
export const BODY_BYTES_MAX: number = 1 << 20;

function bodyText(byteCount: number, isChunked: boolean): string {
  const body = ".".repeat(byteCount);
  if (!isChunked) return body;
  return byteCount === 0 ? "0\r\n\r\n" : `${byteCount.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

/** Where the listener's own address is not said by anybody. RFC 5737's, which nobody has. */
const UNKNOWN_HOSTS = { 4: "192.0.2.1", 6: "2001:db8::1" } as const;

/** The address that the client reached. */
export function destinationOf(question: RequestQuestion, bind: Bind): SocketAddress {
  const family = question.from.family === 6 ? 6 : 4;
  const bound = bind.address.kind === "tcp" ? bind.address.host : null;
  const isAny = bound === null || bound === "0.0.0.0" || bound === "::";
  const host = question.to.host ?? (isAny ? UNKNOWN_HOSTS[family] : bound);
  return { family: host.includes(":") ? 6 : 4, host, port: question.to.port };
}
