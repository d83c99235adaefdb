// The workers of one master: starts them, replaces those that die, and takes a configuration through prepare and
// commit on all of them, or on none.
import { createServer, type Server, type Socket } from "node:net";
import { CELL, COUNTER, type SharedState } from "../proxy/state.ts";
import { MessageDecoder } from "./message-codec.ts";
import type {
  FromWorker,
  PreparedConfiguration,
  SessionDescription,
  ToWorker,
  WorkerProblem,
} from "./messages.ts";
import { WorkerProcess, type WorkerProcessEvents, type WorkerStart } from "./worker-process.ts";

/** A worker that dies sooner than this after its start is replaced only after the same pause. */
const RESTART_PAUSE_MS = 1000;
const PREPARE_MS_MAX = 30_000;
const SESSIONS_MS_MAX = 2000;

export interface CrewEvents {
  report(text: string): void;
  handleObservation(message: Extract<FromWorker, { kind: "observation" }>): void;
  handleAdminCommand(command: string): void;
  /** All workers of a stopping crew have exited. */
  handleAllStopped(): void;
}

export interface CrewOptions {
  readonly start: Omit<WorkerStart, "workerIndex" | "controlPath">;
  readonly controlPath: string;
  readonly inheritedFds: readonly number[];
  readonly state: SharedState;
}

interface Round {
  readonly generation: number;
  readonly waiting: Set<WorkerProcess>;
  readonly problems: WorkerProblem[];
  readonly resolve: (problems: readonly WorkerProblem[]) => void;
}

export class Crew implements WorkerProcessEvents {
  readonly #options: CrewOptions;
  readonly #events: CrewEvents;
  readonly #workers: Map<number, WorkerProcess> = new Map();
  #server: Server | null = null;
  #generation = 0;
  #prepared: PreparedConfiguration | null = null;
  #candidate: PreparedConfiguration | null = null;
  #round: Round | null = null;
  #isStopping = false;
  #nextRequestId = 1;
  readonly #sessionRequests: Map<number, { left: number; sessions: SessionDescription[]; done: () => void }> =
    new Map();
  #hasNoted = false;

  constructor(options: CrewOptions, events: CrewEvents) {
    this.#options = options;
    this.#events = events;
  }

