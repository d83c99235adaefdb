// A whole proxy in one process, without sockets of its own: it answers what its engine accepts. Holds the present
// generation and swaps it on reload; everything else lives in exchange/.

import { Timer, type TimerTarget } from "../base/timer-wheel.ts";
import type { LogFormat } from "../model/sample.ts";
import type { Acceptor, Connection, ConnectionHandler, Engine, Listener } from "../transport/contract.ts";
import type { ExchangeContext, LiveSession } from "./exchange/context.ts";
import { countSession, HttpClient } from "./exchange/http-client.ts";
import { BackendQueue } from "./exchange/queue.ts";
import type { Reply } from "./exchange/replies.ts";
import { TcpClient } from "./exchange/tcp-client.ts";
import type { Observation } from "./health/observation.ts";
import type { Backend, Frontend, ListenerRuntime, Runtime, Server } from "./runtime.ts";
import { listenerKey } from "./slots.ts";
import { CELL, COUNTER, type SharedState } from "./state.ts";
import { Session, Stream } from "./stream.ts";

/** How often a frontend at its maxconn looks whether other workers have made room, and idle connections are aged. */
const HOUSEKEEPING_MS = 100;
const PURGE_MS = 5000;

/** What a proxy needs from around it. */
export interface ProxyServices {
  evaluate(format: LogFormat, stream: Stream): string;
  serveStatistics(stream: Stream): Reply | null;
  serveMetrics(stream: Stream): Reply;
  observe(server: Server, observation: Observation): void;
}

export class ProxyCore implements ExchangeContext, TimerTarget {
  readonly engine: Engine;
  readonly state: SharedState;
  readonly liveSessions: Set<LiveSession> = new Set();
  isStopping = false;
  #runtime: Runtime;
  readonly #services: ProxyServices;
  readonly #queues: Map<number, BackendQueue> = new Map();
  readonly #acceptors: Map<string, BindAcceptor> = new Map();
  readonly #fullFrontends: Set<string> = new Set();
  readonly #timer = new Timer(this);
  #purgeAtMs = 0;

  constructor(engine: Engine, runtime: Runtime, services: ProxyServices) {
    this.engine = engine;
    this.state = runtime.state;
    this.#runtime = runtime;
    this.#services = services;
    this.#armHousekeeping();
  }

  get runtime(): Runtime {
    return this.#runtime;
  }

  /** The new generation serves from the next request on; requests in progress finish in theirs. */
  apply(runtime: Runtime): void {
    this.#runtime = runtime;
    for (const listener of runtime.listeners) {
      const acceptor = this.#acceptors.get(keyOf(listener));
      if (acceptor !== undefined) acceptor.runtime = listener;
    }
    this.#reopen();
  }

  /** What the engine's listener for a bind line hands its connections to; the same object over all generations. */
  acceptorFor(listener: ListenerRuntime): BindAcceptor {
    const key = keyOf(listener);
    let acceptor = this.#acceptors.get(key);
    if (acceptor === undefined) {
      acceptor = new BindAcceptor(this, listener);
      this.#acceptors.set(key, acceptor);
    }
    acceptor.runtime = listener;
    return acceptor;
  }

