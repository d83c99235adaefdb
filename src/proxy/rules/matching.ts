// How ACLs and maps compare a value with patterns (HAProxy manual 7.1.3). A matcher tells which pattern
// matched, so that maps can look up its value. Sets of exact strings, prefixes and networks cost the same
// however many there are.
import { type IpAddress, type IpNetwork, networkContains, parseIpNetwork } from "../../base/address.ts";
import type { MatchMethod, SampleType } from "../../model/sample.ts";
import { lowerAscii } from "./converters/text.ts";
import { requireRegex } from "./regex.ts";
import type { SampleValue } from "./sample-value.ts";

/** Index of the pattern that matches, or -1. The value has been cast to `matchInputType`. */
export type Matcher = (value: SampleValue) => number;

type TextMatcher = (text: string) => number;

/** The type that a value is cast to before it is matched. */
export function matchInputType(method: MatchMethod): SampleType {
  switch (method) {
    case "found":
      return "any";
    case "bool":
      return "bool";
    case "int":
      return "sint";
    case "ip":
      return "addr";
    case "bin":
      return "bin";
    default:
      return "str";
  }
}

export function compileMatcher(
  method: MatchMethod,
  ignoreCase: boolean,
  patterns: readonly string[],
): Matcher {
  switch (method) {
    case "found":
      return () => 0;
    case "bool":
      return patterns.length > 0 && /^(0|false|no|off)$/i.test(patterns[0]!)
        ? (value) => (value === true ? -1 : 0)
        : (value) => (value === true ? 0 : -1);
    case "int":
      return rangeMatcher(patterns, (value) => value as number);
    case "len":
      return rangeMatcher(patterns, (value) => (value as string).length);
    case "ip":
      return ipMatcher(patterns) as Matcher;
    case "bin":
      return exactMatcher(
        patterns.map((pattern) => Buffer.from(pattern, "hex").toString("latin1")),
      ) as Matcher;
    case "reg":
      return regexMatcher(patterns, ignoreCase) as Matcher;
    default:
      return textMatcher(method, ignoreCase, patterns) as Matcher;
  }
}

function textMatcher(
  method: "str" | "sub" | "beg" | "end" | "dir" | "dom",
  ignoreCase: boolean,
  patterns: readonly string[],
): TextMatcher {
  const folded = ignoreCase ? patterns.map(lowerAscii) : patterns;
  const match = caseSensitiveMatcher(method, folded);
  return ignoreCase ? (text) => match(lowerAscii(text)) : match;
}

function caseSensitiveMatcher(
  method: "str" | "sub" | "beg" | "end" | "dir" | "dom",
  patterns: readonly string[],
): TextMatcher {
  const [only] = patterns;
  if (patterns.length === 1 && only !== undefined) {
    switch (method) {
      case "str":
        return (text) => (text === only ? 0 : -1);
      case "beg":
        return (text) => (text.startsWith(only) ? 0 : -1);
      case "end":
        return (text) => (text.endsWith(only) ? 0 : -1);
      case "sub":
        return (text) => (text.includes(only) ? 0 : -1);
    }
  }
  switch (method) {
    case "str":
      return exactMatcher(patterns);
    case "beg":
      return longestMatcher(patterns, (text, length) => text.slice(0, length));
    case "end":
      return firstMatcher(patterns, (text, pattern) => text.endsWith(pattern));
    case "sub":
      return firstMatcher(patterns, (text, pattern) => text.includes(pattern));
    case "dir":
      return wordMatcher(patterns, "/?");
    case "dom":
      return wordMatcher(patterns, "/?.:");
  }
}

function exactMatcher(patterns: readonly string[]): TextMatcher {
  const indexes = indexByText(patterns);
  return (text) => indexes.get(text) ?? -1;
}

function indexByText(patterns: readonly string[]): Map<string, number> {
  const indexes = new Map<string, number>();
  for (const [index, pattern] of patterns.entries()) if (!indexes.has(pattern)) indexes.set(pattern, index);
  return indexes;
}

/**
 * One map lookup per distinct length, the longest first: HAProxy's tree of prefixes also prefers the
 * longest.
 */
function longestMatcher(
  patterns: readonly string[],
  part: (text: string, length: number) => string,
): TextMatcher {
  const indexes = indexByText(patterns);
  const lengths = [...new Set(patterns.map((pattern) => pattern.length))].sort((a, b) => b - a);
  return (text) => {
    for (const length of lengths) {
      if (length > text.length) continue;
      const index = indexes.get(part(text, length));
      if (index !== undefined) return index;
    }
    return -1;
  };
}

function firstMatcher(
  patterns: readonly string[],
  matches: (text: string, pattern: string) => boolean,
): TextMatcher {
  return (text) => {
    for (let i = 0; i < patterns.length; i++) if (matches(text, patterns[i]!)) return i;
    return -1;
  };
}

function regexMatcher(patterns: readonly string[], ignoreCase: boolean): TextMatcher {
  const regexes = patterns.map((pattern) => requireRegex(pattern, ignoreCase));
  const [only] = regexes;
  if (regexes.length === 1 && only !== undefined) return (text) => (only.test(text) ? 0 : -1);
  return (text) => {
    for (let i = 0; i < regexes.length; i++) if (regexes[i]!.test(text)) return i;
    return -1;
  };
}

