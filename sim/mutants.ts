// Faults put into the proxy on purpose, one at a time: each must be caught by some invariant, or the
// invariant is worth nothing. They replace a method for the duration of a run, and strike at every seventh
// chance.
import { TimerWheel } from "../src/base/timer-wheel.ts";
import { MemoryConnection } from "../src/io/memory/memory-connection.ts";
import type { MemoryEngine } from "../src/io/memory/memory-engine.ts";
import { BackendQueue } from "../src/proxy/exchange/queue.ts";
import { ServerPool } from "../src/proxy/exchange/server-pool.ts";
import { COUNTER, SharedState } from "../src/proxy/state.ts";
import type { Ledger } from "./ledger.ts";

const EVERY = 7;
/** Heads are shorter or end otherwise; this is about bodies. */
const BODY_BYTES_MIN = 600;

export type Mutant =
  | "chunk-kept"
  | "connection-kept"
  | "gauge-kept"
  | "request-uncounted"
  | "log-lost"
  | "log-doubled"
  | "timer-lost"
  | "link-shared"
  | "pool-kept"
  | "queue-forgets"
  | "byte-changed"
  | "bytes-lost"
  | "handler-throws";

type MakeMutant = (engine: MemoryEngine, ledger: Ledger, strikes: () => boolean) => () => void;

export const MUTANTS: Readonly<Record<Mutant, MakeMutant>> = {
  "chunk-kept": (engine, _ledger, strikes) =>
    replace(engine, "allocate", (original) => (byteCount) => {
      const chunk = original.call(engine, byteCount);
      if (strikes()) chunk.retain();
      return chunk;
    }),
  "connection-kept": (engine, _ledger, strikes) =>
    replaceOnConnections(
      "close",
      (original) =>
        function (this: MemoryConnection) {
          if (this.engine !== engine || !strikes()) original.call(this);
        },
    ),
  "byte-changed": (engine, _ledger, strikes) =>
    replaceOnConnections(
      "send",
      (original) =>
        function (this: MemoryConnection, chunk, start, end) {
          if (this.engine === engine && end - start > BODY_BYTES_MIN && strikes()) chunk.bytes[end - 5]! ^= 1;
          original.call(this, chunk, start, end);
        },
    ),
  "bytes-lost": (engine, _ledger, strikes) =>
    replaceOnConnections(
      "send",
      (original) =>
        function (this: MemoryConnection, chunk, start, end) {
          const isHit = this.engine === engine && end - start > BODY_BYTES_MIN && strikes();
          original.call(this, chunk, start, isHit ? end - 1 : end);
        },
    ),
  "gauge-kept": (_engine, _ledger, strikes) =>
    replace(
      SharedState.prototype,
      "leave",
      (original) =>
        function (this: SharedState, slot, gauge) {
          if (!strikes()) original.call(this, slot, gauge);
        },
    ),
  "request-uncounted": (_engine, _ledger, strikes) =>
    replace(
      SharedState.prototype,
      "count",
      (original) =>
        function (this: SharedState, slot, counter, delta) {
          if (counter !== COUNTER.reqTot || !strikes()) original.call(this, slot, counter, delta);
        },
    ),
  "log-lost": (_engine, ledger, strikes) =>
    replace(
      ledger,
      "streamEnded",
      (original) => (stream, frontend) => (strikes() ? false : original.call(ledger, stream, frontend)),
    ),
  "log-doubled": (_engine, ledger, strikes) =>
    replace(ledger, "streamEnded", (original) => (stream, frontend) => {
      if (strikes()) original.call(ledger, stream, frontend);
      return original.call(ledger, stream, frontend);
    }),
  // Seven in a row, because most deadlines are never reached.
  "timer-lost": (engine) =>
    replace(
      TimerWheel.prototype,
      "arm",
      (original) =>
        function (this: TimerWheel, timer, deadlineMs) {
          if (this !== engine.timers || engine.nowMs < 1000) original.call(this, timer, deadlineMs);
        },
    ),
  // A connection that is in use goes back to the pool as well.
  "link-shared": (_engine, _ledger, strikes) =>
    replace(
      ServerPool.prototype,
      "take",
      (original) =>
        function (this: ServerPool, key, isProvenOnly) {
          const link = original.call(this, key, isProvenOnly);
          if (link !== null && strikes()) {
            const { owner } = link;
            this.put(link, 0);
            link.owner = owner;
          }
          return link;
        },
    ),
  "pool-kept": () => replace(ServerPool.prototype, "closeAll", () => () => {}),
  "queue-forgets": (_engine, _ledger, strikes) =>
    replace(
      BackendQueue.prototype,
      "remove",
      (original) =>
        function (this: BackendQueue, waiter) {
          if (!strikes()) original.call(this, waiter);
        },
    ),
  "handler-throws": (_engine, _ledger, strikes) =>
    replace(
      ServerPool.prototype,
      "put",
      (original) =>
        function (this: ServerPool, link, nowMs) {
          if (strikes()) throw new Error("a fault of ours");
          original.call(this, link, nowMs);
        },
    ),
};

/** Breaks the proxy of a run; the result mends it. */
export function applyMutant(mutant: Mutant | null, engine: MemoryEngine, ledger: Ledger): () => void {
  if (mutant === null) return () => {};
  let chances = 0;
  return MUTANTS[mutant](engine, ledger, () => ++chances % EVERY === 0);
}

function replaceOnConnections<Name extends "close" | "send">(
  name: Name,
  make: (original: MemoryConnection[Name]) => MemoryConnection[Name],
): () => void {
  return replace(MemoryConnection.prototype, name, make);
}

function replace<Target extends object, Name extends keyof Target>(
  target: Target,
  name: Name,
  make: (original: Target[Name]) => Target[Name],
): () => void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  target[name] = make(target[name]);
  return () => {
    if (own === undefined) delete target[name];
    else Object.defineProperty(target, name, own);
  };
}
