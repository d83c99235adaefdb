// For tests: the program as a child process, in an environment of its own, and a terminal that keeps what
// it is told.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Terminal } from "./terminal.ts";

export const LAUNCHER: string = fileURLToPath(new URL("../../bin/sallyport", import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly complaints: string;
}

/** A folder that is its own world: state, registry and configurations of what is started in it. */
export class World {
  readonly folder: string = mkdtempSync(join(tmpdir(), "sallyport-cli-"));
  readonly #children: RunningProgram[] = [];

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Runs to the end. */
  async run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return this.start(args, environment).ended;
  }

  start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): RunningProgram {
    const { FORCE_COLOR: _, NOTIFY_SOCKET: __, ...own } = process.env;
    const env = {
      ...own,
      XDG_RUNTIME_DIR: this.folder,
      XDG_STATE_HOME: this.folder,
      NO_COLOR: "1",
      ...environment,
    };
    const program = new RunningProgram(spawn(LAUNCHER, args, { env, stdio: ["ignore", "pipe", "pipe"] }));
    this.#children.push(program);
    return program;
  }

  /** Ends what still runs and removes the folder. */
  async close(): Promise<void> {
    for (const child of this.#children) child.signal("SIGTERM");
    await Promise.all(this.#children.map((child) => child.ended));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class RunningProgram {
  readonly ended: Promise<Outcome>;
  readonly #child: ChildProcess;
  #output = "";
  #complaints = "";
  #check: () => void = () => {};

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
      this.#check();
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints += text;
      this.#check();
    });
    this.ended = once(child, "close").then(([code]) => {
      this.#check();
      return { code: code as number | null, output: this.#output, complaints: this.#complaints };
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get output(): string {
    return this.#output;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for words on either stream; rejects when the program ends without them. */
  saw(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      this.#check = () => {
        const found = pattern.exec(this.#output) ?? pattern.exec(this.#complaints);
        if (found !== null) resolve(found);
      };
      this.#check();
      void this.ended.then(() =>
        reject(new Error(`ended without ${pattern}:\n${this.#output}${this.#complaints}`)),
      );
    });
  }
}

export interface RecordedTerminal extends Terminal {
  readonly output: string;
  readonly complaints: string;
}

export function recordedTerminal(): RecordedTerminal {
  let output = "";
  let complaints = "";
  return {
    write: (text) => {
      output += text;
    },
    error: (text) => {
      complaints += text;
    },
    get output() {
      return output;
    },
    get complaints() {
      return complaints;
    },
    isColour: false,
    isErrorColour: false,
    columns: 80,
    isInteractive: false,
    askSecret: async () => null,
  };
}
