// Gets a stream its connection to a server: persistence first, then balancing, the queue when servers are
// full, reuse or connect, retries and redispatch (manual: `retries`, `option redispatch`, `http-reuse`). It
// holds the server's slot for as long as the stream uses the server. The outcome is one call of
// `handleServerReady` or `handleServerFailed`.
import type { Failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type { Chunk, ConnectOptions } from "../../transport/contract.ts";
import type { Backend, Server } from "../runtime.ts";
import { CELL, COUNTER, countRate } from "../state.ts";
import type { Stream } from "../stream.ts";
import type { ExchangeContext } from "./context.ts";
import { encodeProxyHeader } from "./proxy-header.ts";
import type { Waiter } from "./queue.ts";
import { type LinkOwner, ServerLink, unresolvedAddress } from "./server-link.ts";
import { TERMINATION, type Termination, terminationOfConnect } from "./termination.ts";

/**
 * Pause before the same server is tried again, unless `timeout connect` is shorter. HAProxy's turn-around
 * time.
 */
const TURN_AROUND_MS = 1000;

export interface ConnectorOwner extends LinkOwner {
  readonly stream: Stream;
  /** A link of this client connection's own that must be used when it is the right one for that, or null. */
  takePrivateLink(server: Server, key: string): ServerLink | null;
  /** The link is open and owned by the owner. */
  handleServerReady(link: ServerLink): void;
  /** No server could be reached; the slot is given back. */
  handleServerFailed(termination: Termination): void;
}

export class Connector implements LinkOwner, TimerTarget, Waiter {
  waitsFor: Server | null = null;
  readonly #context: ExchangeContext;
  readonly #owner: ConnectorOwner;
  readonly #timer = new Timer(this);
  /** Whose slot is held. */
  #holding: Server | null = null;
  #link: ServerLink | null = null;
  #isQueued = false;
  #isHttp = false;
  /** Time at which this stream began to wait for a server, and at which the present connect began. */
  #assignMs = 0;
  #connectMs = 0;
  #previous: Server | null = null;

  constructor(context: ExchangeContext, owner: ConnectorOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  /**
   * Finds a server for the owner's stream, whose backend is set, and whose server is set if persistence says
   * so.
   */
  start(isHttp: boolean): void {
    this.#isHttp = isHttp;
    this.#previous = null;
    this.#assignMs = this.#context.engine.nowMs;
    this.#assign();
  }

  /** The stream has lost interest (client gone, killed): whatever is under way is ended. */
  abandon(): void {
    this.#context.engine.timers.disarm(this.#timer);
    if (this.#isQueued) this.#owner.stream.queueMs = this.#context.engine.nowMs - this.#assignMs;
    this.#leaveQueue();
    this.#link?.abort();
    this.#link = null;
    this.release();
  }

  /** Gives the server's slot back and lets the next waiting stream have it. */
  release(): void {
    const server = this.#holding;
    if (server === null) return;
    this.#holding = null;
    this.#giveBack(server);
  }

  /** How it ends when the client is gone before there is a server. */
  get goneTermination(): Termination {
    return this.#isQueued ? TERMINATION.clientGoneInQueue : TERMINATION.clientGoneInConnect;
  }

  /** True when the link was freshly opened for this stream, which matters for what a failure means. */
  handleLinkOpen(link: ServerLink): void {
    this.#link = null;
    this.#ready(link);
  }

  handleLinkClose(link: ServerLink, failure: Failure | null): void {
    this.#link = null;
    this.#context.observe(link.server, "not-connected");
    this.#failed(link.server, failure === null ? TERMINATION.connectRefused : terminationOfConnect(failure));
  }

  // A server that speaks first (SMTP, SSH) can only be heard after handleLinkOpen.
  handleLinkData(_link: ServerLink, _chunk: Chunk, _start: number, _end: number): void {}
  handleLinkDrain(_link: ServerLink): void {}
  handleLinkEnd(_link: ServerLink): void {}

  /** The queue found that a slot may be free. */
  tryAgain(server: Server | null): boolean {
    const stream = this.#owner.stream;
    let candidate = server;
    if (this.waitsFor !== null && !this.waitsFor.isUsable) {
      // The server that persistence wanted went away; only `option redispatch` lets its clients go elsewhere.
      if (stream.backend!.definition.options.redispatch === 0) return false;
      candidate = null;
      this.#leaveServer(stream);
    }
    candidate ??= stream.backend!.balancer.choose(stream, null);
    if (candidate === null || !this.#take(candidate)) return false;
    this.#isQueued = false;
    this.waitsFor = null;
    this.#context.engine.timers.disarm(this.#timer);
    this.#connect(candidate);
    return true;
  }

  handleTimeout(nowMs: number): void {
    if (this.#isQueued) {
      this.#leaveQueue();
      this.#owner.stream.queueMs = nowMs - this.#assignMs;
      this.#owner.handleServerFailed(TERMINATION.queueTimeout);
    } else this.#assign();
  }

  #assign(): void {
    const stream = this.#owner.stream;
    const backend = stream.backend!;
    let server = stream.server;
    const isPersistent = server !== null;
    if (server === null) {
      server = backend.balancer.choose(stream, this.#previous);
      if (server === null) {
        if (backend.balancer.areAllFull) this.#enqueue(null);
        else this.#owner.handleServerFailed(TERMINATION.noServer);
        return;
      }
    }
    if (!this.#take(server)) {
      // What a key binds to its server waits there; anything else takes whichever comes free.
      this.#enqueue(isPersistent || !isRotating(backend) ? server : null);
      return;
    }
    if (!isPersistent) {
      backend.state.count(server.slot, COUNTER.lbtot);
      backend.state.count(backend.slot, COUNTER.lbtot);
    }
    this.#connect(server);
  }

  /** Takes a slot of the server; false when it is full. */
  #take(server: Server): boolean {
    const limit = server.connectionLimit;
    const before = server.state.add(server.slot, CELL.served, 1);
    if (before >= limit) {
      server.state.add(server.slot, CELL.served, -1);
      return false;
    }
    server.state.enter(server.slot, COUNTER.scur, COUNTER.smax);
    this.#holding = server;
    return true;
  }

  #giveBack(server: Server): void {
    server.state.add(server.slot, CELL.served, -1);
    server.state.leave(server.slot, COUNTER.scur);
    const queue = this.#context.queueOf(server.backend);
    if (queue.length > 0) queue.wake(server);
  }

  #enqueue(server: Server | null): void {
    const { engine } = this.#context;
    const stream = this.#owner.stream;
    const backend = stream.backend!;
    const maxqueue = server?.definition.maxqueue ?? null;
    if (server !== null && maxqueue !== null && maxqueue > 0 && server.queued >= maxqueue) {
      const isBound = stream.persistence === "force" || backend.definition.options.redispatch === 0;
      if (!stream.isPersistent || isBound) {
        this.#owner.handleServerFailed(TERMINATION.serverBusy);
        return;
      }
      this.#leaveServer(stream);
      this.#previous = server;
      this.#assign();
      return;
    }
    this.waitsFor = server;
    this.#isQueued = true;
    const position = this.#context.queueOf(backend).add(this, engine.nowMs);
    if (server === null) stream.backendQueuePosition = position + 1;
    else stream.serverQueuePosition = position + 1;
    const { queueMs, connectMs } = backend.definition.timeouts;
    engine.timers.arm(this.#timer, engine.nowMs + (queueMs ?? connectMs ?? Number.POSITIVE_INFINITY));
  }

  #leaveQueue(): void {
    if (!this.#isQueued) return;
    this.#isQueued = false;
    this.#context.queueOf(this.#owner.stream.backend!).remove(this);
    this.waitsFor = null;
  }

  #connect(server: Server): void {
    const { engine } = this.#context;
    const stream = this.#owner.stream;
    stream.server = server;
    // Pauses between attempts at one server are no time in a queue.
    if (this.#previous !== null || stream.queueMs < 0) stream.queueMs = engine.nowMs - this.#assignMs;
    if (this.#previous !== null) this.#countLeaving(this.#previous, server);
    this.#connectMs = engine.nowMs;
    const key = this.#isHttp ? reuseKey(stream, server) : "";
    const reused = this.#isHttp ? this.#takeIdle(server, key) : null;
    if (reused !== null) {
      this.#ready(reused);
      return;
    }
    const options = this.#connectOptions(server);
    if (options === null) {
      this.#failed(server, terminationOfConnect(unresolvedAddress(server)));
      return;
    }
    const link = new ServerLink(server, server.pool, this);
    link.key = key;
    this.#link = link;
    link.connection = engine.connect(options, link);
  }

  #takeIdle(server: Server, key: string): ServerLink | null {
    const own = this.#owner.takePrivateLink(server, key);
    if (own !== null) return own;
    if (server.pool.size === 0) return null;
    const isFirst = this.#owner.stream.session.requestCount <= 1;
    const mode = server.backend.settings.httpReuse;
    if (mode === "never" || (mode === "safe" && isFirst)) return null;
    return server.pool.take(key, mode === "aggressive" && isFirst);
  }

  #connectOptions(server: Server): ConnectOptions | null {
    const stream = this.#owner.stream;
    const settings = server.backend.settings;
    const isUnix = server.definition.address.kind === "unix";
    const { host, port } = endpointOf(stream, server);
    if (host === "") return null;
    return {
      address: isUnix ? { kind: "unix", path: host } : { kind: "tcp", host, port },
      source: server.definition.source ?? settings.source,
      tls:
        server.tls === null ? null : { context: server.tls, serverName: server.serverNameOf?.(stream) ?? "" },
      preamble:
        server.definition.sendProxy === null ? null : encodeProxyHeader(stream, server.definition.sendProxy),
      keepAlive: settings.keepAlive,
      buffers: this.#context.runtime.configuration.global.buffers.server,
      timeoutMs: server.backend.definition.timeouts.connectMs ?? Number.POSITIVE_INFINITY,
    };
  }

  #ready(link: ServerLink): void {
    const { engine, state } = this.#context;
    const stream = this.#owner.stream;
    const server = link.server;
    stream.connectMs = link.isReused ? 0 : engine.nowMs - this.#connectMs;
    stream.serverConnection = link.connection;
    link.owner = this.#owner;
    link.countUse();
    state.count(server.slot, COUNTER.stot);
    countRate(state, server.slot, COUNTER.sessRateSecond, engine.wallClockMs);
    if (!link.isReused) this.#context.observe(server, "connected");
    this.#owner.handleServerReady(link);
  }

  /** One attempt failed: once more here, elsewhere, or give up. */
  #failed(server: Server, termination: Termination): void {
    const { engine, state } = this.#context;
    const stream = this.#owner.stream;
    const { settings, definition } = server.backend;
    this.#holding = null;
    this.#giveBack(server);
    stream.retries++;
    if (stream.retries > (settings.retryOn.connFailure ? settings.retries : 0)) {
      stream.retries--;
      stream.connectMs = -1;
      state.count(server.slot, COUNTER.econ);
      state.count(server.backend.slot, COUNTER.econ);
      this.#owner.handleServerFailed(termination);
      return;
    }
    const mayGo = this.#leaveOrStay(server);
    // The same server again at once would most likely refuse again; a timeout has been pause enough.
    const isOtherLikely = mayGo && isRotating(server.backend) && hasOthers(server.backend);
    if (isOtherLikely || termination === TERMINATION.connectTimeout) {
      this.#assign();
      return;
    }
    const delayMs = Math.min(TURN_AROUND_MS, definition.timeouts.connectMs ?? TURN_AROUND_MS);
    engine.timers.arm(this.#timer, engine.nowMs + delayMs);
  }

  /** The server's answer was none that is passed on: once more here or elsewhere, at once. */
  retry(server: Server): void {
    this.#owner.stream.retries++;
    this.release();
    this.#leaveOrStay(server);
    this.#assign();
  }

  /** True: the next attempt may go to another server. */
  #leaveOrStay(server: Server): boolean {
    const stream = this.#owner.stream;
    if (!this.#mayRedispatch(stream, server)) {
      this.#countRetry(server);
      return false;
    }
    stream.server = null;
    stream.isPersistent = false;
    this.#previous = server;
    return true;
  }

  #countRetry(server: Server): void {
    const { state } = this.#context;
    state.count(server.slot, COUNTER.wretr);
    state.count(server.backend.slot, COUNTER.wretr);
  }

  /** The stream had left `previous`: only now is it known whether for another server. */
  #countLeaving(previous: Server, server: Server): void {
    const { state } = this.#context;
    const stream = this.#owner.stream;
    this.#previous = null;
    if (server.slot === previous.slot) {
      this.#countRetry(server);
      return;
    }
    stream.isRedispatched = true;
    if (stream.cookieRequest === "V") stream.cookieRequest = "D";
    state.count(previous.slot, COUNTER.wredis);
    state.count(previous.backend.slot, COUNTER.wredis);
  }

  /** Persistence is over for this stream, and the log says that its server was not there. */
  #leaveServer(stream: Stream): void {
    stream.server = null;
    stream.isPersistent = false;
    stream.isRedispatched = true;
    if (stream.cookieRequest === "V") stream.cookieRequest = "D";
  }

  /**
   * With `option redispatch` a stream leaves its server every so many retries, and earlier when the server is
   * down or when nothing binds the two and others are there.
   */
  #mayRedispatch(stream: Stream, server: Server): boolean {
    const { options } = server.backend.definition;
    const interval = options.redispatch;
    if (interval === 0 || stream.persistence === "force") return false;
    if (!server.isUsable) return true;
    const every = interval > 0 ? interval : server.backend.settings.retries + 1 + interval;
    if (stream.retries % every === 0) return true;
    return !stream.isPersistent && isRotating(server.backend) && hasOthers(server.backend);
  }
}