  /** No new requests on connections that are idle; the caller closes the listeners. */
  stopSoftly(): void {
    this.isStopping = true;
    for (const session of [...this.liveSessions]) session.closeIfIdle();
    for (const backend of this.#runtime.backends)
      for (const server of backend.servers) server.pool.closeAll();
  }

  /** Ends everything at once. */
  killAll(): void {
    for (const session of [...this.liveSessions]) session.kill();
  }

  queueOf(backend: Backend): BackendQueue {
    let queue = this.#queues.get(backend.slot);
    if (queue === undefined) {
      queue = new BackendQueue(backend, this.engine.timers);
      this.#queues.set(backend.slot, queue);
    }
    return queue;
  }

  evaluate(format: LogFormat, stream: Stream): string {
    return this.#services.evaluate(format, stream);
  }

  serveStatistics(stream: Stream): Reply | null {
    return this.#services.serveStatistics(stream);
  }

  serveMetrics(stream: Stream): Reply {
    return this.#services.serveMetrics(stream);
  }

  observe(server: Server, observation: Observation): void {
    if (server.definition.observe !== null) this.#services.observe(server, observation);
  }

  /** Called by acceptors: a frontend that reached its maxconn leaves further connections to the kernel's queue. */
  closeIfFull(frontend: Frontend): void {
    const limit = this.#limitOf(frontend);
    if (this.state.total(frontend.slot, COUNTER.scur) < limit) return;
    this.#fullFrontends.add(frontend.name);
    for (const acceptor of this.#acceptors.values()) {
      if (acceptor.runtime.frontend.name === frontend.name) acceptor.listener?.pause();
    }
  }

  handleTimeout(nowMs: number): void {
    this.#reopen();
    if (nowMs >= this.#purgeAtMs) {
      this.#purgeAtMs = nowMs + PURGE_MS;
      for (const backend of this.#runtime.backends)
        for (const server of backend.servers) server.pool.purge(nowMs);
    }
    this.#armHousekeeping();
  }

  #armHousekeeping(): void {
    this.engine.timers.arm(
      this.#timer,
      this.engine.nowMs + (this.#fullFrontends.size > 0 ? HOUSEKEEPING_MS : PURGE_MS),
    );
  }

  #limitOf(frontend: Frontend): number {
    const override = this.state.read(frontend.slot, CELL.maxconn);
    return override > 0 ? override : (frontend.settings.maxconn ?? Number.POSITIVE_INFINITY);
  }

  #reopen(): void {
    for (const name of this.#fullFrontends) {
      const frontend = this.#runtime.frontendsByName.get(name);
      if (frontend !== undefined && this.state.total(frontend.slot, COUNTER.scur) >= this.#limitOf(frontend))
        continue;
      this.#fullFrontends.delete(name);
      for (const acceptor of this.#acceptors.values()) {
        if (acceptor.runtime.frontend.name === name) acceptor.listener?.resume();
      }
    }
  }

  /** A session ended; room in a full frontend is used at once. */
  sessionEnded(): void {
    if (this.#fullFrontends.size > 0) this.#reopen();
  }
}

/** Accepts for one bind line. The engine's listener is put in by whoever opened it. */
export class BindAcceptor implements Acceptor {
  runtime: ListenerRuntime;
  listener: Listener | null = null;
  readonly #core: ProxyCore;

  constructor(core: ProxyCore, runtime: ListenerRuntime) {
    this.#core = core;
    this.runtime = runtime;
  }

  accept(connection: Connection): ConnectionHandler | null {
    const core = this.#core;
    const { frontend, definition } = this.runtime;
    const session = new Session(connection, frontend, definition, core.engine.nowMs, core.engine.wallClockMs);
    const { tcpRequestConnection } = frontend.programs;
    if (
      !tcpRequestConnection.isEmpty &&
      tcpRequestConnection.run(new Stream(session, core.runtime), 0).kind !== "done"
    ) {
      core.state.count(frontend.slot, COUNTER.dcon);
      core.state.count(this.runtime.slot, COUNTER.dcon);
      return null;
    }
    countSession(core, this.runtime);
    const client =
      frontend.definition.mode === "http"
        ? new HttpClient(connection, this.runtime, core, session)
        : new TcpClient(connection, this.runtime, core, session);
    core.liveSessions.add(client);
    if (frontend.settings.maxconn !== null || core.state.read(frontend.slot, CELL.maxconn) > 0)
      core.closeIfFull(frontend);
    return client;
  }
}

function keyOf(listener: ListenerRuntime): string {
  return listenerKey(listener.frontend.name, listener.definition.id);
}
