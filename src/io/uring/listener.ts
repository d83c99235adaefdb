// A listening socket on the ring: one multishot accept while it is open. Running out of descriptors does not
// stop it: it waits a moment, the kernel queues meanwhile, and it goes on. A multishot accept takes all that
// is queued before the acceptor can say that it is full, so one that was full lately accepts one connection
// after the other.
import type { SocketAddress } from "../../base/address.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type {
  Acceptor,
  KeepAlive,
  Listener,
  ListenOptions,
  SocketBuffers,
  TlsServerContext,
} from "../../transport/contract.ts";
import { EAGAIN, ECANCELED, ECONNABORTED, EINTR } from "../errno.ts";
import type { UringEngine } from "./engine.ts";
import { KIND_ACCEPT, KIND_LISTENER_POLL, KIND_NONE, SLOT_SHIFT } from "./operation.ts";
import { CQE_F_MORE } from "./ring.ts";
import { type ListeningSocket, makeNonBlocking, setBuffers, setKeepAlive } from "./socket.ts";

/** How long accepting rests when descriptors or memory have run out. */
const SHORTAGE_PAUSE_MS = 100;
/** So many connections without a pause, and the listener is no longer one that was full lately. */
const CAUTIOUS_COUNT = 1024;
const POLLIN = 1;
const SOCK_CLOEXEC = 0x80000;

export class UringListener implements Listener, TimerTarget {
  readonly id: number;
  readonly slot: number;
  readonly options: ListenOptions;
  readonly acceptor: Acceptor;
  tls: TlsServerContext | null;
  readonly #engine: UringEngine;
  readonly #socket: ListeningSocket;
  readonly #timer: Timer;
  #isAccepting = false;
  #countSincePause = 0;
  #isPaused = false;
  #isClosed = false;

  constructor(
    engine: UringEngine,
    slot: number,
    id: number,
    socket: ListeningSocket,
    options: ListenOptions,
    acceptor: Acceptor,
  ) {
    this.#engine = engine;
    this.slot = slot;
    this.id = id;
    this.#socket = socket;
    this.options = options;
    this.acceptor = acceptor;
    this.tls = options.tls;
    this.#isPaused = options.isPaused ?? false;
    this.#timer = new Timer(this);
    if (options.keepAlive != null) this.replaceKeepAlive(options.keepAlive);
    if (options.buffers !== undefined) this.replaceBuffers(options.buffers);
  }

  get address(): SocketAddress {
    return this.#socket.address;
  }

  /** For handing the socket over to another process. */
  get fd(): number {
    return this.#socket.fd;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#engine.timers.remove(this.#timer);
    this.#cancelAccept();
    // The cancelled accept keeps the socket open until the kernel has let go of it.
    if (this.#isAccepting) this.#engine.ring.wait(0);
    this.#acceptQueued();
    this.#socket.removeFile();
    this.#engine.native.libc.close(this.#socket.fd);
    if (!this.#isAccepting) this.#engine.releaseListener(this);
  }

  pause(): void {
    if (this.#isPaused || this.#isClosed) return;
    this.#isPaused = true;
    this.#countSincePause = 0;
    this.#engine.timers.remove(this.#timer);
    this.#cancelAccept();
  }

  resume(): void {
    if (!this.#isPaused || this.#isClosed) return;
    this.#isPaused = false;
    this.start();
  }

  replaceTls(context: TlsServerContext): void {
    this.tls = context;
  }

  replaceKeepAlive(keepAlive: KeepAlive | null): void {
    if (this.#socket.address.family !== "unix") setKeepAlive(this.#engine.native, this.#socket.fd, keepAlive);
  }

  replaceBuffers(buffers: SocketBuffers): void {
    if (this.#socket.address.family !== "unix") setBuffers(this.#engine.native, this.#socket.fd, buffers);
  }

  /** For the engine. */
  start(): void {
    if (this.#isAccepting || this.#isPaused || this.#isClosed) return;
    this.#isAccepting = true;
    const { ring } = this.#engine;
    if (this.#countSincePause < CAUTIOUS_COUNT)
      ring.acceptOne(this.#socket.fd, this.#low(KIND_ACCEPT), this.id);
    else ring.acceptMany(this.#socket.fd, this.#low(KIND_ACCEPT), this.id);
  }

  handleTimeout(): void {
    this.start();
  }

  /** A connection, or the end of the multishot accept, or both. */
  completeAccept(result: number, flags: number): void {
    if ((flags & CQE_F_MORE) === 0) this.#isAccepting = false;
    if (result >= 0) {
      this.#countSincePause++;
      this.#engine.adopt(this, result);
    }
    if (this.#isAccepting) return;
    if (this.#isClosed) this.#engine.releaseListener(this);
    else if (result >= 0) this.start();
    else this.#restart(-result);
  }

  /** A non-blocking socket that was handed to us has something to accept. */
  completePoll(): void {
    this.#isAccepting = false;
    if (this.#isClosed) this.#engine.releaseListener(this);
    else this.start();
  }

  #restart(errno: number): void {
    switch (errno) {
      case EAGAIN:
        if (this.#isPaused) return;
        this.#isAccepting = true;
        this.#engine.ring.poll(this.#socket.fd, POLLIN, this.#low(KIND_LISTENER_POLL), this.id);
        return;
      case ECANCELED:
      case ECONNABORTED:
      case EINTR:
        this.start();
        return;
      default:
        // Mostly EMFILE. What else accept(2) may report is a peer's or the network's affair, and passes as
        // well.
        this.#engine.timers.arm(this.#timer, this.#engine.nowMs + SHORTAGE_PAUSE_MS);
    }
  }

  #cancelAccept(): void {
    if (!this.#isAccepting) return;
    this.#engine.ring.cancel(this.#low(KIND_ACCEPT), this.id, KIND_NONE, 0);
    this.#engine.ring.cancel(this.#low(KIND_LISTENER_POLL), this.id, KIND_NONE, 0);
  }

  /** What the kernel has completed a handshake with would be reset by closing the socket. */
  #acceptQueued(): void {
    const { libc } = this.#engine.native;
    makeNonBlocking(this.#engine.native, this.#socket.fd);
    for (;;) {
      const fd = libc.accept4(this.#socket.fd, 0n, 0n, SOCK_CLOEXEC);
      if (fd < 0) return;
      this.#engine.defer(() => this.#engine.adopt(this, fd));
    }
  }

  #low(kind: number): number {
    return (this.slot << SLOT_SHIFT) | kind;
  }
}
