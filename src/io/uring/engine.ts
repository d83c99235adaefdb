// The engine on io_uring: one ring, one thread, one loop that never returns to libuv. Each turn settles what
// handlers asked for, submits it all with one system call that also waits, then dispatches completions and
// fires timers. What a handler throws is a defect and leaves `run`.
import assert from "node:assert/strict";
import { type Failure, failed, failure, type Result, success } from "../../base/failure.ts";
import { TimerWheel } from "../../base/timer-wheel.ts";
import type {
  Acceptor,
  Chunk,
  ConnectionHandler,
  ConnectOptions,
  DatagramSender,
  Engine,
  Listener,
  ListenOptions,
  TlsClientContext,
  TlsClientSpec,
  TlsServerContext,
  TlsServerSpec,
} from "../../transport/contract.ts";
import { type Native, openNative } from "../native.ts";
import {
  createClientContext,
  createServerContext,
  OpenSslClientContext,
  OpenSslServerContext,
} from "../openssl/context.ts";
import { openOpenSsl } from "../openssl/library.ts";
import type { TlsSession } from "../openssl/session.ts";
import { ProxyHeaderReader } from "../proxy-header-reader.ts";
import { encodeIpSockaddr, encodeUnixSockaddr, UNNAMED_UNIX } from "../socket-address.ts";
import { BufferRing } from "./buffer-ring.ts";
import { ChunkPools } from "./chunk-pool.ts";
import { UringConnection } from "./connection.ts";
import type { ConnectionOrigin } from "./connection-origin.ts";
import { UringDatagramSender } from "./datagram.ts";
import { UringListener } from "./listener.ts";
import { MessageBlocks } from "./message-blocks.ts";
import {
  KIND_ACCEPT,
  KIND_CLOSE,
  KIND_CONNECT,
  KIND_LISTENER_POLL,
  KIND_MASK,
  KIND_NONE,
  KIND_READABLE,
  KIND_RECEIVE,
  KIND_SEND,
  KIND_SHUTDOWN,
  SLOT_SHIFT,
} from "./operation.ts";
import { CQE_BUFFER_SHIFT, CQE_F_BUFFER, openRing, type Ring } from "./ring.ts";
import { SecureChannel } from "./secure-channel.ts";
import {
  describeTarget,
  openConnectingSocket,
  openDatagramSocket,
  openListeningSocket,
  readPeerAddress,
} from "./socket.ts";

export interface UringLimits {
  /** Most buffers of 4 KiB that receiving may use; then connections wait for one to come back. */
  readonly smallCountMax: number;
  /** Most buffers of 256 KiB that receiving may use; then bodies come in small ones. */
  readonly largeCountMax: number;
}

const DEFAULT_LIMITS: UringLimits = { smallCountMax: 32768, largeCountMax: 1024 };
const SUBMISSION_COUNT = 4096;
const COMPLETION_COUNT = 16384;
const HEADS_ENTRIES = 4096;
const HEADS_WANTED = 64;
/** The wall clock may be set while we run: how often the difference to the monotonic one is taken anew. */
const WALL_CLOCK_RESYNC_MS = 1000;
/**
 * Storage for this many marked connections stays; beyond it would hold too many closed ones from being
 * collected.
 */
const MARKED_KEPT_COUNT = 256;
/** Connect addresses, one per connection slot, live in pages of this many. */
const ADDRESS_BYTES = 128;
const ADDRESSES_PER_PAGE = 512;

/** The engine, or one sentence saying why io_uring cannot be used here. */
export function createUringEngine(limits: Partial<UringLimits> = {}): Result<UringEngine, Failure> {
  const native = openNative();
  if (!native.ok) return native;
  const ring = openRing(native.value, {
    submissionCount: SUBMISSION_COUNT,
    completionCount: COMPLETION_COUNT,
  });
  if (!ring.ok) return ring;
  const engine = new UringEngine(native.value, ring.value, { ...DEFAULT_LIMITS, ...limits });
  const refused = engine.heads.register(ring.value);
  if (refused === null) return success(engine);
  ring.value.destroy();
  return failed(refused);
}

