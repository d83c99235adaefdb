// From a plan to a changed network: written down, run, read again and compared; what did not come out as
// planned is taken back. Undoing is no list of opposites: what is now is read, and the plan from there to
// what was before is run, which also works after a kill in the middle.
import type { NetworkState } from "../model/network-state.ts";
import type { Plan } from "../network/plan/plan.ts";
import { planChanges } from "../network/plan/plan-changes.ts";
import { type Driver, type Lack, NOTHING } from "./contract.ts";
import type { Applied, Journal, StateStore } from "./state-store.ts";

export interface Progress {
  /** What is being done now, in words. */
  phase(words: string): void;
  steps(done: number, all: number): void;
}

export type ApplyOutcome =
  | {
      readonly kind: "done";
      readonly plan: Plan;
      readonly recovered: string | null;
      readonly lacks: readonly Lack[];
    }
  | { readonly kind: "locked"; readonly message: string }
  | { readonly kind: "lacking"; readonly lacks: readonly Lack[] }
  /** By the one who asked, for this reason, with the plan before them. */
  | { readonly kind: "refused"; readonly message: string }
  | {
      readonly kind: "failed";
      readonly message: string;
      /** Whether everything is as it was before; else what is not. */
      readonly undone: Undone;
    };

export type Undone = { readonly isComplete: true } | { readonly isComplete: false; readonly message: string };

export interface ApplyRequest {
  readonly desired: NetworkState;
  /** Null when nothing is wanted any more. */
  readonly file: string | null;
  /** As in `Applied`; without it the one that it was. */
  readonly host?: string | null;
  /** The change is taken back by the next call unless `confirm` is called before. */
  readonly isTrial?: boolean;
  /** Asked before anything is changed: null, or why it shall not be. */
  readonly refuse?: (plan: Plan) => string | null;
}

/** Nothing but a `done` leaves the network other than it was, as far as it can be taken back. */
export async function apply(
  request: ApplyRequest,
  driver: Driver,
  store: StateStore,
  progress: Progress,
): Promise<ApplyOutcome> {
  const message = store.lock();
  if (message !== null) return { kind: "locked", message };
  try {
    return await applyUnderLock(request, driver, store, progress);
  } finally {
    store.unlock();
  }
}

/** For who has the lock, and keeps it over several changes. */
export async function applyUnderLock(
  { desired, file, host, isTrial = false, refuse = () => null }: ApplyRequest,
  driver: Driver,
  store: StateStore,
  progress: Progress,
): Promise<ApplyOutcome> {
  const recovered = await recover(driver, store, progress);
  if (recovered !== null && !recovered.undone.isComplete)
    return { kind: "failed", message: "an earlier change was interrupted", undone: recovered.undone };
  const applied = store.readApplied();
  progress.phase("looking at what this machine can do");
  const lacks = await driver.preflight(desired, applied?.state ?? NOTHING);
  if (lacks.some(({ isFatal }) => isFatal)) return { kind: "lacking", lacks };
  progress.phase("reading what there is");
  const known = both(applied?.state ?? NOTHING, desired);
  const present = await driver.read(known);
  if (!present.ok) return { kind: "failed", message: present.message, undone: { isComplete: true } };
  const plan = planChanges(present.state, desired);
  const reason = refuse(plan);
  if (reason !== null) return { kind: "refused", message: reason };
  const next: Applied | null =
    file === null
      ? null
      : { state: desired, file, host: host === undefined ? (applied?.host ?? null) : host };
  const done = { kind: "done", plan, recovered: recovered?.words ?? null, lacks } as const;
  if (plan.steps.length === 0) {
    const unwritten = remember(() => store.writeApplied(next));
    if (unwritten === null) return done;
    return { kind: "failed", message: unwritten, undone: { isComplete: true } };
  }
  const journal: Journal = { before: present.state, desired, applied, phase: "changing" };
  const unwritten = remember(() => store.writeJournal(journal));
  // On a full disk all may be taken away: that makes room, and a call that is killed goes on with the next.
  if (unwritten !== null && next !== null)
    return { kind: "failed", message: unwritten, undone: { isComplete: true } };
  const fault =
    (await runAndVerify(plan, known, desired, driver, progress)) ??
    remember(() => {
      // What may find no room comes before what replaces the last thing that could be gone back to.
      if (isTrial) store.writeJournal({ ...journal, phase: "trial" });
      store.writeApplied(next);
      if (!isTrial) store.writeJournal(null);
    });
  if (fault === null) return done;
  return { kind: "failed", message: fault, undone: await undo(journal, driver, store, progress) };
}

