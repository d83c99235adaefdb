// The `stick-table` line of a proxy, and the `table` lines of `peers` sections, which say the same (manual
// 3.5 and 4.2).
import type { Span } from "../../diagnostic/span.ts";
import {
  STICK_KEY_TYPES,
  STORED_LISTS,
  STORED_NAMES,
  type StickKeyType,
  type StickTableDefinition,
  type StoredData,
  type StoredName,
  shapeOf,
} from "../../model/stick-table.ts";
import type { Cursor } from "./cursor.ts";
import type { Mutable } from "./draft.ts";
import { displayText } from "./lexer.ts";
import { cursorOf, type ProxyLine, type Reading } from "./reading.ts";
import { expectDurationMs, parseDurationMs, parseInteger, parseSizeBytes } from "./values.ts";
import { spanInside, type Word } from "./word.ts";

/** Texts without a `len` have 31 bytes, whatever the manual says: HAProxy keeps a zero behind them. */
const KEY_BYTES: Readonly<Record<StickKeyType, number>> = {
  ip: 4,
  ipv6: 16,
  integer: 4,
  string: 31,
  binary: 32,
};
const KEY_BYTES_MAX = 16384;
const LIST_MAX = 100;
const WORDS = ["type", "size", "expire", "nopurge", "peers", "srvkey", "store"];

export function readStickTable(line: ProxyLine): void {
  const { draft, reading } = line;
  const first = reading.stickTables.find(({ name }) => name === draft.name);
  if (first !== undefined) {
    line.report.error(
      "duplicate-name",
      line.span,
      `there is already a stick table \`${displayText(draft.name)}\``,
      "A section has one table: declare others in backends of their own.",
      [{ span: first.span, message: "it is here" }],
    );
    return;
  }
  reading.stickTables.push(readTableWords(reading, cursorOf(line), draft.name, line.span));
}

/**
 * What stands behind the keyword, or the table's name. With errors, which are reported, as much as is right.
 */
export function readTableWords(
  reading: Reading,
  cursor: Cursor,
  name: string,
  span: Span,
): StickTableDefinition {
  const { report } = reading;
  const table: Mutable<StickTableDefinition> & { stored: StoredData[] } = {
    name,
    keyType: "ip",
    keyBytes: 0,
    size: 0,
    expireMs: null,
    isKept: false,
    stored: [],
    serverKey: "name",
    peers: null,
    span,
  };
  let isGood = true;
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    if (!readWord(word, cursor, table)) isGood = false;
  }
  for (const [what, isMissing, example] of [
    ["type", table.keyBytes === 0, "type ip"],
    ["size", table.size === 0, "size 100k"],
  ] as const) {
    if (!isMissing || !isGood) continue;
    report.error(
      "missing-argument",
      span,
      `the table's ${what} is missing`,
      `Add \`${example}\`, for example.`,
    );
  }
  const { peers } = table;
  if (peers !== null) reading.deferred.push(() => checkPeers(reading, peers, span));
  checkLists(table, cursor, span);
  table.stored.sort((a, b) => STORED_NAMES.indexOf(a.name) - STORED_NAMES.indexOf(b.name));
  return table;
}

function checkPeers(reading: Reading, name: string, span: Span): void {
  if (reading.peers.some((section) => section.name === name)) return;
  reading.report.error(
    "unknown-name",
    span,
    `there is no \`peers\` section \`${displayText(name)}\``,
    "Declare it, or take `peers` out.",
  );
}

/** False after an error. */
function readWord(
  word: Word,
  cursor: Cursor,
  table: Mutable<StickTableDefinition> & { stored: StoredData[] },
): boolean {
  const { report } = cursor;
  switch (word.text) {
    case "type":
      return readType(cursor, table);
    case "size": {
      const size = cursor.expect("a size");
      const count = size === null ? null : parseSizeBytes(size, report);
      if (count !== null) table.size = count;
      return count !== null;
    }
    case "expire": {
      const expireMs = expectDurationMs(cursor, "a time");
      table.expireMs = expireMs === 0 ? null : expireMs;
      return expireMs !== null;
    }
    case "nopurge":
      table.isKept = true;
      return true;
    case "peers": {
      const name = cursor.expect("the name of a `peers` section");
      table.peers = name?.text ?? null;
      return name !== null;
    }
    case "srvkey": {
      const key = cursor.expectOneOf("name of a server's key", ["name", "addr"]);
      if (key !== null) table.serverKey = key;
      return key !== null;
    }
    case "store": {
      const list = cursor.expect("what to store");
      return list !== null && readStored(list, cursor, table.stored);
    }
    default:
      cursor.unknown(word, "word of a stick table", WORDS);
      return false;
  }
}

