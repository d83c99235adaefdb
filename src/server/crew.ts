// The workers of one master: starts them, replaces those that die, and takes a configuration through
// prepare and commit on all of them, or on none.
import { createServer, type Server, type Socket } from "node:net";
import type { SharedChange } from "../proxy/rules/shared-change.ts";
import { CELL, COUNTER, GAUGES, type SharedState } from "../proxy/state.ts";
import { MessageDecoder } from "./message-codec.ts";
import type {
  FromWorker,
  LiveState,
  PreparedConfiguration,
  SessionDescription,
  ToWorker,
  WorkerProblem,
} from "./messages.ts";
import { WorkerProcess, type WorkerProcessEvents, type WorkerStart } from "./worker-process.ts";

/** A worker that dies sooner than this after its start has died early. */
const EARLY_MS = 1000;
/** The first early death of a worker in a row is made up for at once, the next ones after this pause. */
const RESTART_PAUSE_MS = 1000;
/** After so many early deaths in a row the worker is given up. */
const EARLY_DEATHS_MAX = 5;
const ANSWER_MS_MAX = 30_000;
const SESSIONS_MS_MAX = 2000;
const SHARE_MS_MAX = 2000;

export interface CrewEvents {
  report(text: string): void;
  handleObservation(message: Extract<FromWorker, { kind: "observation" }>): void;
  handleAdminCommand(command: string): void;
  handleRingEvents(message: Extract<FromWorker, { kind: "ring-events" }>): void;
  handleShared(message: Extract<FromWorker, { kind: "shared" }>): void;
  handleRequests(message: Extract<FromWorker, { kind: "requests" }>): void;
  /** For a rule; `done` is called now or later. */
  resolve(message: Extract<FromWorker, { kind: "resolve" }>, done: (address: string | null) => void): void;
  /** A worker is gone, and its successor not there yet. */
  handleWorkerGone(workerIndex: number): void;
  /** No worker is left: the crew was stopped, or (`hasFailed`) none could be kept alive. */
  handleAllStopped(hasFailed: boolean): void;
}

export interface CrewOptions {
  readonly start: Omit<WorkerStart, "workerIndex" | "controlPath">;
  readonly controlPath: string;
  readonly inheritedFds: readonly number[];
  readonly state: SharedState;
  /** How many there have been so far. */
  countReloads(): number;
  /**
   * Lets workers see what has been written to the state: where it cannot be mapped, before they are told of
   * it.
   */
  shareState(): void;
  /** What has been changed at run time since those files were read. */
  liveStateOf(load: number): LiveState;
}

interface Round {
  readonly generation: number;
  /** Those that have yet to answer. */
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
  /** What workers that say hello only now are told as well. */
  #stopMessage: ToWorker | null = null;
  #isClosed = false;
  /** Early deaths in a row by worker index. */
  readonly #earlyDeaths: Map<number, number> = new Map();
  /** Workers that died while a configuration was being prepared; they are replaced when that is over. */
  readonly #vacant: number[] = [];
  #pausedStarts = 0;
  #nextRequestId = 1;
  readonly #sessionRequests: Map<number, { left: number; sessions: SessionDescription[]; done: () => void }> =
    new Map();
  /** Changes that some workers have not made yet, and who waits for them. */
  readonly #shares: Map<number, { readonly waiting: Set<WorkerProcess>; readonly done: () => void }> =
    new Map();
  #hasNoted = false;

