// The programs that run for a network. Each has a small shell beside it that starts it again when it ends,
// with a pause that doubles from one second to a minute, and writes what it says into a file. A machine's
// command has mount and process namespaces of its own, so that whatever it started ends with it.
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { ProcessState } from "../../model/network-state.ts";
import { childProcesses } from "./command.ts";
import { isInNamespace } from "./namespaces.ts";
import { searchPath } from "./program-path.ts";
import { parseJson, writeRecord } from "./records.ts";

/** A program that has run so long is taken to stay. */
const SETTLED_S = 60;

/**
 * Started with the program's directory and words. Its own number goes into `child`, and into `ended`
 * how often it ended in a row, its last status, and the pause in seconds before it is started again.
 */
const SUPERVISE = `
directory=$1
shift
pause=1
times=0
stopping=
child=
trap 'stopping=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM
trap '[ -z "$child" ] || kill -HUP "$child" 2>/dev/null' HUP
while [ -z "$stopping" ]; do
  if [ -f "$directory/log" ] && [ "$(wc -c <"$directory/log")" -gt 8388608 ]; then
    mv "$directory/log" "$directory/log.old"
  fi
  started=$(date +%s)
  "$@" >>"$directory/log" 2>&1 </dev/null &
  child=$!
  echo "$child" >"$directory/child"
  status=0
  while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done
  child=
  [ -z "$stopping" ] || exit 0
  [ $(($(date +%s) - started)) -lt ${SETTLED_S} ] || { pause=1; times=0; }
  times=$((times + 1))
  echo "$times $status $pause" >"$directory/ended"
  echo "sallyport: it ended with status $status, and is started again in $pause s" >>"$directory/log"
  sleep "$pause" &
  wait $!
  [ "$pause" -ge 60 ] || pause=$((pause * 2))
done
`;

const STOP_GRACE_MS = 5000;
const POLL_MS = 20;

/**
 * What is remembered of one that was started. `startedAt`: in the kernel's ticks, since numbers come again.
 */
interface Started {
  readonly pid: number;
  readonly startedAt: string;
  readonly process: ProcessState;
}

/** A program that does not stay: it was started again and again. */
export interface KeepsEnding {
  /** In a row: since it has last run for a minute. */
  readonly times: number;
  /** Exit status as shells tell it: 128 and more for a signal. */
  readonly status: number;
}