/** A pattern stands for whole words between delimiters; delimiters around the pattern itself do not count. */
function wordMatcher(patterns: readonly string[], delimiters: string): TextMatcher {
  const words = patterns.map((pattern) => stripDelimiters(pattern, delimiters));
  return firstMatcher(words, (text, word) => containsWord(text, word, delimiters));
}

function stripDelimiters(text: string, delimiters: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && delimiters.includes(text[start]!)) start++;
  while (end > start && delimiters.includes(text[end - 1]!)) end--;
  return text.slice(start, end);
}

function containsWord(text: string, word: string, delimiters: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const end = at + word.length;
    const startsWord = at === 0 || delimiters.includes(text[at - 1]!);
    const endsWord = end >= text.length || delimiters.includes(text[end]!);
    if (startsWord && endsWord && !delimiters.includes(text[at] ?? "/")) return true;
  }
  return false;
}

interface Range {
  readonly minimum: number;
  readonly maximum: number;
}

const OPERATORS = ["eq", "ge", "gt", "le", "lt"] as const;
type Operator = (typeof OPERATORS)[number];

/** "5", "1:10", ":10", "1024:", versions such as "3.1", and `gt 5 …`. */
function rangeMatcher(patterns: readonly string[], read: (value: SampleValue) => number): Matcher {
  const ranges = parseRanges(patterns);
  return (value) => {
    const number = read(value);
    for (let i = 0; i < ranges.length; i++) {
      const range = ranges[i]!;
      if (number >= range.minimum && number <= range.maximum) return i;
    }
    return -1;
  };
}

function parseRanges(patterns: readonly string[]): Range[] {
  const ranges: Range[] = [];
  let operator: Operator = "eq";
  for (const pattern of patterns) {
    const word = OPERATORS.find((known) => known === pattern);
    if (word !== undefined) operator = word;
    else ranges.push(parseRange(pattern, operator));
  }
  return ranges;
}

function parseRange(pattern: string, operator: Operator): Range {
  const colon = pattern.indexOf(":");
  const minimum = parseBound(colon < 0 ? pattern : pattern.slice(0, colon), -Infinity);
  const maximum = colon < 0 ? minimum : parseBound(pattern.slice(colon + 1), Infinity);
  switch (operator) {
    case "eq":
      return { minimum, maximum };
    case "ge":
      return { minimum, maximum: Infinity };
    case "gt":
      return { minimum: minimum + 1, maximum: Infinity };
    case "le":
      return { minimum: -Infinity, maximum };
    case "lt":
      return { minimum: -Infinity, maximum: maximum - 1 };
  }
}

/** A dotted version "3.1" is 3 << 16 | 1, as the fetches on TLS versions give it. */
function parseBound(text: string, open: number): number {
  if (text === "") return open;
  const dot = text.indexOf(".");
  return dot < 0 ? Number(text) : Number(text.slice(0, dot)) * 65536 + Number(text.slice(dot + 1));
}

function ipMatcher(patterns: readonly string[]): (address: IpAddress) => number {
  const networks4: { network: IpNetwork; index: number }[] = [];
  const networks6: { network: IpNetwork; index: number }[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const network = parseIpNetwork(pattern);
    if (network === null) continue;
    (network.address.family === 4 ? networks4 : networks6).push({ network, index });
  }
  const match4 = ipv4Matcher(networks4);
  // The longest prefix first, as HAProxy's tree.
  networks6.sort((a, b) => b.network.prefix - a.network.prefix);
  return (address) => {
    const { bytes } = address;
    if (address.family === 4) {
      const index = match4(ipv4Number(bytes, 0));
      if (index >= 0) return index;
    }
    for (const { network, index } of networks6) if (networkContains(network, address)) return index;
    if (address.family === 4 || networks4.length === 0) return -1;
    const at = embeddedIpv4(bytes);
    return at < 0 ? -1 : match4(ipv4Number(bytes, at));
  };
}

/** Networks by prefix length: at most 33 lookups for any number of networks. */
function ipv4Matcher(
  networks: readonly { network: IpNetwork; index: number }[],
): (address: number) => number {
  const byPrefix = new Map<number, Map<number, number>>();
  for (const { network, index } of networks) {
    const addresses = byPrefix.get(network.prefix) ?? new Map<number, number>();
    byPrefix.set(network.prefix, addresses);
    const masked = (ipv4Number(network.address.bytes, 0) & maskOf(network.prefix)) | 0;
    if (!addresses.has(masked)) addresses.set(masked, index);
  }
  const levels = [...byPrefix]
    .sort((a, b) => b[0] - a[0])
    .map(([prefix, addresses]) => ({ mask: maskOf(prefix), addresses }));
  return (address) => {
    for (const { mask, addresses } of levels) {
      const index = addresses.get((address & mask) | 0);
      if (index !== undefined) return index;
    }
    return -1;
  };
}

function maskOf(prefix: number): number {
  return prefix === 0 ? 0 : (-1 << (32 - prefix)) | 0;
}

function ipv4Number(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Where the IPv4 address lies in ::ffff:a.b.c.d, ::a.b.c.d or 2002:ab:cd::, or -1. */
function embeddedIpv4(bytes: Uint8Array): number {
  if (bytes[0] === 0x20 && bytes[1] === 0x02) return 2;
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return -1;
  const marker = (bytes[10]! << 8) | bytes[11]!;
  return marker === 0xffff || marker === 0 ? 12 : -1;
}
