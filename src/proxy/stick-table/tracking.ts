// The keys that a connection and each of its requests track (`track-sc0`, …), and what is counted of them.
// Where nothing is tracked, whoever counts has two fields to look at.
import type { SampleValue } from "../rules/sample-value.ts";
import type { Session, Stream } from "../stream.ts";
import { NONE } from "./entry-lists.ts";
import type { StickTable } from "./stick-table.ts";
import type { TableEvent } from "./table-events.ts";

export interface TrackedKey {
  readonly table: StickTable;
  readonly entry: number;
}

/** By slot; null: nothing is tracked there. */
export type TrackedKeys = (TrackedKey | null)[];

interface Holder {
  tracked: TrackedKeys | null;
}

/** `missed`: what has been counted of the stream before this key was there. */
export function startTracking(
  holder: Holder,
  slot: number,
  table: StickTable,
  key: SampleValue,
  nowMs: number,
  missed: readonly TableEvent[],
): void {
  const { events } = table;
  const entry = table.track(key, nowMs, (one, time) => {
    events.begin(one, time);
    for (const event of missed) events.add(event, one, time, 1);
  });
  if (entry === NONE) return;
  holder.tracked ??= [];
  holder.tracked[slot] = { table, entry };
}

/** What `sc_…` of a slot reads: the request's own key, or else the connection's. */
export function trackedIn({ tracked, session }: Stream, slot: number): TrackedKey | null {
  return tracked?.[slot] ?? session.tracked?.[slot] ?? null;
}

export function isTracking({ tracked, session }: Stream): boolean {
  return tracked !== null || session.tracked !== null;
}

/** One event, or so many bytes, in every slot. */
export function countTracked(stream: Stream, event: TableEvent, nowMs: number, delta = 1): void {
  const count = Math.max(stream.tracked?.length ?? 0, stream.session.tracked?.length ?? 0);
  for (let slot = 0; slot < count; slot++) {
    const key = trackedIn(stream, slot);
    if (key !== null) countKey(key, event, nowMs, delta);
  }
}

/** Of those that one of both has, whatever the other has. */
export function countOwn({ tracked }: Holder, event: TableEvent, nowMs: number): void {
  for (const key of tracked ?? []) if (key != null) countKey(key, event, nowMs, 1);
}

function countKey({ table, entry }: TrackedKey, event: TableEvent, nowMs: number, delta: number): void {
  const { events } = table;
  if (!events.counts(event)) return;
  table.change(entry, nowMs, (one, time) => {
    events.add(event, one, time, delta);
    return 0;
  });
}

/** A response with that status has come of the server. */
export function countStatus(stream: Stream, nowMs: number): void {
  if (!isTracking(stream)) return;
  const event = eventOfStatus(stream.status);
  if (event !== null) countTracked(stream, event, nowMs);
}

/** 501 and 505 are answers to what the client has asked for. */
export function eventOfStatus(status: number): TableEvent | null {
  if (status >= 400 && status < 500) return "error";
  return status >= 500 && status < 600 && status !== 501 && status !== 505 ? "failure" : null;
}

/** Before the stream is logged. */
export function countTrackedBytes(stream: Stream, nowMs: number): void {
  if (!isTracking(stream)) return;
  countTracked(stream, "bytesIn", nowMs, stream.bytesIn);
  countTracked(stream, "bytesOut", nowMs, stream.bytesOut);
}

/** The end of a stream or of a connection. */
export function stopTracking(holder: Stream | Session, nowMs: number): void {
  const { tracked } = holder;
  if (tracked === null) return;
  holder.tracked = null;
  for (const key of tracked) key?.table.release(key.entry, nowMs, (entry) => key.table.events.end(entry));
}
