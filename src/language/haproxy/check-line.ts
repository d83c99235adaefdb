// Health checks of a backend: `http-check …`, `tcp-check …` and the options that choose a kind of check
// (manual 4.2).
import type { CheckConnection, CheckRule, HttpExpectation, TcpExpectation } from "../../model/proxy.ts";
import type { LogFormat, SampleExpression } from "../../model/sample.ts";
import type { Cursor } from "./cursor.ts";
import type { CheckDraft, Mutable } from "./draft.ts";
import { parseLogFormat } from "./expression/log-format-parser.ts";
import { parseSampleExpression } from "./expression/sample-parser.ts";
import { readOptionRequest } from "./http-check-request.ts";
import { displayText } from "./lexer.ts";
import { cursorOf, type ProxyLine } from "./reading.ts";
import { readProtocols } from "./tls-words.ts";
import { expectInteger, parseInteger } from "./values.ts";
import { partOfWord, type Word } from "./word.ts";

const METHODS = ["str", "beg", "end", "sub", "reg"] as const;
type TextMethod = (typeof METHODS)[number];

/** `option httpchk`, `option tcp-check` and the other kinds. `cursor` stands behind the option's name. */
export function readCheckOption(line: ProxyLine, kind: CheckDraft["kind"], cursor: Cursor): void {
  const { check } = line.draft;
  check.kind = kind;
  if (kind === "external") check.externalSpan = line.span;
  if (kind === "http") check.optionRequest = readOptionRequest(line, cursor);
  if (kind === "smtp") {
    check.hello = cursor.next()?.text ?? "HELO";
    check.domain = cursor.next()?.text ?? "localhost";
  }
  if (kind === "mysql" || kind === "pgsql") {
    check.user = cursor.take("user") === null ? null : (cursor.expect("a user's name")?.text ?? null);
    if (kind === "mysql" && (cursor.take("post-41") ?? cursor.take("pre-41"))?.text === "pre-41") {
      line.report.warning(
        "partly-supported",
        line.span,
        "the check speaks the protocol of MySQL 4.1 and later",
        "Leave out `pre-41`.",
      );
    }
    if (kind === "pgsql" && check.user === null) {
      line.report.error(
        "missing-argument",
        line.span,
        "`option pgsql-check` needs a user",
        "Write `option pgsql-check user NAME`.",
      );
    }
  }
  cursor.expectEnd();
}

export function readHttpCheck(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const word = cursor.expect("a step of the check");
  if (word === null) return;
  const rule = readHttpCheckRule(line, word, cursor);
  if (rule !== null) line.draft.check.httpRules.push(rule);
}

const HTTP_CHECK_WORDS = [
  "connect",
  "send",
  "expect",
  "comment",
  "disable-on-404",
  "send-state",
  "set-var(NAME)",
  "unset-var(NAME)",
];

function readHttpCheckRule(line: ProxyLine, word: Word, cursor: Cursor): CheckRule | null {
  switch (word.text) {
    case "connect":
      return readConnect(line, cursor);
    case "send":
      return readHttpSend(line, cursor);
    case "expect":
      return readHttpExpect(line, cursor);
    case "comment":
      cursor.expect("a text");
      return null;
    case "disable-on-404":
    case "send-state":
      cursor.expectEnd();
      return { kind: word.text };
  }
  return readVariableStep(line, word, cursor, HTTP_CHECK_WORDS);
}

/** `set-var(NAME) EXPR`, `set-var-fmt(NAME) FORMAT`, `unset-var(NAME)`. */
function readVariableStep(
  line: ProxyLine,
  word: Word,
  cursor: Cursor,
  known: readonly string[],
): CheckRule | null {
  const match = /^(set-var|set-var-fmt|unset-var)\(([^)]+)\)$/.exec(word.text);
  if (match === null) {
    cursor.unknown(word, "step of a check", known);
    return null;
  }
  const variable = match[2]!;
  if (match[1] === "unset-var") return { kind: "unset-var", variable, span: line.span };
  const value = cursor.expect("a value");
  if (value === null) return null;
  const context = line.reading.contextFor(line.draft, "request");
  const parsed =
    match[1] === "set-var"
      ? parseSampleExpression(value, context, "any")
      : parseLogFormat(value, context, "any");
  return parsed === null ? null : { kind: "set-var", variable, value: parsed, span: line.span };
}

