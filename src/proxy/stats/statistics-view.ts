// Where statistics come from: one generation of the configuration, the counters of all processes, and the
// moment for which they are wanted. Reads; never writes.
import type { Runtime, Server } from "../runtime.ts";
import { COUNTER, type CounterName, HEADER, readRate } from "../state.ts";

export interface StatisticsView {
  readonly runtime: Runtime;
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs: number;
  /** `maxconn` of the global section; null without one. */
  readonly maxconn: number | null;
  /** Adds addresses, cookies and algorithms (`stats show-legends`; operators of the stats socket). */
  readonly hasLegends: boolean;
  /** What the master knows of checks and the shared cells do not hold; null in a worker. */
  readonly checks: CheckKnowledge | null;
}

export interface CheckKnowledge {
  /** What the last check said, such as "Connection refused"; "" when there is nothing to say. */
  describe(server: Server, kind: "health" | "agent"): string;
  /** False after `disable health` or `disable agent`. */
  isEnabled(server: Server, kind: "health" | "agent"): boolean;
  isRunning(server: Server, kind: "health" | "agent"): boolean;
}

/** The counters of one slot, over all processes. */
export class SlotCounters {
  readonly #view: StatisticsView;
  readonly #slot: number;

  constructor(view: StatisticsView, slot: number) {
    this.#view = view;
    this.#slot = slot;
  }

  /** Never negative: a gauge of a process that died in between can be, for a moment. */
  total(name: CounterName): number {
    return Math.max(0, this.#view.runtime.state.total(this.#slot, COUNTER[name]));
  }

  /** Largest value in any process, and no less than what all processes have now. */
  peak(name: CounterName, current: number): number {
    return Math.max(this.#view.runtime.state.maximum(this.#slot, COUNTER[name]), current);
  }

  /** Events in the last second. */
  rate(secondName: "sessRateSecond" | "connRateSecond" | "reqRateSecond"): number {
    const { state } = this.#view.runtime;
    return readRate(
      state,
      this.#slot,
      COUNTER[secondName],
      this.#view.nowMs,
      state.header[HEADER.workerCountMax]!,
    );
  }

  /** Mean over the last thousand or so streams, whole milliseconds. */
  averageMs(sumName: "qtimeSum" | "ctimeSum" | "rtimeSum" | "ttimeSum"): number {
    const count = this.total("timeCount");
    return count === 0 ? 0 : Math.round(this.total(sumName) / count);
  }

  /** Seconds since the last session, -1 when there was none. */
  secondsSinceLastSession(): number {
    const last = this.#view.runtime.state.maximum(this.#slot, COUNTER.lastSessionSeconds);
    return last === 0 ? -1 : Math.max(0, Math.floor(this.#view.nowMs / 1000) - Math.floor(last));
  }

  cell(cell: number): number {
    return this.#view.runtime.state.read(this.#slot, cell);
  }
}

/** Seconds since the last change of state; since the start when nothing has changed. */
export function secondsSince(view: StatisticsView, changedSeconds: number): number {
  const since = changedSeconds > 0 ? changedSeconds : view.runtime.state.header[HEADER.startSeconds]!;
  return since > 0 ? Math.max(0, Math.floor(view.nowMs / 1000) - since) : 0;
}
