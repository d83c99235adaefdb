// The engine for tests and simulations: behind the contract of src/transport/contract.ts, without a kernel.
// It has no clock and no randomness of its own; the MemoryNetwork drives it, and everything follows from the
// seeds.
import type { SocketAddress } from "../../base/address.ts";
import { parseIpAddress } from "../../base/address.ts";
import { failed, failure, type Result, success } from "../../base/failure.ts";
import { TimerWheel } from "../../base/timer-wheel.ts";
import type {
  Acceptor,
  Chunk,
  Connection,
  ConnectionHandler,
  ConnectOptions,
  DatagramSender,
  Engine,
  ListenAddress,
  Listener,
  ListenOptions,
  TlsClientContext,
  TlsClientSpec,
  TlsServerContext,
  TlsServerSpec,
} from "../../transport/contract.ts";
import { MemoryChunk } from "./memory-chunk.ts";
import { MemoryConnection } from "./memory-connection.ts";
import { MemoryListener } from "./memory-listener.ts";
import { listenerKey, type MemoryFaults, type MemoryNetwork, NO_FAULTS } from "./memory-network.ts";
import { createMemoryTlsClientContext, createMemoryTlsServerContext } from "./memory-tls.ts";
import { seededRandom } from "./seeded-random.ts";

/** What Linux waits for an answer before a connect fails by itself (tcp_syn_retries = 6). */
const KERNEL_CONNECT_TIMEOUT_MS = 130_000;
const CONNECT_RETRY_MS = 1000;

export interface MemoryEngineOptions {
  readonly seed: number;
  readonly network: MemoryNetwork;
  /** Concern connections of this engine: what it sends, reads, and connects to. */
  readonly faults?: Partial<MemoryFaults>;
  /** Where its connections come from. Default 127.0.0.1 (::1). */
  readonly host?: string;
}

export function createMemoryEngine(options: MemoryEngineOptions): MemoryEngine {
  return new MemoryEngine(options);
}

export class MemoryEngine implements Engine {
  readonly name = "memory";
  readonly network: MemoryNetwork;
  readonly faults: MemoryFaults;
  readonly timers: TimerWheel;
  readonly connections: Set<MemoryConnection> = new Set();
  readonly listeners: Set<MemoryListener> = new Set();
  readonly liveChunks: Set<MemoryChunk> = new Set();
  readonly #random: () => number;
  readonly #host: string | null;
  readonly #deferred: (() => void)[] = [];
  readonly #turnEndTasks: (() => void)[] = [];
  #nextId = 1;
  #isDispatching = false;
  #hasRun = false;
  #isStopped = false;

  constructor(options: MemoryEngineOptions) {
    this.network = options.network;
    this.faults = { ...NO_FAULTS, ...options.faults };
    this.timers = new TimerWheel(options.network.nowMs);
    this.#random = seededRandom(options.seed);
    this.#host = options.host ?? null;
    options.network.engines.push(this);
  }

  get nowMs(): number {
    return this.network.nowMs;
  }

  get wallClockMs(): number {
    return this.network.wallClockMs;
  }

  random(): number {
    return this.#random();
  }

  allocate(byteCount: number): Chunk {
    return new MemoryChunk(byteCount, this.liveChunks);
  }

  listen(options: ListenOptions, acceptor: Acceptor, done: (result: Result<Listener>) => void): void {
    const result = this.#listen(options, acceptor);
    this.defer(() => done(result));
  }

  connect(options: ConnectOptions, handler: ConnectionHandler): Connection {
    const remote = remoteAddress(options);
    const connection = new MemoryConnection(this, "server", {
      remote,
      local: this.#localAddress(options, remote),
    });
    connection.handler = handler;
    connection.limitHandshake(options.timeoutMs);
    this.network.schedule(this, this.between(this.faults.latencyMs), () =>
      this.#arriveAtHost(connection, options),
    );
    return connection;
  }

  createTlsServerContext(spec: TlsServerSpec): Result<TlsServerContext> {
    return createMemoryTlsServerContext(spec);
  }

  createTlsClientContext(spec: TlsClientSpec): Result<TlsClientContext> {
    return createMemoryTlsClientContext(spec);
  }

  openDatagramSender(address: Parameters<Engine["openDatagramSender"]>[0]): Result<DatagramSender> {
    const key = address.kind === "unix" ? address.path : `${address.host}:${address.port}`;
    return success({
      send: (bytes, start, end) => {
        const receive = this.network.datagramReceivers.get(key);
        if (receive === undefined) return false;
        const copy = Uint8Array.from(bytes.subarray(start, end));
        this.network.schedule(this, this.between(this.faults.latencyMs), () => receive(copy));
        return true;
      },
      close() {},
    });
  }

