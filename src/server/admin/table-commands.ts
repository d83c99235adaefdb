// `show table`, `set table` and `clear table` (management manual 9.3), in HAProxy's words. The master reads
// and changes the memory that workers work with, so there is nobody to ask or to tell.
import { parseIpAddress } from "../../base/address.ts";
import {
  STORED_NAMES,
  type StickTableDefinition,
  type StoredData,
  type StoredName,
  shapeOf,
} from "../../model/stick-table.ts";
import type { SampleValue } from "../../proxy/rules/sample-value.ts";
import type { ReadEntry } from "../../proxy/stick-table/entry-data.ts";
import type { StickTable } from "../../proxy/stick-table/stick-table.ts";
import { describeKey } from "../../proxy/stick-table/table-key.ts";
import { type Command, type CommandContext, message } from "./command.ts";

export const TABLE_COMMANDS: readonly Command[] = [
  {
    name: "show table",
    usage: "<table> [<filter>]*",
    help: "stick tables, or what is in one (filter: data.<type> <operator> <value>, key <key>)",
    level: "operator",
    run: show,
  },
  {
    name: "set table",
    usage: "<table> key <key> [data.<type> <value>]*",
    help: "make an entry of a stick table, or change it",
    level: "operator",
    run: set,
  },
  {
    name: "clear table",
    usage: "<table> [<filter>]*",
    help: "take entries out of a stick table (filter: data.<type> <operator> <value>, key <key>)",
    level: "operator",
    run: clear,
  },
];

const NO_TABLE = "No such table";
const NO_KEY = "Key value expected";
const UNKNOWN_DATA = "Unknown data type";
const NOT_STORED = "Data type not stored in this table";
const FILTERS_MAX = 4;

function show(words: readonly string[], { actions }: CommandContext): string {
  const [name, ...filter] = words;
  const { stickTables, tableNowMs } = actions;
  if (name === undefined) return [...stickTables.values()].reverse().map(describeTable).join("");
  const table = stickTables.get(name);
  if (table === undefined) return message(NO_TABLE);
  const wanted = readFilter(
    filter,
    table,
    'Optional argument only supports "data.<store_data_type>" <operator> <value> and key <key>',
  );
  if (typeof wanted === "string") return message(wanted);
  const found: FoundEntry[] = [];
  table.each(tableNowMs, (entry, time) => {
    if (wanted.matches(entry, time))
      found.push({ key: table.keyBytesOf(entry), text: describeEntry(table, entry, time) });
  });
  if (wanted.key !== null && found.length === 0) return "";
  found.sort((a, b) => Buffer.compare(a.key, b.key));
  return describeTable(table) + found.map(({ text }) => message(text)).join("");
}

interface FoundEntry {
  readonly key: Uint8Array;
  readonly text: string;
}

function describeTable(table: StickTable): string {
  const { name, keyType, size } = table.definition;
  return message(`# table: ${name}, type: ${keyType}, size:${size}, used:${table.used}`);
}

/** HAProxy has an address at the beginning. */
function describeEntry(table: StickTable, entry: number, time: number): string {
  const { keyType, stored } = table.definition;
  const key = describeKey(keyType, table.keyBytesOf(entry));
  const data = stored.flatMap((one) => describeData(table, one, entry, time));
  const remainingMs = table.remainingMs(entry, time);
  const head = `0x${(entry + 1).toString(16)}: key=${key} use=${table.usesOf(entry)} exp=${remainingMs}`;
  return [head, ...data].join(" ");
}

function describeData(
  table: StickTable,
  { name, periodMs, count }: StoredData,
  entry: number,
  time: number,
): string[] {
  const period = shapeOf(name) === "rate" ? `(${periodMs})` : "";
  return Array.from({ length: count }, (_, index) => {
    const value = table.data.reader(name, index)!(entry, time);
    const label = `${elementName(name, index)}${period}`;
    return name === "server_key" ? `${label}=${table.data.nameOf(value) ?? "-"}` : `${label}=${value}`;
  });
}

/** The third of `gpc_rate` is `gpc2_rate`. */
function elementName(name: StoredName, index: number): string {
  const list = /^(gp[ct])(_rate)?$/.exec(name);
  return list === null ? name : `${list[1]}${index}${list[2] ?? ""}`;
}

interface Filter {
  readonly key: SampleValue | null;
  readonly matches: (entry: number, time: number) => boolean;
}

const OPERATORS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  le: (a, b) => a <= b,
  ge: (a, b) => a >= b,
  lt: (a, b) => a < b,
  gt: (a, b) => a > b,
};

/** What is wrong with it instead. No words: everything. */
function readFilter(words: readonly string[], table: StickTable, usage: string): Filter | string {
  if (words.length === 0) return { key: null, matches: () => true };
  if (words[0] === "key") return readKeyFilter(words[1], table);
  if (!words[0]!.startsWith("data.")) return usage;
  const tests: ((entry: number, time: number) => boolean)[] = [];
  for (
    let at = 0;
    at < words.length && words[at]!.startsWith("data.") && tests.length < FILTERS_MAX;
    at += 3
  ) {
    const test = readTest(words.slice(at, at + 3), table);
    if (typeof test === "string") return `Filter entry #${tests.length + 1}: ${test}`;
    tests.push(test);
  }
  return { key: null, matches: (entry, time) => tests.every((test) => test(entry, time)) };
}

