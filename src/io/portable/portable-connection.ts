// One connection over a net.Socket, or over a TLSSocket on top of one. Who connects or accepts makes it,
// carries it through PROXY header and handshake, and then calls `open` or `fail`. Invariant: every path ends
// in exactly one handleClose, and every chunk taken by `send` is released.
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { SocketAddress } from "../../base/address.ts";
import { type Failure, type FailureSide, failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type { Chunk, Connection, ConnectionHandler, TlsFacts } from "../../transport/contract.ts";
import { ReceivedChunk } from "./pooled-chunk.ts";
import { failureOfError } from "./socket-failure.ts";
import type { Turn } from "./turn.ts";

/**
 * How long a closed connection goes on discarding what the peer still sends. Without it Linux answers unread
 * bytes by a reset, which can destroy the last bytes of ours on their way (RFC 9112 section 9.6).
 */
const LINGER_MS = 1000;
/**
 * Behind so much that is queued, pieces of up to so many bytes are copied, so that none holds a whole chunk.
 */
const CROWDED_BYTES = 4096;
const SMALL_BYTES = 1024;

interface QueuedSend {
  readonly chunk: Chunk;
  readonly start: number;
  readonly end: number;
}

export class PortableConnection implements Connection, TimerTarget {
  readonly id: number;
  handler: ConnectionHandler;
  remote: SocketAddress;
  local: SocketAddress;
  proxied: Connection["proxied"] = null;
  tls: TlsFacts | null = null;
  isClosed = false;
  readonly side: FailureSide;
  readonly #turn: Turn;
  readonly #timer: Timer = new Timer(this);
  readonly #onGone: (connection: PortableConnection) => void;
  #socket: Socket;
  /** What to read from and write to; null until open. */
  #stream: Socket | TLSSocket | null = null;
  #queue: QueuedSend[] = [];
  #queuedBytes = 0;
  #failure: Failure | null = null;
  #isPaused = false;
  #isPendingSeen = false;
  #isCorked = false;
  #isShutdown = false;
  #isClosing = false;
  #hasEnded = false;
  #hasFinished = false;

  constructor(
    id: number,
    side: FailureSide,
    socket: Socket,
    addresses: { readonly remote: SocketAddress; readonly local: SocketAddress },
    turn: Turn,
    onGone: (connection: PortableConnection) => void,
  ) {
    this.id = id;
    this.side = side;
    this.handler = unattendedHandler;
    this.remote = addresses.remote;
    this.local = addresses.local;
    this.#socket = socket;
    this.#turn = turn;
    this.#onGone = onGone;
  }

  get pendingBytes(): number {
    if (this.isClosed) return 0;
    const byteCount = this.#queuedBytes + (this.#stream === null ? 0 : this.#stream.writableLength);
    if (byteCount > 0) this.#isPendingSeen = true;
    return byteCount;
  }

  send(chunk: Chunk, start: number, end: number): void {
    if (this.isClosed || this.#isClosing || this.#isShutdown || end <= start) return;
    chunk.retain();
    if (this.#stream !== null) {
      this.#write(this.#stream, { chunk, start, end });
      return;
    }
    this.#queue.push({ chunk, start, end });
    this.#queuedBytes += end - start;
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.isClosed) this.#stream?.resume();
  }

  /** Node reads 64 KiB at a time whatever is expected. */
  expectBulk(_byteCount: number): void {}

  shutdown(): void {
    if (this.isClosed || this.#isClosing || this.#isShutdown) return;
    this.#isShutdown = true;
    this.#stream?.end();
  }

  close(): void {
    if (this.isClosed || this.#isClosing) return;
    this.#isClosing = true;
    if (this.#stream === null) {
      // What is queued goes out as soon as the connection is open; with nothing queued there is nothing to
      // wait for.
      if (this.#queue.length === 0) this.#abandon(null);
      return;
    }
    if (this.#hasFinished) this.#turn.defer(() => this.#concludeAndLinger());
    else this.#stream.end();
  }

  reset(): void {
    if (this.isClosed) return;
    this.#isClosing = true;
    this.#isShutdown = true;
    this.#abandon(null);
  }

  /** Most time until `open`. Infinity: none. */
  limitHandshake(timeoutMs: number): void {
    if (timeoutMs !== Number.POSITIVE_INFINITY)
      this.#turn.timers.arm(this.#timer, this.#turn.nowMs + timeoutMs);
  }

  handleTimeout(): void {
    if (this.isClosed) this.#destroySockets();
    else if (this.#stream === null)
      this.fail(failure("timeout", this.side, "connect or handshake took too long", true));
  }

  /** From now on `stream` carries the connection. */
  open(stream: Socket | TLSSocket): void {
    if (this.isClosed) return;
    this.#turn.timers.remove(this.#timer);
    this.#stream = stream;
    stream.on("data", (bytes: Buffer) => this.#receive(bytes));
    stream.on("end", () => this.#handleEnd());
    stream.on("finish", () => this.#handleFinish());
    stream.on("error", (error) => this.#noteError(error));
    if (stream !== this.#socket) this.#socket.on("error", (error) => this.#noteError(error));
    stream.on("close", () => this.#turn.dispatch(() => this.#conclude(this.#failure)));
    this.#turn.dispatch(() => {
      if (this.isClosed) return;
      if (!this.#isClosing) this.handler.handleOpen(this);
      this.#flushQueue(stream);
      // An accepted socket is paused until told otherwise.
      if (this.#isPaused) stream.pause();
      else stream.resume();
    });
  }

  /** Ends a connection that is not open yet. */
  fail(cause: Failure): void {
    if (!this.isClosed && this.#stream === null) this.#abandon(this.#isClosing ? null : cause);
  }

  #flushQueue(stream: Socket): void {
    if (this.isClosed) return;
    const queue = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    for (const item of queue) this.#write(stream, item);
    if (this.#isShutdown || this.#isClosing) stream.end();
  }

  #write(stream: Socket, { chunk, start, end }: QueuedSend): void {
    const isCopied = end - start <= SMALL_BYTES && stream.writableLength > CROWDED_BYTES;
    const range = chunk.bytes.subarray(start, end);
    const bytes = isCopied ? Buffer.from(range) : range;
    if (isCopied) chunk.release();
    if (!this.#isCorked) {
      this.#isCorked = true;
      stream.cork();
      this.#turn.flushLater(() => {
        this.#isCorked = false;
        stream.uncork();
      });
    }
    stream.write(bytes, () => {
      if (!isCopied) chunk.release();
      if (this.#isPendingSeen && stream.writableLength === 0) this.#turn.dispatch(() => this.#drain());
    });
  }

  #drain(): void {
    if (this.isClosed || this.#isClosing || !this.#isPendingSeen || this.#stream?.writableLength !== 0)
      return;
    this.#isPendingSeen = false;
    this.handler.handleDrain(this);
  }

  #receive(bytes: Buffer): void {
    if (this.isClosed || this.#isClosing) return;
    this.#turn.dispatch(() => {
      if (this.isClosed || this.#isClosing) return;
      if (this.#isPaused) this.#stream?.unshift(bytes);
      else this.handler.handleData(this, new ReceivedChunk(bytes), 0, bytes.length);
    });
  }

  #handleEnd(): void {
    this.#hasEnded = true;
    this.#turn.dispatch(() => {
      if (!this.isClosed && !this.#isClosing) this.handler.handleEnd(this);
    });
  }

  #handleFinish(): void {
    this.#hasFinished = true;
    if (this.#isClosing || this.#hasEnded) this.#turn.dispatch(() => this.#concludeAndLinger());
  }

  #noteError(error: unknown): void {
    if (!this.#isClosing) this.#failure ??= failureOfError(error, this.side, false);
  }

  #concludeAndLinger(): void {
    if (this.isClosed) return;
    this.#conclude(this.#isClosing ? null : this.#failure);
    if (this.#hasEnded || this.#stream === null) {
      setImmediate(() => this.#destroySockets());
      return;
    }
    this.#stream.resume();
    this.#socket.unref();
    this.#turn.timers.arm(this.#timer, this.#turn.nowMs + LINGER_MS);
    this.#stream.once("close", () => this.#turn.timers.remove(this.#timer));
  }

  #abandon(cause: Failure | null): void {
    this.#failure = cause;
    this.#stream?.pause();
    // Not at once: this may run inside a callback of OpenSSL's, and Node crashes (SIGSEGV, seen with 26.10)
    // when the socket below a TLSSocket goes away there.
    setImmediate(() => {
      if (cause === null) this.#resetSockets();
      else this.#destroySockets();
    });
    this.#turn.defer(() => this.#conclude(cause));
  }

  #conclude(cause: Failure | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#turn.timers.remove(this.#timer);
    for (const { chunk } of this.#queue) chunk.release();
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#onGone(this);
    this.handler.handleClose(this, this.#isClosing ? null : cause);
  }

  /** Node can reset a TCP socket that is connected; everything else is closed. */
  #resetSockets(): void {
    try {
      if (!this.#socket.connecting && this.remote.family !== "unix") this.#socket.resetAndDestroy();
    } catch {
      // Already gone, which is what was wanted.
    }
    this.#destroySockets();
  }

  #destroySockets(): void {
    this.#stream?.destroy();
    this.#socket.destroy();
  }

  /** When the engine stops: no handler is called. */
  drop(): void {
    this.isClosed = true;
    this.#turn.timers.remove(this.#timer);
    setImmediate(() => this.#destroySockets());
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
