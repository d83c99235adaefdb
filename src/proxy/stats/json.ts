// The statistics as JSON: HAProxy's shape (`show stat json`, `;json` of the page), in which every field
// carries its type and tags, and a plain one of our own (`;plain`), in which a row is an object of its
// fields.
import { COLUMNS, tagsOf, tagWords } from "./columns.ts";
import type { FieldValue, RowKind, StatisticsRow } from "./fields.ts";

const OBJECT_TYPE: Readonly<Record<RowKind, string>> = {
  frontend: "Frontend",
  backend: "Backend",
  server: "Server",
  listener: "Listener",
};

/** One array of field objects per row. */
export function formatJson(rows: readonly StatisticsRow[]): string {
  return JSON.stringify(rows.map(fieldObjects));
}

function fieldObjects(row: StatisticsRow): unknown[] {
  return COLUMNS.flatMap((column, position) => {
    const value = row.fields[column.name];
    if (value === undefined) return [];
    return {
      objType: OBJECT_TYPE[row.kind],
      proxyId: row.proxy.id,
      id: row.id,
      field: { pos: position, name: column.name },
      processNum: 1,
      tags: tagWords(tagsOf(column, row.kind === "backend")),
      value: { type: column.type, value },
    };
  });
}

export interface PlainProxy {
  readonly name: string;
  readonly mode: "http" | "tcp";
  readonly frontend: Readonly<Record<string, FieldValue>> | null;
  readonly listeners: readonly Readonly<Record<string, FieldValue>>[];
  readonly servers: readonly Readonly<Record<string, FieldValue>>[];
  readonly backend: Readonly<Record<string, FieldValue>> | null;
}

/** Rows grouped by proxy, fields under their CSV names; those without meaning are left out. */
export function groupByProxy(rows: readonly StatisticsRow[]): PlainProxy[] {
  const names = [...new Set(rows.map((row) => row.proxy))];
  return names.map((proxy) => {
    const own = rows.filter((row) => row.proxy === proxy);
    const of = (kind: RowKind) => own.filter((row) => row.kind === kind).map(plainFields);
    return {
      name: proxy.name,
      mode: proxy.mode,
      frontend: of("frontend")[0] ?? null,
      listeners: of("listener"),
      servers: of("server"),
      backend: of("backend")[0] ?? null,
    };
  });
}

export function formatPlainJson(rows: readonly StatisticsRow[]): string {
  return JSON.stringify({ proxies: groupByProxy(rows) });
}

function plainFields(row: StatisticsRow): Record<string, FieldValue> {
  const entries = COLUMNS.map(({ name }) => [name, row.fields[name]] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, FieldValue] => entry[1] !== undefined));
}