export class UringEngine implements Engine {
  readonly name = "uring";
  readonly timers: TimerWheel;
  nowMs: number;
  // The following are for the engine's own parts.
  readonly native: Native;
  readonly ring: Ring;
  readonly pools: ChunkPools;
  readonly heads: BufferRing;
  readonly messages: MessageBlocks;
  readonly #connections: (UringConnection | null)[] = [];
  readonly #freeSlots: number[] = [];
  readonly #listeners: (UringListener | null)[] = [];
  readonly #addressPages: { readonly address: number; readonly bytes: Uint8Array }[] = [];
  /** Connections to settle: the first `#markedCount` of the array, which keeps its storage. */
  #marked: UringConnection[] = [];
  #settling: UringConnection[] = [];
  #markedCount = 0;
  #parked: UringConnection[] = [];
  #deferred: (() => void)[] = [];
  readonly #markedSenders: UringDatagramSender[] = [];
  readonly #turnEndTasks: (() => void)[] = [];
  #lastId = 0;
  #openCount = 0;
  #isStopped = false;
  #wallOffsetMs: number;
  #wallSyncedMs: number;

  constructor(native: Native, ring: Ring, limits: UringLimits) {
    this.native = native;
    this.ring = ring;
    this.nowMs = performance.now();
    this.#wallOffsetMs = Date.now() - this.nowMs;
    this.#wallSyncedMs = this.nowMs;
    this.timers = new TimerWheel(this.nowMs);
    this.pools = new ChunkPools(native, limits);
    this.heads = new BufferRing(
      native,
      this.pools.small,
      0,
      HEADS_ENTRIES,
      Math.min(HEADS_WANTED, limits.smallCountMax),
    );
    this.messages = new MessageBlocks(native);
  }

  get wallClockMs(): number {
    return this.nowMs + this.#wallOffsetMs;
  }

  /**
   * Connections whose slot is in use: open ones, and closed ones whose operations the kernel has yet to
   * complete.
   */
  get connectionCount(): number {
    return this.#openCount;
  }

  random(): number {
    return Math.random();
  }

  allocate(byteCount: number): Chunk {
    return this.pools.acquire(byteCount);
  }

  listen(options: ListenOptions, acceptor: Acceptor, done: (result: Result<Listener>) => void): void {
    const socket = openListeningSocket(this.native, options.address, options.backlog, options.reusePort);
    if (!socket.ok) {
      done(socket);
      return;
    }
    const free = this.#listeners.indexOf(null);
    const slot = free < 0 ? this.#listeners.length : free;
    const listener = new UringListener(this, slot, ++this.#lastId, socket.value, options, acceptor);
    this.#listeners[slot] = listener;
    listener.start();
    done(success(listener));
  }

  connect(options: ConnectOptions, handler: ConnectionHandler): UringConnection {
    const { address } = options;
    const socket = openConnectingSocket(this.native, options);
    const family = address.kind === "unix" ? "unix" : address.host.includes(":") ? 6 : 4;
    const connection = this.#add(
      {
        id: ++this.#lastId,
        slot: this.#takeSlot(),
        fd: socket.ok ? socket.value : -1,
        side: "server",
        remote: {
          family,
          host: address.kind === "unix" ? address.path : address.host,
          port: address.kind === "unix" ? 0 : address.port,
        },
        local: null,
      },
      handler,
    );
    if (!socket.ok) {
      connection.failLater(socket.error);
      return connection;
    }
    if (options.preamble !== null) connection.queueFirst(options.preamble);
    const page = this.#addressPage(connection.slot);
    const offset = (connection.slot % ADDRESSES_PER_PAGE) * ADDRESS_BYTES;
    const length =
      address.kind === "unix"
        ? encodeUnixSockaddr(page.bytes, offset, address.path, false)
        : encodeIpSockaddr(page.bytes, offset, address.host, address.port);
    if (length === 0) {
      connection.failLater(
        failure("unsupported", "server", `connect to ${describeTarget(options)}: not a usable address`),
      );
      return connection;
    }
    const what = `connect to ${describeTarget(options)}`;
    this.#secureAsClient(connection, options);
    connection.startTimer(options.timeoutMs, `${what} timed out`);
    connection.startConnect(page.address + offset, length, what);
    return connection;
  }

  createTlsServerContext(spec: TlsServerSpec): Result<TlsServerContext> {
    const openSsl = openOpenSsl();
    return openSsl.ok ? createServerContext(openSsl.value, spec) : openSsl;
  }

  createTlsClientContext(spec: TlsClientSpec): Result<TlsClientContext> {
    const openSsl = openOpenSsl();
    return openSsl.ok ? createClientContext(openSsl.value, spec) : openSsl;
  }

  openDatagramSender(
    address:
      | { readonly kind: "udp"; readonly host: string; readonly port: number }
      | { readonly kind: "unix"; readonly path: string },
  ): Result<DatagramSender> {
    const open = (): Result<number> => openDatagramSocket(this.native, address);
    const socket = open();
    return socket.ok ? success(new UringDatagramSender(this, socket.value, open)) : socket;
  }

  defer(task: () => void): void {
    this.#deferred.push(task);
  }