const CONNECT_WORDS = [
  "default",
  "port",
  "addr",
  "send-proxy",
  "ssl",
  "sni",
  "alpn",
  "proto",
  "linger",
  "via-socks4",
  "comment",
];

function readConnect(line: ProxyLine, cursor: Cursor): CheckRule {
  const connection: Mutable<CheckConnection> = {
    port: null,
    address: null,
    tls: null,
    sni: null,
    alpn: [],
    sendProxy: false,
  };
  let comment: string | null = null;
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    switch (word.text) {
      case "default":
      case "linger":
        break;
      case "port":
        connection.port = expectInteger(cursor, "a port", 1, 65_535);
        break;
      case "addr":
        connection.address = cursor.expect("an address")?.text ?? null;
        break;
      case "send-proxy":
        connection.sendProxy = true;
        break;
      case "ssl":
        connection.tls = true;
        break;
      case "sni":
        connection.sni = cursor.expect("a name")?.text ?? null;
        break;
      case "alpn":
        connection.alpn = readProtocols(cursor);
        break;
      case "comment":
        comment = cursor.expect("a text")?.text ?? null;
        break;
      case "proto":
        cursor.expect("a protocol");
        break;
      case "via-socks4":
        line.report.error(
          "refused-keyword",
          word.span,
          "`via-socks4` is not supported",
          "SOCKS4 is not supported.",
        );
        break;
      default:
        cursor.unknown(word, "word of `connect`", CONNECT_WORDS);
    }
  }
  return { kind: "connect", comment, span: line.span, ...connection };
}

const SEND_WORDS = ["meth", "uri", "uri-lf", "ver", "hdr", "body", "body-lf", "comment"];

function readHttpSend(line: ProxyLine, cursor: Cursor): CheckRule {
  let method = "OPTIONS";
  let uri: string | LogFormat = "/";
  let version = "HTTP/1.0";
  let body: string | LogFormat | null = null;
  const headers: { name: string; value: string | LogFormat }[] = [];
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    switch (word.text) {
      case "meth":
        method = cursor.expect("a method")?.text ?? method;
        break;
      case "uri":
        uri = cursor.expect("a path")?.text ?? uri;
        break;
      case "uri-lf":
        uri = expectFormat(line, cursor) ?? uri;
        break;
      case "ver":
        version = cursor.expect("a version")?.text ?? version;
        break;
      case "hdr": {
        const name = cursor.expect("a header's name");
        const value = name === null ? null : expectFormat(line, cursor);
        if (name !== null && value !== null) headers.push({ name: name.text, value });
        break;
      }
      case "body":
        body = cursor.expect("a text")?.text ?? body;
        break;
      case "body-lf":
        body = expectFormat(line, cursor) ?? body;
        break;
      case "comment":
        cursor.expect("a text");
        break;
      default:
        cursor.unknown(word, "word of `http-check send`", SEND_WORDS);
    }
  }
  return { kind: "http-send", method, uri, version, headers, body, span: line.span };
}

function expectFormat(line: ProxyLine, cursor: Cursor): LogFormat | null {
  const word = cursor.expect("a format");
  return word === null ? null : parseLogFormat(word, line.reading.contextFor(line.draft, "request"), "any");
}

function expectSample(line: ProxyLine, cursor: Cursor): SampleExpression | null {
  const word = cursor.expect("a sample expression");
  const context = line.reading.contextFor(line.draft, "response");
  return word === null ? null : parseSampleExpression(word, context, "any");
}

/** What stands before the match in `expect`. */
interface ExpectWords {
  minRecv: number | null;
  comment: string | null;
  okStatus: string | null;
  errorStatus: string | null;
  statusCode: SampleExpression | null;
  onSuccess: LogFormat | null;
  onError: LogFormat | null;
  negated: boolean;
}

/** The match word comes back: "status", "string", …; null after an error. */
function readExpectWords(line: ProxyLine, cursor: Cursor): { words: ExpectWords; match: Word } | null {
  const words: ExpectWords = {
    minRecv: null,
    comment: null,
    okStatus: null,
    errorStatus: null,
    statusCode: null,
    onSuccess: null,
    onError: null,
    negated: false,
  };
  for (let word = cursor.expect("what to expect"); word !== null; word = cursor.expect("what to expect")) {
    if (word.text === "!") words.negated = true;
    else if (!readExpectWord(line, cursor, word, words)) {
      const isNegated = word.text.startsWith("!");
      words.negated ||= isNegated;
      return { words, match: isNegated ? partOfWord(word, 1, word.text.length) : word };
    }
  }
  return null;
}

