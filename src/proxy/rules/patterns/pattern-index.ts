// Where patterns are found by the value that they match. Sets of exact strings, prefixes and networks cost
// the same however many there are, and adding one to them does too; all else is tried one after the other, in
// order.
import type { IpAddress } from "../../../base/address.ts";
import type { MatchMethod } from "../../../model/sample.ts";
import { lowerAscii } from "../converters/text.ts";
import { requireRegex } from "../regex.ts";
import type { SampleValue } from "../sample-value.ts";
import { parseNetwork, parseRange } from "./parse-pattern.ts";
import type { PatternEntry } from "./pattern-entry.ts";

export type FindPattern = (value: SampleValue) => PatternEntry | undefined;

export interface PatternIndex {
  /** The pattern has been checked. */
  add(entry: PatternEntry): void;
  remove(entry: PatternEntry): void;
  /** What matches; of several the first, of prefixes and networks the longest. */
  find(value: SampleValue): PatternEntry | undefined;
}

/** Not for "found" and "bool", which look at no pattern. Values are folded by the caller. */
export function createPatternIndex(method: MatchMethod, ignoreCase: boolean): PatternIndex {
  const fold = ignoreCase ? lowerAscii : (text: string) => text;
  switch (method) {
    case "str":
      return new ExactIndex(fold);
    case "bin":
      return new ExactIndex((text) => Buffer.from(text, "hex").toString("latin1"));
    case "beg":
      return new PrefixIndex(fold);
    case "ip":
      return new NetworkIndex() as unknown as PatternIndex;
    default:
      return new SequentialIndex((pattern) => testOf(method, pattern, ignoreCase));
  }
}

type TestValue = (value: SampleValue) => boolean;

/** Whether one pattern matches. */
export function testOf(method: MatchMethod, pattern: string, ignoreCase: boolean): TestValue {
  const text = ignoreCase ? lowerAscii(pattern) : pattern;
  const ofText = (test: (value: string) => boolean) => test as TestValue;
  switch (method) {
    case "end":
      return ofText((value) => value.endsWith(text));
    case "sub":
      return ofText((value) => value.includes(text));
    case "dir":
      return ofText(wordTest(text, "/?"));
    case "dom":
      return ofText(wordTest(text, "/?.:"));
    case "reg": {
      // Its own flag folds, and the value's capitals stay.
      const regex = requireRegex(pattern, ignoreCase);
      return ofText((value) => regex.test(value));
    }
    case "len": {
      const isInRange = rangeTest(pattern);
      return ofText((value) => isInRange(value.length));
    }
    case "int":
      return rangeTest(pattern);
    case "beg":
      return ofText((value) => value.startsWith(text));
    default:
      return (value) => value === text;
  }
}

function rangeTest(pattern: string): TestValue {
  const range = parseRange(pattern);
  if (range === null) return () => false;
  const { minimum, maximum } = range;
  return (value) => (value as number) >= minimum && (value as number) <= maximum;
}

/** Entries with the same text, in order: the first counts. */
class ExactIndex implements PatternIndex {
  readonly #fold: (text: string) => string;
  readonly #entries: Map<string, PatternEntry[]> = new Map();

  constructor(fold: (text: string) => string) {
    this.#fold = fold;
  }