  onTurnEnd(task: () => void): void {
    this.#turnEndTasks.push(task);
  }

  run(): void {
    this.#isStopped = false;
    while (!this.#isStopped) this.turn(Number.POSITIVE_INFINITY);
    this.#flushSenders();
    // What the last handlers wanted done, closing above all.
    this.ring.wait(0);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** One turn of the loop, waiting for at most `timeoutMs`. */
  turn(timeoutMs: number): void {
    this.#settle();
    this.#lendBuffers();
    if (this.#isStopped || this.#parked.length > 0)
      timeoutMs = Math.min(timeoutMs, this.#isStopped ? 0 : PARKED_WAIT_MS);
    if (timeoutMs > 0)
      timeoutMs = Math.max(0, Math.min(timeoutMs, this.timers.nextDeadline() - performance.now()));
    this.#flushSenders();
    const count = this.ring.wait(timeoutMs);
    this.#readClock();
    // A machine that let us wait for longer than a timeout has kept what came meanwhile: that comes first.
    this.#dispatch(count);
    this.timers.advance(this.nowMs);
    this.#settle();
  }

  /** Closes everything without ceremony. The engine cannot be used afterwards. */
  dispose(): void {
    for (const listener of this.#listeners) listener?.close();
    for (const connection of this.#connections)
      if (connection !== null && connection.fd >= 0) this.native.libc.close(connection.fd);
    this.ring.destroy();
  }

  // What follows is for the engine's own parts.

  mark(connection: UringConnection): void {
    this.#marked[this.#markedCount++] = connection;
  }

  /** Flushes this sender before the engine waits. */
  markSender(sender: UringDatagramSender): void {
    this.#markedSenders.push(sender);
  }

  /** Submits what connections want so far, in the middle of a turn. */
  settleMarked(): void {
    const marked = this.#marked;
    const count = this.#markedCount;
    if (count === 0) return;
    this.#marked = this.#settling;
    this.#settling = marked;
    this.#markedCount = 0;
    for (let i = 0; i < count; i++) marked[i]!.settle();
    if (count > MARKED_KEPT_COUNT) marked.length = 0;
  }

  /** Lets a connection that found no buffer try again when there are some. */
  park(connection: UringConnection): void {
    connection.isParked = true;
    this.#parked.push(connection);
  }

  release(connection: UringConnection): void {
    if (this.#connections[connection.slot] !== connection) return;
    this.#connections[connection.slot] = null;
    this.#freeSlots.push(connection.slot);
    this.#openCount--;
  }

  releaseListener(listener: UringListener): void {
    if (this.#listeners[listener.slot] === listener) this.#listeners[listener.slot] = null;
  }

  /** Makes a connection of an accepted socket. */
  adopt(listener: UringListener, fd: number): void {
    const remote = listener.address.family === "unix" ? UNNAMED_UNIX : readPeerAddress(this.native, fd);
    if (remote === null) {
      this.native.libc.close(fd);
      return;
    }
    const local = listener.address.family === "unix" ? listener.address : null;
    const origin: ConnectionOrigin = {
      id: ++this.#lastId,
      slot: this.#takeSlot(),
      fd,
      side: "client",
      remote,
      local,
    };
    const connection = this.#add(origin, REFUSING_HANDLER);
    const handler = listener.acceptor.accept(connection);
    if (handler === null) {
      connection.reset();
      return;
    }
    connection.handler = handler;
    const { acceptProxy, handshakeTimeoutMs } = listener.options;
    if (acceptProxy) connection.proxyHeader = new ProxyHeaderReader();
    if (listener.tls !== null) this.#secureAsServer(connection, listener.tls);
    if (acceptProxy || listener.tls !== null) {
      connection.startTimer(
        handshakeTimeoutMs,
        `the client's ${listener.tls === null ? "PROXY header" : "TLS handshake"} timed out`,
      );
    }
    connection.begin();
  }

  #add(origin: ConnectionOrigin, handler: ConnectionHandler): UringConnection {
    const connection = new UringConnection(this, origin, handler);
    this.#connections[origin.slot] = connection;
    this.#openCount++;
    return connection;
  }

  #secureAsServer(connection: UringConnection, context: TlsServerContext): void {
    assert(context instanceof OpenSslServerContext, "a TLS context of another engine");
    connection.secure = this.#channel(
      connection,
      context.createSession(),
      context.spec.clientVerify !== null,
    );
  }

  #secureAsClient(connection: UringConnection, { tls, address }: ConnectOptions): void {
    if (tls === null) return;
    assert(tls.context instanceof OpenSslClientContext, "a TLS context of another engine");
    const peer = address.kind === "unix" ? address.path : `${address.host} ${address.port}`;
    connection.secure = this.#channel(connection, tls.context.createSession(tls.serverName, peer), true);
  }

  #channel(connection: UringConnection, session: TlsSession, wantsCertificate: boolean): SecureChannel {
    const openSsl = openOpenSsl();
    assert(openSsl.ok, "there are contexts, so there is OpenSSL");
    return new SecureChannel(this, openSsl.value, connection, session, wantsCertificate);
  }

  #takeSlot(): number {
    return this.#freeSlots.pop() ?? this.#connections.length;
  }

  #addressPage(slot: number): { readonly address: number; readonly bytes: Uint8Array } {
    const index = Math.floor(slot / ADDRESSES_PER_PAGE);
    while (this.#addressPages.length <= index) {
      const { address, buffer } = this.native.map(ADDRESSES_PER_PAGE * ADDRESS_BYTES);
      this.#addressPages.push({ address, bytes: new Uint8Array(buffer) });
    }
    return this.#addressPages[index]!;
  }

  #readClock(): void {
    this.nowMs = performance.now();
    if (this.nowMs - this.#wallSyncedMs < WALL_CLOCK_RESYNC_MS) return;
    this.#wallSyncedMs = this.nowMs;
    this.#wallOffsetMs = Date.now() - this.nowMs;
  }

  /**
   * Runs deferred tasks and submits what connections want, until both are quiet; then the tasks of the turn's
   * end.
   */
  #settle(): void {
    this.#settleOnce();
    for (const task of this.#turnEndTasks) task();
    this.#settleOnce();
  }

  #settleOnce(): void {
    while (this.#deferred.length > 0 || this.#markedCount > 0) {
      if (this.#deferred.length > 0) {
        const tasks = this.#deferred;
        this.#deferred = [];
        for (const task of tasks) task();
      }
      this.settleMarked();
    }
  }

