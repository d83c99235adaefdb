// The engine under an explanation: it sends nothing, has one client connection, and lets every server answer
// with the response that was assumed. Behind the contract of `transport/`, so that the data path itself runs
// on it. Time is virtual and moves only when nothing is left to do.
import type { SocketAddress } from "../../base/address.ts";
import { type Failure, failed, failure, type Result } from "../../base/failure.ts";
import { TimerWheel } from "../../base/timer-wheel.ts";
import type {
  Chunk,
  Connection,
  ConnectionHandler,
  ConnectOptions,
  DatagramSender,
  Engine,
  Listener,
  TlsClientContext,
  TlsFacts,
  TlsServerContext,
} from "../../transport/contract.ts";

/** Turns of the loop after which an explanation is a defect of ours. */
const TURN_COUNT_MAX = 100_000;

export interface VirtualConnectionFacts {
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
  readonly proxied: Connection["proxied"];
  readonly tls: TlsFacts | null;
}

export class VirtualConnection implements Connection {
  readonly id: number;
  handler!: ConnectionHandler;
  readonly remote: SocketAddress;
  readonly local: SocketAddress;
  readonly proxied: Connection["proxied"];
  readonly tls: TlsFacts | null;
  readonly pendingBytes = 0;
  isClosed = false;
  /** Everything sent so far, one character per byte. */
  sent = "";
  /** Called after each send. */
  onSend: () => void = () => {};
  readonly #engine: VirtualEngine;

  constructor(engine: VirtualEngine, id: number, facts: VirtualConnectionFacts) {
    this.#engine = engine;
    this.id = id;
    this.remote = facts.remote;
    this.local = facts.local;
    this.proxied = facts.proxied;
    this.tls = facts.tls;
  }

  send(chunk: Chunk, start: number, end: number): void {
    if (this.isClosed) return;
    this.sent += latin1(chunk.bytes, start, end);
    this.onSend();
  }

  pause(): void {}
  resume(): void {}
  expectBulk(_byteCount: number): void {}
  shutdown(): void {}

  close(): void {
    this.#end(null);
  }

  reset(): void {
    this.#end(null);
  }

  /** Bytes from the peer. */
  receive(text: string): void {
    if (this.isClosed || text === "") return;
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    this.handler.handleData(this, chunkOf(bytes), 0, bytes.length);
  }

  #end(cause: Failure | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#engine.defer(() => this.handler.handleClose(this, cause));
  }
}

export interface VirtualConnect {
  readonly options: ConnectOptions;
  readonly connection: VirtualConnection;
}

export class VirtualEngine implements Engine {
  readonly name = "memory";
  nowMs = 0;
  readonly timers: TimerWheel = new TimerWheel(0);
  /** In order; the last one is what the request was sent on. */
  readonly connects: VirtualConnect[] = [];
  readonly #startWallClockMs: number;
  readonly #onConnect: (connect: VirtualConnect) => void;
  readonly #tasks: (() => void)[] = [];
  #nextId = 1;

  /** `onConnect` gives the server its behaviour; the connection opens behind it. */
  constructor(wallClockMs: number, onConnect: (connect: VirtualConnect) => void) {
    this.#startWallClockMs = wallClockMs;
    this.#onConnect = onConnect;
  }

  get wallClockMs(): number {
    return this.#startWallClockMs + this.nowMs;
  }

  /** An explanation says that chance decided; it does not throw dice. */
  random(): number {
    return 0.5;
  }

  allocate(byteCount: number): Chunk {
    return chunkOf(new Uint8Array(byteCount));
  }

  accept(facts: VirtualConnectionFacts): VirtualConnection {
    return new VirtualConnection(this, this.#nextId++, facts);
  }

  listen(_options: unknown, _acceptor: unknown, _done: (result: Result<Listener>) => void): void {}

  connect(options: ConnectOptions, handler: ConnectionHandler): Connection {
    const { address } = options;
    const remote: SocketAddress =
      address.kind === "unix"
        ? { family: "unix", host: address.path, port: 0 }
        : { family: address.host.includes(":") ? 6 : 4, host: address.host, port: address.port };
    const local: SocketAddress = { family: remote.family, host: options.source?.host ?? "", port: 0 };
    const tls = options.tls === null ? null : { ...TLS_1_3, serverName: options.tls.serverName };
    const connection = this.accept({ remote, local, proxied: null, tls });
    connection.handler = handler;
    const connect = { options, connection };
    this.connects.push(connect);
    this.#onConnect(connect);
    this.defer(() => {
      if (!connection.isClosed) connection.handler.handleOpen(connection);
    });
    return connection;
  }

  createTlsServerContext(): Result<TlsServerContext> {
    return failed(failure("refused", "proxy", "an explanation has no keys"));
  }

  createTlsClientContext(): Result<TlsClientContext> {
    return failed(failure("refused", "proxy", "an explanation has no keys"));
  }

  openDatagramSender(): Result<DatagramSender> {
    return failed(failure("refused", "proxy", "an explanation sends nothing"));
  }

  defer(task: () => void): void {
    this.#tasks.push(task);
  }

  onTurnEnd(_task: () => void): void {}
  run(): void {}
  stop(): void {}

  /** Runs what is deferred, then what time brings, until `isDone` or nothing is left to happen. */
  runUntil(isDone: () => boolean): void {
    for (let turn = 0; turn < TURN_COUNT_MAX && !isDone(); turn++) {
      const task = this.#tasks.shift();
      if (task !== undefined) {
        task();
        continue;
      }
      const deadline = this.timers.nextDeadline();
      if (!Number.isFinite(deadline)) return;
      this.nowMs = Math.max(this.nowMs + 1, deadline);
      this.timers.advance(this.nowMs);
    }
  }

  /** What is deferred already, without letting time pass. */
  runDeferred(): void {
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) task();
  }
}

/** What a handshake between two of today's programs ends in. */
export const TLS_1_3: TlsFacts = {
  version: "TLSv1.3",
  cipher: "TLS_AES_256_GCM_SHA384",
  serverName: "",
  alpn: "",
  isResumed: false,
  peerCertificate: null,
  peerChain: null,
  ownCertificate: null,
  verifyResult: 0,
};

function chunkOf(bytes: Uint8Array): Chunk {
  return { bytes, retain() {}, release() {} };
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i += 8192)
    text += String.fromCharCode(...bytes.subarray(i, Math.min(end, i + 8192)));
  return text;
}