/** What may stand before the match may stand behind it, too. */
function readTrailingExpectWords(line: ProxyLine, cursor: Cursor, words: ExpectWords): void {
  while (!cursor.isAtEnd && EXPECT_WORDS.has(cursor.peek()!.text))
    readExpectWord(line, cursor, cursor.next()!, words);
  cursor.expectEnd();
}

const EXPECT_WORDS: ReadonlySet<string> = new Set([
  "min-recv",
  "comment",
  "ok-status",
  "error-status",
  "tout-status",
  "status-code",
  "on-success",
  "on-error",
]);

/** False when it is another word. */
function readExpectWord(line: ProxyLine, cursor: Cursor, word: Word, words: ExpectWords): boolean {
  switch (word.text) {
    case "min-recv":
      words.minRecv = expectInteger(cursor, "a number of bytes", -1);
      return true;
    case "comment":
      words.comment = cursor.expect("a text")?.text ?? null;
      return true;
    case "ok-status":
      words.okStatus = cursor.expect("a status")?.text ?? null;
      return true;
    case "error-status":
      words.errorStatus = cursor.expect("a status")?.text ?? null;
      return true;
    case "status-code":
      words.statusCode = expectSample(line, cursor);
      return true;
    case "tout-status":
      line.report.notice("no-effect", word.span, `\`${word.text}\` has no effect here`);
      cursor.expect("a value");
      return true;
    case "on-success":
      words.onSuccess = expectFormat(line, cursor);
      return true;
    case "on-error":
      words.onError = expectFormat(line, cursor);
      return true;
  }
  return false;
}

function readHttpExpect(line: ProxyLine, cursor: Cursor): CheckRule | null {
  const read = readExpectWords(line, cursor);
  if (read === null) return null;
  const match = readHttpMatch(line, read.match, cursor);
  if (match === null) cursor.expectEnd();
  else readTrailingExpectWords(line, cursor, read.words);
  return match === null ? null : { kind: "http-expect", match, span: line.span, ...read.words };
}

const HTTP_MATCHES = ["status", "rstatus", "string", "rstring", "string-lf", "hdr", "fhdr"];

function readHttpMatch(line: ProxyLine, match: Word, cursor: Cursor): HttpExpectation | null {
  switch (match.text) {
    case "status":
      return readStatusRanges(cursor);
    case "rstatus":
    case "string":
    case "rstring": {
      const pattern = cursor.expect("a pattern");
      return pattern === null ? null : { by: match.text, pattern: pattern.text };
    }
    case "string-lf": {
      const format = expectFormat(line, cursor);
      return format === null ? null : { by: "string-lf", format };
    }
    case "hdr":
    case "fhdr":
      return readHeaderMatch(line, match.text, cursor);
  }
  cursor.unknown(match, "way to judge a response", HTTP_MATCHES);
  return null;
}

function readStatusRanges(cursor: Cursor): HttpExpectation | null {
  const word = cursor.expect("a list of statuses");
  if (word === null) return null;
  const ranges: (readonly [number, number])[] = [];
  let start = 0;
  for (const part of word.text.split(",")) {
    const match = /^(\d{3})(?:-(\d{3}))?$/.exec(part);
    if (match === null) {
      const place = partOfWord(word, start, start + part.length).span;
      cursor.report.error(
        "bad-number",
        place,
        `\`${displayText(part)}\` is no status`,
        "Write `200,301-308`, for example.",
      );
      return null;
    }
    ranges.push([Number(match[1]), Number(match[2] ?? match[1])]);
    start += part.length + 1;
  }
  return { by: "status", ranges };
}

function readHeaderMatch(line: ProxyLine, by: "hdr" | "fhdr", cursor: Cursor): HttpExpectation | null {
  const kind = cursor.expectOneOf("part of a header", ["name", "name-lf"]);
  if (kind === null) return null;
  const nameMethod = readMethod(cursor);
  const name =
    kind === "name-lf" ? expectFormat(line, cursor) : (cursor.expect("a header's name")?.text ?? null);
  if (name === null) return null;
  if (cursor.isAtEnd || EXPECT_WORDS.has(cursor.peek()!.text))
    return { by, name, nameMethod, value: null, valueMethod: "str" };
  const valueKind = cursor.expectOneOf("part of a header", ["value", "value-lf"]);
  const valueMethod = readMethod(cursor);
  const value =
    valueKind === "value-lf" ? expectFormat(line, cursor) : (cursor.expect("a value")?.text ?? null);
  return { by, name, nameMethod, value, valueMethod };
}