  #flushSenders(): void {
    for (let sender = this.#markedSenders.pop(); sender !== undefined; sender = this.#markedSenders.pop()) {
      sender.isMarked = false;
      sender.flush();
    }
  }

  #lendBuffers(): void {
    if (!this.heads.topUp() || this.#parked.length === 0) return;
    const parked = this.#parked;
    this.#parked = [];
    for (const connection of parked) {
      connection.isParked = false;
      connection.armReceive();
    }
  }

  #dispatch(count: number): void {
    const { ring } = this;
    let done = 0;
    try {
      while (done < count) {
        const at = ring.completionAt(done++);
        this.#complete(ring.words[at]!, ring.words[at + 1]!, ring.ints[at + 2]!, ring.words[at + 3]!);
      }
    } finally {
      ring.advance(done);
    }
  }

  #complete(low: number, high: number, result: number, flags: number): void {
    const kind = low & KIND_MASK;
    const slot = low >>> SLOT_SHIFT;
    switch (kind) {
      case KIND_RECEIVE:
        this.#completeReceive(slot, high, result, flags);
        return;
      case KIND_NONE:
        return;
      case KIND_ACCEPT: {
        const listener = this.#listeners[slot];
        if (listener?.id === high) listener.completeAccept(result, flags);
        else if (result >= 0) this.native.libc.close(result);
        return;
      }
      case KIND_LISTENER_POLL: {
        const listener = this.#listeners[slot];
        if (listener?.id === high) listener.completePoll();
        return;
      }
    }
    const connection = this.#connections[slot];
    if (connection === null || connection === undefined || connection.id >>> 0 !== high) return;
    switch (kind) {
      case KIND_SEND:
        connection.completeSend(result);
        return;
      case KIND_READABLE:
        connection.completeReadable(result);
        return;
      case KIND_CONNECT:
        connection.completeConnect(result);
        return;
      case KIND_CLOSE:
        connection.completeClose();
        return;
      case KIND_SHUTDOWN:
        connection.completeShutdown();
        return;
    }
  }

  #completeReceive(slot: number, high: number, result: number, flags: number): void {
    const chunk = (flags & CQE_F_BUFFER) !== 0 ? this.heads.take(flags >>> CQE_BUFFER_SHIFT) : null;
    const connection = this.#connections[slot];
    if (connection !== null && connection !== undefined && connection.id >>> 0 === high)
      connection.completeReceive(result, chunk);
    else chunk?.release();
  }
}

/**
 * How long a turn waits at most while connections wait for buffers, which others may free without any
 * completion.
 */
const PARKED_WAIT_MS = 5;

const REFUSING_HANDLER: ConnectionHandler = {
  handleOpen() {},
  handleData() {},
  handleDrain() {},
  handleEnd() {},
  handleClose() {},
};
