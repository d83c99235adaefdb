// What `sallyport status --watch --json` tells, line by line, of a network that this process cannot look
// into, or does not want to: the command stays as long as somebody asks, so that each answer costs a look at
// the kernel and not the start of a program.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { InsideWords } from "../../driver/linux/rootless.ts";

/** Nobody has asked for so long: nobody looks any more. */
const IDLE_MS = 20_000;
const PATIENCE_MS = 15_000;
const ERRORS_KEPT = 500;
const SILENT = "the network does not answer";

export class StatusWatch<T> {
  readonly #program: () => Promise<InsideWords | string>;
  readonly #readLine: (text: string) => T | null;
  readonly #idleMs: number;
  #child: ChildProcess | null = null;
  #last: T | null = null;
  #waiting: ((status: T | string) => void)[] = [];
  #idle: NodeJS.Timeout | null = null;

  /**
   * `program`: what tells a state in each line, or why there is none to run. `readLine`: null for a line that
   * is something else.
   */
  constructor(
    program: () => Promise<InsideWords | string>,
    readLine: (text: string) => T | null,
    idleMs: number = IDLE_MS,
  ) {
    this.#program = program;
    this.#readLine = readLine;
    this.#idleMs = idleMs;
  }

  /** The newest state; a sentence when it cannot be told. */
  async read(): Promise<T | string> {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), this.#idleMs).unref();
    if (this.#child === null) {
      const program = await this.#program();
      if (typeof program === "string") return program;
      // Somebody else may have asked meanwhile.
      if (this.#child === null) this.#start(program);
    }
    return this.#last ?? (await this.#nextLine());
  }

  /** It starts again when somebody asks. */
  close(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#child?.kill();
  }

  #start({ words, environment }: InsideWords): void {
    const [program = "", ...rest] = words;
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], env: environment });
    this.#child = child;
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(0, ERRORS_KEPT);
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      const status = this.#child === child ? this.#readLine(line) : null;
      if (status === null) return;
      this.#last = status;
      this.#tell(status);
    });
    const end = (reason: string) => {
      if (this.#child !== child) return;
      this.#child = null;
      this.#last = null;
      this.#tell(reason);
    };
    child.on("error", (error) => end(error.message));
    child.on("close", () => end(errors.trim() || SILENT));
  }

  #nextLine(): Promise<T | string> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(SILENT), PATIENCE_MS);
      this.#waiting.push((status) => {
        clearTimeout(late);
        resolve(status);
      });
    });
  }

  #tell(status: T | string): void {
    for (const one of this.#waiting.splice(0)) one(status);
  }
}
