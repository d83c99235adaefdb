// A change of a running network in several stages, watched by probes through every port group that it could
// concern: each stage is applied like any other change, and what loses a frame or fails is taken back. The
// probes' own ports come before the first stage and go behind the last, by the same plans.
import { setTimeout as pause } from "node:timers/promises";
import { type ApplyOutcome, applyUnderLock, both, type Progress, type Undone } from "../../driver/apply.ts";
import type { Driver } from "../../driver/contract.ts";
import { ProbeStream } from "../../driver/linux/probe-stream.ts";
import type { StateStore } from "../../driver/state-store.ts";
import type { NetworkState } from "../../model/network-state.ts";
import { planChanges } from "../../network/plan/plan-changes.ts";
import type { Probe } from "../../network/plan/probe-state.ts";

export interface LiveStage {
  readonly words: string;
  /** With the probes' ports. */
  readonly desired: NetworkState;
  /** Null, or why it cannot be done now; asked just before. */
  readonly obstacle?: () => string | null;
  /** Null, or what it still waits for once it is done: somebody else has to do his part. */
  readonly awaited?: () => string | null;
}

export interface LiveChange {
  readonly file: string;
  /** What is applied now, as the file says it, without and with the probes' ports. */
  readonly before: NetworkState;
  readonly beforeProbed: NetworkState;
  readonly stages: readonly LiveStage[];
  /** What is left at the end. */
  readonly after: NetworkState;
  readonly probes: readonly Probe[];
  /** Ends the change early: it is taken back. */
  readonly signal: AbortSignal;
}

export interface StageReport {
  readonly words: string;
  readonly steps: number;
  readonly elapsedMs: number;
  readonly lost: number;
  /** Steps that had to stop something for a moment, with their reasons. */
  readonly stops: readonly string[];
  /** How long it took until what it waited for was there; null: it waited for nothing, or in vain. */
  readonly awaitedMs: number | null;
}

export interface ProbeReport {
  readonly switch: string;
  readonly portGroup: string;
  readonly sent: number;
  readonly perSecond: number;
  readonly lost: number;
  /** False: not one came through before the change, so nothing is known of it. */
  readonly isWatched: boolean;
}

export type LiveOutcome =
  /** Nothing was changed. */
  | { readonly kind: "refused"; readonly message: string; readonly help: string | null }
  | {
      readonly kind: "failed";
      readonly message: string;
      readonly undone: Undone;
      readonly stages: readonly StageReport[];
      readonly probes: readonly ProbeReport[];
    }
  | {
      readonly kind: "done";
      readonly stages: readonly StageReport[];
      readonly probes: readonly ProbeReport[];
    };

/** For so long the probes run before the first stage and behind each. */
const WATCH_MS = 500;
/** A cable that was just plugged in may take a second until it carries frames, and a busy machine longer. */
const PATIENCE_MS = 5000;
const POLL_MS = 20;
const ANSWERS_BEFORE = 25;
/** LACP at the slow rate takes half a minute, and somebody may have to log in to a switch first. */
const AWAITED_MS = 120_000;

export async function changeLive(
  change: LiveChange,
  driver: Driver,
  store: StateStore,
  progress: Progress,
): Promise<LiveOutcome> {
  const message = store.lock();
  if (message !== null) return { kind: "refused", message, help: "Wait until it has finished." };
  try {
    return await changeLocked(change, driver, store, progress);
  } finally {
    store.unlock();
  }
}

async function changeLocked(
  change: LiveChange,
  driver: Driver,
  store: StateStore,
  progress: Progress,
): Promise<LiveOutcome> {
  const { file, before, beforeProbed, after, probes } = change;
  const refusal = await refuse(change, driver, store);
  if (refusal !== null) return { kind: "refused", ...refusal };
  const applyNow = (desired: NetworkState) =>
    applyUnderLock({ desired, file }, driver, store, progress).then(faultOf);
  const takeBack = async (): Promise<Undone> => {
    const fault = await applyNow(before);
    return fault === null ? { isComplete: true } : { isComplete: false, message: fault };
  };
  progress.phase("adding ports for probes");
  const fault = await applyNow(beforeProbed);
  if (fault !== null) {
    await takeBack();
    return { kind: "refused", message: `no probes can be sent: ${fault}`, help: null };
  }
  const streams = probes.map((probe) => new ProbeStream(probe));
  const stages: StageReport[] = [];
  const silent = new Set<ProbeStream>();
  let failure: string | null = null;
  let reports: ProbeReport[];
  try {
    const watched = await untilAnswered(streams);
    if (watched.length === 0 && streams.length > 0) failure = "no probe came through any port group";
    for (const stage of change.stages) {
      if (change.signal.aborted) failure = "it was interrupted";
      if (failure !== null) break;
      failure = await runStage(stage, change, { watched, silent }, stages, driver, store, progress);
    }
    reports = streams.map((stream) => reportOf(stream, watched.includes(stream), silent));
  } finally {
    for (const stream of streams) stream.stop();
  }
  const undoneOrFault = failure === null ? await applyNow(after) : failure;
  if (undoneOrFault === null) return { kind: "done", stages, probes: reports };
  return { kind: "failed", message: undoneOrFault, undone: await takeBack(), stages, probes: reports };
}

