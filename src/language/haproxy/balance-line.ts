// `balance`, `hash-type` and `hash-balance-factor` lines (manual 4.2).
import type { HashType } from "../../model/proxy.ts";
import { parseSampleExpression } from "./expression/sample-parser.ts";
import { cursorOf, type ProxyLine } from "./reading.ts";
import { expectInteger, parseInteger } from "./values.ts";
import { partOfWord, type Word } from "./word.ts";

const ALGORITHMS = [
  "roundrobin",
  "static-rr",
  "leastconn",
  "first",
  "source",
  "random",
  "uri",
  "url_param",
  "hdr",
  "rdp-cookie",
  "hash",
];
const FUNCTIONS: readonly HashType["function"][] = ["sdbm", "djb2", "wt6", "crc32", "none"];

export function readBalance(line: ProxyLine): void {
  line.draft.hasBalance = true;
  const cursor = cursorOf(line);
  const word = cursor.next();
  if (word === null) {
    line.draft.balance = { algorithm: "roundrobin" };
    return;
  }
  const call = /^([\w-]+)\(([^)]*)\)$/.exec(word.text);
  const argument = call === null ? null : partOfWord(word, call[1]!.length + 1, word.text.length - 1);
  const algorithm = call?.[1] ?? word.text;
  switch (algorithm) {
    case "roundrobin":
    case "static-rr":
    case "leastconn":
    case "first":
    case "source":
      line.draft.balance = { algorithm };
      break;
    case "random":
      line.draft.balance = {
        algorithm,
        draws: argument === null ? 2 : (parseInteger(argument, line.report, 1, 65_535) ?? 2),
      };
      break;
    case "uri":
      readUri(line);
      return;
    case "url_param":
      readUrlParameter(line);
      return;
    case "hdr":
      readHeader(line, argument);
      return;
    case "rdp-cookie":
      line.draft.balance = { algorithm, name: argument?.text || "mstshash" };
      break;
    case "hash":
      readHash(line);
      return;
    default:
      cursor.unknown(word, "way to balance", ALGORITHMS);
      return;
  }
  cursor.expectEnd("warning");
}

function readUri(line: ProxyLine): void {
  const cursor = cursorOf(line, 2);
  let length: number | null = null;
  let depth: number | null = null;
  let whole = false;
  let pathOnly = false;
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    if (word.text === "len") length = expectInteger(cursor, "a number of characters", 1);
    else if (word.text === "depth") depth = expectInteger(cursor, "a number of directories", 1);
    else if (word.text === "whole") whole = true;
    else if (word.text === "path-only") pathOnly = true;
    else cursor.unknown(word, "word of `balance uri`", ["len", "depth", "whole", "path-only"]);
  }
  line.draft.balance = { algorithm: "uri", length, depth, whole, pathOnly };
}

function readUrlParameter(line: ProxyLine): void {
  const cursor = cursorOf(line, 2);
  const name = cursor.expect("the parameter's name");
  if (name === null) return;
  const checkPost = cursor.take("check_post") === null ? null : 48;
  const limit = checkPost === null ? null : cursor.next();
  line.draft.balance = {
    algorithm: "url_param",
    name: name.text,
    checkPost: limit === null ? checkPost : parseInteger(limit, line.report, 3),
  };
  cursor.expectEnd();
}

function readHeader(line: ProxyLine, argument: Word | null): void {
  const cursor = cursorOf(line, 2);
  if (argument === null || argument.text === "") {
    line.report.error(
      "missing-argument",
      line.words[1]!.span,
      "`balance hdr` needs a header's name",
      "Write `balance hdr(User-Agent)`, for example.",
    );
    return;
  }
  const useDomainOnly = cursor.take("use_domain_only") !== null;
  line.draft.balance = { algorithm: "hdr", name: argument.text, useDomainOnly };
  cursor.expectEnd();
}

function readHash(line: ProxyLine): void {
  const cursor = cursorOf(line, 2);
  const expression = cursor.expect("an expression");
  if (expression === null) return;
  const sample = parseSampleExpression(expression, line.reading.contextFor(line.draft, "request"));
  if (sample !== null) line.draft.balance = { algorithm: "hash", sample };
  cursor.expectEnd();
}

export function readHashType(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const method = cursor.expectOneOf("kind of hash", ["map-based", "consistent"]);
  if (method === null) return;
  const isFunction = FUNCTIONS.some((name) => name === cursor.peek()?.text);
  const name =
    cursor.isAtEnd || cursor.peek()?.text === "avalanche"
      ? "sdbm"
      : cursor.expectOneOf("hash function", FUNCTIONS);
  if (name === null) return;
  // Consistent hashing without a named function always mixes the result (manual, hash-type).
  let avalanche = method === "consistent" && !isFunction;
  if (cursor.peek()?.text === "avalanche") {
    cursor.next();
    avalanche = true;
  }
  line.draft.hashType = { method, function: name, avalanche };
  cursor.expectEnd("warning");
}

export function readHashBalanceFactor(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const value = expectInteger(cursor, "a percentage", 0, 65_535);
  if (value === null) return;
  if (value !== 0 && value <= 100) {
    line.report.error(
      "bad-number",
      line.words[1]!.span,
      "the factor is 0 or above 100",
      "150 lets a server have half more than its share.",
    );
    return;
  }
  line.draft.hashBalanceFactor = value;
  cursor.expectEnd("warning");
}
