// `sallyport run`: serves in the foreground.
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { DASHBOARD_HELP, DASHBOARD_OPTIONS, readDashboardOptions } from "./dashboard-options.ts";
import { type ServeOptions, serve } from "./serve.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport run FILE… [options]

Serves what the files say, read as one configuration, in the foreground. A directory stands for its *.cfg files.

Options:
  --engine auto|uring|portable  how workers talk to the network: io_uring, or Node's own sockets (default: auto)
  --workers N                   worker processes (default: nbthread of the file, else one for each core)
  --pid-file FILE               where the process id goes while it serves (default: pidfile of the file)
${DASHBOARD_HELP}  -h, --help                    show this

Signals: HUP or USR2 reload the files, and a broken file changes nothing. USR1 stops softly: no new connections, open
ones are finished. TERM stops now. INT (Ctrl-C) stops softly, a second one now. systemd is notified (Type=notify-reload).

Examples:
  sallyport run haproxy.cfg
  sallyport run --workers 4 --pid-file /run/sallyport.pid /etc/haproxy/
  sallyport run --dashboard localhost:8404 haproxy.cfg

Exit codes: 0 it was told to stop, 1 it could not start, with the reason.
`;

const OPTIONS = [
  { name: "engine", takesValue: true },
  { name: "workers", takesValue: true },
  { name: "pid-file", takesValue: true },
  // Of `demo`, which starts this.
  { name: "demo", takesValue: false },
  ...DASHBOARD_OPTIONS,
] as const;

const WORKER_COUNT_MAX = 64;

export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, OPTIONS);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  if (reading.kind === "wrong") return complainOfUsage(terminal, "run", reading.message, reading.help);
  const { line } = reading;
  if (line.words.length === 0) return complainOfUsage(terminal, "run", "which files?");
  const engine = readEngine(line.valueOf("engine"));
  if (engine === null)
    return complainOfUsage(
      terminal,
      "run",
      `there is no engine ${line.valueOf("engine")}: auto, uring or portable`,
    );
  const workerCount = readWorkerCount(line.valueOf("workers"));
  if (workerCount === "wrong")
    return complainOfUsage(terminal, "run", `--workers takes a number from 1 to ${WORKER_COUNT_MAX}`);
  const dashboard = readDashboardOptions(line, line.has("demo"));
  if (dashboard.kind === "wrong") return complainOfUsage(terminal, "run", dashboard.message, dashboard.help);
  const pidFile = line.valueOf("pid-file");
  // A program that started this one with a channel waits for the word on it.
  const handleServing = () => void (process.connected && process.send?.("serving"));
  const options = { files: line.words, engine, workerCount, pidFile, isQuiet: false, isDaemon: false };
  return serve({ ...options, dashboard: dashboard.settings, handleServing }, terminal);
}

/** Null: there is no such engine. */
export function readEngine(text: string | null): ServeOptions["engine"] | null {
  if (text === null) return "auto";
  return text === "auto" || text === "uring" || text === "portable" ? text : null;
}

/** Null: nothing was said. */
export function readWorkerCount(text: string | null): number | null | "wrong" {
  if (text === null) return null;
  const count = Number(text);
  return /^\d+$/.test(text) && count >= 1 && count <= WORKER_COUNT_MAX ? count : "wrong";
}