/** 0.0.0.0, and no port, mean: where the client wanted to go (transparent). */
function endpointOf(
  { destination }: Stream,
  server: Server,
): { readonly host: string; readonly port: number } {
  const { address } = server.definition;
  const offset = address.kind === "tcp" ? address.portOffset : 0;
  return {
    host: isAnywhere(server) ? destination.host : server.host,
    port: server.port ?? destination.port + offset,
  };
}

function isAnywhere({ host }: Server): boolean {
  return host === "0.0.0.0" || host === "::";
}

/**
 * What makes one of a server's connections unlike another: TLS server name, the place where it leads, and
 * what the PROXY header says of the client. Only streams with the same key may reuse it.
 */
function reuseKey(stream: Stream, server: Server): string {
  const name = server.serverNameOf === null ? "" : server.serverNameOf(stream);
  const { sendProxy, address } = server.definition;
  if (address.kind === "unix" && sendProxy === null) return name;
  if (sendProxy === null && server.port !== null && !isAnywhere(server)) return name;
  const { host, port } = endpointOf(stream, server);
  const header =
    sendProxy === null ? "" : Buffer.from(encodeProxyHeader(stream, sendProxy)).toString("latin1");
  return `${name} ${host} ${port} ${header}`;
}

/** The algorithm takes servers in turn: any will do for any stream. */
function isRotating(backend: Backend): boolean {
  const { algorithm } = backend.settings.balance;
  return (
    algorithm === "roundrobin" ||
    algorithm === "static-rr" ||
    algorithm === "leastconn" ||
    algorithm === "first" ||
    algorithm === "random"
  );
}

function hasOthers(backend: Backend): boolean {
  let count = 0;
  for (const server of backend.servers) if (server.isBalanced) count++;
  return count > 1;
}
