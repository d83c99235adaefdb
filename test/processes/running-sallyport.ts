// A Sallyport as its user has it: `bin/sallyport run` with a file, in a directory of its own. Everything
// that it says is kept, and tests wait for lines, ends and conditions, never for a time to pass.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as netConnect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const LAUNCHER = fileURLToPath(new URL("../../bin/sallyport", import.meta.url));
const SHARED_MEMORY = "/dev/shm";
/** Ends a hung test; measures nothing. */
const PATIENCE_MS = 30_000;
const POLL_MS = 5;

export type EngineName = "uring" | "portable";
export const ENGINES: readonly EngineName[] = ["uring", "portable"];

export interface RunOptions {
  readonly engine?: EngineName;
  readonly workers?: number;
  /** Further words of the command line. */
  readonly args?: readonly string[];
  /** Descriptors for fd 3 and up. */
  readonly extraFds?: readonly number[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Leads a process group of its own, as a job of a shell does. */
  readonly leadsGroup?: boolean;
  /** A program in front of the command, such as setpriv. */
  readonly through?: readonly string[];
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A directory for a test's files; it is removed at the end. */
export class TestDirectory implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), "processes-"));

  file(name: string, text?: string, mode?: number): string {
    const path = join(this.path, name);
    if (text !== undefined) writeFileSync(path, text, mode === undefined ? {} : { mode });
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export class RunningSallyport implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  #text = "";
  #ended: Ended | null = null;

  private constructor(configurationPath: string, options: RunOptions) {
    const {
      engine,
      workers,
      args = [],
      extraFds = [],
      environment = {},
      through = [],
      leadsGroup = false,
    } = options;
    const words = [
      ...through,
      LAUNCHER,
      "run",
      configurationPath,
      ...(engine === undefined ? [] : ["--engine", engine]),
      ...(workers === undefined ? [] : ["--workers", `${workers}`]),
      ...args,
    ];
    this.child = spawn(words[0]!, words.slice(1), {
      stdio: ["ignore", "pipe", "pipe", ...extraFds],
      env: { ...process.env, ...environment },
      detached: leadsGroup,
    });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.on("data", (bytes: Buffer) => {
        this.#text += bytes.toString();
      });
    this.ended = new Promise((resolve) => {
      this.child.once("close", (code, signal) => {
        this.#ended = { code, signal };
        resolve(this.#ended);
      });
    });
  }

  /** Starts it and does not wait. */
  static launch(configurationPath: string, options: RunOptions = {}): RunningSallyport {
    return new RunningSallyport(configurationPath, options);
  }

  /** Ready when it says that it serves. Rejects with what it said when it ends instead. */
  static async start(configurationPath: string, options: RunOptions = {}): Promise<RunningSallyport> {
    const sallyport = new RunningSallyport(configurationPath, options);
    await sallyport.until(() => /serving with \d+ worker/.test(sallyport.text), "it serves");
    return sallyport;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Everything that was written to standard output and error. */
  get text(): string {
    return this.#text;
  }

  get workerPids(): number[] {
    return childrenOf(this.pid);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  count(words: string): number {
    return this.#text.split(words).length - 1;
  }

  /**
   * Waits for something to become true; rejects when the program ends first or nothing happens for very
   * long.
   */
  async until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const deadlineMs = Date.now() + PATIENCE_MS;
    while (!(await condition())) {
      if (this.#ended !== null) throw new Error(`it ended before ${what}; it said:\n${this.#text}`);
      if (Date.now() > deadlineMs)
        throw new Error(`${what}: not in ${PATIENCE_MS} ms; it said:\n${this.#text}`);
      await pause();
    }
  }

  /** One reload by signal. Resolves when it has been done, or refused. */
  async reloadBySignal(): Promise<void> {
    const verdicts = () => this.count("sallyport: reloaded") + this.count("sallyport: not reloaded");
    const before = verdicts();
    this.signal("SIGHUP");
    await this.until(() => verdicts() > before, "the reload has an outcome");
  }

  async stop(name: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    if (this.#ended === null) this.signal(name);
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const workers = this.#ended === null ? this.workerPids : [];
    if (this.#ended === null) this.signal("SIGKILL");
    await this.ended;
    for (const pid of workers) await untilGone(pid);
  }
}

/** Sends one line to a stats socket; the whole answer. */
export function askSocket(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = netConnect(path, () => socket.write(`${line}\n`));
    socket.on("data", (bytes: Buffer) => {
      answer += bytes.toString();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(answer));
  });
}

export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text
      .split(" ")
      .filter((word) => word !== "")
      .map(Number);
  } catch {
    return [];
  }
}

/** Not even as a zombie that somebody has yet to collect. */
export function isAlive(pid: number): boolean {
  try {
    const state = /^State:\t(.)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return state !== "Z" && state !== "X";
  } catch {
    return false;
  }
}

export async function untilGone(pid: number): Promise<void> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  while (isAlive(pid)) {
    if (Date.now() > deadlineMs) throw new Error(`process ${pid} did not end in ${PATIENCE_MS} ms`);
    await pause();
  }
}

/** Directories of masters that are there now. */
export function masterDirectories(): string[] {
  return readdirSync(SHARED_MEMORY)
    .filter((name) => name.startsWith("sallyport-"))
    .map((name) => join(SHARED_MEMORY, name));
}

export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
