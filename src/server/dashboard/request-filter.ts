// The filters of GET /requests and of the event `requests`, from the words of a query.
import type { RequestRecord } from "../../model/dashboard-api.ts";
import type { RouteParameter } from "./route.ts";

type Test = (record: RequestRecord, value: string) => boolean;

const contains = (text: string, part: string) => text.toLowerCase().includes(part.toLowerCase());

const TESTS: Readonly<Record<string, { readonly about: string; readonly test: Test }>> = {
  frontend: { about: "its name", test: (record, value) => record.frontend === value },
  backend: { about: "its name", test: (record, value) => record.backend === value },
  server: { about: "its name", test: (record, value) => record.server === value },
  method: { about: "GET, POST …", test: ({ http }, value) => http?.method === value.toUpperCase() },
  client: { about: "a part of its address", test: (record, value) => contains(record.client, value) },
  path: {
    about: "a part of path, query or host",
    test: ({ http }, value) => http !== null && contains(`${http.host}${http.target}`, value),
  },
  status: {
    about: "404, or 4xx for all of them",
    test: ({ http }, value) =>
      http !== null &&
      new RegExp(`^${value.replaceAll(/[^\dx]/g, "").replaceAll("x", "\\d")}$`).test(String(http.status)),
  },
  slowerMs: { about: "that took longer", test: ({ timers }, value) => timers.totalMs > Number(value) },
  termination: {
    about: "how the termination state begins: SC",
    test: ({ termination }, value) => termination.startsWith(value),
  },
  failed: {
    about: "true: 5xx, broken off, retried or redispatched; false: the others",
    test: ({ isFailed }, value) => isFailed === (value === "true"),
  },
};

export const FILTER_PARAMETERS: readonly RouteParameter[] = Object.entries(TESTS).map(
  ([name, { about }]) => ({
    name,
    in: "query",
    about,
  }),
);

export type RequestFilter = (record: RequestRecord) => boolean;

/** All filters that the query names must hold; one without a value does not count. Null: it names none. */
export function readFilter(query: URLSearchParams): RequestFilter | null {
  const tests = Object.entries(TESTS).flatMap(([name, { test }]) => {
    const value = query.get(name) ?? "";
    return value === "" ? [] : [(record: RequestRecord) => test(record, value)];
  });
  return tests.length === 0 ? null : (record) => tests.every((test) => test(record));
}
