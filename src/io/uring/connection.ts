// A connection on the ring. At most one receive and one send are in flight; what is sent meanwhile queues
// behind and goes out together. Operations only note what is wanted: the engine calls `settle` once per turn,
// which submits, and from which (as from completions) the handlers are called. The slot is given back only
// when the kernel has completed every operation, so no completion and no memory is ever attributed to the
// wrong connection.
//
// Bodies take another way: the ring only says that there is something, then one recv(2) into a large chunk
// and one sendmsg(2) of the peer's follow at once, so that the next connection's bytes go through the same
// chunk while it is in the processor's cache. Receiving for all ready connections first, as the ring does,
// made 64 KiB bodies 20 % dearer.
import type { SocketAddress } from "../../base/address.ts";
import { type Failure, type FailureSide, failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type {
  Chunk,
  Connection,
  ConnectionHandler,
  TcpStatistics,
  TlsFacts,
} from "../../transport/contract.ts";
import { EAGAIN, ECANCELED, EINTR, ENOBUFS, errnoFailure } from "../errno.ts";
import type { ProxyHeaderReader } from "../proxy-header-reader.ts";
import { HEADROOM, UringChunk } from "./chunk-pool.ts";
import type { ConnectionOrigin } from "./connection-origin.ts";
import type { UringEngine } from "./engine.ts";
import {
  KIND_CLOSE,
  KIND_CONNECT,
  KIND_NONE,
  KIND_READABLE,
  KIND_RECEIVE,
  KIND_SEND,
  KIND_SHUTDOWN,
  SLOT_SHIFT,
} from "./operation.ts";
import { ReceiveSize } from "./receive-size.ts";
import type { SecureChannel } from "./secure-channel.ts";
import { SendQueue } from "./send-queue.ts";
import { discardReceived, readLocalAddress, readTcpStatistics, setReset } from "./socket.ts";

/** Queued ranges up to this many bytes together are copied into one; more go by reference. */
const COALESCE_BYTES = 4096;
const BULK_BYTES = 262144n;
/** From this many bytes on a send is a system call of its own. */
const DIRECT_BYTES = 16384;
const POLLIN = 1;
const MSG_DONTWAIT = 0x40;
const SHUT_WRITE = 1;
const UNKNOWN_ADDRESS: SocketAddress = { family: 4, host: "0.0.0.0", port: 0 };

export class UringConnection implements Connection, TimerTarget {
  readonly id: number;
  readonly slot: number;
  readonly side: FailureSide;
  handler: ConnectionHandler;
  proxied: Connection["proxied"] = null;
  tls: TlsFacts | null = null;
  isClosed = false;
  /** The socket's descriptor; -1 once it was given back or never existed. For the engine. */
  fd: number;
  remote: SocketAddress;
  /** Between socket and handler when the connection is secure. For the engine. */
  secure: SecureChannel | null = null;
  /** Reads what must come before everything else on an accepted connection. For the engine. */
  proxyHeader: ProxyHeaderReader | null = null;
  /** True while the engine has it in its list of connections to settle. For the engine. */
  isMarked = false;
  /** Waits for a receive buffer. For the engine. */
  isParked = false;
  readonly #engine: UringEngine;
  readonly #queue: SendQueue;
  readonly #receiveSize = new ReceiveSize();
  #local: SocketAddress | null;
  #timer: Timer | null = null;
  #timeoutMessage = "";
  /** For messages: "connect to 192.0.2.1:80". */
  #connectWhat = "";
  /** Operations that the kernel has not completed. */
  #inFlight = 0;
  #isConnecting = false;
  #isReceiving = false;
  #isSending = false;
  #messageBlock = -1;
  #isOpen = false;
  #isPaused = false;
  /** Received while paused: at most one chunk. */
  #held: UringChunk | null = null;
  #heldEnd = 0;
  #isEnded = false;
  /** The end of the socket's bytes was passed on; below: the handler was told, by that or by close_notify. */
  #isEndPassed = false;
  #isEndDelivered = false;
  #receiveKind = KIND_RECEIVE;
  #isDrainWanted = false;
  #isShutdownWanted = false;
  #isShutdownSubmitted = false;
  #isShutdownDone = false;
  #isCloseWanted = false;
  /** What is being sent is close_notify and nothing else. */
  #isOnlyNotifyLeft = false;
  #isResetWanted = false;
  /** Why a wanted close is wanted, when it was not the handler that wanted it. */
  #closeCause: Failure | null = null;
  /** A failure found inside an operation, or by a send while more may still be received. */
  #sendFailure: Failure | null = null;

  constructor(engine: UringEngine, origin: ConnectionOrigin, handler: ConnectionHandler) {
    this.#engine = engine;
    this.#queue = new SendQueue(engine.pools.small);
    this.id = origin.id;
    this.slot = origin.slot;
    this.fd = origin.fd;
    this.side = origin.side;
    this.remote = origin.remote;
    this.#local = origin.local;
    this.handler = handler;
  }

  get local(): SocketAddress {
    if (this.#local === null && this.fd >= 0) this.#local = readLocalAddress(this.#engine.native, this.fd);
    return this.#local ?? UNKNOWN_ADDRESS;
  }

  readTcpStatistics(): TcpStatistics | null {
    return this.fd < 0 ? null : readTcpStatistics(this.#engine.native, this.fd);
  }

  get pendingBytes(): number {
    const count = this.#unsentBytes();
    if (count > 0) this.#isDrainWanted = true;
    return count;
  }

  send(chunk: Chunk, start: number, end: number): void {
    if (start >= end || this.#isSendingOver()) return;
    if (!(chunk instanceof UringChunk)) {
      // Of another engine, or made by a caller: not in memory that the kernel may be given.
      for (const copy of this.#engine.pools.copy(chunk.bytes, start, end)) {
        this.send(copy.chunk, 0, copy.length);
        copy.chunk.release();
      }
      return;
    }
    chunk.retain();
    if (this.secure === null) this.#queue.push(chunk, start, end);
    else this.secure.plain.push(chunk, start, end);
    this.mark();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.mark();
  }

  expectBulk(byteCount: number): void {
    this.#receiveSize.expect(byteCount);
  }

  shutdown(): void {
    if (this.isClosed) return;
    this.#isShutdownWanted = true;
    this.mark();
  }

  close(): void {
    if (this.isClosed) return;
    this.#isCloseWanted = true;
    this.mark();
  }

  reset(): void {
    if (this.isClosed) return;
    this.#isResetWanted = true;
    this.mark();
  }

  // What follows is for the engine and the secure channel.

  /** No getter: V8 looks for a private one by a call into its runtime, each time. */
  #isSendingOver(): boolean {
    return this.isClosed || this.#isShutdownWanted || this.#isCloseWanted || this.#sendFailure !== null;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  mark(): void {
    if (this.isMarked) return;
    this.isMarked = true;
    this.#engine.mark(this);
  }

  /** Bytes that go out before anything else. */
  queueFirst(bytes: Uint8Array): void {
    const chunk = this.#engine.pools.acquire(bytes.length);
    chunk.bytes.set(bytes);
    this.#queue.push(chunk, 0, bytes.length);
  }

  /** Reports a failure found inside an operation in the next `settle`. */
  failLater(cause: Failure): void {
    this.#sendFailure = cause;
    this.mark();
  }

  /** Closes behind what is queued, and reports this failure. */
  closeBecause(cause: Failure): void {
    this.#closeCause = cause;
    this.#isCloseWanted = true;
    this.mark();
  }

  startTimer(timeoutMs: number, message: string): void {
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    this.#timer ??= new Timer(this);
    this.#timeoutMessage = message;
    this.#engine.timers.arm(this.#timer, this.#engine.nowMs + timeoutMs);
  }

  handleTimeout(): void {
    if (!this.isClosed)
      this.destroy(failure("timeout", this.side, this.#timeoutMessage, this.side === "server"));
  }

  /** `address` is where the encoded peer address lies. */
  startConnect(address: number, length: number, what: string): void {
    this.#connectWhat = what;
    this.#isConnecting = true;
    this.#inFlight++;
    this.#engine.ring.connect(this.fd, address, length, this.#low(KIND_CONNECT), this.id);
  }

  completeConnect(result: number): void {
    this.#inFlight--;
    this.#isConnecting = false;
    if (this.isClosed) this.#finish();
    else if (result < 0) this.destroy(errnoFailure(-result, this.side, this.#connectWhat, true));
    else this.begin();
  }

  /** The socket is connected: what comes first depends on what lies between it and the handler. */
  begin(): void {
    if (this.secure !== null && this.proxyHeader === null) this.secure.start(this.#queue);
    else if (this.proxyHeader === null) this.open();
    this.settle();
  }

  open(): void {
    this.#isOpen = true;
    if (this.#timer !== null) this.#engine.timers.remove(this.#timer);
    this.handler.handleOpen(this);
  }

  /** Does what operations have asked for since the last time. */
  settle(): void {
    this.isMarked = false;
    if (this.isClosed) return;
    if (this.#sendFailure !== null && !this.#isReceiving) {
      this.destroy(this.#sendFailure);
      return;
    }
    // What a handshake has queued does not count.
    const unsent = this.secure === null ? this.#queue : this.secure.plain;
    const isUnused = !this.#isOpen && this.#closeCause === null && unsent.byteCount === 0;
    if (this.#isResetWanted || (this.#isCloseWanted && isUnused)) {
      this.destroy(null);
      return;
    }
    if (!this.#isPaused) this.#deliverHeld();
    if (this.isClosed) return;
    this.armReceive();
    this.#flush();
    this.#tellDrain();
  }

  armReceive(): void {
    if (
      this.#isReceiving ||
      this.#isPaused ||
      this.#isEnded ||
      this.#isConnecting ||
      this.isClosed ||
      this.isParked
    )
      return;
    if (this.#held !== null || this.secure?.hasUnread) return;
    if (this.#receiveSize.isLarge) this.#awaitReadable();
    else this.#receiveSmall();
  }

  completeReceive(result: number, chunk: UringChunk | null): void {
    this.#isReceiving = false;
    this.#inFlight--;
    if (this.isClosed) {
      chunk?.release();
      this.#finish();
      return;
    }
    if (result > 0 && chunk !== null) {
      this.#receiveSize.noteSmall(HEADROOM + result === chunk.bytes.length);
      this.#heldEnd = HEADROOM + result;
      if (this.#isPaused) {
        this.#held = chunk;
        return;
      }
      this.#receive(chunk, HEADROOM, HEADROOM + result);
      chunk.release();
      this.armReceive();
      return;
    }
    chunk?.release();
    if (result === 0) this.#receiveEnd();
    else this.#failReceive(-result);
  }

  /** The poll of a bulk receive: there are bytes, an end, or an error. */
  completeReadable(result: number): void {
    this.#isReceiving = false;
    this.#inFlight--;
    if (this.isClosed) this.#finish();
    else if (result < 0) this.#failReceive(-result);
    else if (!this.#isPaused) this.#receiveBulk();
  }

  completeSend(result: number): void {
    this.#isSending = false;
    this.#inFlight--;
    if (this.#messageBlock >= 0) {
      this.#engine.messages.release(this.#messageBlock);
      this.#messageBlock = -1;
    }
    if (this.isClosed) {
      this.#queue.clear();
      this.#finish();
      return;
    }
    if (result >= 0) this.#queue.consume(result);
    else if (result !== -EAGAIN && result !== -EINTR) {
      this.#failSend(-result);
      return;
    }
    this.#flush();
    this.#tellDrain();
  }

  completeShutdown(): void {
    this.#inFlight--;
    this.#isShutdownDone = true;
    if (this.isClosed) this.#closeSocket();
    else if (this.#isEndDelivered) this.destroy(null);
  }

  completeClose(): void {
    this.#inFlight--;
    this.#finish();
  }

  /** Called by `secure` and for clear connections alike: the peer will send no more. */
  deliverEnd(): void {
    if (this.#isEndDelivered) return;
    this.#isEndDelivered = true;
    this.handler.handleEnd(this);
    if (!this.isClosed && this.#isShutdownDone) this.destroy(null);
  }

  /** Ends the connection now: cancels what is in flight, closes the socket, tells the handler. */
  destroy(cause: Failure | null): void {
    const { ring, native, timers } = this.#engine;
    this.isClosed = true;
    if (this.#timer !== null) timers.remove(this.#timer);
    this.#held?.release();
    this.#held = null;
    if (!this.#isSending) this.#queue.clear();
    this.secure?.free();
    if (this.fd >= 0) {
      const isTaken = this.#isReceiving && this.#receiveKind === KIND_RECEIVE;
      if (this.#isResetWanted) setReset(native, this.fd);
      else if (!this.#isEnded && !this.#isConnecting && !isTaken) discardReceived(native, this.fd);
      if (this.#isReceiving) ring.cancel(this.#low(this.#receiveKind), this.id, KIND_NONE, 0);
      if (this.#isSending) ring.cancel(this.#low(KIND_SEND), this.id, KIND_NONE, 0);
      if (this.#isConnecting) ring.cancel(this.#low(KIND_CONNECT), this.id, KIND_NONE, 0);
      if (!this.#isShutdownSubmitted || this.#isShutdownDone) this.#closeSocket();
    }
    this.handler.handleClose(this, this.#isResetWanted ? null : (this.#closeCause ?? cause));
    if (this.#inFlight === 0) this.#finish();
  }

  /** Not before a shutdown is done: the kernel's thread for it looks the number up late, whose it is then. */
  #closeSocket(): void {
    this.#engine.ring.close(this.fd, this.#low(KIND_CLOSE), this.id);
    this.#inFlight++;
    this.fd = -1;
  }

  #low(kind: number): number {
    return (this.slot << SLOT_SHIFT) | kind;
  }

  #unsentBytes(): number {
    return this.#queue.byteCount + (this.secure === null ? 0 : this.secure.plain.byteCount);
  }

  #finish(): void {
    if (this.#inFlight === 0) this.#engine.release(this);
  }

  #receiveSmall(): void {
    this.#isReceiving = true;
    this.#inFlight++;
    this.#receiveKind = KIND_RECEIVE;
    this.#engine.ring.receive(this.fd, this.#engine.heads.group, this.#low(KIND_RECEIVE), this.id);
  }

  #awaitReadable(): void {
    this.#isReceiving = true;
    this.#inFlight++;
    this.#receiveKind = KIND_READABLE;
    this.#engine.ring.poll(this.fd, POLLIN, this.#low(KIND_READABLE), this.id);
  }

  /** Receives at once, and sends on at once what the handler makes of it, while it lies in the cache. */
  #receiveBulk(): void {
    const { native, pools } = this.#engine;
    const chunk = pools.large.acquireBelowLimit();
    if (chunk === null) {
      this.#receiveSmall();
      return;
    }
    const count = Number(native.libc.recv(this.fd, chunk.dataPointer, BULK_BYTES, MSG_DONTWAIT));
    if (count <= 0) {
      chunk.release();
      if (count === 0) this.#receiveEnd();
      else this.#failReceive(native.errno());
      return;
    }
    this.#receiveSize.noteLarge(count);
    const received = this.secure === null ? pools.shrink(chunk, count) : chunk;
    this.#receive(received, HEADROOM, HEADROOM + count);
    received.release();
    this.armReceive();
    this.#engine.settleMarked();
  }

  #receive(chunk: UringChunk, start: number, end: number): void {
    if (this.proxyHeader !== null) {
      start = this.#receiveProxyHeader(this.proxyHeader, chunk, start, end);
      if (start >= end || this.isClosed) return;
    }
    if (this.secure !== null) this.secure.receive(chunk, start, end, this.#queue);
    else this.handler.handleData(this, chunk, start, end);
  }

  /** Returns where the bytes behind the header start: `end` while it is incomplete. */
  #receiveProxyHeader(reader: ProxyHeaderReader, chunk: UringChunk, start: number, end: number): number {
    const outcome = reader.receive(chunk.bytes.subarray(start, end));
    if (outcome.kind === "more") return end;
    if (outcome.kind === "bad") {
      this.destroy(failure("protocol", this.side, outcome.message));
      return end;
    }
    this.proxyHeader = null;
    if (outcome.proxied !== null) {
      this.proxied = outcome.proxied;
      this.remote = outcome.proxied.source;
      this.#local = outcome.proxied.destination;
    }
    if (this.secure === null) this.open();
    else this.secure.start(this.#queue);
    return end - outcome.rest.length;
  }

  #deliverHeld(): void {
    const chunk = this.#held;
    if (chunk !== null) {
      this.#held = null;
      this.#receive(chunk, HEADROOM, this.#heldEnd);
      chunk.release();
    } else if (this.secure?.hasUnread) this.secure.resume(this.#queue);
    if (this.#isEnded && !this.#isPaused && !this.isClosed) this.#passEnd();
  }

  #receiveEnd(): void {
    this.#isEnded = true;
    if (this.#sendFailure !== null) this.destroy(this.#sendFailure);
    else if (!this.#isPaused) this.#passEnd();
  }

  /** The FIN of the socket goes up, once. */
  #passEnd(): void {
    if (this.#isEndPassed) return;
    this.#isEndPassed = true;
    if (!this.#isOpen) {
      const what =
        this.proxyHeader === null ? "the TLS handshake was complete" : "the PROXY header was complete";
      const side = this.side === "client" ? "client" : "server";
      this.destroy(
        failure("closed", side, `the ${side} closed the connection before ${what}`, side === "server"),
      );
      return;
    }
    if (!this.#isEndDelivered) this.deliverEnd();
    else if (this.#isShutdownDone) this.destroy(null);
  }

  #failReceive(errno: number): void {
    if (errno === ENOBUFS) {
      this.#engine.heads.grow();
      this.#engine.park(this);
      return;
    }
    if (errno === EAGAIN || errno === EINTR) this.armReceive();
    else if (errno !== ECANCELED)
      this.destroy(this.#sendFailure ?? errnoFailure(errno, this.side, "receive"));
  }

  /** What the peer said before it reset may still be there: the receive in flight brings it, then the end. */
  #failSend(errno: number): void {
    const cause = errnoFailure(errno, this.side, "send");
    this.#queue.clear();
    if (this.#isOnlyNotifyLeft && this.#isCloseWanted) {
      // All that mattered was sent; a peer that is gone need not be told that we go.
      this.destroy(null);
      return;
    }
    this.secure?.plain.clear();
    this.#sendFailure = cause;
    if (!this.#isReceiving || this.remote.family === "unix") this.destroy(cause);
  }

  #flush(): void {
    if (this.#isSending || this.#isConnecting || this.#sendFailure !== null) return;
    this.secure?.encryptInto(this.#queue);
    if (this.isClosed) return;
    if (this.#queue.byteCount >= DIRECT_BYTES && !this.#sendDirectly()) return;
    if (this.#queue.count > 0) this.#startSend();
    else if ((this.#isShutdownWanted || this.#isCloseWanted) && this.#unsentBytes() === 0) this.#endSending();
  }

  #tellDrain(): void {
    if (!this.#isDrainWanted || this.isClosed || this.#isSending || this.#unsentBytes() > 0) return;
    this.#isDrainWanted = false;
    if (this.#isOpen) this.handler.handleDrain(this);
  }

  #endSending(): void {
    if (this.secure?.queueCloseNotify(this.#queue)) {
      this.#isOnlyNotifyLeft = true;
      this.#startSend();
      return;
    }
    if (this.#isCloseWanted) this.destroy(null);
    else if (!this.#isShutdownSubmitted) {
      this.#isShutdownSubmitted = true;
      this.#inFlight++;
      this.#engine.ring.shutdown(this.fd, SHUT_WRITE, this.#low(KIND_SHUTDOWN), this.id);
    }
  }

  /** Sends as much as the kernel takes now. False when that has failed. */
  #sendDirectly(): boolean {
    const { native, messages } = this.#engine;
    const count = messages.sendNow(this.fd, this.#queue);
    if (count < 0) {
      const errno = native.errno();
      if (errno === EAGAIN || errno === EINTR) return true;
      this.#failSend(errno);
      return false;
    }
    this.#queue.consume(count);
    return true;
  }

  #startSend(): void {
    const queue = this.#queue;
    const { ring, messages } = this.#engine;
    this.#isSending = true;
    this.#inFlight++;
    if (queue.count > 1 && queue.byteCount <= COALESCE_BYTES) queue.coalesce();
    if (queue.count === 1) {
      const start = queue.startAt(0);
      const address = queue.chunkAt(0).address + start;
      ring.send(this.fd, address, queue.endAt(0) - start, this.#low(KIND_SEND), this.id);
      return;
    }
    this.#messageBlock = messages.acquire();
    ring.sendMessage(this.fd, messages.describe(this.#messageBlock, queue), this.#low(KIND_SEND), this.id);
  }
}
