// What the master CLI (`-S`, management manual 9.4) answers itself, without `@` in front: which processes
// there are, and reloads.
import type { AdminActions } from "./actions.ts";
import { type Command, type CommandContext, message } from "./command.ts";

export const MASTER_COMMANDS: readonly Command[] = [
  {
    name: "reload",
    usage: "",
    help: "read the configuration again",
    level: "admin",
    isMasters: true,
    run: (_words, { actions }) => actions.reload(),
  },
  {
    name: "show proc",
    usage: "",
    help: "the master, its workers and programs",
    level: "user",
    isMasters: true,
    run: showProcesses,
  },
  {
    name: "show version",
    usage: "",
    help: "version of the program",
    level: "user",
    isMasters: true,
    run: (_words, { actions }) => message(actions.facts.version),
  },
];

/** Milliseconds of the wall clock, and counts of reloads. */
export interface ProcessList {
  readonly reloadCount: number;
  readonly failedReloadCount: number;
  readonly startedAtMs: number;
  readonly workers: readonly ListedProcess[];
  readonly programs: readonly (ListedProcess & { readonly name: string })[];
}

export interface ListedProcess {
  readonly pid: number;
  readonly startedAtMs: number;
  readonly reloadsBefore: number;
}

function showProcesses(_words: readonly string[], { actions }: CommandContext): string {
  const { facts, processes } = actions;
  const { reloadCount, failedReloadCount, workers, programs } = processes;
  const master = { pid: facts.pid, startedAtMs: processes.startedAtMs };
  const masterReloads = `${reloadCount} [failed: ${failedReloadCount}]`;
  const lines = [
    rowOf(["#<PID>", "<type>", "<reloads>", "<uptime>", "<version>"]),
    processRow(master, "master", masterReloads, facts.version, actions),
    "# workers",
    ...workers.map((worker) =>
      processRow(worker, "worker", `${reloadCount - worker.reloadsBefore}`, facts.version, actions),
    ),
    ...(programs.length === 0 ? [] : ["# programs"]),
    ...programs.map((program) =>
      processRow(program, program.name, `${reloadCount - program.reloadsBefore}`, "-", actions),
    ),
  ];
  return lines.map(message).join("");
}

function processRow(
  { pid, startedAtMs }: Pick<ListedProcess, "pid" | "startedAtMs">,
  type: string,
  reloads: string,
  version: string,
  { nowMs }: AdminActions,
): string {
  return rowOf([`${pid}`, type, reloads, uptimeText(nowMs - startedAtMs), version]);
}

function rowOf(fields: readonly string[]): string {
  return fields.map((field) => field.padEnd(15)).join(" ");
}

/** "0d00h02m07s". */
function uptimeText(uptimeMs: number): string {
  const seconds = Math.max(0, Math.floor(uptimeMs / 1000));
  const two = (value: number) => `${Math.floor(value)}`.padStart(2, "0");
  const [hours, minutes] = [(seconds % 86_400) / 3600, (seconds % 3600) / 60];
  return `${Math.floor(seconds / 86_400)}d${two(hours)}h${two(minutes)}m${two(seconds % 60)}s`;
}
