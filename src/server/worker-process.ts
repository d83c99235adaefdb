// A worker as the master sees it: the child process and the control connection to it.
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { entryFile } from "../base/program-files.ts";
import { LINEAR_WHEN_SLOW } from "../base/regex.ts";
import { encodeMessage, MessageDecoder } from "./message-codec.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

/** What a worker is told through its environment, as JSON. */
export interface WorkerStart {
  readonly workerIndex: number;
  readonly workerCount: number;
  readonly masterPid: number;
  readonly controlPath: string;
  readonly sharedPath: string;
  readonly tablesPath: string;
  readonly slotCountMax: number;
  readonly workerCountMax: number;
  readonly engine: "auto" | "uring" | "portable";
}

export const WORKER_VARIABLE = "SALLYPORT_WORKER";

export interface WorkerProcessEvents {
  handleMessage(worker: WorkerProcess, message: FromWorker): void;
  /** Once, whatever the reason. */
  handleExit(worker: WorkerProcess, description: string): void;
}

/**
 * A larger budget for inlining makes the data path 3 % cheaper. Only workers have it: what Node brings of
 * compiled code is good for V8's own settings alone, and without it every program starts later by a third.
 */
const FLAGS = ["--max-inlined-bytecode-size-cumulative=2000", LINEAR_WHEN_SLOW];

export class WorkerProcess {
  readonly index: number;
  /** Generation that it serves; 0 before the first commit. */
  generation = 0;
  readonly startedAtMs: number = Date.now();
  /** How many reloads there had been when it was started. */
  reloadsBefore = 0;
  engine = "";
  readonly #child: ChildProcess;
  readonly #events: WorkerProcessEvents;
  #decoder = new MessageDecoder();
  #socket: Socket | null = null;

  /** `inheritedFds`: descriptors that the configuration names as fd@N. */
  constructor(start: WorkerStart, inheritedFds: readonly number[], events: WorkerProcessEvents) {
    this.index = start.workerIndex;
    this.#events = events;
    const main = entryFile("server/worker-main.ts");
    this.#child = spawn(process.execPath, [...process.execArgv, ...FLAGS, main], {
      stdio: stdioOf(inheritedFds),
      // A terminal's Ctrl-C goes to the whole process group; only the master decides what it means.
      detached: true,
      env: { ...process.env, [WORKER_VARIABLE]: JSON.stringify(start) },
    });
    this.#child.once("error", (error) => this.#exited(`could not be started: ${error.message}`));
    this.#child.once("exit", (code, signal) =>
      this.#exited(signal === null ? `exited with code ${code}` : `was killed by ${signal}`),
    );
  }

  /** It has said hello, so what is sent to it arrives. */
  get isAttached(): boolean {
    return this.#socket !== null;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The connection on which this worker said hello, with what was received but not yet understood. */
  attach(socket: Socket, decoder: MessageDecoder): void {
    this.#socket = socket;
    this.#decoder = decoder;
    socket.removeAllListeners("data");
    socket.on("data", (bytes: Buffer) => this.receive(bytes));
    socket.on("error", () => socket.destroy());
  }

  receive(bytes: Uint8Array): void {
    for (const message of this.#decoder.receive(bytes))
      this.#events.handleMessage(this, message as FromWorker);
  }

  send(message: ToWorker): void {
    if (this.#socket?.writable) this.#socket.write(encodeMessage(message));
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #isGone = false;

  #exited(description: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#socket?.destroy();
    this.#events.handleExit(this, description);
  }
}

/** Descriptors keep their numbers; what lies between is /dev/null. */
function stdioOf(inheritedFds: readonly number[]): StdioOptions {
  const highest = Math.max(2, ...inheritedFds);
  return Array.from({ length: highest + 1 }, (_, fd) => {
    if (fd === 0) return "ignore";
    return fd <= 2 || inheritedFds.includes(fd) ? fd : "ignore";
  });
}