  add(entry: PatternEntry): void {
    addTo(this.#entries, this.#fold(entry.key), entry);
  }

  remove(entry: PatternEntry): void {
    removeFrom(this.#entries, this.#fold(entry.key), entry);
  }

  find(value: SampleValue): PatternEntry | undefined {
    return this.#entries.get(value as string)?.[0];
  }
}

/**
 * One look into a map for each length that a prefix has, the longest first: HAProxy's tree of prefixes also
 * prefers the longest.
 */
class PrefixIndex implements PatternIndex {
  readonly #fold: (text: string) => string;
  readonly #entries: Map<string, PatternEntry[]> = new Map();
  readonly #counts: Map<number, number> = new Map();
  /** The longest first. */
  #lengths: readonly number[] = [];

  constructor(fold: (text: string) => string) {
    this.#fold = fold;
  }

  add(entry: PatternEntry): void {
    addTo(this.#entries, this.#fold(entry.key), entry);
    this.#count(entry.key.length, 1);
  }

  remove(entry: PatternEntry): void {
    if (removeFrom(this.#entries, this.#fold(entry.key), entry)) this.#count(entry.key.length, -1);
  }

  find(value: SampleValue): PatternEntry | undefined {
    const text = value as string;
    for (const length of this.#lengths) {
      if (length > text.length) continue;
      const found = this.#entries.get(text.slice(0, length));
      if (found !== undefined) return found[0];
    }
    return undefined;
  }

  #count(length: number, change: number): void {
    const count = (this.#counts.get(length) ?? 0) + change;
    if (count === 0) this.#counts.delete(length);
    else this.#counts.set(length, count);
    if (count <= 1) this.#lengths = [...this.#counts.keys()].sort((a, b) => b - a);
  }
}

class SequentialIndex implements PatternIndex {
  readonly #testOf: (pattern: string) => TestValue;
  readonly #items: { readonly entry: PatternEntry; readonly test: TestValue }[] = [];

  constructor(test: (pattern: string) => TestValue) {
    this.#testOf = test;
  }

  add(entry: PatternEntry): void {
    this.#items.push({ entry, test: this.#testOf(entry.key) });
  }

  remove(entry: PatternEntry): void {
    const at = this.#items.findIndex((item) => item.entry === entry);
    if (at >= 0) this.#items.splice(at, 1);
  }

  find(value: SampleValue): PatternEntry | undefined {
    for (let i = 0; i < this.#items.length; i++)
      if (this.#items[i]!.test(value)) return this.#items[i]!.entry;
    return undefined;
  }
}

/** Networks of one length of prefix, by the bits that count. */
interface Level<K> {
  readonly prefix: number;
  readonly entries: Map<K, PatternEntry[]>;
}

/** By the length of their prefix: one look for each length that there is, for any number of networks. */
class NetworkIndex {
  /** The longest prefix first, as in HAProxy's tree. */
  readonly #levels4: Level<number>[] = [];
  readonly #levels6: Level<string>[] = [];

  add(entry: PatternEntry): void {
    const network = parseNetwork(entry.key);
    if (network === null) return;
    const { address, prefix } = network;
    if (address.family === 4)
      addTo(levelOf(this.#levels4, prefix).entries, masked4(ipv4Number(address.bytes, 0), prefix), entry);
    else addTo(levelOf(this.#levels6, prefix).entries, masked6(address.bytes, prefix), entry);
  }

  remove(entry: PatternEntry): void {
    const network = parseNetwork(entry.key);
    if (network === null) return;
    const { address, prefix } = network;
    if (address.family === 4)
      removeFrom(
        levelOf(this.#levels4, prefix).entries,
        masked4(ipv4Number(address.bytes, 0), prefix),
        entry,
      );
    else removeFrom(levelOf(this.#levels6, prefix).entries, masked6(address.bytes, prefix), entry);
  }

  find(address: IpAddress): PatternEntry | undefined {
    const { bytes } = address;
    if (address.family === 4) {
      const found = this.#find4(ipv4Number(bytes, 0));
      if (found !== undefined || this.#levels6.length === 0) return found;
      return this.#find6(mapIpv4(bytes));
    }
    const found = this.#find6(bytes);
    if (found !== undefined || this.#levels4.length === 0) return found;
    const at = embeddedIpv4(bytes);
    return at < 0 ? undefined : this.#find4(ipv4Number(bytes, at));
  }

  #find4(address: number): PatternEntry | undefined {
    for (const { prefix, entries } of this.#levels4) {
      const found = entries.get(masked4(address, prefix));
      if (found !== undefined) return found[0];
    }
    return undefined;
  }

  #find6(bytes: Uint8Array): PatternEntry | undefined {
    for (const { prefix, entries } of this.#levels6) {
      const found = entries.get(masked6(bytes, prefix));
      if (found !== undefined) return found[0];
    }
    return undefined;
  }
}

function levelOf<K>(levels: Level<K>[], prefix: number): Level<K> {
  const known = levels.find((level) => level.prefix === prefix);
  if (known !== undefined) return known;
  const level: Level<K> = { prefix, entries: new Map() };
  levels.push(level);
  levels.sort((a, b) => b.prefix - a.prefix);
  return level;
}

function addTo<K>(entries: Map<K, PatternEntry[]>, key: K, entry: PatternEntry): void {
  const same = entries.get(key);
  if (same === undefined) entries.set(key, [entry]);
  else same.push(entry);
}

function removeFrom<K>(entries: Map<K, PatternEntry[]>, key: K, entry: PatternEntry): boolean {
  const same = entries.get(key) ?? [];
  const at = same.indexOf(entry);
  if (at < 0) return false;
  if (same.length === 1) entries.delete(key);
  else same.splice(at, 1);
  return true;
}

function masked4(address: number, prefix: number): number {
  return prefix === 0 ? 0 : (address & (-1 << (32 - prefix))) | 0;
}

/** The bits of the prefix as text, one character for each byte. */
function masked6(bytes: Uint8Array, prefix: number): string {
  let text = "";
  for (let i = 0; i * 8 < prefix; i++)
    text += String.fromCharCode(bytes[i]! & (0xff << Math.max(0, 8 - (prefix - i * 8))));
  return text;
}

function mapIpv4(bytes: Uint8Array): Uint8Array {
  const mapped = new Uint8Array(16);
  mapped[10] = mapped[11] = 0xff;
  mapped.set(bytes, 12);
  return mapped;
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

/** A pattern stands for whole words between delimiters; delimiters around the pattern itself do not count. */
function wordTest(pattern: string, delimiters: string): (text: string) => boolean {
  const word = stripDelimiters(pattern, delimiters);
  return (text) => containsWord(text, word, delimiters);
}

function stripDelimiters(text: string, delimiters: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && delimiters.includes(text[start]!)) start++;
  while (end > start && delimiters.includes(text[end - 1]!)) end--;
  return text.slice(start, end);
}

function containsWord(text: string, word: string, delimiters: string): boolean {
  // Of delimiters alone no word is left.
  if (word === "") return false;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const end = at + word.length;
    const startsWord = at === 0 || delimiters.includes(text[at - 1]!);
    const endsWord = end >= text.length || delimiters.includes(text[end]!);
    if (startsWord && endsWord) return true;
  }
  return false;
}
