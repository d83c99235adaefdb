// Replies of our own: the built-in error pages (byte for byte those of HAProxy 2.6, since clients and checks
// look at them), and whole HTTP messages from rules, errorfiles and services. Builds bytes; sends nothing.
import type { ErrorReply } from "../../model/proxy.ts";
import type { ReplyDefinition } from "../../model/rule.ts";
import type { LogFormat } from "../../model/sample.ts";
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import { parseResponseHead } from "../../protocol/http1/response-parser.ts";

/** A response of our own: a complete head with framing headers, and the body that belongs to it. */
export interface Reply {
  readonly status: number;
  /**
   * Status line and headers, with the final empty line, Latin-1. Empty: close without a word. No Connection
   * header: the exchange adds it.
   */
  readonly head: string;
  readonly body: Uint8Array;
  /** A server's response, kept in a cache: rules for responses are for it. */
  readonly isCached?: true;
}

const EMPTY = new Uint8Array(0);

/** The client's connection is closed without a word, and without a status in the log. */
export const NO_REPLY: Reply = { status: -1, head: "", body: EMPTY };

const PAGES: Readonly<Record<number, readonly [reason: string, sentence: string]>> = {
  200: ["OK", "Service ready."],
  400: ["Bad request", "Your browser sent an invalid request."],
  401: ["Unauthorized", "You need a valid user and password to access this content."],
  403: ["Forbidden", "Request forbidden by administrative rules."],
  404: ["Not Found", "The resource could not be found."],
  405: [
    "Method Not Allowed",
    "A request was made of a resource using a request method not supported by that resource",
  ],
  407: ["Unauthorized", "You need a valid user and password to access this content."],
  408: ["Request Time-out", "Your browser didn't send a complete request in time."],
  410: ["Gone", "The resource is no longer available and will not be available again."],
  413: ["Payload Too Large", "The request entity exceeds the maximum allowed."],
  421: ["Misdirected Request", "Request sent to a non-authoritative server."],
  422: ["Unprocessable Content", "The server cannot process the contained instructions."],
  425: ["Too Early", "Your browser sent early data."],
  429: ["Too Many Requests", "You have sent too many requests in a given amount of time."],
  500: ["Internal Server Error", "An internal server error occurred."],
  // The stray full stop stands in HAProxy's page too.
  501: ["Not Implemented", ".The server does not support the functionality required to fulfill the request."],
  502: ["Bad Gateway", "The server returned an invalid or incomplete response."],
  503: ["Service Unavailable", "No server is available to handle this request."],
  504: ["Gateway Time-out", "The server didn't respond in time."],
};

/** Reason phrases as HAProxy writes them (RFC 9110 section 15, with its own spellings). */
const REASONS: Readonly<Record<number, string>> = {
  100: "Continue", 101: "Switching Protocols", 102: "Processing", 103: "Early Hints",
  200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information", 204: "No Content", 205: "Reset Content",
  206: "Partial Content", 207: "Multi-Status", 210: "Content Different", 226: "IM Used",
  300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified", 305: "Use Proxy",
  306: "Switch Proxy", 307: "Temporary Redirect", 308: "Permanent Redirect", 310: "Too many Redirects",
  400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
  406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Time-out", 409: "Conflict", 410: "Gone",
  411: "Length Required", 412: "Precondition Failed", 413: "Request Entity Too Large", 414: "Request-URI Too Long",
  415: "Unsupported Media Type", 416: "Requested range unsatisfiable", 417: "Expectation failed", 418: "I'm a teapot",
  421: "Misdirected Request", 422: "Unprocessable Content", 423: "Locked", 424: "Method failure", 425: "Too Early",
  426: "Upgrade Required", 428: "Precondition Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
  449: "Retry With", 450: "Blocked by Windows Parental Controls", 451: "Unavailable For Legal Reasons",
  456: "Unrecoverable Error", 499: "client has closed connection",
  500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway or Proxy Error", 503: "Service Unavailable",
  504: "Gateway Time-out", 505: "HTTP Version not supported", 506: "Variant also negociate", 507: "Insufficient storage",
  508: "Loop detected", 509: "Bandwidth Limit Exceeded", 510: "Not extended", 511: "Network authentication required",
}; // biome-ignore format: a table

