// Bytes both ways between a client and a server, uninterpreted: tcp mode, and http after an upgrade or
// CONNECT. Each direction ends by itself (half close), each has its backpressure, and both share the tunnel's
// timeouts.
import type { Failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type { Chunk, Connection, ConnectionHandler } from "../../transport/contract.ts";
import type { Stream } from "../stream.ts";
import type { ExchangeContext } from "./context.ts";
import { Delivery, HIGH_WATER_BYTES } from "./delivery.ts";
import type { InputPiece } from "./held-input.ts";
import type { LinkOwner, ServerLink } from "./server-link.ts";
import { TERMINATION, type Termination } from "./termination.ts";

const BULK_BYTES = 256 * 1024;

export class Tunnel implements ConnectionHandler, LinkOwner, TimerTarget {
  readonly #context: ExchangeContext;
  readonly #client: Connection;
  readonly #link: ServerLink;
  readonly #stream: Stream;
  /** Called once, when both directions have ended. Null: in good order. */
  readonly #onEnd: (termination: Termination | null) => void;
  readonly #clientTimer = new Timer(this);
  readonly #serverTimer = new Timer(this);
  readonly #toClient = new Delivery();
  readonly #toServer = new Delivery();
  #isClientEnded = false;
  #isServerEnded = false;
  #isOver = false;

  constructor(
    context: ExchangeContext,
    client: Connection,
    link: ServerLink,
    stream: Stream,
    onEnd: (termination: Termination | null) => void,
  ) {
    this.#context = context;
    this.#client = client;
    this.#link = link;
    this.#stream = stream;
    this.#onEnd = onEnd;
  }

  /** Takes both connections over. */
  start(): void {
    this.#client.handler = this;
    this.#link.owner = this;
    this.#client.expectBulk(BULK_BYTES);
    this.#link.connection.expectBulk(BULK_BYTES);
    this.#client.resume();
    this.#link.connection.resume();
    this.#armClient();
    this.#armServer();
  }

  /**
   * As `start`, with what both sides had said before: pieces of the client, which are released, and
   * chunk.bytes[start, end) of the server.
   */
  takeOver(fromClient: readonly InputPiece[], chunk: Chunk, start: number, end: number): void {
    this.start();
    for (const piece of fromClient) {
      this.handleData(this.#client, piece.chunk, piece.start, piece.end);
      piece.chunk.release();
    }
    if (start < end) this.handleLinkData(this.#link, chunk, start, end);
  }

  kill(): void {
    this.#cut(TERMINATION.killed);
  }

  /** Leaves the client's connection, for somebody who ends it, and the server. */
  abandon(): void {
    this.#isOver = true;
    this.#context.engine.timers.remove(this.#clientTimer);
    this.#context.engine.timers.remove(this.#serverTimer);
    if (!this.#link.connection.isClosed) this.#link.discard();
  }

  handleOpen(_connection: Connection): void {}
  handleLinkOpen(_link: ServerLink): void {}

  handleData(connection: Connection, chunk: Chunk, start: number, end: number): void {
    this.#stream.bytesIn += end - start;
    this.#link.connection.send(chunk, start, end);
    this.#toServer.note(this.#stream.bytesIn, this.#link.connection);
    if (this.#link.connection.pendingBytes > HIGH_WATER_BYTES) connection.pause();
    this.#armClient();
  }

  handleLinkData(link: ServerLink, chunk: Chunk, start: number, end: number): void {
    if (this.#stream.responseMs < 0) this.#stream.responseMs = 0;
    this.#stream.bytesOut += end - start;
    this.#client.send(chunk, start, end);
    this.#toClient.note(this.#stream.bytesOut, this.#client);
    if (this.#client.pendingBytes > HIGH_WATER_BYTES) link.connection.pause();
    this.#armServer();
  }

  handleDrain(_connection: Connection): void {
    this.#armClient();
    this.#link.connection.resume();
  }

  handleLinkDrain(_link: ServerLink): void {
    this.#armServer();
    this.#client.resume();
  }

  handleEnd(_connection: Connection): void {
    if (this.#isClientEnded) return;
    this.#isClientEnded = true;
    if (this.#isServerEnded) this.#finish(null);
    else {
      this.#link.connection.shutdown();
      this.#armServer();
    }
  }

  handleLinkEnd(_link: ServerLink): void {
    if (this.#isServerEnded) return;
    this.#isServerEnded = true;
    if (this.#isClientEnded) this.#finish(null);
    else {
      this.#client.shutdown();
      this.#armClient();
    }
  }

  handleClose(_connection: Connection, failure: Failure | null): void {
    this.#finish(failure === null ? null : TERMINATION.clientGoneInData);
  }

  handleLinkClose(_link: ServerLink, failure: Failure | null): void {
    if (failure === null && !this.#isOver) {
      // Everything from the server has been handed to the client already.
      this.#isServerEnded = true;
      this.#finish(null);
    } else this.#cut(TERMINATION.serverClosedInData);
  }

  handleTimeout(_nowMs: number, timer: Timer): void {
    const server = this.#link.connection;
    const { bytesIn, bytesOut } = this.#stream;
    if (timer === this.#clientTimer) {
      if (this.#toClient.isDue(bytesOut, this.#client, server)) this.#cut(TERMINATION.clientTimeoutInData);
      else this.#armClient();
    } else if (this.#toServer.isDue(bytesIn, server, this.#client))
      this.#cut(TERMINATION.serverTimeoutInData);
    else this.#armServer();
  }

  #armClient(): void {
    const { timeouts } = this.#stream.frontend.definition;
    this.#arm(this.#clientTimer, this.#isServerEnded ? timeouts.clientFinMs : null, timeouts.clientMs);
  }

  #armServer(): void {
    const { timeouts } = this.#stream.backend!.definition;
    this.#arm(
      this.#serverTimer,
      this.#isClientEnded ? timeouts.serverFinMs : null,
      this.#stream.serverTimeoutMs ?? timeouts.serverMs,
    );
  }

  /**
   * Half closed: the `-fin` timeout; else `timeout tunnel` once bytes flowed both ways; else the usual one.
   */
  #arm(timer: Timer, finMs: number | null, usualMs: number | null): void {
    const tunnelMs = this.#stream.tunnelTimeoutMs ?? this.#stream.backend!.definition.timeouts.tunnelMs;
    const isTwoWay = this.#stream.bytesIn > 0 && this.#stream.bytesOut > 0;
    const timeoutMs = finMs ?? (isTwoWay ? tunnelMs : null) ?? usualMs;
    const { timers, nowMs } = this.#context.engine;
    if (timeoutMs === null) timers.disarm(timer);
    else timers.arm(timer, nowMs + timeoutMs);
  }

  #cut(termination: Termination): void {
    if (this.#isOver) return;
    if (!this.#client.isClosed) this.#client.reset();
    if (!this.#link.connection.isClosed) this.#link.abort();
    this.#finish(termination);
  }

  #finish(termination: Termination | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#context.engine.timers.remove(this.#clientTimer);
    this.#context.engine.timers.remove(this.#serverTimer);
    if (!this.#link.connection.isClosed) this.#link.discard();
    if (!this.#client.isClosed) this.#client.close();
    this.#onEnd(termination);
  }
}