function readMethod(cursor: Cursor): TextMethod {
  if (cursor.take("-m") === null) return "str";
  return cursor.expectOneOf<TextMethod>("way to match", METHODS) ?? "str";
}

const TCP_CHECK_WORDS = [
  "connect",
  "send",
  "send-lf",
  "send-binary",
  "send-binary-lf",
  "expect",
  "comment",
  "set-var(NAME)",
  "unset-var(NAME)",
];

export function readTcpCheck(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const word = cursor.expect("a step of the check");
  if (word === null) return;
  const rule = readTcpCheckRule(line, word, cursor);
  if (rule !== null) line.draft.check.tcpRules.push(rule);
}

function readTcpCheckRule(line: ProxyLine, word: Word, cursor: Cursor): CheckRule | null {
  switch (word.text) {
    case "connect":
      return readConnect(line, cursor);
    case "comment":
      cursor.expect("a text");
      return null;
    case "expect":
      return readTcpExpect(line, cursor);
    case "send":
    case "send-binary":
    case "send-lf":
    case "send-binary-lf":
      return readTcpSend(line, word.text, cursor);
  }
  return readVariableStep(line, word, cursor, TCP_CHECK_WORDS);
}

function readTcpSend(line: ProxyLine, kind: string, cursor: Cursor): CheckRule | null {
  let bytes: Uint8Array | LogFormat | null = null;
  if (kind.endsWith("-lf")) bytes = expectFormat(line, cursor);
  else {
    const word = cursor.expect("what to send");
    if (word !== null) bytes = kind === "send" ? bytesOf(word.text) : parseHex(word, cursor);
  }
  const comment = cursor.take("comment") === null ? null : (cursor.expect("a text")?.text ?? null);
  cursor.expectEnd();
  return bytes === null ? null : { kind: "tcp-send", bytes, comment, span: line.span };
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0) & 0xff);
}

function parseHex(word: Word, cursor: Cursor): Uint8Array | null {
  if (/^(?:[0-9a-f]{2})+$/i.test(word.text))
    return Uint8Array.from(word.text.match(/../g)!, (pair) => Number.parseInt(pair, 16));
  cursor.report.error(
    "bad-hex",
    word.span,
    "these are no bytes in hexadecimal",
    "Write an even number of hexadecimal digits.",
  );
  return null;
}

const TCP_MATCHES = ["string", "rstring", "binary", "rbinary", "string-lf", "binary-lf"];

function readTcpExpect(line: ProxyLine, cursor: Cursor): CheckRule | null {
  const read = readExpectWords(line, cursor);
  if (read === null) return null;
  const match = readTcpMatch(line, read.match, cursor);
  if (match === null) cursor.expectEnd();
  else readTrailingExpectWords(line, cursor, read.words);
  const { negated, minRecv, comment, statusCode } = read.words;
  if (statusCode !== null)
    line.report.notice("no-effect", statusCode.span, "`status-code` has no effect in `tcp-check`");
  return match === null ? null : { kind: "tcp-expect", negated, match, minRecv, comment, span: line.span };
}

function readTcpMatch(line: ProxyLine, match: Word, cursor: Cursor): TcpExpectation | null {
  const by = TCP_MATCHES.includes(match.text) ? (match.text as TcpExpectation["by"]) : null;
  if (by === null) {
    cursor.unknown(match, "way to judge an answer", TCP_MATCHES);
    return null;
  }
  if (by === "string-lf" || by === "binary-lf") {
    const format = expectFormat(line, cursor);
    return format === null ? null : { by, format };
  }
  const pattern = cursor.expect("a pattern");
  if (pattern === null || (by === "binary" && parseHex(pattern, cursor) === null)) return null;
  return { by, pattern: pattern.text };
}

/** Used by `option redispatch` and others that take an optional number. */
export function readOptionalInteger(cursor: Cursor, minimum: number): number | null {
  const word = cursor.next();
  return word === null ? null : parseInteger(word, cursor.report, minimum);
}
