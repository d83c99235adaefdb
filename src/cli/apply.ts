// `sallyport apply`: makes a datacentre file real on this machine, and takes it back when something fails.
import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type ApplyOutcome, apply as applyState, confirm, revert } from "../driver/apply.ts";
import { findOwnWay } from "../driver/linux/own-way.ts";
import type { StateStore } from "../driver/state-store.ts";
import type { ProcessState } from "../model/network-state.ts";
import { cuttingStep, type OwnWay } from "../network/plan/own-way.ts";
import type { Plan } from "../network/plan/plan.ts";
import { complainOfUsage } from "./command-line.ts";
import {
  callOf,
  checkText,
  endProgress,
  type LiveWords,
  lackText,
  type OpenNetwork,
  openFile,
  planText,
  progressOn,
  readLiveWords,
  undoneText,
} from "./live-command.ts";
import { colour, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport apply FILE [options]

Makes the network that FILE describes on this machine: namespaces for machines, edges and fences, bridges, addresses,
routes, firewalls, NAT, DHCP, load balancers. Only the difference to what there is gets changed; a second call changes
nothing. What fails is taken back. What is not of this datacentre is never touched.

Options:
  --rootless       in a network of your own, without being root
  --host NAME      this machine is that host of the file: its cards are used, and only what is on it runs here
  --dry-run        show what would be done; the same as sallyport plan
  --confirm TIME   take the change back after TIME (60s, 5m) unless it is confirmed, by Enter or sallyport confirm FILE
  --json           the steps as data
  -h, --help       show this

Examples:
  sallyport apply --rootless examples/company/datacenter.yaml
  sallyport apply --host web-host --confirm 60s datacenter.yaml

Exit codes: 0 the network is as the file says, 1 it is not, with the reason.
`;

const POLL_MS = 200;

export async function apply(args: readonly string[], terminal: Terminal): Promise<number> {
  const more = [
    { name: "dry-run", takesValue: false },
    { name: "confirm", takesValue: true },
  ];
  const words = await readLiveWords("apply", HELP, args, more, terminal);
  if (typeof words === "number") return words;
  const { line, file } = words;
  if (line.has("dry-run")) return (await import("./plan.ts")).plan(planArguments(words), terminal);
  const trialMs = readTime(line.valueOf("confirm"));
  if (trialMs === undefined)
    return complainOfUsage(terminal, "apply", `${line.valueOf("confirm")} is no time`, "Write 60s or 5m.");
  const open = await openFile("apply", words, terminal);
  if (open === null) return 1;
  for (const note of open.desired.notes)
    terminal.error(`${colour(terminal.isErrorColour, "notice", "note")}: ${note}\n`);
  const way = trialMs === null ? await findOwnWay() : null;
  const request = {
    desired: open.desired.state,
    file: resolve(file),
    host: line.valueOf("host"),
    isTrial: trialMs !== null,
    refuse: (plan: Plan) => (way === null ? null : dangerWords(plan, way)),
  };
  const progress = progressOn(terminal);
  const outcome = await applyState(request, open.driver, open.store, progress);
  const started = startedBy(outcome);
  if (started.length > 0) {
    progress.phase("waiting for what was started to serve");
    const { untilServing } = await import("../server/datacenter/balancers.ts");
    await untilServing(started, open.driver.supervisor);
  }
  endProgress(terminal);
  if (line.has("json")) terminal.write(`${JSON.stringify(recordOf(outcome), null, 2)}\n`);
  const code = report(file, outcome, line.has("json"), terminal);
  if (code !== 0 || trialMs === null || outcome.kind !== "done" || outcome.plan.steps.length === 0)
    return code;
  // Whoever tries has a moment, and wants to know; others have asked `plan`.
  terminal.error(checkText(file, open.usable, terminal));
  return awaitConfirmation(words, trialMs, open, terminal);
}

/** A trial of what is not done is none. */
function planArguments({ file, line }: LiveWords): string[] {
  const host = line.valueOf("host");
  const switches = ["rootless", "json"].filter((name) => line.has(name)).map((name) => `--${name}`);
  return [...switches, ...(host === null ? [] : ["--host", host]), "--", file];
}

/** Whoever applies and then asks a load balancer shall have an answer. */
function startedBy(outcome: ApplyOutcome): ProcessState[] {
  if (outcome.kind !== "done") return [];
  return outcome.plan.steps.flatMap(({ change }) =>
    change.kind === "start-process" ? [change.process] : [],
  );
}

/** Says how it went. */
export function report(file: string, outcome: ApplyOutcome, isJson: boolean, terminal: Terminal): number {
  switch (outcome.kind) {
    case "locked":
      return complainOfUsage(terminal, "apply", outcome.message, lockedHelp(outcome.message));
    case "lacking":
      terminal.error(lackText(outcome.lacks, terminal));
      return 1;
    case "refused":
      return complainOfUsage(terminal, "apply", outcome.message, `sallyport apply --confirm 60s … ${file}`);
    case "failed":
      terminal.error(`${colour(terminal.isErrorColour, "error", "error")}: ${outcome.message}\n`);
      terminal.error(undoneText(outcome.undone, terminal));
      return 1;
    case "done": {
      terminal.error(lackText(outcome.lacks, terminal));
      if (outcome.recovered !== null) terminal.error(`${outcome.recovered}\n`);
      if (isJson) return 0;
      const { steps } = outcome.plan;
      terminal.write(planText(outcome.plan));
      const what =
        steps.length === 0
          ? "nothing to change"
          : `${steps.length} step${steps.length === 1 ? "" : "s"} done`;
      terminal.write(`${file}: ${colour(terminal.isColour, "good", what)}\n`);
      return 0;
    }
  }
}

/** Somebody else has the lock, or it could not be written. */
function lockedHelp(message: string): string {
  return message.endsWith("changing it") ? "Wait until it has finished." : "Nothing was changed.";
}

function dangerWords(plan: Plan, way: OwnWay): string | null {
  const step = cuttingStep(plan, way);
  return step === null
    ? null
    : `to ${step.words} may cut the way by which you are connected (${way.client} to ${way.server}): do it on trial`;
}

function recordOf(outcome: ApplyOutcome): unknown {
  if (outcome.kind !== "done") return outcome;
  const { kind, recovered, lacks, plan } = outcome;
  return { kind, recovered, lacks, steps: plan.steps.map(({ stage, words }) => ({ stage, words })) };
}

/** Undefined: it is no time; null: none was given. */
function readTime(text: string | null): number | null | undefined {
  if (text === null) return null;
  const match = /^(\d{1,5})(s|m)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (match[2] === "m" ? 60_000 : 1000);
}

/**
 * Waits for Enter or `sallyport confirm`; a line that is cut ends neither the waiting nor the taking back.
 */
async function awaitConfirmation(
  words: LiveWords,
  trialMs: number,
  open: OpenNetwork,
  terminal: Terminal,
): Promise<number> {
  const keepWaiting = () => {};
  for (const name of ["SIGHUP", "SIGPIPE"] as const) process.on(name, keepWaiting);
  terminal.error(
    `Is everything as it should be? Press Enter, or call \`${callOf("confirm", words)}\`, within ${trialMs / 1000} s.\n`,
  );
  let isAnswered = false;
  const answer = () => {
    isAnswered = true;
  };
  if (terminal.isInteractive) process.stdin.once("data", answer).resume();
  try {
    for (let waited = 0; waited < trialMs && !isAnswered && isTrial(open.store); waited += POLL_MS)
      await pause(POLL_MS);
  } finally {
    process.stdin.off("data", answer).pause();
  }
  if (!isTrial(open.store) || (isAnswered && confirm(open.store))) {
    terminal.write(`${words.file}: ${colour(terminal.isColour, "good", "confirmed")}\n`);
    return 0;
  }
  const undone = await revert(open.driver, open.store, progressOn(terminal));
  endProgress(terminal);
  terminal.error("nobody confirmed the change\n");
  if (undone !== null) terminal.error(undoneText(undone, terminal));
  return 1;
}

function isTrial(store: StateStore): boolean {
  return store.readJournal()?.phase === "trial";
}