function readType(cursor: Cursor, table: Mutable<StickTableDefinition>): boolean {
  const type = cursor.expectOneOf("type of key", STICK_KEY_TYPES);
  if (type === null) return false;
  table.keyType = type;
  table.keyBytes = KEY_BYTES[type];
  if ((type !== "string" && type !== "binary") || cursor.take("len") === null) return true;
  const length = cursor.expect("a length");
  const bytes = length === null ? null : parseInteger(length, cursor.report, 1, KEY_BYTES_MAX);
  if (bytes !== null) table.keyBytes = bytes;
  return bytes !== null;
}

/** `gpc0,conn_rate(10s),gpc_rate(2,1m)`. */
function readStored(word: Word, cursor: Cursor, stored: StoredData[]): boolean {
  let isGood = true;
  for (const match of word.text.matchAll(/([^,()]+)(\(([^()]*)\)?)?,?/g)) {
    const [, name = "", list, text = ""] = match;
    const span = spanInside(word, match.index, match.index + name.length + (list?.length ?? 0));
    const known = STORED_NAMES.find((one) => one === name);
    if (known === undefined) {
      cursor.unknown({ ...word, text: name, span }, "kind of data", STORED_NAMES);
      isGood = false;
      continue;
    }
    const data = readOne(known, text === "" ? [] : text.split(","), { ...word, span }, cursor);
    if (data === null) isGood = false;
    else if (stored.some((one) => one.name === known))
      cursor.report.warning("no-effect", span, `\`${name}\` is stored already`, "Take it out.");
    else stored.push(data);
  }
  return isGood;
}

function readOne(
  name: StoredName,
  given: readonly string[],
  word: Word,
  { report }: Cursor,
): StoredData | null {
  const isRate = shapeOf(name) === "rate";
  const isList = STORED_LISTS.has(name);
  const wanted = [...(isList ? ["NUMBER"] : []), ...(isRate ? ["PERIOD"] : [])];
  if (given.length !== wanted.length) {
    const what = wanted.length === 0 ? "takes no argument" : `needs \`(${wanted.join(",")})\``;
    const example = wanted.map((one) => (one === "NUMBER" ? "2" : "10s")).join(",");
    const help = wanted.length === 0 ? null : `Write \`${name}(${example})\`, for example.`;
    report.error("missing-argument", word.span, `\`${name}\` ${what}`, help);
    return null;
  }
  const count = isList ? parseInteger({ ...word, text: given[0]! }, report, 1, LIST_MAX) : 1;
  const periodMs = isRate ? parseDurationMs({ ...word, text: given.at(-1)! }, report) : 0;
  if (count === null || periodMs === null) return null;
  return { name, count, periodMs: isRate ? Math.max(1, periodMs) : 0 };
}

/** A list is the newer form of what `gpc0` and `gpc1` are. */
function checkLists({ stored }: StickTableDefinition, { report }: Cursor, span: Span): void {
  const has = (name: StoredName) => stored.some((one) => one.name === name);
  const pairs: readonly (readonly [StoredName, readonly StoredName[]])[] = [
    ["gpt", ["gpt0"]],
    ["gpc", ["gpc0", "gpc1"]],
    ["gpc_rate", ["gpc0_rate", "gpc1_rate"]],
  ];
  for (const [list, singles] of pairs) {
    const single = has(list) ? singles.find(has) : undefined;
    if (single === undefined) continue;
    const help = `The first of \`${list}\` is \`${singles[0]}\`: store only the list.`;
    report.error("conflict", span, `\`${list}\` and \`${single}\` exclude each other`, help);
  }
}
