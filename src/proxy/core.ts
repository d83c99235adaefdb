// A whole proxy in one process, without sockets of its own: it answers what its engine accepts. Holds the
// present generation and swaps it on reload; everything else lives in exchange/.

import { Timer, type TimerTarget } from "../base/timer-wheel.ts";
import type { LogFormat } from "../model/sample.ts";
import type { Acceptor, Connection, ConnectionHandler, Engine, Listener } from "../transport/contract.ts";
import { Admission, type HoldReason, type Limit } from "./admission.ts";
import type { ExchangeContext, LiveSession } from "./exchange/context.ts";
import { countConnection, countSession, HttpClient } from "./exchange/http-client.ts";
import { BackendQueue } from "./exchange/queue.ts";
import type { Reply } from "./exchange/replies.ts";
import { TcpClient } from "./exchange/tcp-client.ts";
import type { Observation } from "./health/observation.ts";
import { allServersOf, type Backend, type ListenerRuntime, type Runtime, type Server } from "./runtime.ts";
import { COUNTER, type SharedState } from "./state.ts";
import { stopTracking } from "./stick-table/tracking.ts";
import { Session, Stream } from "./stream.ts";

/** How often what is held by a limit looks whether other workers have made room, or the second has passed. */
const LOOK_AGAIN_MS = 10;
/** How often idle connections are aged. */
const PURGE_MS = 5000;
/**
 * When the process stops softly, how long a connection without a request so far may still make one. Its
 * client has no reason to expect that it would have to ask anew, as it has between two requests.
 */
const FIRST_REQUEST_MS = 1000;

/** What a proxy needs from around it. */
export interface ProxyServices {
  evaluate(format: LogFormat, stream: Stream): string;
  serveStatistics(stream: Stream): Reply | null;
  serveMetrics(stream: Stream): Reply;
  observe(server: Server, observation: Observation): void;
  /** Told of each stream that has ended, while its request's head can still be read. */
  noteStream?(stream: Stream): void;
}

/** What a process can afford. */
export interface ProxyMeans {
  readonly sessionCountMax: number;
  readonly idleServerConnectionCountMax: number;
}

const UNLIMITED: ProxyMeans = {
  sessionCountMax: Number.POSITIVE_INFINITY,
  idleServerConnectionCountMax: Number.POSITIVE_INFINITY,
};

export class ProxyCore implements ExchangeContext, TimerTarget {
  readonly engine: Engine;
  readonly state: SharedState;
  readonly liveSessions: Set<LiveSession> = new Set();
  isStopping = false;
  #runtime: Runtime;
  readonly #services: ProxyServices;
  readonly #queues: Map<number, BackendQueue> = new Map();
  readonly #acceptors: Set<BindAcceptor> = new Set();
  /** Those that a limit holds. */
  readonly #held: Set<BindAcceptor> = new Set();
  readonly admission: Admission;
  readonly workerCount: number;
  readonly #means: ProxyMeans;
  readonly #timer = new Timer(this);
  #purgeAtMs = 0;
  #closeIdleAtMs = Number.POSITIVE_INFINITY;

  /** `workerCount`: how many processes share what the configuration allows to one. */
  constructor(
    engine: Engine,
    runtime: Runtime,
    services: ProxyServices,
    workerCount = 1,
    means: ProxyMeans = UNLIMITED,
  ) {
    this.engine = engine;
    this.state = runtime.state;
    this.workerCount = workerCount;
    this.#means = means;
    this.#runtime = runtime;
    this.admission = new Admission(this);
    this.#services = services;
    this.#sharePools();
    this.#armHousekeeping();
  }

  get runtime(): Runtime {
    return this.#runtime;
  }

  get sessionCount(): number {
    return this.liveSessions.size;
  }

  get sessionCountMax(): number {
    return this.#means.sessionCountMax;
  }

