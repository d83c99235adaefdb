// Fetches on stick tables (HAProxy manual 7.3.3): `sc_…` and `sc0_…` read what is stored with a tracked key,
// `src_…` with the client's address. A key that is not there has 0 of everything; where none is tracked, and
// of what a table does not store, there is no value.
import {
  COUNTER_READS,
  type CounterRead,
  type StickFetchName,
  type StoredName,
  storedFor,
} from "../../../model/stick-table.ts";
import type { ChangeEntry, ReadEntry } from "../../stick-table/entry-data.ts";
import type { StickTable } from "../../stick-table/stick-table.ts";
import { type TrackedKey, trackedIn } from "../../stick-table/tracking.ts";
import type { Stream } from "../../stream.ts";
import type { RuleEnvironment } from "../environment.ts";
import { type FetchCompiler, integerParameter, type ReadSample, textParameter } from "../fetch.ts";
import { perTable } from "../per-table.ts";
import { sourceAddress } from "./connection.ts";

/** What is done with an entry. `index`: the place in a list. */
interface CounterFetch {
  /** `get_gpc`, `gpc_rate`: the first argument is the place. */
  readonly isList: boolean;
  /** An entry is made where there is none. */
  readonly isChange: boolean;
  /** Null: the table does not store it. */
  make(table: StickTable, index: number): ReadEntry | ChangeEntry | null;
}

const READS: Readonly<Record<string, CounterFetch>> = Object.fromEntries([
  ...COUNTER_READS.map((name) => [name, reading(name)] as const),
  ...(["gpc0", "gpc1", "gpt0"] as const).map((name) => [`get_${name}`, readingOf(name, false)] as const),
  ["get_gpc", readingOf("gpc", true)],
  ["get_gpt", readingOf("gpt", true)],
  ["gpc_rate", readingOf("gpc_rate", true)],
  ...(["gpc0", "gpc1", "gpc"] as const).flatMap((name) => [
    [`inc_${name}`, incrementing(name)] as const,
    [`clr_${name}`, clearing(name)] as const,
  ]),
]);

/** The data that `sc_…`, `src_…` and `table_…` read by a name; null: not stored. */
export function counterReader(table: StickTable, name: CounterRead): ReadEntry | null {
  const read = table.data.reader(storedFor(name));
  if (read === null || !name.startsWith("kbytes")) return read;
  return (entry, time) => Math.floor(read(entry, time) / 1024);
}

function reading(name: CounterRead): CounterFetch {
  return { isList: false, isChange: false, make: (table) => counterReader(table, name) };
}

function readingOf(name: StoredName, isList: boolean): CounterFetch {
  return { isList, isChange: false, make: ({ data }, index) => data.reader(name, index) };
}

function incrementing(name: "gpc" | "gpc0" | "gpc1"): CounterFetch {
  const rate = name === "gpc" ? "gpc_rate" : (`${name}_rate` as const);
  return {
    isList: name === "gpc",
    isChange: true,
    make: ({ data }, index) => {
      const add = data.adder(name, rate, index);
      // An entry is made all the same.
      return add === null ? () => 0 : (entry, time) => add(entry, time, 1);
    },
  };
}

/** The value is the one before. */
function clearing(name: "gpc" | "gpc0" | "gpc1"): CounterFetch {
  return {
    isList: name === "gpc",
    isChange: true,
    make: ({ data }, index) => data.writer(name, index, 0),
  };
}

export const STICK_FETCHES: Readonly<Record<StickFetchName, FetchCompiler>> = Object.fromEntries([
  ...Object.entries(READS).flatMap(([name, fetch]) => [
    [`sc_${name}`, ofTracked(fetch, null)],
    ...(fetch.isList ? [] : [0, 1, 2].map((slot) => [`sc${slot}_${name}`, ofTracked(fetch, slot)])),
    [`src_${name}`, ofSource(fetch)],
  ]),
  ...[null, 0, 1, 2].flatMap((slot) => [
    [`sc${slot ?? ""}_tracked`, ofKey(slot, (key) => key !== null)],
    [`sc${slot ?? ""}_trackers`, ofKey(slot, (key) => key?.table.usesOf(key.entry))],
  ]),
  [
    "src_updt_conn_cnt",
    ofSource({
      isList: false,
      isChange: true,
      make: ({ data }) => {
        const add = data.adder("conn_cnt", "conn_rate");
        return add === null || data.reader("conn_cnt") === null ? null : (entry, time) => add(entry, time, 1);
      },
    }),
  ],
  ["table_cnt", ofTable((table) => table.used)],
  ["table_avl", ofTable((table) => table.free)],
]) as Record<StickFetchName, FetchCompiler>; // The names are those that the type is made of.