/** Null, or why it could not be written down: a full disk takes a change back like any step that fails. */
function remember(write: () => void): string | null {
  try {
    write();
    return null;
  } catch (error) {
    return `it cannot be written down: ${(error as Error).message}`;
  }
}

/** Null, or what went wrong in one sentence. */
async function runAndVerify(
  plan: Plan,
  known: NetworkState,
  wanted: NetworkState,
  driver: Driver,
  progress: Progress,
): Promise<string | null> {
  const all = plan.steps.length;
  progress.steps(0, all);
  const outcome = await driver.run(plan.steps, (done) => progress.steps(done, all));
  if (!outcome.ok)
    return outcome.step === null ? outcome.message : `could not ${outcome.step.words}: ${outcome.message}`;
  progress.phase("reading it again");
  const after = await driver.read(known);
  if (!after.ok) return after.message;
  const rest = planChanges(after.state, wanted).steps;
  if (rest.length === 0) return null;
  const more = rest.length === 1 ? "" : `, and ${rest.length - 1} more`;
  return `the kernel took everything, but still it would need to ${rest[0]!.words}${more}`;
}

async function undo(
  { before, desired, applied }: Journal,
  driver: Driver,
  store: StateStore,
  progress: Progress,
): Promise<Undone> {
  progress.phase("taking back what was done");
  const known = both(both(before, desired), applied?.state ?? NOTHING);
  const present = await driver.read(known);
  if (!present.ok) return { isComplete: false, message: present.message };
  const plan = planChanges(present.state, before);
  const fault = plan.steps.length === 0 ? null : await runAndVerify(plan, known, before, driver, progress);
  const unsettled =
    fault ??
    remember(() => {
      // What takes no room is done on a full disk, too.
      if (JSON.stringify(store.readApplied()) !== JSON.stringify(applied)) store.writeApplied(applied);
      store.writeJournal(null);
    });
  // The journal stays: the next call tries again.
  return unsettled === null ? { isComplete: true } : { isComplete: false, message: unsettled };
}

/** Takes back a change that was interrupted, or tried and never confirmed. Null: there was none. */
async function recover(
  driver: Driver,
  store: StateStore,
  progress: Progress,
): Promise<{ readonly words: string; readonly undone: Undone } | null> {
  const journal = store.readJournal();
  if (journal === null) return null;
  const words =
    journal.phase === "trial"
      ? "a change that nobody confirmed was taken back"
      : "a change that was interrupted was taken back";
  return { words, undone: await undo(journal, driver, store, progress) };
}

/** Ends a trial: what was applied stays. False: there is none. */
export function confirm(store: StateStore): boolean {
  const journal = store.readJournal();
  if (journal?.phase !== "trial") return false;
  store.writeJournal(null);
  return true;
}

/** Takes back a trial now. Null: there was none. */
export async function revert(
  driver: Driver,
  store: StateStore,
  progress: Progress,
): Promise<Undone | { readonly isComplete: false; readonly message: string } | null> {
  const message = store.lock();
  if (message !== null) return { isComplete: false, message };
  try {
    return (await recover(driver, store, progress))?.undone ?? null;
  } finally {
    store.unlock();
  }
}

/** What there is, compared with what was applied: the steps that would bring it back. */
export async function drift(
  applied: Applied,
  driver: Driver,
): Promise<{ readonly ok: true; readonly plan: Plan } | { readonly ok: false; readonly message: string }> {
  const present = await driver.read(applied.state);
  if (!present.ok) return present;
  return { ok: true, plan: planChanges(present.state, applied.state) };
}

/** Everything that is in one of two states: what has to be looked at. */
export function both(a: NetworkState, b: NetworkState): NetworkState {
  return { namespaces: [...a.namespaces, ...b.namespaces], processes: [...a.processes, ...b.processes] };
}