  /**
   * The new generation serves from the next request on; requests in progress finish in theirs. Whoever
   * opened the listeners gives their acceptors the bind lines of the new generation.
   */
  apply(runtime: Runtime): void {
    const kept = new Set(serversOf(runtime).map(({ pool }) => pool));
    for (const { pool } of serversOf(this.#runtime)) if (!kept.has(pool)) pool.retire();
    for (const server of serversOf(runtime)) server.pool.moveTo(server);
    this.#runtime = runtime;
    this.#sharePools();
    this.holdIfFull(this.#acceptors);
  }

  #sharePools(): void {
    const servers = serversOf(this.#runtime);
    const share = Math.max(1, Math.floor(this.#means.idleServerConnectionCountMax / servers.length));
    for (const { pool } of servers) pool.countMax = share;
  }

  /** What an engine's listener hands its connections to, until `removeAcceptor`. */
  addAcceptor(listener: ListenerRuntime): BindAcceptor {
    const acceptor = new BindAcceptor(this, listener);
    this.#acceptors.add(acceptor);
    this.holdIfFull([acceptor]);
    return acceptor;
  }

  removeAcceptor(acceptor: BindAcceptor): void {
    this.#acceptors.delete(acceptor);
    this.#held.delete(acceptor);
  }

  /** No further requests on connections that are idle; the caller closes the listeners. */
  stopSoftly(): void {
    this.isStopping = true;
    for (const live of [...this.liveSessions]) if (live.session.requestCount > 0) live.closeIfIdle();
    for (const { pool } of serversOf(this.#runtime)) pool.retire();
    this.#closeIdleAtMs = this.engine.nowMs + FIRST_REQUEST_MS;
    this.#armHousekeeping();
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

  streamEnded(stream: Stream): void {
    this.#services.noteStream?.(stream);
  }

  /** Called by acceptors. A limit that has been reached may be that of others too. */
  closeIfFull({ limits }: BindAcceptor): void {
    for (const limit of limits) {
      if (!limit.isReached()) continue;
      this.holdIfFull(this.#acceptors);
      this.#armHousekeeping();
      return;
    }
  }

  /** Holds each of them by the limits that are reached, and by no other. */
  holdIfFull(acceptors: Iterable<BindAcceptor>): void {
    const known: Map<Limit, boolean> = new Map();
    const isReached = (limit: Limit) => {
      let answer = known.get(limit);
      if (answer === undefined) {
        answer = limit.isReached();
        known.set(limit, answer);
      }
      return answer;
    };
    for (const acceptor of acceptors)
      if (acceptor.obey(isReached)) this.#held.add(acceptor);
      else this.#held.delete(acceptor);
  }

  handleTimeout(nowMs: number): void {
    this.holdIfFull(this.#held);
    if (nowMs >= this.#purgeAtMs) {
      this.#purgeAtMs = nowMs + PURGE_MS;
      for (const { pool } of serversOf(this.#runtime)) pool.purge(nowMs);
    }
    if (nowMs >= this.#closeIdleAtMs) {
      this.#closeIdleAtMs = Number.POSITIVE_INFINITY;
      for (const live of [...this.liveSessions]) live.closeIfIdle();
    }
    this.#armHousekeeping();
  }

  #armHousekeeping(): void {
    const { nowMs, timers } = this.engine;
    const dueMs = nowMs + (this.#held.size > 0 ? LOOK_AGAIN_MS : PURGE_MS);
    timers.arm(this.#timer, Math.min(dueMs, this.#closeIdleAtMs));
  }

  /** A session ended; room in what was full is used at once. */
  sessionEnded(): void {
    if (this.#held.size > 0) this.holdIfFull(this.#held);
  }
}

/** Accepts for one bind line. The engine's listener is put in by whoever opened it. */
export class BindAcceptor implements Acceptor {
  readonly #core: ProxyCore;
  readonly #holds: Set<HoldReason> = new Set();
  #runtime: ListenerRuntime;
  #limits: readonly Limit[];
  #listener: Listener | null = null;

  constructor(core: ProxyCore, runtime: ListenerRuntime) {
    this.#core = core;
    this.#runtime = runtime;
    this.#limits = core.admission.limitsOf(runtime);
  }

  get runtime(): ListenerRuntime {
    return this.#runtime;
  }

  set runtime(runtime: ListenerRuntime) {
    const before = this.#limits;
    this.#runtime = runtime;
    this.#limits = this.#core.admission.limitsOf(runtime);
    this.#core.holdIfFull([this]);
    for (const { reason } of before)
      if (!this.#limits.some((limit) => limit.reason === reason)) this.release(reason);
  }

  get limits(): readonly Limit[] {
    return this.#limits;
  }

  get listener(): Listener | null {
    return this.#listener;
  }

  set listener(listener: Listener | null) {
    this.#listener = listener;
    if (this.#holds.size > 0) listener?.pause();
  }

  /** It accepts as long as there is no reason against it. */
  hold(reason: HoldReason): void {
    this.#holds.add(reason);
    this.#listener?.pause();
  }

  release(reason: HoldReason): void {
    if (this.#holds.delete(reason) && this.#holds.size === 0) this.#listener?.resume();
  }

  /** Whether one of its limits holds it. */
  obey(isReached: (limit: Limit) => boolean): boolean {
    let isHeld = false;
    for (const limit of this.#limits)
      if (isReached(limit)) {
        this.hold(limit.reason);
        isHeld = true;
      }
    for (const limit of this.#limits) if (!isReached(limit)) this.release(limit.reason);
    return isHeld;
  }

  accept(connection: Connection): ConnectionHandler | null {
    const core = this.#core;
    const { frontend, definition } = this.#runtime;
    countConnection(core, this.#runtime);
    const session = new Session(connection, frontend, definition, core.engine.nowMs, core.engine.wallClockMs);
    const { tcpRequestConnection } = frontend.programs;
    if (
      !tcpRequestConnection.isEmpty &&
      tcpRequestConnection.run(new Stream(session, core.runtime), 0).kind !== "done"
    ) {
      stopTracking(session, core.engine.nowMs);
      core.state.count(frontend.slot, COUNTER.dcon);
      core.state.count(this.#runtime.slot, COUNTER.dcon);
      return null;
    }
    countSession(core, this.#runtime);
    const client =
      frontend.definition.mode === "http"
        ? new HttpClient(connection, this.#runtime, core, session)
        : new TcpClient(connection, this.#runtime, core, session);
    core.liveSessions.add(client);
    core.closeIfFull(this);
    return client;
  }
}

function serversOf(runtime: Runtime): Server[] {
  return runtime.backends.flatMap(allServersOf);
}