  defer(task: () => void): void {
    this.#deferred.push(task);
    if (!this.#isDispatching) this.network.schedule(this, 0, () => {});
  }

  onTurnEnd(task: () => void): void {
    this.#turnEndTasks.push(task);
  }

  /** The network runs it. */
  run(): void {}

  stop(): void {
    this.#isStopped = true;
  }

  /** Runs an event and what it defers. Called by the network. */
  dispatch(event: () => void): void {
    if (this.#isStopped) return;
    this.#hasRun = true;
    this.#isDispatching = true;
    try {
      event();
      // A plain index, because tasks append while they are walked.
      for (let i = 0; i < this.#deferred.length; i++) this.#deferred[i]!();
      this.#deferred.length = 0;
    } finally {
      this.#isDispatching = false;
    }
  }

  /** Fires what is due. Called by the network. */
  fireTimers(): void {
    if (this.timers.nextDeadline() <= this.nowMs) this.dispatch(() => this.timers.advance(this.nowMs));
  }

  /** Called by the network before its clock moves on. False when nothing had run since the last time. */
  endTurn(): boolean {
    if (!this.#hasRun || this.#isStopped) return false;
    this.dispatch(() => {
      for (const task of this.#turnEndTasks) task();
    });
    this.#hasRun = false;
    return true;
  }

  nextConnectionId(): number {
    return this.#nextId++;
  }

  chance(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }

  between([least, most]: readonly [number, number]): number {
    return least === most ? least : least + this.#random() * (most - least);
  }

  /** What is still open, held or armed, one line each. */
  leaks(): string[] {
    const held = [...this.liveChunks].map(
      (chunk) => `chunk of ${chunk.bytes.length} bytes held ${chunk.references} times`,
    );
    const open = [...this.connections].map(
      (end) => `connection ${end.id} to ${end.remote.host}:${end.remote.port} is open`,
    );
    const listening = [...this.listeners].map(
      (listener) => `listener on ${listenerKey(listener.address)} is open`,
    );
    const timers = this.timers.count > 0 ? [`${this.timers.count} timers are queued`] : [];
    return [...held, ...open, ...listening, ...timers];
  }

  #listen(options: ListenOptions, acceptor: Acceptor): Result<MemoryListener> {
    const address = this.#listeningAddress(options.address);
    const key = listenerKey(address);
    const present = this.network.listeners.get(key) ?? [];
    const isShared = options.reusePort && present.every((listener) => listener.options.reusePort);
    const isReplaced = options.address.kind === "unix";
    if (present.length > 0 && !isShared && !isReplaced) {
      return failed(failure("address-in-use", "proxy", `${key} is in use`));
    }
    const listener = new MemoryListener(this, options, address, acceptor);
    this.network.listeners.set(key, isReplaced ? [listener] : [...present, listener]);
    this.listeners.add(listener);
    return success(listener);
  }

  #listeningAddress(asked: ListenAddress): SocketAddress {
    if (asked.kind === "unix") return { family: "unix", host: asked.path, port: 0 };
    if (asked.kind === "abstract") return { family: "unix", host: `@${asked.name}`, port: 0 };
    if (asked.kind === "fd") return { family: "unix", host: `fd@${asked.fd}`, port: 0 };
    const host = asked.host ?? "*";
    const port = asked.port === 0 ? this.network.allocatePort() : asked.port;
    return { family: host.includes(":") ? 6 : 4, host, port };
  }

  #localAddress({ source }: ConnectOptions, remote: SocketAddress): SocketAddress {
    if (remote.family === "unix") return { family: "unix", host: "", port: 0 };
    const host = source?.host ?? this.#host ?? (remote.family === 6 ? "::1" : "127.0.0.1");
    return { family: remote.family, host, port: source?.port || this.network.allocatePort() };
  }

  #arriveAtHost(client: MemoryConnection, options: ConnectOptions): void {
    if (client.isClosed) return;
    const state = this.network.hostState(client.remote.host);
    const isName = client.remote.family !== "unix" && parseIpAddress(client.remote.host) === null;
    if (state === "unreachable" || isName) client.fail("unreachable", `no route to ${client.remote.host}`);
    else if (state === "silent" || this.chance(this.faults.silentProbability)) this.#leaveUnanswered(client);
    else {
      const listener = this.network.findListener(client.remote);
      if (listener === null || this.chance(this.faults.refuseProbability))
        client.fail("refused", "connection refused");
      else if (listener.isFull) {
        this.network.schedule(this, CONNECT_RETRY_MS, () => this.#arriveAtHost(client, options));
      } else this.#establish(client, listener, options);
    }
  }

  #leaveUnanswered(client: MemoryConnection): void {
    this.network.schedule(this, KERNEL_CONNECT_TIMEOUT_MS, () =>
      client.fail("timeout", "connection timed out"),
    );
  }

  #establish(client: MemoryConnection, listener: MemoryListener, options: ConnectOptions): void {
    const addresses = { remote: client.local, local: client.remote };
    const server = new MemoryConnection(listener.engine, "client", addresses);
    MemoryConnection.join(client, server);
    listener.enqueue(server);
    this.network.schedule(this, this.between(this.faults.latencyMs), () => client.beginConnecting(options));
  }
}

function remoteAddress({ address }: ConnectOptions): SocketAddress {
  if (address.kind === "unix") return { family: "unix", host: address.path, port: 0 };
  return { family: address.host.includes(":") ? 6 : 4, host: address.host, port: address.port };
}
