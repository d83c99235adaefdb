// Starts the programs of `option external-check`: each in a process group of its own, as the user and in the
// root directory that the global section names, with nothing of our environment. One process for each server
// at a time: a run waits for what a run before has left behind, so that programs which nothing ends, in a
// file system that is gone, do not pile up.
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { getSystemErrorMessage } from "node:util";
import type { GlobalSettings } from "../model/global-settings.ts";
import type {
  CheckProgram,
  ProgramEnd,
  ProgramRunner,
  RunningProgram,
} from "../proxy/health/program-check.ts";
import { groupIdOf, userIdOf } from "./privileges.ts";

/** How long a program that was told to end may take over it. */
const FAREWELL_MS = 1000;
/** Node cannot change the root of what it starts; coreutils can, and drops privileges behind it. */
const CHROOT = "/usr/sbin/chroot";

type Owner = Pick<GlobalSettings, "user" | "group" | "uid" | "gid" | "chroot">;

export class CheckPrograms implements ProgramRunner {
  readonly #report: (text: string) => void;
  #owner: Owner = { user: null, group: null, uid: null, gid: null, chroot: null };
  /** By whose check it is. */
  readonly #processes: Map<string, ChildProcess> = new Map();
  readonly #waiting: Map<string, () => void> = new Map();
  /** Those that were asked to end a moment ago; what they have started may still be there without them. */
  readonly #ending: Set<ChildProcess> = new Set();

  constructor(report: (text: string) => void) {
    this.#report = report;
  }

  /** As whom, and where, programs run from now on. */
  follow(owner: Owner): void {
    this.#owner = owner;
  }

  run(program: CheckProgram, ended: (end: ProgramEnd) => void): RunningProgram {
    const { owner } = program;
    let isKilled = false;
    let child: ChildProcess | null = null;
    const start = () => {
      child = this.#start(program, (end) => {
        if (!isKilled) ended(end);
      });
    };
    if (this.#processes.has(owner)) this.#waiting.set(owner, start);
    else start();
    return {
      kill: () => {
        isKilled = true;
        if (child !== null) this.#end(owner, child);
        else this.#waiting.delete(owner);
      },
    };
  }

  #start(program: CheckProgram, ended: (end: ProgramEnd) => void): ChildProcess | null {
    const { owner } = program;
    let child: ChildProcess;
    try {
      child = this.#spawn(program);
    } catch (error) {
      queueMicrotask(() => ended({ kind: "not-started", message: (error as Error).message }));
      return null;
    }
    this.#processes.set(owner, child);
    const finish = (end: ProgramEnd) => {
      if (this.#processes.get(owner) !== child) return;
      this.#processes.delete(owner);
      ended(end);
      const next = this.#waiting.get(owner);
      this.#waiting.delete(owner);
      next?.();
    };
    // Whatever else goes wrong with it later must not end us: an error that nobody listens for would.
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (this.#processes.get(owner) !== child) return;
      const message = getSystemErrorMessage(error.errno ?? 0);
      this.#report(`cannot start \`${program.command}\` to check ${owner}: ${message}`);
      finish(isForWantOfRoom(error) ? { kind: "not-started", message } : { kind: "not-found" });
    });
    child.once("exit", (code) => finish(code === null ? { kind: "signalled" } : { kind: "exited", code }));
    return child;
  }

  #spawn({ command, arguments: words, environment }: CheckProgram): ChildProcess {
    // The new group is for `#end`: what the program has started ends with it.
    const options: SpawnOptions = {
      stdio: ["ignore", "inherit", "inherit"],
      env: environment,
      detached: true,
    };
    if (process.getuid?.() !== 0) return spawn(command, words, options);
    const { user, group, chroot } = this.#owner;
    const uid = this.#owner.uid ?? userIdOf(user);
    const gid = this.#owner.gid ?? groupIdOf(group);
    if (chroot !== null) {
      const userspec = `--userspec=+${uid ?? 0}:+${gid ?? 0}`;
      return spawn(CHROOT, [userspec, "--groups=", chroot, command, ...words], options);
    }
    return spawn(command, words, {
      ...options,
      ...(uid === null ? {} : { uid }),
      ...(gid === null ? {} : { gid }),
    });
  }

  /** The whole group is asked to end, and made to a moment later. */
  #end(owner: string, child: ChildProcess): void {
    if (this.#processes.get(owner) !== child) return;
    signalGroup(child, "SIGTERM");
    this.#ending.add(child);
    setTimeout(() => {
      this.#ending.delete(child);
      signalGroup(child, "SIGKILL");
    }, FAREWELL_MS).unref();
  }

  /** When everything ends, nothing is waited for. */
  close(): void {
    this.#waiting.clear();
    for (const child of [...this.#processes.values(), ...this.#ending]) signalGroup(child, "SIGKILL");
  }
}

function signalGroup({ pid }: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // All of it has ended by itself.
  }
}

function isForWantOfRoom({ code }: NodeJS.ErrnoException): boolean {
  return ["EAGAIN", "ENOMEM", "EMFILE", "ENFILE"].includes(code ?? "");
}