/** The reason phrase for a status; "<Unknown>"-like statuses give "Other". */
export function reasonOf(status: number): string {
  return REASONS[status] ?? "Other";
}

export interface ReplySource {
  /** errorfile, errorloc and http-error of a proxy, looked up before the built-in pages. */
  readonly errorReplies: readonly ErrorReply[];
  /** Compiles a format once; the same object gives the same function. */
  evaluate(format: LogFormat): string;
}

/**
 * The answer to what was no request, as one text: the proxy's errorfile, else the built-in page in the
 * spelling that HAProxy has here and nowhere else. Empty: nothing shall be sent.
 */
export function earlyErrorText(status: number, source: ReplySource): string {
  const isOwn = source.errorReplies.some((reply) => reply.status === status);
  const page = PAGES[status];
  if (isOwn || page === undefined) {
    const { head, body } = errorReply(status, source);
    return head === ""
      ? ""
      : `${insertHeader(head, "connection: close")}${Buffer.from(body).toString("latin1")}`;
  }
  const body = pageOf(status, page);
  const headers = [
    `Content-length: ${body.length}`,
    "Cache-Control: no-cache",
    "Connection: close",
    "Content-Type: text/html",
  ];
  return `HTTP/1.1 ${status} ${page[0]}\r\n${headers.join("\r\n")}\r\n\r\n${body}`;
}

function pageOf(status: number, page: readonly [reason: string, sentence: string]): string {
  return `<html><body><h1>${status} ${page[0]}</h1>\n${page[1]}\n</body></html>\n`;
}

/** The page that HAProxy has for a status; statuses without one get a reply without body. */
export function builtinReply(status: number): Reply {
  const page = PAGES[status];
  if (page === undefined)
    return {
      status,
      head: `HTTP/1.1 ${status} ${reasonOf(status)}\r\ncontent-length: 0\r\n\r\n`,
      body: EMPTY,
    };
  const body = Buffer.from(pageOf(status, page));
  const head = `HTTP/1.1 ${status} ${page[0]}\r\ncontent-length: ${body.length}\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n\r\n`;
  return { status, head, body };
}

/** The proxy's own reply for an error status: its errorfile or errorloc, else the built-in page. */
export function errorReply(status: number, source: ReplySource): Reply {
  const own = source.errorReplies.find((reply) => reply.status === status);
  if (own === undefined) return builtinReply(status);
  if ("location" in own.reply) {
    const reason = own.reply.code === 303 ? "See Other" : "Found";
    const head = `HTTP/1.1 ${own.reply.code} ${reason}\r\ncontent-length: 0\r\ncache-control: no-cache\r\nlocation: ${own.reply.location}\r\n\r\n`;
    return { status: own.reply.code, head, body: EMPTY };
  }
  return own.reply.content === null ? builtinReply(status) : definedReply(own.reply, source);
}

/** What a `return`, `deny` or `http-error` rule describes. */
export function definedReply(definition: ReplyDefinition, source: ReplySource): Reply {
  const content = definition.content;
  if (content === null) return withHeaders(errorReply(definition.status, source), definition, source);
  if (content.kind === "raw") return rawReply(definition.status, content.bytes);
  const body =
    content.kind === "none"
      ? EMPTY
      : content.kind === "text"
        ? content.bytes
        : Buffer.from(source.evaluate(content.format), "latin1");
  const type = content.kind === "none" ? null : content.contentType;
  // In HAProxy's order, which has the own headers in front here and nowhere else.
  const headers = headerLines(definition, source);
  headers.push(`content-length: ${body.length}`);
  if (type !== null && body.length > 0) headers.push(`content-type: ${type}`);
  return { status: definition.status, head: headOf(definition.status, headers), body };
}