export class Supervisor {
  /** A folder of its own for each program. */
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  directoryOf(name: string): string {
    return join(this.#directory, name);
  }

  /** File of what it and its supervisor say; what is older is beside it, in `log.old`. */
  logOf(name: string): string {
    return join(this.directoryOf(name), "log");
  }

  /** When it was started, in milliseconds since 1970; null: it does not run. */
  runningSince(name: string): number | null {
    const started = this.#startedOf(name);
    if (started === null || startTimeOf(started.pid) !== started.startedAt) return null;
    return statSync(`/proc/${started.pid}`).ctimeMs;
  }

  /** Null: it runs and has done so for a minute, or has not ended yet, or nobody starts it again. */
  keepsEnding(name: string, nowMs: number): KeepsEnding | null {
    if (this.processOf(name) === null) return null;
    const path = join(this.directoryOf(name), "ended");
    try {
      const endedMs = statSync(path).mtimeMs;
      const [times = Number.NaN, status = Number.NaN, pauseSeconds = Number.NaN] = readFileSync(path, "utf8")
        .split(" ")
        .map(Number);
      return nowMs - endedMs < (pauseSeconds + SETTLED_S) * 1000 ? { times, status } : null;
    } catch {
      return null;
    }
  }

  /** Those of `names` that run. */
  running(names: Iterable<string>): ProcessState[] {
    return [...new Set(names)].flatMap((name) => {
      const started = this.#startedOf(name);
      return started !== null && startTimeOf(started.pid) === started.startedAt ? [started.process] : [];
    });
  }

  /** Ends programs whose supervisor somebody has killed: no step would, for they are not known to run. */
  endOrphans(): void {
    for (const name of this.#names()) {
      const started = this.#startedOf(name);
      if (started !== null && startTimeOf(started.pid) !== started.startedAt)
        endOrphan(this.directoryOf(name), started.process.namespace);
    }
  }

  #names(): string[] {
    try {
      return readdirSync(this.#directory);
    } catch {
      return [];
    }
  }

  /** Null, or why it could not be started. */
  start(one: ProcessState): string | null {
    const directory = this.directoryOf(one.name);
    try {
      this.#makeDirectory(one);
      rmSync(join(directory, "ended"), { force: true });
      endOrphan(directory, one.namespace);
      writeFileSync(join(directory, "supervise"), SUPERVISE);
      const log = openSync(join(directory, "log"), "a", 0o600);
      const words = one.command.map((word) => word.replaceAll("{directory}", directory));
      const isolation = one.isIsolated
        ? ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        : [];
      const child = childProcesses().spawn(
        "nsenter",
        [
          `--net=/run/netns/${one.namespace}`,
          // The working directory of whoever enters would be that of the target.
          ...[...isolation, "sh", join(directory, "supervise"), directory, ...words],
        ],
        {
          cwd: one.workingDirectory !== null && existsSync(one.workingDirectory) ? one.workingDirectory : "/",
          detached: true,
          stdio: ["ignore", log, log],
          env: {
            ...process.env,
            // A file says `node site.js`; the one that runs this program will do.
            PATH: `${searchPath()}:${dirname(process.execPath)}`,
          },
        },
      );
      child.on("error", () => {});
      child.unref();
      closeSync(log);
      const startedAt = child.pid === undefined ? null : startTimeOf(child.pid);
      if (child.pid === undefined || startedAt === null) return "it ended at once";
      this.#rememberOrEnd({ pid: child.pid, startedAt, process: one });
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Who is not remembered could never be stopped. Throws like node:fs. */
  #rememberOrEnd(started: Started): void {
    try {
      this.#remember(started);
    } catch (error) {
      signal(-started.pid, "SIGKILL");
      throw error;
    }
  }

  /** This process is the program: somebody else started it, and signals reach it as they reach ours. */
  adopt(one: ProcessState): string | null {
    const startedAt = startTimeOf(process.pid);
    if (startedAt === null) return "this process cannot be read in /proc";
    try {
      this.#makeDirectory(one);
      this.#remember({ pid: process.pid, startedAt, process: one });
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** The number of its process; null: it does not run. */
  processOf(name: string): number | null {
    const started = this.#startedOf(name);
    return started !== null && startTimeOf(started.pid) === started.startedAt ? started.pid : null;
  }

  /** What was adopted has ended; its directory stays. */
  forget(name: string): void {
    rmSync(join(this.directoryOf(name), "started.json"), { force: true });
  }

  /** Returns when it has gone, with all that it started. */
  async stop(name: string): Promise<string | null> {
    const started = this.#startedOf(name);
    if (started !== null) {
      const { pid, startedAt, process: one } = started;
      const isThere = () => startTimeOf(pid) === startedAt;
      if (isThere()) signal(one.isIsolated ? (childOf(pid) ?? pid) : pid, "SIGTERM");
      for (let waited = 0; isThere() && waited < STOP_GRACE_MS; waited += POLL_MS) await pause(POLL_MS);
      if (isThere()) signal(-pid, "SIGKILL");
      for (let waited = 0; isThere() && waited < STOP_GRACE_MS; waited += POLL_MS) await pause(POLL_MS);
      if (isThere()) return "it does not end";
    }
    const directory = this.directoryOf(name);
    // Leases are kept, so that everybody has their address again.
    for (const file of ["started.json", "supervise", "child", "ended"])
      rmSync(join(directory, file), { force: true });
    return null;
  }

  reload(one: ProcessState): string | null {
    const started = this.#startedOf(one.name);
    if (started === null) return "it does not run";
    try {
      this.#writeFiles(one);
      signal(started.process.isIsolated ? (childOf(started.pid) ?? started.pid) : started.pid, "SIGHUP");
      this.#remember({ ...started, process: one });
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  #makeDirectory(one: ProcessState): void {
    mkdirSync(this.directoryOf(one.name), { recursive: true, mode: 0o700 });
    this.#writeFiles(one);
  }

  #remember(started: Started): void {
    writeRecord(join(this.directoryOf(started.process.name), "started.json"), started);
  }

  #writeFiles(one: ProcessState): void {
    const directory = this.directoryOf(one.name);
    for (const { name, text } of one.files) {
      // Scripts among them are run by their name.
      const mode = text.startsWith("#!") ? 0o700 : 0o600;
      writeFileSync(join(directory, name), text.replaceAll("{directory}", directory), { mode });
    }
  }

  #startedOf(name: string): Started | null {
    try {
      return parseJson<Started>(readFileSync(join(this.directoryOf(name), "started.json"), "utf8"));
    } catch {
      return null;
    }
  }
}

/**
 * A program whose supervisor somebody has killed goes on without it. Only one that is in its namespace still
 * is taken for it, since numbers come again.
 */
function endOrphan(directory: string, namespace: string): void {
  try {
    const pid = Number(readFileSync(join(directory, "child"), "utf8"));
    if (pid > 1 && isInNamespace(pid, namespace)) signal(pid, "SIGKILL");
  } catch {
    // It had none, or ended in good order.
  }
}

/** Field 22 of /proc/PID/stat; null when there is no such process, or only its remains. */
export function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in brackets may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

/** The first child: behind `unshare --fork`, the first process of the new namespace. */
function childOf(pid: number): number | null {
  try {
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    return first === undefined || first === "" ? null : Number(first);
  } catch {
    return null;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone in the meantime.
  }
}
