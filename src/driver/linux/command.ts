// Runs one of the system's programs to its end: words, never a shell's line; what it says comes back, and it
// gets a bounded time.
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { programEnvironment } from "./program-path.ts";

export interface CommandResult {
  /** Null: it could not be started, or was ended after its time. */
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

const TIMEOUT_MS = 120_000;

/**
 * Loaded when a program is started: most short calls start none, and it takes as long as all modules around
 * it.
 */
export function childProcesses(): typeof import("node:child_process") {
  return process.getBuiltinModule("node:child_process");
}

/** `onOutput` gets what it says as it says it; `signal` ends it before its time. */
export function runCommand(
  words: readonly string[],
  options: {
    readonly directory?: string;
    readonly input?: string;
    readonly onOutput?: (text: string) => void;
    readonly signal?: AbortSignal;
  } = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const [program = "", ...rest] = words;
    const child = childProcesses().spawn(program, rest, {
      cwd: options.directory,
      stdio: ["pipe", "pipe", "pipe"],
      timeout: TIMEOUT_MS,
      signal: options.signal,
      env: programEnvironment(),
    });
    const output: string[] = [];
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.push(text);
      options.onOutput?.(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    child.on("error", (error) => resolve({ status: null, output: "", errors: error.message }));
    child.on("close", (status) => resolve({ status, output: output.join(""), errors }));
  });
}

const END_ATTEMPTS = 1000;
const END_PAUSE_MS = 5;

/**
 * Kills what runs in one of these directories and waits until it has gone, five seconds at most: commands
 * whose caller was killed go on without it.
 */
export function endProgramsIn(directories: readonly string[]): void {
  for (let attempt = 0; attempt < END_ATTEMPTS; attempt++) {
    const running = readdirSync("/proc").filter(
      (pid) => /^\d+$/.test(pid) && directories.includes(directoryOf(pid)),
    );
    if (running.length === 0) return;
    for (const pid of running) {
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {
        // It has gone by itself.
      }
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, END_PAUSE_MS);
  }
}

/** "" for what has ended or is somebody else's. */
function directoryOf(pid: string): string {
  try {
    return readlinkSync(join("/proc", pid, "cwd"));
  } catch {
    return "";
  }
}
