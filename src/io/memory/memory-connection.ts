// One end of a connection in a memory network. Bytes are copied when they leave, wait under way within a
// window, and are lent to the reader cut at random places. PROXY headers travel as bytes; a TLS handshake
// travels as marks between the bytes. Invariant as for all engines: handleClose once and last.
import type { SocketAddress } from "../../base/address.ts";
import { type Failure, type FailureKind, type FailureSide, failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type {
  Chunk,
  Connection,
  ConnectionHandler,
  ConnectOptions,
  ListenOptions,
  TlsFacts,
  TlsServerContext,
} from "../../transport/contract.ts";
import { ProxyHeaderReader } from "../proxy-header-reader.ts";
import { MemoryChunk } from "./memory-chunk.ts";
import type { MemoryEngine } from "./memory-engine.ts";
import type { MemoryFaults } from "./memory-network.ts";
import {
  answerHello,
  type ClientHello,
  type MemoryTlsClientContext,
  type MemoryTlsServerContext,
  type ServerHello,
  serverRefusal,
} from "./memory-tls.ts";

/** What travels from one end to the other, in order. */
type Segment =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "client-hello"; readonly hello: ClientHello }
  | { readonly kind: "server-hello"; readonly answer: ServerHello }
  | { readonly kind: "finished" }
  | { readonly kind: "alert"; readonly message: string }
  | { readonly kind: "end" }
  | { readonly kind: "reset" };

/** What a reader sees of a handshake that it did not expect. */
const HANDSHAKE_BYTES: Uint8Array = Uint8Array.of(
  0x16,
  0x03,
  0x01,
  0x02,
  0x00,
  0x01,
  0x00,
  0x01,
  0xfc,
  0x03,
  0x03,
);

export class MemoryConnection implements Connection, TimerTarget {
  readonly id: number;
  handler: ConnectionHandler = unattendedHandler;
  remote: SocketAddress;
  local: SocketAddress;
  proxied: Connection["proxied"] = null;
  tls: TlsFacts | null = null;
  isClosed = false;
  readonly engine: MemoryEngine;
  readonly #side: FailureSide;
  readonly #faults: MemoryFaults;
  readonly #windowBytes: number;
  readonly #timer: Timer = new Timer(this);
  #peer: MemoryConnection | null = null;
  #stage: "waiting" | "proxy-header" | "client-hello" | "server-hello" | "finished" | "open" = "waiting";
  #queue: { readonly chunk: Chunk; start: number; readonly end: number }[] = [];
  #queuedBytes = 0;
  #inFlightBytes = 0;
  #lastArrivalMs = 0;
  #received: Segment[] = [];
  /** How far the first of `#received` has been read. */
  #readOffset = 0;
  #headerReader: ProxyHeaderReader | null = null;
  #serverTls: MemoryTlsServerContext | null = null;
  #serverFacts: TlsFacts | null = null;
  #hello: ClientHello | null = null;
  #sessionKey = "";
  #isPaused = false;
  #isPendingSeen = false;
  #isShutdown = false;
  #isEndSent = false;
  #isClosing = false;
  #hasEnded = false;
  #isFlushScheduled = false;
  #isReadScheduled = false;

  constructor(
    engine: MemoryEngine,
    side: FailureSide,
    addresses: { readonly remote: SocketAddress; readonly local: SocketAddress },
  ) {
    this.engine = engine;
    this.id = engine.nextConnectionId();
    this.#side = side;
    this.#faults = engine.faults;
    this.#windowBytes = Math.ceil(engine.between(engine.faults.windowBytes));
    this.remote = addresses.remote;
    this.local = addresses.local;
    engine.connections.add(this);
  }

