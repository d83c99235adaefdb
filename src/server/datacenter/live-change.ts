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
import { type ProbeReport, ProbeWatch } from "./probe-watch.ts";

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
const POLL_MS = 20;
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
  const watch = new ProbeWatch(probes.map((probe) => new ProbeStream(probe)));
  const stages: StageReport[] = [];
  let failure: string | null;
  let reports: ProbeReport[];
  try {
    progress.phase("waiting for probes to come through");
    failure = await watch.begin(change.signal);
    if (failure === null) await pause(WATCH_MS);
    for (const stage of change.stages) {
      if (change.signal.aborted) failure = "it was interrupted";
      if (failure !== null) break;
      failure = await runStage(stage, change, watch, stages, driver, store, progress);
    }
    reports = watch.reports();
  } finally {
    watch.stop();
  }
  const undoneOrFault = failure === null ? await applyNow(after) : failure;
  if (undoneOrFault === null) return { kind: "done", stages, probes: reports };
  return { kind: "failed", message: undoneOrFault, undone: await takeBack(), stages, probes: reports };
}

/** Null, or what went wrong. */
async function runStage(
  { words, desired, obstacle, awaited }: LiveStage,
  { file, signal }: LiveChange,
  watch: ProbeWatch,
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
  await watch.settle();
  const { lost } = watch;
  const fault = faultOf(outcome);
  const steps = outcome.kind === "done" ? outcome.plan.steps : [];
  const stops = steps.flatMap(({ change, words: step }) =>
    change.kind === "set-link" && change.reason !== undefined ? [step] : [],
  );
  stages.push({ words, steps: steps.length, elapsedMs: done - start, lost, stops, awaitedMs });
  if (fault !== null) return `${words}: ${fault}`;
  if (missing !== null) return `${words}: ${missing}`;
  if (lost === 0) return null;
  const where = watch.placesOfLoss.join(", ");
  return `${words}: ${lost} probe${lost === 1 ? " was" : "s were"} lost through ${where}`;
}

/** Null, or what is still missing when patience is at its end, or the change was interrupted. */
async function untilThere(
  awaited: () => string | null,
  signal: AbortSignal,
  progress: Progress,
): Promise<string | null> {
  const endMs = performance.now() + AWAITED_MS;
  let missing = awaited();
  while (missing !== null && performance.now() < endMs && !signal.aborted) {
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
