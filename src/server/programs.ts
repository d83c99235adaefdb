// The commands of `program` sections (manual 3.7), which live as long as the master: started once everything
// serves, told by USR1 to finish at a reload, by TERM to stop at the end. One that ends by itself ends
// everything, unless `master-worker no-exit-on-failure` says otherwise.
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Program } from "../model/program.ts";
import { groupIdOf, userIdOf } from "./privileges.ts";

export interface RunningProgram {
  readonly name: string;
  readonly pid: number;
  readonly startedAtMs: number;
  /** How many reloads there had been when it was started. */
  readonly reloadsBefore: number;
}

export interface ProgramEvents {
  report(text: string): void;
  /** A program ended that nobody had told to. `code` is the shell's: 128 and the signal, if it was one. */
  handleFailure(code: number): void;
}

export class Programs {
  readonly #events: ProgramEvents;
  readonly #running: Map<ChildProcess, RunningProgram> = new Map();
  /** Those that were told to end. */
  readonly #former: Set<ChildProcess> = new Set();

  constructor(events: ProgramEvents) {
    this.#events = events;
  }

  /** Former ones included, until they have ended. */
  get running(): readonly RunningProgram[] {
    return [...this.#running.values()];
  }

  start(programs: readonly Program[], reloadsBefore: number): void {
    for (const program of programs) this.#start(program, reloadsBefore);
  }

  /** Those of before are told to finish; they may take their time, beside their successors. */
  reload(programs: readonly Program[], reloadsBefore: number): void {
    this.stop("SIGUSR1");
    this.start(
      programs.filter(({ startsOnReload }) => startsOnReload),
      reloadsBefore,
    );
  }

  stop(signal: "SIGUSR1" | "SIGTERM"): void {
    for (const child of this.#running.keys()) {
      this.#former.add(child);
      child.kill(signal);
    }
  }

  #start({ name, command, user, group }: Program, reloadsBefore: number): void {
    let child: ChildProcess;
    try {
      const [uid, gid] = [userIdOf(user), groupIdOf(group)];
      child = spawn(command[0]!, command.slice(1), {
        stdio: ["ignore", "inherit", "inherit"],
        ...(uid === null ? {} : { uid }),
        ...(gid === null ? {} : { gid }),
      });
    } catch (error) {
      this.#fail(name, `could not be started: ${(error as Error).message}`, 1);
      return;
    }
    child.once("error", (error) => this.#ended(child, name, `could not be started: ${error.message}`, 1));
    child.once("exit", (code, signal) => {
      const status = signal === null ? (code ?? 0) : 128 + constants.signals[signal];
      this.#ended(child, name, `exited with code ${status}`, status);
    });
    this.#running.set(child, { name, pid: child.pid ?? 0, startedAtMs: Date.now(), reloadsBefore });
  }

  #ended(child: ChildProcess, name: string, description: string, code: number): void {
    const pid = this.#running.get(child)?.pid;
    if (!this.#running.delete(child)) return;
    if (this.#former.delete(child)) this.#events.report(`former program '${name}' (${pid}) ${description}`);
    else this.#fail(name, `(${pid}) ${description}`, code);
  }

  #fail(name: string, description: string, code: number): void {
    this.#events.report(`program '${name}' ${description}`);
    this.#events.handleFailure(code);
  }
}
