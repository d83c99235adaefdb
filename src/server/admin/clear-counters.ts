// `clear counters`: sets counters of all workers back. A worker that is just adding to one may bring its old
// value back; that is worth less than a lock on every request.
import type { Runtime } from "../../proxy/runtime.ts";
import { CELL, COUNTER, COUNTER_NAMES, GAUGES, HEADER } from "../../proxy/state.ts";

/** What goes up and down by itself, and what rates are made of. */
const KEPT: ReadonlySet<string> = new Set([
  ...GAUGES, "connRateSecond", "connRateCurrent", "connRatePrevious", "sessRateSecond", "sessRateCurrent", "sessRatePrevious",
  "reqRateSecond", "reqRateCurrent", "reqRatePrevious", "lastSessionSeconds",
]); // biome-ignore format: a table
const MAXIMA: ReadonlySet<string> = new Set([
  "smax", "qmax", "connRateMax", "sessRateMax", "reqRateMax", "qtimeMax", "ctimeMax", "rtimeMax", "ttimeMax",
]); // biome-ignore format: a table

/** Maxima only, or everything that is no gauge. */
export function clearCounters(runtime: Runtime, isAll: boolean): void {
  const { state } = runtime;
  const names = COUNTER_NAMES.filter((name) => (isAll ? !KEPT.has(name) : MAXIMA.has(name)));
  for (let worker = 0; worker < state.header[HEADER.workerCountMax]!; worker++) {
    const counters = state.countersOf(worker);
    for (const slot of slotsOf(runtime))
      for (const name of names) counters[state.counter(slot, COUNTER[name])] = 0;
  }
}

/** The counts of checks, which are cells. */
export function clearCheckCounts(runtime: Runtime): void {
  for (const slot of slotsOf(runtime)) {
    for (const cell of [CELL.checksFailed, CELL.checksDownTransitions]) runtime.state.write(slot, cell, 0);
  }
}

function slotsOf({ frontends, listeners, backends }: Runtime): number[] {
  const servers = backends.flatMap((backend) => backend.servers);
  return [...frontends, ...listeners, ...backends, ...servers].map(({ slot }) => slot);
}
