// A worker process: one engine, one ProxyCore, and a control connection to the master that runs over the
// engine too, since the loop of `uring` never goes back to Node's own. It opens no file and resolves no
// name: everything comes from the master, prepared. A new generation is prepared first, then committed: if
// any worker cannot, none does.
import { writeSync } from "node:fs";
import type { Failure } from "../base/failure.ts";
import { Timer } from "../base/timer-wheel.ts";
import { makeDumpable } from "../io/dumpable.ts";
import type { LogFormat } from "../model/sample.ts";
import { type BindAcceptor, ProxyCore } from "../proxy/core.ts";
import type { Observation } from "../proxy/health/observation.ts";
import type { ListenerRuntime, Server } from "../proxy/runtime.ts";
import { CELL, type SharedState } from "../proxy/state.ts";
import type { Stream } from "../proxy/stream.ts";
import type { Chunk, Connection, ConnectionHandler, Engine, Listener } from "../transport/contract.ts";
import { ChangeOutbox } from "./change-outbox.ts";
import { meansOf, shareOf } from "./descriptor-limit.ts";
import { buildGeneration, type Generation } from "./generation.ts";
import { RingOutbox } from "./logs/ring-outbox.ts";
import { encodeMessage, MessageDecoder } from "./message-codec.ts";
import type {
  FromWorker,
  PreparedConfiguration,
  SessionDescription,
  ToWorker,
  WorkerProblem,
} from "./messages.ts";
import { dropPrivileges } from "./privileges.ts";
import { RequestReporter } from "./request-reporter.ts";
import { HostQuestions } from "./resolvers/host-questions.ts";
import type { TableMaps } from "./table-places.ts";

const CONTROL_CONNECT_MS = 5000;
/** The engine's chunks have a largest size, so a long message goes out in pieces. */
const CONTROL_PIECE_BYTES = 65536;
/** How often a stopping worker looks whether its last session has ended. */
const DRAIN_POLL_MS = 50;
/** Handshakes are given this long when no timeout of the configuration says less. */
const HANDSHAKE_MS_DEFAULT = 30_000;
const BACKLOG_DEFAULT = 4096;

export interface WorkerOptions {
  /** Counts from 1. */
  readonly workerIndex: number;
  readonly workerCount: number;
  readonly masterPid: number;
  /** Of this process, as the system has it. */
  readonly descriptorCountMax: number;
  readonly controlPath: string;
  readonly engineNote: string | null;
  readonly tables: TableMaps;
  /** Takes in what the master has written to the shared state. */
  readonly takeState: () => void;
}

interface OpenListener {
  readonly listener: Listener;
  readonly acceptor: BindAcceptor;
}

export class Worker implements ConnectionHandler {
  readonly #engine: Engine;
  readonly #state: SharedState;
  readonly #options: WorkerOptions;
  readonly #decoder = new MessageDecoder();
  readonly #listeners: Map<string, OpenListener> = new Map();
  #control: Connection | null = null;
  #core: ProxyCore | null = null;
  #current: Generation | null = null;
  #prepared: { readonly generation: Generation; readonly opened: Map<string, OpenListener> } | null = null;
  readonly #reporter: RequestReporter;
  readonly #outbox: ChangeOutbox;
  readonly #rings: RingOutbox;
  readonly #hosts = new HostQuestions((message) => this.#send(message));
  #wantsRequests = false;
  #nextSessionId = 1;
  readonly #sessionIds: WeakMap<object, number> = new WeakMap();
  #hasDropped = false;
  #isStopping = false;

