// Checks and normalizes the patterns of an acl for its match method. Numbers become single values or ranges
// "a:b", "a:", ":b" with the operators (eq ge gt le lt) worked in; dotted versions become one number, major *
// 65536 + minor, as the fetch yields them; short IPv4 forms are written out. Everything else stays as
// written.
import { formatIpAddress, type IpAddress, parseIpAddress } from "../../../base/address.ts";
import type { MatchMethod } from "../../../model/sample.ts";
import type { ExpressionContext } from "../context.ts";
import type { Word } from "../word.ts";
import { checkRegex } from "./regex.ts";
import { quote, reportError, reportWarning } from "./report.ts";

const OPERATORS = ["eq", "ge", "gt", "le", "lt"] as const;
type Operator = (typeof OPERATORS)[number];

/** Null when anything was wrong; everything wrong is reported. `isDotted`: versions such as 3.1. */
export function normalizePatterns(
  words: readonly Word[],
  method: MatchMethod,
  isDotted: boolean,
  context: ExpressionContext,
): string[] | null {
  if (method === "int" || method === "len") return integerPatterns(words, isDotted, context);
  const patterns = words.map((word) => normalizePattern(word, method, context));
  return patterns.includes(null) ? null : (patterns as string[]);
}

function normalizePattern(word: Word, method: MatchMethod, context: ExpressionContext): string | null {
  const { text } = word;
  switch (method) {
    case "ip":
      return networkPattern(word, context);
    case "bin":
      if (/^([0-9a-fA-F]{2})*$/.test(text)) return text.toLowerCase();
      return reportError(
        context,
        "bad-pattern",
        word.span,
        `${quote(text)} is not an even number of hexadecimal digits`,
      );
    case "reg":
      return checkRegex(text, word.span, context) ? text : null;
    default:
      return text;
  }
}

function integerPatterns(
  words: readonly Word[],
  isDotted: boolean,
  context: ExpressionContext,
): string[] | null {
  const patterns: string[] = [];
  let operator: Operator = "eq";
  let isGood = true;
  for (const word of words) {
    if (isOperator(word.text)) {
      operator = word.text;
      continue;
    }
    const pattern = integerPattern(word, operator, isDotted, context);
    if (pattern === null) isGood = false;
    else patterns.push(pattern);
  }
  return isGood ? patterns : null;
}

function isOperator(text: string): text is Operator {
  return (OPERATORS as readonly string[]).includes(text);
}

function integerPattern(
  word: Word,
  operator: Operator,
  isDotted: boolean,
  context: ExpressionContext,
): string | null {
  const { text } = word;
  const separator = text.search(/[:-]/);
  const read = isDotted ? parseVersion : parseBigInteger;
  if (separator < 0) {
    const value = read(text);
    if (value !== null) return withOperator(value, operator);
    if (text === "ne")
      return reportError(
        context,
        "bad-pattern",
        word.span,
        "there is no operator `ne`",
        "Put `!` before the acl's name in the condition.",
      );
    return reportError(
      context,
      "bad-pattern",
      word.span,
      `${quote(text)} is neither a number nor one of eq ge gt le lt`,
      symbolHelp(text),
    );
  }
  const low = text.slice(0, separator);
  const high = text.slice(separator + 1);
  const minimum = low === "" ? null : read(low);
  const maximum = high === "" ? null : read(high);
  const isBroken =
    (low !== "" && minimum === null) ||
    (high !== "" && maximum === null) ||
    (minimum === null && maximum === null);
  if (isBroken || (minimum !== null && maximum !== null && minimum > maximum)) {
    return reportError(
      context,
      "bad-pattern",
      word.span,
      `${quote(text)} is not a range of numbers`,
      "Write LOWEST:HIGHEST; either may be left out.",
    );
  }
  if (text[0] === "-")
    reportWarning(
      context,
      "odd-pattern",
      word.span,
      `${quote(text)} means the range up to ${high}, not a negative number`,
    );
  return `${minimum ?? ""}:${maximum ?? ""}`;
}

function withOperator(value: bigint, operator: Operator): string {
  switch (operator) {
    case "eq":
      return `${value}`;
    case "ge":
      return `${value}:`;
    case "gt":
      return `${value + 1n}:`;
    case "le":
      return `:${value}`;
    case "lt":
      return `:${value - 1n}`;
  }
}

function symbolHelp(text: string): string | null {
  const words: Readonly<Record<string, string>> = {
    "=": "eq",
    "==": "eq",
    ">": "gt",
    ">=": "ge",
    "<": "lt",
    "<=": "le",
  };
  const word = words[text];
  return word === undefined ? null : `Write ${quote(word)} instead of ${quote(text)}.`;
}

function parseBigInteger(text: string): bigint | null {
  return /^-?\d{1,19}$/.test(text) ? BigInt(text) : null;
}

function parseVersion(text: string): bigint | null {
  const match = /^(\d{1,5})(?:\.(\d{1,5}))?$/.exec(text);
  if (match === null || Number(match[1]) > 65535 || Number(match[2] ?? 0) > 65535) return null;
  return BigInt(Number(match[1]) * 65536 + Number(match[2] ?? 0));
}

function networkPattern(word: Word, context: ExpressionContext): string | null {
  const { text } = word;
  const slash = text.indexOf("/");
  const host = slash < 0 ? text : text.slice(0, slash);
  const address = parseIpAddress(host) ?? expandShortIpv4(host);
  if (address === null) return reportBadAddress(word, host, context);
  const written = formatIpAddress(address);
  if (slash < 0) return written;
  const mask = text.slice(slash + 1);
  const prefix = address.family === 4 ? ipv4Prefix(mask) : ipv6Prefix(mask);
  if (prefix !== null) return `${written}/${prefix}`;
  const help =
    address.family === 4
      ? "Write a length from 0 to 32 or a mask such as 255.255.255.0."
      : "Write a length from 0 to 128.";
  return reportError(
    context,
    "bad-pattern",
    word.span,
    `${quote(mask)} is no mask of an IPv${address.family} network`,
    help,
  );
}

function reportBadAddress(word: Word, host: string, context: ExpressionContext): null {
  const looksLikeName = /^(?=.*[A-Za-z])[A-Za-z0-9._-]+$/.test(host);
  const message = looksLikeName
    ? `${quote(host)} is a name, and names are not looked up here`
    : `${quote(host)} is not an IP address`;
  const help = looksLikeName
    ? "Write its address: what a name means can change without anybody touching this file."
    : null;
  return reportError(context, "bad-pattern", word.span, message, help);
}

/** "10.12" is 10.0.0.12 and "127.1" is 127.0.0.1, unlike in CIDR notation. Manual, section 7.1.6. */
function expandShortIpv4(text: string): IpAddress | null {
  const parts = text.split(".");
  if (parts.length > 3 || !parts.every((part) => /^\d{1,3}$/.test(part)) || parts.length < 2) return null;
  const zeros = new Array<string>(4 - parts.length).fill("0");
  return parseIpAddress([...parts.slice(0, -1), ...zeros, parts[parts.length - 1]!].join("."));
}

function ipv4Prefix(mask: string): number | null {
  if (/^\d{1,2}$/.test(mask)) return Number(mask) <= 32 ? Number(mask) : null;
  const address = parseIpAddress(mask);
  if (address === null || address.family !== 4) return null;
  const bits = [...address.bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return /^1*0*$/.test(bits) ? bits.lastIndexOf("1") + 1 : null;
}

function ipv6Prefix(mask: string): number | null {
  return /^\d{1,3}$/.test(mask) && Number(mask) <= 128 ? Number(mask) : null;
}
