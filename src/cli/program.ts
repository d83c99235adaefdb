// `sallyport program`: what `apply` has started for a datacentre - commands and virtual machines, DHCP, load
// balancers: whether they run, what they say, and starting them anew.
import { createReadStream, statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import type { Supervisor } from "../driver/linux/supervisor.ts";
import type { StateStore } from "../driver/state-store.ts";
import type { ProcessState } from "../model/network-state.ts";
import { type CommandLine, complainOfUsage } from "./command-line.ts";
import { loadUsable } from "./datacenter-file.ts";
import { isDatacenterFile } from "./is-datacenter-file.ts";
import { callOf, openStored, readLiveWords } from "./live-command.ts";
import { formatDuration } from "./status-table.ts";
import { colour, columns, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport program list FILE [options]
       sallyport program logs FILE NAME [--follow] [options]
       sallyport program start|stop|restart FILE NAME [options]

Shows what sallyport apply has started for the datacentre of FILE, what one of these programs says, or starts it anew. NAME
is a machine's, or the program's as list has it: dhcp-org, balancer-edge. What was stopped stays so until start or the next
apply.

Options:
  --follow    go on with what it says, until Ctrl-C
  --rootless  in the network of your own
  --json      the list as data
  -h, --help  show this

Examples:
  sallyport program list datacenter.yaml
  sallyport program logs --rootless datacenter.yaml web-001 --follow

Exit codes: 0 done, 1 not, with the reason.
`;

const ACTIONS = ["list", "logs", "start", "stop", "restart"] as const;
type Action = (typeof ACTIONS)[number];
const LOG_BYTES = 64 * 1024;

function isActionWord(word: string): word is Action {
  return (ACTIONS as readonly string[]).includes(word);
}

export async function program(args: readonly string[], terminal: Terminal): Promise<number> {
  const complain = (message: string, help: string | null = null): number =>
    complainOfUsage(terminal, "program", message, help);
  // The action goes behind the file, where all commands of a running network have their words.
  const [first = "", ...rest] = args;
  const isAction = isActionWord(first);
  if (!isAction && !first.startsWith("-") && !isDatacenterFile(first))
    return first === ""
      ? complain("list, logs, start, stop or restart?")
      : complain(`there is no program ${first}`, suggestWord(first, ACTIONS));
  if (isAction && rest.length === 0) return complain("which file?");
  const more = [{ name: "follow", takesValue: false }];
  const words = await readLiveWords("program", HELP, isAction ? [...rest, first] : args, more, terminal);
  if (typeof words === "number") return words;
  const { file, line } = words;
  const action = words.words.at(-1) ?? "list";
  const [name, extra] = words.words.slice(0, -1);
  if (!isActionWord(action)) return complain(`there is no program ${action}`, suggestWord(action, ACTIONS));
  if (extra !== undefined) return complain(`what is ${extra}?`);
  const usable = loadUsable(file, terminal);
  if (usable === null) return 1;
  const open = openStored("program", usable.datacenter.name.value, terminal);
  if (open === null) return 1;
  const { driver, store } = open;
  const programs = store.readApplied()?.state.processes;
  if (programs === undefined) return complain(`${file} is not applied`, callOf("apply", words));
  if (action === "list") {
    list(programs, driver.supervisor, line, terminal);
    return 0;
  }
  if (name === undefined) return complain("which machine or program?");
  const one =
    programs.find((other) => other.name === name) ??
    programs.find((other) => other.name === `machine-${name}`);
  if (one === undefined)
    return complain(
      `there is no program of ${name}`,
      suggestWord(
        name,
        programs.flatMap((other) => [other.name, other.name.replace(/^machine-/, "")]),
      ) ?? callOf("program list", words),
    );
  if (action === "logs") return showLog(driver.supervisor.logOf(one.name), line.has("follow"), terminal);
  const fault = await change(action, one, driver.supervisor, store);
  if (fault !== null) return complain(`${one.words}: ${fault}`);
  terminal.write(`${one.words}: ${action === "stop" ? "stopped" : "started"}\n`);
  return 0;
}

function list(
  programs: readonly ProcessState[],
  supervisor: Supervisor,
  line: CommandLine,
  terminal: Terminal,
): void {
  const now = Date.now();
  const rows = programs.map(({ name, words }) => ({
    name,
    words,
    since: supervisor.runningSince(name),
    ending: supervisor.keepsEnding(name, now),
  }));
  if (line.has("json")) {
    const records = rows.map(({ name, words, since, ending }) => ({
      name,
      words,
      runningSince: since === null ? null : new Date(since).toISOString(),
      keepsEnding: ending,
      log: supervisor.logOf(name),
    }));
    terminal.write(`${JSON.stringify(records, null, 2)}\n`);
    return;
  }
  const cells = rows.map(({ name, words, since, ending }) => [
    name,
    since === null || ending !== null
      ? colour(
          terminal.isColour,
          "warning",
          ending === null ? "stopped" : `keeps ending, status ${ending.status}`,
        )
      : colour(terminal.isColour, "good", `runs ${formatDuration(now - since)}`),
    words,
  ]);
  for (const row of columns(cells)) terminal.write(`${row}\n`);
  if (rows.length === 0) terminal.write("no program runs for it\n");
}

/** Null, or what went wrong. Not while a change is being applied. */
async function change(
  action: Exclude<Action, "list" | "logs">,
  one: ProcessState,
  supervisor: Supervisor,
  store: StateStore,
): Promise<string | null> {
  const reason = store.lock();
  if (reason !== null) return reason;
  try {
    const isRunning = supervisor.runningSince(one.name) !== null;
    if (action === "start" && isRunning) return "it runs already";
    if (action === "stop" && !isRunning) return "it does not run";
    const fault = action === "start" ? null : await supervisor.stop(one.name);
    return fault ?? (action === "stop" ? null : supervisor.start(one));
  } finally {
    store.unlock();
  }
}

/** The end of it, and what follows. */
async function showLog(path: string, follows: boolean, terminal: Terminal): Promise<number> {
  let offset = Math.max(0, sizeOf(path) - LOG_BYTES);
  const copy = async () => {
    const size = sizeOf(path);
    // It was put aside, and a new one begun.
    if (size < offset) offset = 0;
    if (size === offset) return;
    const stream = createReadStream(path, { encoding: "utf8", start: offset, end: size - 1 });
    offset = size;
    for await (const text of stream) terminal.write(text as string);
  };
  await copy();
  if (!follows) return 0;
  const watcher = watch(dirname(path));
  return new Promise((resolve) => {
    let copying = Promise.resolve();
    watcher.on("change", (_kind, name) => {
      if (name === basename(path)) copying = copying.then(copy, () => {});
    });
    process.once("SIGINT", () => {
      watcher.close();
      resolve(0);
    });
  });
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