  get pendingBytes(): number {
    if (this.#queuedBytes > 0) this.#isPendingSeen = true;
    return this.#queuedBytes;
  }

  send(chunk: Chunk, start: number, end: number): void {
    if (this.isClosed || this.#isClosing || this.#isShutdown || end <= start) return;
    chunk.retain();
    this.#queue.push({ chunk, start, end });
    this.#queuedBytes += end - start;
    this.#scheduleFlush(0);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#scheduleRead(0);
  }

  /** Sizes are drawn at random whatever is expected. */
  expectBulk(_byteCount: number): void {}

  shutdown(): void {
    if (this.isClosed || this.#isClosing) return;
    this.#isShutdown = true;
    this.#scheduleFlush(0);
  }

  close(): void {
    if (this.isClosed || this.#isClosing) return;
    this.#isClosing = true;
    if (this.#stage !== "open" && this.#queue.length === 0) this.#giveUp(null);
    else this.#scheduleFlush(0);
  }

  reset(): void {
    if (this.isClosed) return;
    this.#isClosing = true;
    this.#giveUp(null);
  }

  handleTimeout(): void {
    this.fail("timeout", "connect or handshake took too long");
  }

  /** Most time until handleOpen. */
  limitHandshake(timeoutMs: number): void {
    if (timeoutMs !== Number.POSITIVE_INFINITY)
      this.engine.timers.arm(this.#timer, this.engine.nowMs + timeoutMs);
  }

  /** The client's end: the other one is there. */
  beginConnecting(options: ConnectOptions): void {
    if (this.isClosed) return;
    if (options.preamble !== null && options.preamble.length > 0) {
      this.#inFlightBytes += options.preamble.length;
      this.#transmit({ kind: "bytes", bytes: Uint8Array.from(options.preamble) });
    }
    if (options.tls === null) {
      this.#open();
      return;
    }
    const context = options.tls.context as MemoryTlsClientContext;
    const { serverName } = options.tls;
    this.#sessionKey = `${serverName} ${this.remote.host} ${this.remote.port}`;
    this.#hello = { context, serverName, session: context.sessions.get(this.#sessionKey) ?? null };
    this.#stage = "server-hello";
    this.#transmit({ kind: "client-hello", hello: this.#hello });
    this.#scheduleRead(0);
  }

  /** The server's end: accepted. */
  beginServing(options: ListenOptions, tls: TlsServerContext | null): void {
    this.#serverTls = tls as MemoryTlsServerContext | null;
    if (options.acceptProxy) this.#headerReader = new ProxyHeaderReader();
    if (options.acceptProxy || tls !== null) this.limitHandshake(options.handshakeTimeoutMs);
    this.#nextServerStage();
    this.#scheduleRead(0);
  }

  /** Makes the two ends know each other. */
  static join(client: MemoryConnection, server: MemoryConnection): void {
    client.#peer = server;
    server.#peer = client;
  }

  /** Ends it from our side for a reason of ours. */
  fail(kind: FailureKind, message: string): void {
    if (!this.isClosed)
      this.#giveUp(failure(kind, this.#side, message, this.#stage !== "open" && kind !== "tls"));
  }

  #nextServerStage(): void {
    if (this.#headerReader !== null) this.#stage = "proxy-header";
    else if (this.#serverTls !== null && this.#serverFacts === null) this.#stage = "client-hello";
    else this.#open();
  }

  #open(): void {
    this.engine.timers.remove(this.#timer);
    this.#stage = "open";
    this.engine.network.trace(`${this.#name} open`);
    if (!this.#isClosing)
      this.engine.defer(() => !this.isClosed && !this.#isClosing && this.handler.handleOpen(this));
    this.#scheduleFlush(0);
    this.#scheduleRead(0);
  }

  get #name(): string {
    return `${this.local.host}:${this.local.port}>${this.remote.host}:${this.remote.port}`;
  }

  #scheduleFlush(delayMs: number): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    this.engine.network.schedule(this.engine, delayMs, () => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  /** Moves queued bytes into the window; behind the last one comes the end. */
  #flush(): void {
    if (this.isClosed || this.#stage !== "open") return;
    while (this.#queue.length > 0 && this.#inFlightBytes < this.#windowBytes) {
      if (this.engine.chance(this.#faults.resetProbability)) {
        this.fail("reset", "connection reset by the network");
        return;
      }
      this.#sendSegment();
    }
    if (this.#queue.length > 0) return;
    if ((this.#isShutdown || this.#isClosing) && !this.#isEndSent) {
      this.#isEndSent = true;
      this.#transmit({ kind: "end" });
    }
    if (this.#isClosing || (this.#isEndSent && this.#hasEnded)) this.#conclude(null);
    else if (this.#isPendingSeen) {
      this.#isPendingSeen = false;
      this.handler.handleDrain(this);
    }
  }

  #sendSegment(): void {
    const first = this.#queue[0]!;
    const size = Math.min(
      first.end - first.start,
      this.#windowBytes - this.#inFlightBytes,
      this.#randomSize(),
    );
    this.#transmit({
      kind: "bytes",
      bytes: Uint8Array.from(first.chunk.bytes.subarray(first.start, first.start + size)),
    });
    first.start += size;
    this.#queuedBytes -= size;
    this.#inFlightBytes += size;
    if (first.start < first.end) return;
    this.#queue.shift();
    first.chunk.release();
  }

  #randomSize(): number {
    if (this.engine.chance(this.#faults.oneByteProbability)) return 1;
    return 1 + Math.floor(this.engine.random() * this.#faults.segmentBytesMax);
  }

  #transmit(segment: Segment): void {
    const peer = this.#peer;
    if (peer === null) return;
    const { network } = this.engine;
    const byteCount = segment.kind === "bytes" ? segment.bytes.length : 0;
    network.trace(`${this.#name} ${segment.kind} ${byteCount}`);
    const departureMs = Math.max(this.#lastArrivalMs - this.#faults.latencyMs[1], network.nowMs);
    const arrivalMs =
      departureMs +
      this.engine.between(this.#faults.latencyMs) +
      byteCount / this.#faults.bandwidthBytesPerMs;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivalMs);
    network.scheduleAt(peer.engine, this.#lastArrivalMs, () => peer.#arrive(segment));
  }

  #arrive(segment: Segment): void {
    if (this.isClosed) {
      // Closed ends go on discarding for a while; what they discard makes room for more.
      if (segment.kind === "bytes") this.#peer!.#credit(segment.bytes.length);
      return;
    }
    if (segment.kind === "reset") this.#conclude(failure("reset", this.#side, "connection reset by peer"));
    else {
      this.#received.push(segment);
      this.#scheduleRead(0);
    }
  }

  /** The reader has taken `byteCount` bytes: the window moves on. */
  #credit(byteCount: number): void {
    this.#inFlightBytes -= byteCount;
    if (this.#queue.length > 0) this.#scheduleFlush(this.engine.between(this.#faults.latencyMs));
  }

  #scheduleRead(delayMs: number): void {
    if (this.#isReadScheduled || this.isClosed) return;
    this.#isReadScheduled = true;
    this.engine.network.schedule(this.engine, delayMs, () => {
      this.#isReadScheduled = false;
      this.#read();
    });
  }

  #read(): void {
    const segment = this.#received[0];
    if (segment === undefined || this.isClosed || this.#stage === "waiting") return;
    if (this.#stage !== "open") this.#readHandshake(segment);
    else if (this.#isClosing) this.#discard(segment);
    else if (this.#isPaused) return;
    else this.#deliver(segment);
    if (this.#received.length > 0) this.#scheduleRead(this.engine.between(this.#faults.readDelayMs));
  }

  #discard(segment: Segment): void {
    this.#received.shift();
    if (segment.kind === "bytes") this.#peer!.#credit(segment.bytes.length - this.#readOffset);
    this.#readOffset = 0;
  }

  #deliver(segment: Segment): void {
    if (segment.kind === "bytes") this.#deliverBytes(segment.bytes);
    else if (segment.kind === "client-hello") this.#received[0] = { kind: "bytes", bytes: HANDSHAKE_BYTES };
    else {
      this.#received.shift();
      if (segment.kind === "end") this.#deliverEnd();
      else if (segment.kind === "alert") this.#conclude(failure("tls", this.#side, segment.message));
    }
  }

  #deliverBytes(bytes: Uint8Array): void {
    const size = Math.min(bytes.length - this.#readOffset, this.#randomSize());
    // Callers must honour `start`: it is rarely 0.
    const start = Math.floor(this.engine.random() * 16);
    const chunk = new MemoryChunk(start + size, this.engine.liveChunks);
    chunk.bytes.set(bytes.subarray(this.#readOffset, this.#readOffset + size), start);
    this.#readOffset += size;
    if (this.#readOffset === bytes.length) {
      this.#received.shift();
      this.#readOffset = 0;
    }
    this.engine.network.trace(`${this.#name} read ${size}`);
    // Bytes of the handshake's marks were never counted into the window.
    if (bytes !== HANDSHAKE_BYTES) this.#peer!.#credit(size);
    this.handler.handleData(this, chunk, start, start + size);
    chunk.release();
  }

  #deliverEnd(): void {
    this.#hasEnded = true;
    this.handler.handleEnd(this);
    this.#scheduleFlush(0);
  }

  #readHandshake(segment: Segment): void {
    if (segment.kind === "end") {
      this.fail("closed", "the peer closed before the connection was open");
      return;
    }
    if (this.#stage === "proxy-header") this.#readProxyHeader(segment);
    else if (segment.kind === "alert") this.fail("tls", segment.message);
    else if (this.#stage === "client-hello" && segment.kind === "client-hello") this.#answer(segment.hello);
    else if (this.#stage === "server-hello" && segment.kind === "server-hello") this.#judge(segment.answer);
    else if (this.#stage === "finished" && segment.kind === "finished") {
      this.#received.shift();
      this.tls = this.#serverFacts;
      this.#nextServerStage();
    } else this.#refuse("wrong version number");
  }

  #readProxyHeader(segment: Segment): void {
    const reader = this.#headerReader!;
    const bytes = segment.kind === "bytes" ? segment.bytes : HANDSHAKE_BYTES;
    const outcome = reader.receive(bytes);
    this.#received.shift();
    const restBytes = outcome.kind === "header" ? outcome.rest.length : 0;
    if (segment.kind === "bytes") this.#peer!.#credit(bytes.length - restBytes);
    if (outcome.kind === "more") return;
    if (outcome.kind === "bad") {
      this.fail("protocol", outcome.message);
      return;
    }
    if (outcome.rest.length > 0) this.#received.unshift({ kind: "bytes", bytes: outcome.rest });
    this.proxied = outcome.proxied;
    if (outcome.proxied !== null) this.remote = outcome.proxied.source;
    this.#headerReader = null;
    this.#nextServerStage();
  }

  #answer(hello: ClientHello): void {
    const answer = answerHello(this.#serverTls!, hello);
    this.#received.shift();
    if (!answer.ok) {
      this.#refuse(answer.error);
      return;
    }
    this.#serverFacts = answer.value.serverFacts;
    this.#stage = "finished";
    this.#transmit({ kind: "server-hello", answer: answer.value });
  }

  #judge(answer: ServerHello): void {
    const hello = this.#hello!;
    const refusal = serverRefusal(hello, answer);
    this.#received.shift();
    if (refusal !== null) {
      this.#refuse(refusal);
      return;
    }
    if (answer.session !== null) hello.context.sessions.set(this.#sessionKey, answer.session);
    this.tls = answer.clientFacts;
    this.#transmit({ kind: "finished" });
    this.#open();
  }

  /** Ends a handshake, telling the peer why. */
  #refuse(message: string): void {
    this.#transmit({ kind: "alert", message });
    this.#isEndSent = true;
    this.#transmit({ kind: "end" });
    this.#conclude(failure("tls", this.#side, message));
  }

  /** Tells the peer by a reset; before the connection is open, or when the peer has misbehaved, by an end. */
  #giveUp(cause: Failure | null): void {
    const isPolite = cause !== null && this.#stage !== "open";
    this.#transmit({ kind: isPolite ? "end" : "reset" });
    // Nothing more is sent or read meanwhile.
    this.#stage = "waiting";
    this.engine.defer(() => this.#conclude(cause));
  }

  #conclude(cause: Failure | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.engine.timers.remove(this.#timer);
    for (const { chunk } of this.#queue) chunk.release();
    this.#queue = [];
    this.#queuedBytes = 0;
    while (this.#received.length > 0) this.#discard(this.#received[0]!);
    this.engine.connections.delete(this);
    const told = this.#isClosing ? null : cause;
    this.engine.network.trace(`${this.#name} close ${told === null ? "orderly" : told.kind}`);
    this.handler.handleClose(this, told);
  }
}

/** Holds the place until the acceptor has named the real one. */
const unattendedHandler: ConnectionHandler = {
  handleOpen() {},
  handleData() {},
  handleDrain() {},
  handleEnd() {},
  handleClose() {},
};