  get workers(): readonly WorkerProcess[] {
    return [...this.#workers.values()];
  }

  /** Opens the control socket and starts all workers; they wait for a configuration. */
  async open(): Promise<void> {
    this.#server = createServer((socket) => this.#greet(socket));
    await new Promise<void>((resolve, reject) => {
      this.#server!.once("error", reject);
      this.#server!.listen(this.#options.controlPath, resolve);
    });
  }

  /**
   * Takes a configuration to all workers. The problems of all of them when one refused; then nothing has changed.
   * `beforeCommit` runs when all are ready and none serves by it yet.
   */
  async apply(prepared: PreparedConfiguration, beforeCommit: () => void): Promise<readonly WorkerProblem[]> {
    this.#generation++;
    this.#candidate = prepared;
    const waiting = new Set<WorkerProcess>();
    const finished = new Promise<readonly WorkerProblem[]>((resolve) => {
      this.#round = { generation: this.#generation, waiting, problems: [], resolve };
    });
    for (let index = 1; index <= this.#options.start.workerCount; index++) {
      const worker = this.#workers.get(index) ?? this.#startWorker(index);
      waiting.add(worker);
      // A worker that has not said hello yet gets this when it does.
      worker.send({ kind: "prepare", generation: this.#generation, prepared });
    }
    const timer = setTimeout(
      () => this.#endRound([{ file: "", line: 0, message: "a worker did not answer in time" }]),
      PREPARE_MS_MAX,
    );
    const problems = await finished;
    clearTimeout(timer);
    this.#round = null;
    this.#candidate = null;
    if (problems.length > 0) this.broadcast({ kind: "discard", generation: this.#generation });
    else {
      this.#prepared = prepared;
      beforeCommit();
      for (const worker of this.#workers.values()) this.#commit(worker);
    }
    return problems;
  }

  broadcast(message: ToWorker): void {
    for (const worker of this.#workers.values()) worker.send(message);
  }

  /** The sessions of all workers; those that do not answer in time are left out. */
  async listSessions(): Promise<readonly SessionDescription[]> {
    const requestId = this.#nextRequestId++;
    const sessions: SessionDescription[] = [];
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SESSIONS_MS_MAX);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#sessionRequests.set(requestId, { left: this.#workers.size, sessions, done });
      this.broadcast({ kind: "list-sessions", requestId });
    });
    this.#sessionRequests.delete(requestId);
    return sessions;
  }

  stopSoftly(hardStopMs: number | null): void {
    this.#stop({ kind: "stop-softly", hardStopMs });
  }

  stopNow(): void {
    this.#stop({ kind: "stop-now" });
  }

  /** Ends workers that do not answer any more. */
  killAll(): void {
    this.#isStopping = true;
    for (const worker of this.#workers.values()) worker.kill();
    if (this.#workers.size === 0) this.#closed();
  }

  handleMessage(worker: WorkerProcess, message: FromWorker): void {
    switch (message.kind) {
      case "hello":
        worker.engine = message.engine;
        this.#noteEngine(message.engineNote);
        this.#welcome(worker);
        return;
      case "prepared":
        this.#settle(worker, message.generation, []);
        return;
      case "refused":
        this.#settle(worker, message.generation, message.problems);
        return;
      case "committed":
        worker.generation = message.generation;
        return;
      case "observation":
        this.#events.handleObservation(message);
        return;
      case "admin":
        this.#events.handleAdminCommand(message.command);
        return;
      case "sessions": {
        const request = this.#sessionRequests.get(message.requestId);
        if (request === undefined) return;
        request.sessions.push(...message.sessions);
        if (--request.left === 0) request.done();
      }
    }
  }

  handleExit(worker: WorkerProcess, description: string): void {
    this.#workers.delete(worker.index);
    this.#clearGauges(worker.index);
    if (this.#round?.waiting.has(worker)) {
      this.#settle(worker, this.#round.generation, [
        { file: "", line: 0, message: `worker ${worker.index} ${description}` },
      ]);
    }
    if (this.#isStopping) {
      if (this.#workers.size === 0) this.#closed();
      return;
    }
    if (this.#prepared === null) return;
    this.#events.report(
      `worker ${worker.index} (pid ${worker.pid}) ${description}; a new one takes its place`,
    );
    const livedMs = Date.now() - worker.startedAtMs;
    if (livedMs >= RESTART_PAUSE_MS) this.#startWorker(worker.index);
    else
      setTimeout(
        () => this.#isStopping || this.#workers.has(worker.index) || this.#startWorker(worker.index),
        RESTART_PAUSE_MS,
      );
  }

  #startWorker(index: number): WorkerProcess {
    const start = { ...this.#options.start, workerIndex: index, controlPath: this.#options.controlPath };
    const worker = new WorkerProcess(start, this.#options.inheritedFds, this);
    this.#workers.set(index, worker);
    return worker;
  }

  #greet(socket: Socket): void {
    const decoder = new MessageDecoder();
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes: Buffer) => {
      for (const message of decoder.receive(bytes) as FromWorker[]) {
        if (message.kind !== "hello") continue;
        const worker = this.#workers.get(message.workerIndex);
        if (worker === undefined || worker.pid !== message.pid) {
          socket.destroy();
          return;
        }
        worker.attach(socket, decoder);
        this.handleMessage(worker, message);
      }
    });
  }

  /** A worker that is ready gets what the others have, or what is being prepared. */
  #welcome(worker: WorkerProcess): void {
    const prepared = this.#candidate ?? this.#prepared;
    if (prepared !== null) worker.send({ kind: "prepare", generation: this.#generation, prepared });
  }

  #settle(worker: WorkerProcess, generation: number, problems: readonly WorkerProblem[]): void {
    const round = this.#round;
    if (round === null || !round.waiting.delete(worker)) {
      // A replacement for a worker that died: it serves what the others serve.
      if (problems.length === 0) this.#commit(worker);
      else for (const problem of problems) this.#events.report(problem.message);
      return;
    }
    if (generation !== round.generation) return;
    for (const problem of problems) {
      if (!round.problems.some(({ message }) => message === problem.message)) round.problems.push(problem);
    }
    if (round.waiting.size === 0) this.#endRound([]);
  }

  #endRound(problems: readonly WorkerProblem[]): void {
    this.#round?.resolve([...this.#round.problems, ...problems]);
  }

  #commit(worker: WorkerProcess): void {
    worker.send({ kind: "commit", generation: this.#generation });
  }

  #noteEngine(note: string | null): void {
    if (note === null || this.#hasNoted) return;
    this.#hasNoted = true;
    this.#events.report(`serving with the portable engine: ${note}`);
  }

  #stop(message: ToWorker): void {
    this.#isStopping = true;
    this.broadcast(message);
    if (this.#workers.size === 0) this.#closed();
  }

  #closed(): void {
    this.#server?.close();
    this.#events.handleAllStopped();
  }

  /** What a dead worker held is free again: its gauges are its own, the common cells are lowered by them. */
  #clearGauges(index: number): void {
    const { state } = this.#options;
    const counters = state.countersOf(index);
    const slots = this.#prepared?.slots ?? {};
    for (const [key, slot] of Object.entries(slots)) {
      const served = counters[state.counter(slot, COUNTER.scur)]!;
      if (key.startsWith("server ") && served > 0) state.add(slot, CELL.served, -served);
      state.add(slot, CELL.queued, -counters[state.counter(slot, COUNTER.qcur)]!);
      state.add(slot, CELL.idle, -counters[state.counter(slot, COUNTER.idleCur)]!);
      for (const gauge of [COUNTER.scur, COUNTER.qcur, COUNTER.idleCur, COUNTER.usedCur])
        counters[state.counter(slot, gauge)] = 0;
    }
  }
}
