// Which servers are shown, and in which order.
import type { ServerCondition, ServerRow } from "../../../src/model/dashboard-api.ts";

export type SortKey = "file" | "condition" | "sessions" | "requests" | "errors" | "response";

/** What needs somebody first. */
const URGENCY: Readonly<Record<ServerCondition, number>> = {
  down: 0,
  stopping: 1,
  starting: 2,
  drain: 3,
  maintenance: 4,
  up: 5,
  unchecked: 6,
};

export function errorsOf({ errors }: ServerRow): number {
  return errors.connection + errors.response + errors.status5xx;
}

const VALUES: Readonly<Record<Exclude<SortKey, "file">, (row: ServerRow) => number>> = {
  condition: ({ condition }) => URGENCY[condition],
  sessions: ({ sessions }) => -sessions,
  requests: ({ requestsPerSecond }) => -requestsPerSecond,
  errors: (row) => -errorsOf(row),
  response: ({ averages }) => -averages.responseMs,
};

/** A word of the address; one that is none is the order of the file. */
export function sortKeyOf(word: string | null): SortKey {
  return word !== null && Object.hasOwn(VALUES, word) ? (word as SortKey) : "file";
}

/** `find`: a part of backend/server, address or cookie. Equal ones stay as the file has them. */
export function shownServers(
  rows: readonly ServerRow[],
  find: string,
  condition: string,
  sort: SortKey,
): ServerRow[] {
  const part = find.toLowerCase();
  const found = rows.filter(
    (row) =>
      (condition === "" || row.condition === condition) &&
      [row.id, row.address, row.cookie ?? ""].some((text) => text.toLowerCase().includes(part)),
  );
  return sort === "file" ? found : found.sort((a, b) => VALUES[sort](a) - VALUES[sort](b));
}
