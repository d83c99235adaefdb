// Adds a finished stream to the counters of its frontend, listener, backend and server, under HAProxy's
// names.
import { durationMs } from "../log/timing.ts";
import { COUNTER, type SharedState } from "../state.ts";
import { countTrackedBytes, stopTracking } from "../stick-table/tracking.ts";
import type { Stream } from "../stream.ts";
import type { ExchangeContext } from "./context.ts";

/**
 * Sums of times are halved at twice this many streams, so that averages are those of the last thousand or so.
 */
const AVERAGE_WINDOW = 1024;

/** The end of every HTTP stream: counted, logged, and no longer tracked. */
export function endStream(context: ExchangeContext, stream: Stream, listenerSlot: number): void {
  const { engine, state } = context;
  countTrackedBytes(stream, engine.nowMs);
  countStream(state, stream, listenerSlot, Math.floor(engine.wallClockMs / 1000));
  stream.frontend.log?.write(stream);
  context.streamEnded(stream);
  stopTracking(stream, engine.nowMs);
}

/** Counts an HTTP stream or TCP connection out. Call once, when it has ended. */
export function countStream(
  state: SharedState,
  stream: Stream,
  listenerSlot: number,
  nowSeconds: number,
): void {
  const statusCounter = stream.status < 0 ? -1 : statusClass(stream.status);
  const latencyMs = durationMs(stream);
  countTraffic(state, stream.frontend.slot, stream, statusCounter);
  state.countLatency(stream.frontend.slot, latencyMs);
  countTraffic(state, listenerSlot, stream, -1);
  const { backend, server } = stream;
  if (backend !== null) {
    countTraffic(state, backend.slot, stream, statusCounter);
    state.countLatency(backend.slot, latencyMs);
    countEnd(state, backend.slot, stream, nowSeconds);
    state.leave(backend.slot, COUNTER.scur);
  }
  if (server !== null && stream.serverConnection !== null) {
    countTraffic(state, server.slot, stream, statusCounter);
    countEnd(state, server.slot, stream, nowSeconds);
    state.count(server.slot, COUNTER.reqTot);
  }
  if (stream.isIntercepted) state.count(stream.frontend.slot, COUNTER.intercepted);
}

function statusClass(status: number): number {
  const group = Math.floor(status / 100);
  return group >= 1 && group <= 5 ? COUNTER.hrsp1xx + group - 1 : COUNTER.hrspOther;
}

function countTraffic(state: SharedState, slot: number, stream: Stream, statusCounter: number): void {
  const base = state.counter(slot, 0);
  const counters = state.counters;
  counters[base + COUNTER.bin] = counters[base + COUNTER.bin]! + stream.bytesIn;
  counters[base + COUNTER.bout] = counters[base + COUNTER.bout]! + stream.bytesOut;
  if (statusCounter >= 0) counters[base + statusCounter] = counters[base + statusCounter]! + 1;
}

function countEnd(state: SharedState, slot: number, stream: Stream, nowSeconds: number): void {
  const base = state.counter(slot, 0);
  const counters = state.counters;
  counters[base + COUNTER.lastSessionSeconds] = nowSeconds;
  if (stream.cause !== "-") countFault(state, slot, stream);
  if (counters[base + COUNTER.timeCount]! >= 2 * AVERAGE_WINDOW) halveTimes(counters, base);
  counters[base + COUNTER.timeCount] = counters[base + COUNTER.timeCount]! + 1;
  addTime(counters, base, COUNTER.qtimeSum, COUNTER.qtimeMax, stream.queueMs);
  addTime(counters, base, COUNTER.ctimeSum, COUNTER.ctimeMax, stream.connectMs);
  addTime(counters, base, COUNTER.rtimeSum, COUNTER.rtimeMax, stream.responseMs);
  addTime(counters, base, COUNTER.ttimeSum, COUNTER.ttimeMax, stream.endMs - stream.startMs);
}

function countFault(state: SharedState, slot: number, { cause, phase }: Stream): void {
  if (cause === "C" || cause === "c") state.count(slot, COUNTER.cliAborts);
  else if (cause === "S" && phase !== "C") state.count(slot, COUNTER.srvAborts);
  if (phase === "H" && (cause === "S" || cause === "P" || cause === "s")) state.count(slot, COUNTER.eresp);
}

function addTime(counters: Float64Array, base: number, sum: number, maximum: number, ms: number): void {
  if (ms < 0) return;
  counters[base + sum] = counters[base + sum]! + ms;
  if (ms > counters[base + maximum]!) counters[base + maximum] = ms;
}

function halveTimes(counters: Float64Array, base: number): void {
  for (const cell of [
    COUNTER.qtimeSum,
    COUNTER.ctimeSum,
    COUNTER.rtimeSum,
    COUNTER.ttimeSum,
    COUNTER.timeCount,
  ]) {
    counters[base + cell] = counters[base + cell]! / 2;
  }
}

/** Logged as HAProxy does: time in the tarpit is time in a queue, and nothing is said of the head's. */
export function noteTarpit(stream: Stream, nowMs: number): void {
  stream.requestMs = -1;
  stream.queueMs = nowMs - stream.startMs;
}