function tableOf(name: string, { stickTables }: RuleEnvironment): StickTable | undefined {
  return stickTables?.get(name);
}

/** `slot` null: it is an argument. A table that is named is asked for the same key. */
function ofTracked(fetch: CounterFetch, slot: number | null): FetchCompiler {
  return (parameters, environment) => {
    let at = 0;
    const index = fetch.isList ? (integerParameter(parameters, at++) ?? 0) : 0;
    const from = slot ?? integerParameter(parameters, at++) ?? 0;
    const name = textParameter(parameters, at);
    const other = name === "" ? null : (tableOf(name, environment) ?? null);
    const makeFor = perTable((table) => fetch.make(table, index));
    const { clock } = environment;
    return (stream) => {
      const key = trackedIn(stream, from);
      if (key === null) return undefined;
      const run = makeFor(other ?? key.table);
      if (run === null) return undefined;
      if (other !== null && other !== key.table)
        return runOnSame(other, key, run, fetch.isChange, clock.nowMs);
      return fetch.isChange
        ? key.table.change(key.entry, clock.nowMs, run)
        : key.table.read(key.entry, clock.nowMs, run);
    };
  };
}

function runOnSame(
  table: StickTable,
  key: TrackedKey,
  run: ReadEntry,
  isChange: boolean,
  nowMs: number,
): number {
  const value = key.table.keyOf(key.entry);
  return (isChange ? table.update(value, nowMs, run) : table.lookUp(value, nowMs, run)) ?? 0;
}

function ofSource(fetch: CounterFetch): FetchCompiler {
  return (parameters, environment) => {
    const index = fetch.isList ? (integerParameter(parameters, 0) ?? 0) : 0;
    const table = tableOf(textParameter(parameters, fetch.isList ? 1 : 0), environment);
    const run = table === undefined ? null : fetch.make(table, index);
    if (table === undefined || (run === null && fetch.isChange)) return () => undefined;
    const { clock } = environment;
    return ({ session }) => {
      const address = sourceAddress(session);
      if (address === null) return undefined;
      if (run === null) return table.lookUp(address, clock.nowMs, () => 0) === 0 ? undefined : 0;
      return (fetch.isChange ? table.update : table.lookUp).call(table, address, clock.nowMs, run) ?? 0;
    };
  };
}

function ofKey(
  slot: number | null,
  read: (key: TrackedKey | null) => number | boolean | undefined,
): FetchCompiler {
  return (parameters, environment) => {
    const from = slot ?? integerParameter(parameters, 0) ?? 0;
    const name = textParameter(parameters, slot === null ? 1 : 0);
    const other = name === "" ? null : (tableOf(name, environment) ?? null);
    return (stream: Stream): ReturnType<ReadSample> => {
      const key = trackedIn(stream, from);
      if (key === null || other === null || other === key.table) return read(key);
      // Nobody tracks the key of another table by this.
      return typeof read(null) === "boolean"
        ? other.lookUp(key.table.keyOf(key.entry), environment.clock.nowMs, () => 1) === 1
        : (other.lookUp(key.table.keyOf(key.entry), environment.clock.nowMs, (entry) =>
            other.usesOf(entry),
          ) ?? 0);
    };
  };
}

function ofTable(read: (table: StickTable) => number): FetchCompiler {
  return (parameters, environment) => {
    const table = tableOf(textParameter(parameters, 0), environment);
    return () => (table === undefined ? undefined : read(table));
  };
}
