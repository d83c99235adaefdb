// What the commands have in common that touch a running network: reading their words, going into the network
// of one's own with --rootless, opening the file beside the kernel, and saying what is being done.
import { lateModule, launcher } from "../base/program-files.ts";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { summarizeDiagnostics } from "../diagnostic/render.ts";
import type { Progress, Undone } from "../driver/apply.ts";
import type { Lack } from "../driver/contract.ts";
import { isInsideRootless, runInside } from "../driver/linux/rootless.ts";
import type { Journal } from "../driver/state-store.ts";
import type { Plan } from "../network/plan/plan.ts";
import type * as FindAll from "../server/datacenter/find-all.ts";
import { type LiveNetwork, openDriver, openNetwork } from "../server/datacenter/live-network.ts";
import { type CommandLine, complainOfUsage, type OptionDefinition, readCommandLine } from "./command-line.ts";
import { loadUsable, type UsableDatacenter } from "./datacenter-file.ts";
import { isDatacenterFile } from "./is-datacenter-file.ts";
import { colour, type Terminal } from "./terminal.ts";

export const LIVE_OPTIONS: readonly OptionDefinition[] = [
  { name: "rootless", takesValue: false },
  { name: "host", takesValue: true },
  { name: "json", takesValue: false },
];

export interface LiveWords {
  readonly file: string;
  readonly words: readonly string[];
  readonly line: CommandLine;
}

/**
 * The words of a command, or its exit code: for --help, for wrong words, and when the command was run inside
 * the network of one's own instead.
 */
export async function readLiveWords(
  command: string,
  help: string,
  args: readonly string[],
  more: readonly OptionDefinition[],
  terminal: Terminal,
): Promise<LiveWords | number> {
  const reading = readCommandLine(args, [...LIVE_OPTIONS, ...more]);
  if (reading.kind === "help") {
    terminal.write(help);
    return 0;
  }
  if (reading.kind === "wrong") return complainOfUsage(terminal, command, reading.message, reading.help);
  const { line } = reading;
  const [file, ...words] = line.words;
  if (file === undefined) return complainOfUsage(terminal, command, "which file?");
  if (!isDatacenterFile(file))
    return complainOfUsage(terminal, command, `${file} is no datacentre's .yaml file`);
  if (!line.has("rootless") || isInsideRootless()) return { file, words, line };
  const outcome = await runInside([launcher(), command, ...args]);
  return typeof outcome === "number" ? outcome : complainOfUsage(terminal, command, outcome);
}

/** The call of another command for the same network, to be shown and copied. */
export function callOf(command: string, { file, line }: Pick<LiveWords, "file" | "line">): string {
  const host = line.valueOf("host");
  const options = [
    ...(line.has("rootless") ? ["--rootless"] : []),
    ...(host === null ? [] : ["--host", host]),
  ];
  return ["sallyport", command, ...options, file].join(" ");
}

export interface OpenNetwork extends LiveNetwork {
  readonly usable: UsableDatacenter;
}

/** Null, with the reason said, when the file has errors or the host is none of its hosts. */
export async function openFile(
  command: string,
  { file, line }: LiveWords,
  terminal: Terminal,
): Promise<OpenNetwork | null> {
  const usable = loadUsable(file, terminal);
  if (usable === null) return null;
  const names = usable.datacenter.hosts.map(({ name }) => name);
  const host = line.valueOf("host");
  if (host !== null && !names.includes(host)) {
    complainOfUsage(terminal, command, `there is no host ${host}`, suggestWord(host, names));
    return null;
  }
  try {
    return { usable, ...(await openNetwork(usable.resolved, usable.loadBalancers, host)) };
  } catch (error) {
    complainOfUsage(terminal, command, `the state directory cannot be made: ${(error as Error).message}`);
    return null;
  }
}

/** Driver and memory of a datacentre, by its name alone. Null, with the reason said. */
export function openStored(
  command: string,
  name: string,
  terminal: Terminal,
): Omit<LiveNetwork, "desired"> | null {
  try {
    return openDriver(name);
  } catch (error) {
    complainOfUsage(terminal, command, `the state directory cannot be made: ${(error as Error).message}`);
    return null;
  }
}

/** What the next call will find begun, or on trial; "" mostly. */
export function journalText(journal: Journal | null, words: LiveWords, terminal: Terminal): string {
  if (journal === null) return "";
  const what =
    journal.phase === "trial"
      ? `a change is on trial: ${callOf("confirm", words)} keeps it`
      : "a change is being made, or was interrupted: then the next apply or destroy takes it back";
  return `${colour(terminal.isErrorColour, "warning", "warning")}: ${what}\n`;
}

/**
 * What `check` would say is told in one line: who mends a network in a hurry shall not be kept from it by an
 * expectation that does not hold. What cannot be read is another matter, and changes nothing.
 */
export function checkText(file: string, usable: UsableDatacenter, terminal: Terminal): string {
  const { findAll } = lateModule<typeof FindAll>("server/datacenter/find-all.ts");
  const errors = findAll(usable).filter(({ severity }) => severity === "error");
  if (errors.length === 0) return "";
  const label = colour(terminal.isErrorColour, "warning", "warning");
  return `${label}: sallyport check ${file} finds ${summarizeDiagnostics(errors)}\n`;
}

/** One line that is written over on a terminal, nothing in a pipe. */
export function progressOn(terminal: Terminal): Progress {
  const start = performance.now();
  const say = (words: string) => {
    if (!terminal.isErrorColour) return;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    terminal.error(`\r\x1b[2K${colour(true, "faint", `${seconds} s  ${words}`)}`);
  };
  return {
    phase: (words) => say(`${words} …`),
    steps: (done, all) => say(`step ${done} of ${all}`),
  };
}

export function endProgress(terminal: Terminal): void {
  if (terminal.isErrorColour) terminal.error("\r\x1b[2K");
}

export function planText({ steps }: Plan): string {
  return steps.map(({ words }) => `  ${words}\n`).join("");
}

export function lackText(lacks: readonly Lack[], terminal: Terminal): string {
  return lacks
    .map(({ isFatal, what, consequence, cure }) => {
      const role = isFatal ? "error" : "warning";
      return `${colour(terminal.isErrorColour, role, role)}: ${what}: ${consequence}\n  ${cure}\n`;
    })
    .join("");
}

export function undoneText(undone: Undone, terminal: Terminal): string {
  return undone.isComplete
    ? `${colour(terminal.isErrorColour, "good", "taken back")}: everything is as it was\n`
    : `${colour(terminal.isErrorColour, "error", "not taken back")}: ${undone.message}\n  The next call tries again.\n`;
}
