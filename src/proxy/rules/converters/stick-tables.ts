// Converters that look a key up in a stick table (HAProxy manual 7.3.1). They never make an entry, nor keep
// one.
import { COUNTER_READS, type TableConverterName } from "../../../model/stick-table.ts";
import type { ReadEntry } from "../../stick-table/entry-data.ts";
import type { StickTable } from "../../stick-table/stick-table.ts";
import type { ConverterCompiler } from "../converter.ts";
import { integerParameter, textParameter } from "../fetch.ts";
import { counterReader } from "../fetches/stick-counters.ts";

/** Null: the table does not store it, which is no value, while a key that is not there is 0. */
type Make = (table: StickTable) => ReadEntry | null;

export const TABLE_CONVERTERS: Readonly<Record<TableConverterName, ConverterCompiler>> = Object.fromEntries([
  ...COUNTER_READS.map((name) => [`table_${name}`, lookUp((table) => counterReader(table, name))]),
  ...(["gpc0", "gpc1", "gpt0", "server_id"] as const).map((name) => [
    `table_${name}`,
    lookUp(({ data }) => data.reader(name)),
  ]),
  ["table_trackers", lookUp((table) => (entry) => table.usesOf(entry))],
  ...(["gpc", "gpt", "gpc_rate"] as const).map((name) => [
    `table_${name}`,
    ((parameters, environment) => {
      const index = integerParameter(parameters, 0) ?? 0;
      return lookUp(({ data }) => data.reader(name, index))(parameters.slice(1), environment);
    }) satisfies ConverterCompiler,
  ]),
  ["in_table", inTable],
  ["table_expire", timeOf((table) => (entry, time) => table.remainingMs(entry, time))],
  ["table_idle", timeOf((table) => (entry, time) => table.idleMs(entry, time))],
]) as Record<TableConverterName, ConverterCompiler>; // The names are those that the type is made of.

function lookUp(make: Make): ConverterCompiler {
  return (parameters, { stickTables, clock }) => {
    const table = stickTables?.get(textParameter(parameters, 0));
    if (table === undefined) return () => undefined;
    const read = make(table);
    if (read === null) return (value) => (table.lookUp(value, clock.nowMs, () => 0) === 0 ? undefined : 0);
    return (value) => table.lookUp(value, clock.nowMs, read) ?? 0;
  };
}

function inTable(
  ...[parameters, { stickTables, clock }]: Parameters<ConverterCompiler>
): ReturnType<ConverterCompiler> {
  const table = stickTables?.get(textParameter(parameters, 0));
  return (value) => table?.lookUp(value, clock.nowMs, () => 1) === 1;
}

/** Without a default, what is not there has no time. */
function timeOf(make: (table: StickTable) => ReadEntry): ConverterCompiler {
  return (parameters, { stickTables, clock }) => {
    const table = stickTables?.get(textParameter(parameters, 0));
    const fallback = integerParameter(parameters, 1) ?? undefined;
    if (table === undefined) return () => fallback;
    const read = make(table);
    return (value) => table.lookUp(value, clock.nowMs, read) ?? fallback;
  };
}
