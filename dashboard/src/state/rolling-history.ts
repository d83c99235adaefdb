// The last minutes as columns that grow at one end: what the server keeps, and each second's figures behind
// it.
import type { History, HistoryColumns, ProxyFigures } from "../../../src/model/dashboard-api.ts";

type Name = keyof HistoryColumns;

const OF_FIGURES: Readonly<Record<Name, (figures: ProxyFigures) => number | null>> = {
  requestsPerSecond: (one) => one.requestsPerSecond,
  errorsPerSecond: (one) => one.errorsPerSecond,
  status4xx: (one) => one.status4xx,
  sessions: (one) => one.sessions,
  bytesInPerSecond: (one) => one.bytesInPerSecond,
  bytesOutPerSecond: (one) => one.bytesOutPerSecond,
  queued: (one) => one.queued,
  p50Ms: (one) => one.latency?.p50Ms ?? null,
  p90Ms: (one) => one.latency?.p90Ms ?? null,
  p99Ms: (one) => one.latency?.p99Ms ?? null,
};

/** With one more step; what is older than `seconds` goes. Steps longer than a second do not grow. */
export function withFigures(history: History, atMs: number, figures: ProxyFigures, seconds: number): History {
  const last = history.atMs.at(-1) ?? 0;
  if (history.stepMs > 1000 || atMs <= last) return history;
  const oldest = atMs - seconds * 1000;
  const from = history.atMs.findIndex((at) => at > oldest);
  const start = from === -1 ? history.atMs.length : from;
  const columns = Object.fromEntries(
    (Object.keys(OF_FIGURES) as Name[]).map((name) => [
      name,
      [...history.columns[name].slice(start), OF_FIGURES[name](figures)],
    ]),
  ) as unknown as HistoryColumns;
  return { ...history, atMs: [...history.atMs.slice(start), atMs], columns };
}