/** 401 (or 407 for proxies) with its challenge. Quotes in the realm are escaped by the caller's format. */
export function authReply(realm: string, isProxyRequest: boolean, source: ReplySource): Reply {
  const base = errorReply(isProxyRequest ? 407 : 401, source);
  const name = isProxyRequest ? "proxy-authenticate" : "www-authenticate";
  return { ...base, head: insertHeader(base.head, `${name}: Basic realm="${realm}"`) };
}

export function redirectReply(status: number, location: string, setCookie: string | null): Reply {
  const headers = ["content-length: 0", `location: ${location}`];
  // 301 and 308 may be cached, as HAProxy leaves them.
  if (status === 302 || status === 303 || status === 307) headers.push("cache-control: no-cache");
  if (setCookie !== null) headers.push(`set-cookie: ${setCookie}`);
  return { status, head: headOf(status, headers), body: EMPTY };
}

/** A reply with a body of our own making, such as the statistics page. */
export function contentReply(
  status: number,
  contentType: string,
  body: Uint8Array,
  headers: readonly string[] = [],
): Reply {
  const all = [`content-length: ${body.length}`, `content-type: ${contentType}`, ...headers];
  return { status, head: headOf(status, all), body };
}

/** Reads a reply's head into `head`, so that rules can edit it like a server's. */
export function readReplyHead(reply: Reply, head: MessageHead): void {
  head.reset();
  const bytes = Buffer.from(reply.head, "latin1");
  const limits = { headBytesMax: bytes.length, headerCountMax: bytes.length };
  if (parseResponseHead(head, bytes, 0, bytes.length, "GET", limits) <= 0) {
    throw new Error(`a reply of our own is no HTTP message: ${reply.head}`);
  }
}

function headOf(status: number, headers: readonly string[]): string {
  return `HTTP/1.1 ${status} ${reasonOf(status)}\r\n${headers.join("\r\n")}\r\n\r\n`;
}

function withHeaders(reply: Reply, definition: ReplyDefinition, source: ReplySource): Reply {
  let head = reply.head;
  for (const line of headerLines(definition, source)) head = insertHeader(head, line);
  return head === reply.head ? reply : { ...reply, head };
}

/** A header whose format comes out empty is left out. */
function headerLines(definition: ReplyDefinition, source: ReplySource): string[] {
  return definition.headers.flatMap(({ name, value }) => {
    const text = source.evaluate(value).replace(/[\r\n\0]/g, " ");
    return text === "" ? [] : [`${name.toLowerCase()}: ${text}`];
  });
}

function insertHeader(head: string, line: string): string {
  return `${head.slice(0, -2)}${line}\r\n\r\n`;
}

/**
 * An empty errorfile (/dev/null) silences the error; any other holds a whole HTTP message. Its framing
 * headers are replaced by what its body really is.
 */
function rawReply(status: number, bytes: Uint8Array): Reply {
  if (bytes.length === 0) return { status, head: "", body: EMPTY };
  const text = Buffer.from(bytes).toString("latin1");
  const split = /\r?\n\r?\n/.exec(text);
  if (split === null || !/^HTTP\/1\.[01] \d{3}/.test(text)) return builtinReply(status);
  const body = bytes.subarray(split.index + split[0].length);
  const [statusLine, ...lines] = text.slice(0, split.index).split(/\r?\n/);
  const kept = lines.filter(
    (line) => !/^(content-length|connection|transfer-encoding|keep-alive):/i.test(line),
  );
  const code = Number(statusLine!.slice(9, 12));
  const first = statusLine!.replace(/^HTTP\/1\.0/, "HTTP/1.1");
  const lower = kept.map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()));
  return {
    status: code,
    head: [first, `content-length: ${body.length}`, ...lower, "", ""].join("\r\n"),
    body,
  };
}
