// The newest requests that pass the filters: a page of what is kept, and what the stream adds. Only so many
// are held; while somebody reads, the list waits.
import type { RequestRecord } from "../../../src/model/dashboard-api.ts";

/** In the order of the form; each is a word of the API. */
export const FILTERS = [
  "frontend",
  "backend",
  "server",
  "method",
  "client",
  "path",
  "status",
  "slowerMs",
  "termination",
  "failed",
] as const;
export type Filter = (typeof FILTERS)[number];
export type Filters = Readonly<Partial<Record<Filter, string>>>;

export const HELD_MAX = 2000;

export function filtersOf(query: URLSearchParams): Filters {
  return Object.fromEntries(
    FILTERS.flatMap((name) => {
      const value = query.get(name) ?? "";
      return value === "" ? [] : [[name, value]];
    }),
  );
}

export function queryOf(filters: Filters): string {
  return new URLSearchParams(filters as Record<string, string>).toString();
}

/** Whether the server would give this one: its stream is for all pages, and has no filters. */
export function passes(record: RequestRecord, filters: Filters): boolean {
  const { http } = record;
  const wanted: Readonly<Record<Filter, (value: string) => boolean>> = {
    frontend: (value) => record.frontend === value,
    backend: (value) => record.backend === value,
    server: (value) => record.server === value,
    method: (value) => http?.method.toUpperCase() === value.toUpperCase(),
    client: (value) => record.client.includes(value),
    path: (value) => http?.target.includes(value) === true,
    status: (value) => {
      const status = String(http?.status ?? "");
      return /^[1-5]xx$/i.test(value) ? status.length === 3 && status[0] === value[0] : status === value;
    },
    slowerMs: (value) => record.timers.totalMs >= Number(value),
    termination: (value) => record.termination.startsWith(value),
    failed: (value) => value !== "true" || record.isFailed,
  };
  return FILTERS.every((name) => filters[name] === undefined || wanted[name](filters[name]));
}

/** Newest first. `more` is oldest first, as the stream has them. */
export function withNew(
  held: readonly RequestRecord[],
  more: readonly RequestRecord[],
  filters: Filters,
): readonly RequestRecord[] {
  const newest = held[0]?.id ?? 0;
  const fresh = more.filter((one) => one.id > newest && passes(one, filters));
  if (fresh.length === 0) return held;
  return [...fresh.reverse(), ...held].slice(0, HELD_MAX);
}