/** Null, or what went wrong. */
async function runStage(
  { words, desired, obstacle, awaited }: LiveStage,
  { file, signal }: LiveChange,
  { watched, silent }: Watching,
  stages: StageReport[],
  driver: Driver,
  store: StateStore,
  progress: Progress,
): Promise<string | null> {
  const reason = obstacle?.() ?? null;
  if (reason !== null) return `${words}: ${reason}`;
  const start = performance.now();
  const outcome = await applyUnderLock({ desired, file }, driver, store, progress);
  const done = performance.now();
  const missing =
    awaited === undefined || outcome.kind !== "done" ? null : await untilThere(awaited, signal, progress);
  const awaitedMs = awaited === undefined || missing !== null ? null : performance.now() - done;
  progress.phase(`watching probes after: ${words}`);
  await pause(WATCH_MS);
  await findSilent(watched, silent);
  const lost = watched.reduce((sum, stream) => sum + lostOf(stream, silent), 0);
  const fault = faultOf(outcome);
  const steps = outcome.kind === "done" ? outcome.plan.steps : [];
  const stops = steps.flatMap(({ change, words: step }) =>
    change.kind === "set-link" && change.reason !== undefined ? [step] : [],
  );
  stages.push({ words, steps: steps.length, elapsedMs: done - start, lost, stops, awaitedMs });
  if (fault !== null) return `${words}: ${fault}`;
  if (missing !== null) return `${words}: ${missing}`;
  if (lost === 0) return null;
  const where = watched.filter((stream) => lostOf(stream, silent) > 0).map(({ probe }) => probe.portGroup);
  return `${words}: ${lost} probe${lost === 1 ? " was" : "s were"} lost through ${where.join(", ")}`;
}

/** Null, or what is still missing when patience is at its end, or the change was interrupted. */
async function untilThere(
  awaited: () => string | null,
  signal: AbortSignal,
  progress: Progress,
): Promise<string | null> {
  let missing = awaited();
  for (let waited = 0; missing !== null && waited < AWAITED_MS && !signal.aborted; waited += POLL_MS) {
    progress.phase(`waiting: ${missing}`);
    await pause(POLL_MS);
    missing = awaited();
  }
  return missing;
}

async function refuse(
  { file, before }: LiveChange,
  driver: Driver,
  store: StateStore,
): Promise<{ readonly message: string; readonly help: string | null } | null> {
  const applied = store.readApplied();
  const help = `sallyport apply ${file}`;
  // The next change would take it back first, under everybody's feet.
  if (store.readJournal() !== null)
    return {
      message: "an earlier change waits to be confirmed, or was interrupted",
      help: `sallyport confirm ${file}`,
    };
  if (applied === null)
    return { message: `${file} is not applied, so there is nothing live to change`, help };
  const present = await driver.read(both(applied.state, before));
  if (!present.ok) return { message: present.message, help: null };
  const { steps } = planChanges(present.state, before);
  if (steps.length === 0) return null;
  return { message: `the network is not what ${file} says: it would have to ${steps[0]!.words}`, help };
}

/** Null, or why it was not done. */
function faultOf(outcome: ApplyOutcome): string | null {
  if (outcome.kind === "done") return null;
  if (outcome.kind !== "lacking") return outcome.message;
  return outcome.lacks.find(({ isFatal }) => isFatal)?.what ?? "this machine lacks something";
}

/** Those of which answers come before anything is changed. */
async function untilAnswered(streams: readonly ProbeStream[]): Promise<ProbeStream[]> {
  const isReady = (stream: ProbeStream) => stream.sent >= ANSWERS_BEFORE;
  for (let waited = 0; waited < PATIENCE_MS && !streams.every(isReady); waited += POLL_MS)
    await pause(POLL_MS);
  for (const stream of streams) stream.begin();
  await pause(WATCH_MS);
  return streams.filter(isReady);
}

interface Watching {
  readonly watched: readonly ProbeStream[];
  /** Those that nothing has answered for as long as patience lasts. */
  readonly silent: Set<ProbeStream>;
}

async function findSilent(watched: readonly ProbeStream[], silent: Set<ProbeStream>): Promise<void> {
  const marks = new Map(watched.map((stream) => [stream, stream.sent]));
  const waiting = () => watched.filter((stream) => stream.sent <= marks.get(stream)!);
  for (let waited = 0; waited < PATIENCE_MS && waiting().length > 0; waited += POLL_MS) await pause(POLL_MS);
  silent.clear();
  for (const stream of waiting()) silent.add(stream);
}

function lostOf(stream: ProbeStream, silent: ReadonlySet<ProbeStream>): number {
  return stream.lost + (silent.has(stream) ? stream.unanswered : 0);
}

function reportOf(stream: ProbeStream, isWatched: boolean, silent: ReadonlySet<ProbeStream>): ProbeReport {
  const { probe, sent } = stream;
  const perSecond = Math.round(stream.perSecond);
  return {
    switch: probe.switch,
    portGroup: probe.portGroup,
    sent,
    perSecond,
    lost: lostOf(stream, silent),
    isWatched,
  };
}
