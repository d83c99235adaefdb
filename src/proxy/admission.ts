// What keeps a proxy from accepting: as many connections as are allowed, or as many as are allowed in a
// second, of the process, of TLS, of a frontend, of a bind line. Whoever would come beyond waits in the
// kernel's queue. Each process looks when it has accepted, so of several each may let in one more than the
// limits that they share.
import type { Engine } from "../transport/contract.ts";
import { rateLimits } from "./rate-limits.ts";
import type { Frontend, ListenerRuntime, Runtime } from "./runtime.ts";
import { CELL, COUNTER, HEADER, readRate, type SharedState } from "./state.ts";

/** Why a listener does not accept for a while. */
export type HoldReason =
  | "not-serving"
  | "administrator"
  | "process-full"
  | "process-connection-rate"
  | "process-session-rate"
  | "tls-full"
  | "tls-rate"
  | "frontend-full"
  | "frontend-rate"
  | "listener-full";

export interface Limit {
  /** Of all that hold one listener, no two have the same. */
  readonly reason: HoldReason;
  isReached(): boolean;
}

/** What the limits are measured by. `sessionCount`: of this process; `sessionCountMax`: its means. */
export interface Admitting {
  readonly engine: Engine;
  readonly state: SharedState;
  readonly runtime: Runtime;
  readonly sessionCount: number;
  readonly sessionCountMax: number;
  readonly workerCount: number;
}

/** The limits of one process, those that bind lines share made once. */
export class Admission {
  readonly #admitting: Admitting;
  readonly #ofProcess: readonly Limit[];
  readonly #ofTls: readonly Limit[];

  constructor(admitting: Admitting) {
    this.#admitting = admitting;
    this.#ofProcess = processLimits(admitting);
    this.#ofTls = tlsLimits(admitting);
  }

  /** All under which a bind line accepts, the widest first. */
  limitsOf(listener: ListenerRuntime): Limit[] {
    return [
      ...this.#ofProcess,
      ...(listener.definition.tls === null ? [] : this.#ofTls),
      ...frontendLimits(this.#admitting, listener.frontend),
      ...listenerLimits(this.#admitting, listener),
    ];
  }
}

function processLimits(admitting: Admitting): Limit[] {
  const isAtRate = (limit: number, second: number) => {
    if (limit === 0) return false;
    const slots = admitting.runtime.frontends.map(({ slot }) => slot);
    return isAtRateOf(admitting, slots, second, limit);
  };
  const { connectionsPerSecond, sessionsPerSecond } = rateLimits;
  return [
    { reason: "process-full", isReached: () => admitting.sessionCount >= processShare(admitting) },
    {
      reason: "process-connection-rate",
      isReached: () => isAtRate(connectionsPerSecond(admitting.runtime), COUNTER.connRateSecond),
    },
    {
      reason: "process-session-rate",
      isReached: () => isAtRate(sessionsPerSecond(admitting.runtime), COUNTER.sessRateSecond),
    },
  ];
}

/**
 * This process's share of the global `maxconn`, or of what the runtime API made of it, as far as its means
 * go.
 */
function processShare({ state, runtime, sessionCountMax, workerCount }: Admitting): number {
  const override = Atomics.load(state.header, HEADER.maxconn);
  const maxconn = override > 0 ? override : runtime.configuration.global.maxconn;
  if (maxconn === null || maxconn === 0) return sessionCountMax;
  return Math.min(sessionCountMax, Math.max(1, Math.ceil(maxconn / workerCount)));
}

/** Of all bind lines with TLS together. */
function tlsLimits(admitting: Admitting): Limit[] {
  return [
    {
      reason: "tls-full",
      isReached() {
        const limit = admitting.runtime.configuration.global.admission.tlsConnectionsMax;
        return limit > 0 && presentIn(admitting.state, slotsWithTls(admitting.runtime)) >= limit;
      },
    },
    {
      reason: "tls-rate",
      isReached() {
        const limit = rateLimits.tlsSessionsPerSecond(admitting.runtime);
        const second = COUNTER.sessRateSecond;
        return limit > 0 && isAtRateOf(admitting, slotsWithTls(admitting.runtime), second, limit);
      },
    },
  ];
}

function frontendLimits(admitting: Admitting, { slot, settings }: Frontend): Limit[] {
  const { state } = admitting;
  const full: Limit = {
    reason: "frontend-full",
    isReached() {
      const override = state.read(slot, CELL.maxconn);
      const limit = override > 0 ? override : settings.maxconn;
      return limit !== null && state.total(slot, COUNTER.scur) >= limit;
    },
  };
  const limit = settings.rateLimitSessions ?? 0;
  if (limit === 0) return [full];
  const isReached = () => isAtRateOf(admitting, [slot], COUNTER.sessRateSecond, limit);
  return [full, { reason: "frontend-rate", isReached }];
}

function listenerLimits({ state }: Admitting, { slot, definition }: ListenerRuntime): Limit[] {
  const limit = definition.maxconn ?? 0;
  if (limit === 0) return [];
  return [{ reason: "listener-full", isReached: () => state.total(slot, COUNTER.scur) >= limit }];
}

/** Slots of the bind lines with TLS. */
export function slotsWithTls({ listeners }: Runtime): number[] {
  return listeners.filter(({ definition }) => definition.tls !== null).map(({ slot }) => slot);
}

/** Sessions that are there now, in all processes. */
export function presentIn(state: SharedState, slots: readonly number[]): number {
  return slots.reduce((sum, slot) => sum + Math.max(0, state.total(slot, COUNTER.scur)), 0);
}

function isAtRateOf(
  { state, engine }: Admitting,
  slots: readonly number[],
  secondCell: number,
  limit: number,
): boolean {
  const workerCount = state.header[HEADER.workerCountMax]!;
  let rate = 0;
  for (const slot of slots) rate += readRate(state, slot, secondCell, engine.wallClockMs, workerCount);
  return rate >= limit;
}