  constructor(engine: Engine, state: SharedState, options: WorkerOptions) {
    this.#engine = engine;
    this.#state = state;
    this.#options = options;
    this.#outbox = new ChangeOutbox(engine, (load, changes) => this.#send({ kind: "shared", load, changes }));
    this.#rings = new RingOutbox(engine, (message) => this.#send(message), {
      pendingBytes: () => this.#control?.pendingBytes ?? 0,
    });
    this.#reporter = new RequestReporter(engine, options.workerCount, (message) => this.#send(message));
  }

  start(): void {
    const address = { kind: "unix", path: this.#options.controlPath } as const;
    this.#control = this.#engine.connect(
      { address, source: null, tls: null, preamble: null, keepAlive: null, timeoutMs: CONTROL_CONNECT_MS },
      this,
    );
  }

  handleOpen(_connection: Connection): void {
    const { workerIndex, engineNote } = this.#options;
    this.#send({ kind: "hello", workerIndex, pid: process.pid, engine: this.#engine.name, engineNote });
  }

  handleData(_connection: Connection, chunk: Chunk, start: number, end: number): void {
    for (const message of this.#decoder.receive(chunk.bytes.subarray(start, end)))
      this.#handle(message as ToWorker);
  }

  handleDrain(_connection: Connection): void {}

  /** The master is gone: nobody could reload or stop us any more. */
  handleEnd(_connection: Connection): void {
    this.#exit(0);
  }

  handleClose(_connection: Connection, _failure: Failure | null): void {
    this.#exit(0);
  }

  #handle(message: ToWorker): void {
    this.#options.takeState();
    switch (message.kind) {
      case "prepare":
        this.#prepare(message.generation, message.prepared);
        return;
      case "commit":
        this.#commit(message.generation);
        return;
      case "discard":
        this.#discard();
        return;
      case "stop-softly":
        this.#stopSoftly(message.hardStopMs);
        return;
      case "stop-now":
        this.#exit(0);
        return;
      case "server-address":
        this.#setServerAddress(message.backend, message.server, message.host, message.port);
        return;
      case "pause-frontend":
        this.#pauseFrontend(message.frontend);
        return;
      case "share":
        this.#takeChanges(message);
        return;
      case "list-sessions":
        this.#send({ kind: "sessions", requestId: message.requestId, sessions: this.#describeSessions() });
        return;
      case "resolved":
        this.#hosts.receive(message.requestId, message.address);
        return;
      case "kill-session":
        for (const live of [...this.#core!.liveSessions]) {
          if (this.#sessionIds.get(live) === message.sessionId) live.kill();
        }
        return;
      case "kill-server-sessions":
        for (const live of [...this.#core!.liveSessions]) {
          const server = live.stream?.server ?? null;
          if (server?.name === message.server && server.backend.name === message.backend) live.kill();
        }
    }
  }

  // ---- Generations ----

  #prepare(number: number, prepared: PreparedConfiguration): void {
    if (this.#isStopping) return;
    this.#discard();
    const built = buildGeneration(prepared, {
      engine: this.#engine,
      state: this.#state,
      workerIndex: this.#options.workerIndex,
      workerCount: this.#options.workerCount,
      masterPid: this.#options.masterPid,
      previous: this.#current,
      tables: this.#options.tables,
      number,
      share: (load, change) => this.#outbox.note(load, change),
      resolve: this.#hosts.resolve,
      rings: this.#rings,
      report: (text) => this.#report(text),
    });
    if (!built.ok) {
      this.#send({ kind: "refused", generation: number, problems: built.error });
      return;
    }
    const generation = built.value;
    this.#wantsRequests = prepared.wantsRequests;
    const services = {
      evaluate: (format: LogFormat, stream: Stream) => this.#running.evaluate(format, stream),
      serveStatistics: (stream: Stream) =>
        this.#running.serveStatistics(stream, (command) => this.#send({ kind: "admin", command })),
      serveMetrics: (stream: Stream) => this.#running.serveMetrics(stream),
      observe: (server: Server, observation: Observation) => this.#observe(server, observation),
      noteStream: (stream: Stream) => {
        if (this.#wantsRequests) this.#reporter.note(stream);
      },
    };
    const { workerCount, descriptorCountMax } = this.#options;
    const wanted = generation.runtime.configuration.global.descriptorCountMax;
    const means = meansOf(shareOf(descriptorCountMax, wanted, workerCount));
    this.#core ??= new ProxyCore(this.#engine, generation.runtime, services, workerCount, means);
    this.#openListeners(generation);
  }

  /** The generation that serves; while the first one is being prepared, that one. */
  get #running(): Generation {
    return this.#current ?? this.#prepared!.generation;
  }

  #openListeners(generation: Generation): void {
    const core = this.#core!;
    const missing = this.#wantedListeners(generation).filter(
      (listener) => !this.#listeners.has(addressKey(listener)),
    );
    const opened: Map<string, OpenListener> = new Map();
    const problems: WorkerProblem[] = [];
    this.#prepared = { generation, opened };
    let pending = missing.length;
    const done = () => {
      if (pending === 0) this.#finishPreparing(generation, problems);
    };
    done();
    for (const runtime of missing) {
      const acceptor = core.addAcceptor(runtime);
      acceptor.hold("not-serving");
      this.#engine.listen(this.#listenOptions(runtime, generation), acceptor, (result) => {
        pending--;
        if (result.ok) {
          acceptor.listener = result.value;
          opened.set(addressKey(runtime), { listener: result.value, acceptor });
        } else {
          core.removeAcceptor(acceptor);
          problems.push(problemOf(runtime, result.error));
        }
        done();
      });
    }
  }

  /** A path or an abstract name has one socket, not one for each process: the first worker serves it. */
  #wantedListeners({ runtime }: Generation): readonly ListenerRuntime[] {
    if (this.#options.workerIndex === 1) return runtime.listeners;
    return runtime.listeners.filter(
      ({ definition: { address } }) => address.kind === "tcp" || address.kind === "fd",
    );
  }

  #finishPreparing(generation: Generation, problems: WorkerProblem[]): void {
    if (problems.length === 0 && !this.#hasDropped) {
      // What a worker may no longer do once it serves it must be unable to do before it says that it is
      // ready.
      const { global } = generation.runtime.configuration;
      const problem = dropPrivileges(global);
      this.#hasDropped = problem === null;
      const dumpProblem = global.isDumpable ? makeDumpable() : null;
      if (dumpProblem !== null) this.#report(dumpProblem);
      if (problem !== null) problems.push({ ...global.span, message: problem });
    }
    if (problems.length === 0) {
      this.#send({ kind: "prepared", generation: generation.number });
      return;
    }
    this.#discard();
    this.#send({ kind: "refused", generation: generation.number, problems });
  }

  #listenOptions(runtime: ListenerRuntime, generation: Generation): Parameters<Engine["listen"]>[0] {
    const { definition, frontend } = runtime;
    const { timeouts } = frontend.definition;
    const { address } = definition;
    return {
      address,
      backlog:
        definition.backlog ?? frontend.settings.backlog ?? frontend.settings.maxconn ?? BACKLOG_DEFAULT,
      tls: generation.tlsContextOf(runtime),
      acceptProxy: definition.acceptProxy,
      handshakeTimeoutMs: timeouts.httpRequestMs ?? timeouts.clientMs ?? HANDSHAKE_MS_DEFAULT,
      keepAlive: frontend.settings.keepAlive,
      buffers: generation.runtime.configuration.global.buffers.client,
      // Nothing may be served by a generation that is only prepared.
      isPaused: true,
      reusePort: address.kind === "tcp",
    };
  }

  #commit(number: number): void {
    const prepared = this.#prepared;
    if (prepared === null || prepared.generation.number !== number) return;
    const { generation, opened } = prepared;
    this.#prepared = null;
    this.#current = generation;
    this.#core!.apply(generation.runtime);
    const wanted = new Map(
      this.#wantedListeners(generation).map((listener) => [addressKey(listener), listener]),
    );
    for (const [key, open] of this.#listeners) {
      const runtime = wanted.get(key);
      if (runtime === undefined) this.#closeListener(key, open);
      else this.#keepListener(open, runtime, generation);
    }
    for (const [key, open] of opened) {
      this.#listeners.set(key, open);
      open.acceptor.release("not-serving");
    }
    for (const { name } of generation.runtime.frontends) this.#pauseFrontend(name);
    const listeners = [...this.#listeners.values()].map(
      ({ listener }) => `${listener.address.host}:${listener.address.port}`,
    );
    this.#send({ kind: "committed", generation: number, listeners });
  }

  #keepListener(
    { listener, acceptor }: OpenListener,
    runtime: ListenerRuntime,
    generation: Generation,
  ): void {
    acceptor.runtime = runtime;
    listener.replaceKeepAlive(runtime.frontend.settings.keepAlive);
    listener.replaceBuffers(generation.runtime.configuration.global.buffers.client);
    const context = generation.tlsContextOf(runtime);
    if (context !== null) listener.replaceTls(context);
  }

  #closeListener(key: string, { listener, acceptor }: OpenListener): void {
    this.#core!.removeAcceptor(acceptor);
    listener.close();
    this.#listeners.delete(key);
  }

  #discard(): void {
    if (this.#prepared === null) return;
    for (const [key, open] of this.#prepared.opened) this.#closeListener(key, open);
    this.#prepared = null;
  }

  // ---- Commands ----

  #stopSoftly(hardStopMs: number | null): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const engine = this.#engine;
    this.#discard();
    for (const [key, open] of this.#listeners) this.#closeListener(key, open);
    this.#core?.stopSoftly();
    const stopAtMs = hardStopMs === null ? Number.POSITIVE_INFINITY : engine.nowMs + hardStopMs;
    const timer = new Timer({
      handleTimeout: (nowMs) => {
        if (this.#core === null || this.#core.liveSessions.size === 0 || nowMs >= stopAtMs) this.#exit(0);
        else engine.timers.arm(timer, nowMs + DRAIN_POLL_MS);
      },
    });
    // Closed listeners hand over what the kernel had queued for them; give that a turn before the first look.
    engine.timers.arm(timer, engine.nowMs + DRAIN_POLL_MS);
  }

  /** As the administrator wants it: that is in the shared state, so that workers that start later know. */
  #pauseFrontend(name: string): void {
    const frontend = this.#current?.runtime.frontendsByName.get(name);
    if (frontend === undefined) return;
    const isPaused = this.#state.read(frontend.slot, CELL.isPaused) !== 0;
    for (const { acceptor } of this.#listeners.values()) {
      if (acceptor.runtime.frontend.name !== name) continue;
      if (isPaused) acceptor.hold("administrator");
      else acceptor.release("administrator");
    }
  }

  #takeChanges({ load, changes, requestId }: Extract<ToWorker, { kind: "share" }>): void {
    this.#outbox.flush();
    const generations = [this.#current, this.#prepared?.generation ?? null];
    // Two generations of the same files have the same lists and variables.
    generations.find((generation) => generation?.load === load)?.apply(changes);
    if (requestId !== null) this.#send({ kind: "share-done", requestId });
  }

  #setServerAddress(backendName: string, serverName: string, host: string, port: number | null): void {
    const server = this.#current?.runtime.backendsByName.get(backendName)?.serversByName.get(serverName);
    if (server === undefined) return;
    const wasNowhere = server.host === "";
    server.host = host;
    if (port !== null) server.port = port;
    server.pool.closeAll();
    // What is chosen among has been decided without it.
    if (wasNowhere) this.#state.raiseEpoch();
  }

  #describeSessions(): SessionDescription[] {
    return [...(this.#core?.liveSessions ?? [])].map((live) => {
      const { session, stream } = live;
      let id = this.#sessionIds.get(live);
      if (id === undefined) {
        id = this.#nextSessionId++;
        this.#sessionIds.set(live, id);
      }
      const request = stream?.request ?? null;
      return {
        id,
        workerPid: process.pid,
        source: `${session.source.host}:${session.source.port}`,
        frontend: session.frontend.name,
        backend: stream?.backend?.name ?? null,
        server: stream?.server?.name ?? null,
        ageMs: this.#engine.nowMs - session.acceptMs,
        requestCount: session.requestCount,
        request: request === null ? null : `${request.method} ${request.target}`,
      };
    });
  }

  #observe(server: Server, observation: Observation): void {
    this.#send({ kind: "observation", backend: server.backend.name, server: server.name, observation });
  }

  #send(message: FromWorker): void {
    const bytes = encodeMessage(message);
    const control = this.#control;
    if (control === null || control.isClosed) return;
    for (let at = 0; at < bytes.length; at += CONTROL_PIECE_BYTES) {
      const length = Math.min(CONTROL_PIECE_BYTES, bytes.length - at);
      const chunk = this.#engine.allocate(length);
      chunk.bytes.set(bytes.subarray(at, at + length));
      control.send(chunk, 0, length);
      chunk.release();
    }
  }

  #report(text: string): void {
    writeSync(2, `sallyport worker ${this.#options.workerIndex}: ${text}\n`);
  }

  #exit(code: number): never {
    // Nobody else removes the files of unix sockets.
    for (const [key, open] of this.#listeners) this.#closeListener(key, open);
    this.#engine.stop();
    process.exit(code);
  }
}

/**
 * Listeners live through reloads as long as their address and the way they begin a connection stay the
 * same.
 */
function addressKey({ definition }: ListenerRuntime): string {
  return JSON.stringify([definition.address, definition.acceptProxy, definition.tls !== null]);
}

function problemOf({ definition, frontend }: ListenerRuntime, failure: Failure): WorkerProblem {
  const { file, line } = definition.span;
  return {
    file,
    line,
    message: `frontend ${frontend.name} cannot listen on ${definition.text}: ${failure.message}`,
  };
}