  constructor(options: CrewOptions, events: CrewEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** What the workers serve; null before the first. */
  get prepared(): PreparedConfiguration | null {
    return this.#prepared;
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
   * Takes a configuration to all workers. The problems of all of them when one refused; then nothing has
   * changed. `beforeCommit` runs when all are ready and none serves by it yet.
   */
  async apply(prepared: PreparedConfiguration, beforeCommit: () => void): Promise<readonly WorkerProblem[]> {
    if (this.#isStopping) return [{ file: "", line: 0, message: "the program is stopping" }];
    this.#generation++;
    this.#candidate = prepared;
    const problems = await this.#prepareAll(prepared);
    this.#candidate = null;
    if (problems.length > 0) this.broadcast({ kind: "discard", generation: this.#generation });
    else {
      this.#prepared = prepared;
      beforeCommit();
      await this.#holdRound(() => this.broadcast({ kind: "commit", generation: this.#generation }));
    }
    for (const index of this.#vacant.splice(0)) this.#replace(index);
    return problems;
  }

  #prepareAll(prepared: PreparedConfiguration): Promise<readonly WorkerProblem[]> {
    if (this.#prepared === null)
      for (let index = 1; index <= this.#options.start.workerCount; index++) this.#startWorker(index);
    return this.#holdRound(() => {
      // One that does not serve yet takes what the others serve first; then this.
      for (const worker of this.#workers.values())
        if (worker.generation > 0) worker.send({ kind: "prepare", generation: this.#generation, prepared });
    });
  }

  /** Asks all workers for something; what stands in the way of it, when all have answered or died. */
  async #holdRound(ask: () => void): Promise<readonly WorkerProblem[]> {
    const waiting = new Set(this.#workers.values());
    const finished = new Promise<readonly WorkerProblem[]>((resolve) => {
      this.#round = { generation: this.#generation, waiting, problems: [], resolve };
    });
    ask();
    if (waiting.size === 0) this.#endRound([]);
    const timer = setTimeout(
      () => this.#endRound([{ file: "", line: 0, message: "a worker did not answer in time" }]),
      ANSWER_MS_MAX,
    );
    const problems = await finished;
    clearTimeout(timer);
    this.#round = null;
    return problems;
  }

  broadcast(message: ToWorker): void {
    this.#options.shareState();
    for (const worker of this.#workers.values()) worker.send(message);
  }

  /** To the worker with that process number, if there is one. */
  sendTo(pid: number, message: ToWorker): void {
    for (const worker of this.#workers.values()) if (worker.pid === pid) worker.send(message);
  }

  /** The sessions of all workers; those that do not answer in time are left out. */
  async listSessions(): Promise<readonly SessionDescription[]> {
    const requestId = this.#nextRequestId++;
    const sessions: SessionDescription[] = [];
    const left = this.workers.filter(({ isAttached }) => isAttached).length;
    if (left === 0) return sessions;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SESSIONS_MS_MAX);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#sessionRequests.set(requestId, { left, sessions, done });
      this.broadcast({ kind: "list-sessions", requestId });
    });
    this.#sessionRequests.delete(requestId);
    return sessions;
  }

  /**
   * Tells all workers what is different now, and waits until it is, and what they have told before is here.
   */
  async share(load: number, changes: readonly SharedChange[]): Promise<void> {
    const requestId = this.#nextRequestId++;
    const waiting = new Set(this.workers.filter(({ isAttached }) => isAttached));
    if (waiting.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SHARE_MS_MAX);
      const done = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#shares.set(requestId, { waiting, done });
      this.broadcast({ kind: "share", load, changes, requestId });
    });
    this.#shares.delete(requestId);
  }

  #noteShared(worker: WorkerProcess, requestIds: Iterable<number>): void {
    for (const requestId of requestIds) {
      const share = this.#shares.get(requestId);
      if (share?.waiting.delete(worker) === true && share.waiting.size === 0) share.done();
    }
  }

  stopSoftly(hardStopMs: number | null): void {
    this.#stop({ kind: "stop-softly", hardStopMs });
  }

  stopNow(): void {
    this.#stop({ kind: "stop-now" });
  }

  /** Ends all workers, also those that do not answer any more. */
  killAll(): void {
    this.#isStopping = true;
    for (const worker of this.#workers.values()) worker.kill();
    if (this.#workers.size === 0) this.#closed(false);
  }

  /** A server is somewhere else now; workers that start later learn it as well. */
  setServerAddress(backend: string, server: string, host: string, port: number | null): void {
    if (this.#prepared !== null) {
      const key = `${backend}/${server}`;
      const addresses = { ...this.#prepared.addresses, [key]: host };
      const ports = port === null ? this.#prepared.ports : { ...this.#prepared.ports, [key]: port };
      this.#prepared = { ...this.#prepared, addresses, ports };
    }
    this.broadcast({ kind: "server-address", backend, server, host, port });
  }

  handleMessage(worker: WorkerProcess, message: FromWorker): void {
    switch (message.kind) {
      case "hello":
        worker.engine = message.engine;
        this.#noteEngine(message.engineNote);
        if (this.#stopMessage !== null) worker.send(this.#stopMessage);
        else this.#welcome(worker);
        return;
      case "prepared":
        this.#settle(worker, message.generation, []);
        return;
      case "refused":
        this.#settle(worker, message.generation, message.problems);
        return;
      case "committed":
        this.#noteCommitted(worker, message.generation);
        return;
      case "observation":
        this.#events.handleObservation(message);
        return;
      case "admin":
        this.#events.handleAdminCommand(message.command);
        return;
      case "shared":
        this.#events.handleShared(message);
        return;
      case "resolve": {
        const { requestId } = message;
        this.#events.resolve(message, (address) => worker.send({ kind: "resolved", requestId, address }));
        return;
      }
      case "ring-events":
        this.#events.handleRingEvents(message);
        return;
      case "share-done":
        this.#noteShared(worker, [message.requestId]);
        return;
      case "requests":
        this.#events.handleRequests(message);
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
    this.#events.handleWorkerGone(worker.index);
    this.#noteShared(worker, this.#shares.keys());
    this.#answer(worker, [{ file: "", line: 0, message: `worker ${worker.index} ${description}` }]);
    if (this.#isStopping) {
      if (this.#workers.size === 0) this.#closed(false);
      return;
    }
    // Before the first configuration serves there is nothing to go on with: the start fails.
    if (this.#prepared !== null) this.#makeUpFor(worker, description);
  }

  #makeUpFor(worker: WorkerProcess, description: string): void {
    const { index, pid } = worker;
    const isEarly = Date.now() - worker.startedAtMs < EARLY_MS;
    const deaths = isEarly ? (this.#earlyDeaths.get(index) ?? 0) + 1 : 0;
    this.#earlyDeaths.set(index, deaths);
    const what = `worker ${index} (pid ${pid}) ${description}`;
    if (deaths >= EARLY_DEATHS_MAX) {
      this.#events.report(
        `${what}; that was ${deaths} times in a row soon after its start, so it is given up`,
      );
      this.#endIfAllAreGivenUp();
      return;
    }
    this.#events.report(`${what}; a new one takes its place`);
    if (deaths <= 1) this.#replace(index);
    else {
      this.#pausedStarts++;
      setTimeout(() => {
        this.#pausedStarts--;
        this.#replace(index);
      }, RESTART_PAUSE_MS);
    }
  }

  #endIfAllAreGivenUp(): void {
    if (this.#workers.size + this.#vacant.length + this.#pausedStarts > 0) return;
    this.#isStopping = true;
    this.#closed(true);
  }

  #replace(index: number): void {
    if (this.#isStopping || this.#workers.has(index)) return;
    if (this.#round !== null) this.#vacant.push(index);
    else this.#startWorker(index);
  }

  #startWorker(index: number): WorkerProcess {
    const start = { ...this.#options.start, workerIndex: index, controlPath: this.#options.controlPath };
    const worker = new WorkerProcess(start, this.#options.inheritedFds, this);
    worker.reloadsBefore = this.#options.countReloads();
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

  /** A new worker gets what the others serve; at the very start, what is being prepared. */
  #welcome(worker: WorkerProcess): void {
    const prepared = this.#prepared ?? this.#candidate;
    if (prepared !== null) this.#prepareLate(worker, prepared);
  }

  #settle(worker: WorkerProcess, generation: number, problems: readonly WorkerProblem[]): void {
    const isReplacement = this.#prepared !== null && worker.generation === 0;
    if (isReplacement) this.#admit(worker, generation, problems);
    else if (generation === this.#round?.generation) this.#answer(worker, problems);
  }

  /** A replacement is ready to serve what the others serve, or cannot. */
  #admit(worker: WorkerProcess, generation: number, problems: readonly WorkerProblem[]): void {
    for (const { message } of problems) this.#events.report(`worker ${worker.index}: ${message}`);
    if (problems.length === 0) worker.send({ kind: "commit", generation });
    else worker.kill();
  }

  #answer(worker: WorkerProcess, problems: readonly WorkerProblem[]): void {
    const round = this.#round;
    if (round === null || !round.waiting.delete(worker)) return;
    for (const problem of problems) {
      if (!round.problems.some(({ message }) => message === problem.message)) round.problems.push(problem);
    }
    if (round.waiting.size === 0) this.#endRound([]);
  }

  /** A replacement that serves joins the round that began before it could. */
  #noteCommitted(worker: WorkerProcess, generation: number): void {
    const wasNew = worker.generation === 0;
    worker.generation = generation;
    if (this.#candidate === null) {
      if (generation === this.#round?.generation) this.#answer(worker, []);
    } else if (wasNew && this.#round?.waiting.has(worker)) this.#prepareLate(worker, this.#candidate);
  }

  /** It has missed what was changed at run time. */
  #prepareLate(worker: WorkerProcess, prepared: PreparedConfiguration): void {
    const live = this.#options.liveStateOf(prepared.load);
    worker.send({ kind: "prepare", generation: this.#generation, prepared: { ...prepared, live } });
  }

  #endRound(problems: readonly WorkerProblem[]): void {
    this.#round?.resolve([...this.#round.problems, ...problems]);
  }

  #noteEngine(note: string | null): void {
    if (note === null || this.#hasNoted) return;
    this.#hasNoted = true;
    this.#events.report(`serving with the portable engine: ${note}`);
  }

  #stop(message: ToWorker): void {
    this.#isStopping = true;
    this.#stopMessage = message;
    this.broadcast(message);
    if (this.#workers.size === 0) this.#closed(false);
  }

  #closed(hasFailed: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#server?.close();
    this.#events.handleAllStopped(hasFailed);
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
      for (const gauge of GAUGES) counters[state.counter(slot, COUNTER[gauge])] = 0;
    }
  }
}