function readKeyFilter(word: string | undefined, table: StickTable): Filter | string {
  if (word === undefined) return NO_KEY;
  const key = readKey(word, table.definition);
  if (typeof key === "string") return key;
  const bytes = table.encoded(key.value);
  return {
    key: key.value,
    matches: (entry) => bytes !== null && Buffer.compare(table.keyBytesOf(entry), bytes) === 0,
  };
}

function readTest(
  [name = "", operator = "", text = ""]: readonly string[],
  table: StickTable,
): ((entry: number, time: number) => boolean) | string {
  const read = readerOf(name, table);
  if (typeof read === "string") return read;
  const compare = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (compare === undefined) return 'Require and operator among "eq", "ne", "le", "ge", "lt", "gt"';
  if (!/^-?\d+$/.test(text)) return "Require a valid integer value to compare against";
  const value = Number(text);
  return (entry, time) => compare(read(entry, time), value);
}

/** "data.gpc0"; lists cannot be named. */
function readerOf(word: string, table: StickTable): ReadEntry | string {
  const name = storedNameOf(word);
  if (name === null) return UNKNOWN_DATA;
  return (table.has(name) ? table.data.reader(name) : null) ?? NOT_STORED;
}

function storedNameOf(word: string): StoredName | null {
  return STORED_NAMES.find((name) => word === `data.${name}`) ?? null;
}

/** HAProxy reads no binary keys here. */
function readKey(word: string, { keyType }: StickTableDefinition): { readonly value: SampleValue } | string {
  switch (keyType) {
    case "ip":
    case "ipv6": {
      const address = parseIpAddress(word);
      return address !== null && address.family === (keyType === "ip" ? 4 : 6)
        ? { value: address }
        : "Invalid key";
    }
    case "integer":
      return /^\d+$/.test(word) && Number(word) < 2 ** 32 ? { value: Number(word) } : "Invalid key";
    case "string":
      return { value: word };
    case "binary":
      return "Inserting keys into tables of type other than ip, ipv6, string and integer is not supported";
  }
}

const SET_USAGE = "Required arguments: <table> key <key> [data.<store_data_type> <value>]*";

function set(words: readonly string[], { actions }: CommandContext): string {
  const [name, second, keyWord, ...data] = words;
  if (name === undefined) return message(SET_USAGE);
  const table = actions.stickTables.get(name);
  if (table === undefined) return message(NO_TABLE);
  if (second === undefined) return "";
  if (second.startsWith("data."))
    return message('content-based lookup is only supported with the "show" and "clear" actions');
  if (second !== "key") return message(SET_USAGE);
  if (keyWord === undefined) return message(NO_KEY);
  const key = readKey(keyWord, table.definition);
  if (typeof key === "string") return message(key);
  const changes = readChanges(data, table);
  if (typeof changes === "string") return message(changes);
  const { tableNowMs } = actions;
  const result = table.update(key.value, tableNowMs, (entry, time) => {
    for (const change of changes) change(entry, time);
    return 0;
  });
  return result === undefined ? message("Unable to allocate a new entry") : "";
}

function readChanges(
  words: readonly string[],
  table: StickTable,
): readonly ((entry: number, time: number) => number)[] | string {
  const changes: ((entry: number, time: number) => number)[] = [];
  for (let at = 0; at < words.length; at += 2) {
    const [word = "", text = ""] = words.slice(at, at + 2);
    if (!word.startsWith("data.")) return '"data.<type>" followed by a value expected';
    const name = storedNameOf(word);
    if (name === null) return UNKNOWN_DATA;
    if (!table.has(name)) return NOT_STORED;
    if (!/^-?\d+$/.test(text) || name === "server_key") return "Require a valid integer value to store";
    const isLarge = name === "bytes_in_cnt" || name === "bytes_out_cnt";
    const change = table.data.writer(name, 0, isLarge ? Number(text) : Number(text) >>> 0);
    if (change !== null) changes.push(change);
  }
  return changes;
}

const CLEAR_USAGE =
  'Required arguments: <table> "data.<store_data_type>" <operator> <value> or <table> key <key>';

function clear(words: readonly string[], { actions }: CommandContext): string {
  const [name, ...filter] = words;
  if (name === undefined) return message(CLEAR_USAGE);
  const table = actions.stickTables.get(name);
  if (table === undefined) return message(NO_TABLE);
  const wanted = readFilter(filter, table, CLEAR_USAGE);
  if (typeof wanted === "string") return message(wanted);
  const { tableNowMs } = actions;
  if (wanted.key === null) table.removeAll(tableNowMs, wanted.matches);
  else if (table.remove(wanted.key, tableNowMs) === "busy")
    return message("Entry currently in use, cannot remove");
  return "";
}
