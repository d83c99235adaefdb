// A client connection in http mode: collects request heads, runs one exchange after the other, and decides
// what the connection does between them (keep-alive, pipelining, timeouts, orderly end). The exchange itself
// is HttpExchange.
import type { Failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import type { HttpProtocol } from "../../model/proxy.ts";
import { BodyDecoder } from "../../protocol/http1/body.ts";
import { FRAMING_CHUNKED, MessageHead } from "../../protocol/http1/message-head.ts";
import { parseRequestHead } from "../../protocol/http1/request-parser.ts";
import { settleRequestHead } from "../../protocol/http2/request-head.ts";
import type { Chunk, Connection, ConnectionHandler } from "../../transport/contract.ts";
import { Http2Client } from "../http2/http2-client.ts";
import type { ListenerRuntime } from "../runtime.ts";
import { COUNTER, countRate } from "../state.ts";
import { stopTracking } from "../stick-table/tracking.ts";
import type { Session, Stream } from "../stream.ts";
import type { ExchangeContext, LiveSession } from "./context.ts";
import { HIGH_WATER_BYTES } from "./delivery.ts";
import { endFailedHandshake } from "./failed-handshake.ts";
import type { InputPiece } from "./held-input.ts";
import { HttpExchange } from "./http-exchange.ts";
import { refuseHead } from "./refused-head.ts";
import { admitSession } from "./session-rules.ts";
import { asStream, type StreamConnection } from "./stream-connection.ts";
import { TERMINATION, type Termination } from "./termination.ts";

/**
 * How long a connection that we end may go on sending before it is cut, so that our last reply is not lost to
 * a reset.
 */
const LINGER_MS = 1000;

/** As much for a stream of HTTP/2, of which a connection has many. */
const STREAM_HIGH_WATER_BYTES = 64 * 1024;
/** Beside the statuses with which a head is refused. */
const PREFACE_SEEN = 1;

type ClientState = "opening" | "idle" | "head" | "exchange" | "lingering" | "closed";

export class HttpClient implements ConnectionHandler, TimerTarget, LiveSession {
  readonly session: Session;
  readonly connection: Connection;
  readonly context: ExchangeContext;
  readonly listener: ListenerRuntime;
  readonly timer: Timer = new Timer(this);
  readonly request: MessageHead = new MessageHead();
  /** Its connection is a stream of an HTTP/2 connection, which counts and admits for all of them. */
  readonly isStream: boolean;
  /** The server is held back while this much waits for the client. */
  readonly highWaterBytes: number;
  readonly #exchange: HttpExchange;
  readonly #stream: StreamConnection | null;
  /** When the present request's first byte came, and since when the connection was idle before it. */
  headStartMs = 0;
  idleSinceMs = 0;
  /** The client has sent its FIN. */
  isEnded = false;
  /** The stream of tcp mode that this connection began as, until its first request. */
  switchedFrom: Stream | null = null;
  /** Spoken whatever the client begins with. */
  #protocol: HttpProtocol | null;
  #state: ClientState = "opening";
  /** Of the runtime that `session.frontend` belongs to. */
  #generation = 0;
  /** Bytes of an incomplete head, in a chunk of our own. */
  #partial: Chunk | null = null;
  #partialLength = 0;

  constructor(connection: Connection, listener: ListenerRuntime, context: ExchangeContext, session: Session) {
    this.#stream = asStream(connection);
    this.isStream = this.#stream !== null;
    this.highWaterBytes = this.isStream ? STREAM_HIGH_WATER_BYTES : HIGH_WATER_BYTES;
    this.connection = connection;
    this.listener = listener;
    this.context = context;
    this.session = session;
    this.#protocol = session.bind.protocol;
    this.#exchange = new HttpExchange(this);
  }

  handleOpen(_connection: Connection): void {
    const { engine } = this.context;
    this.#state = "idle";
    if (!admitSession(this.context, this.session)) {
      this.connection.reset();
      return;
    }
    const protocol = this.#protocol;
    if (protocol === "h2" || (this.connection.tls?.alpn === "h2" && protocol === null)) {
      this.#becomeHttp2();
      return;
    }
    this.idleSinceMs = engine.nowMs;
    this.#armIdle(engine.nowMs);
  }

  /** For a stream of HTTP/2, in place of `handleOpen`. */
  beginStreams(nowMs: number): void {
    this.#state = "idle";
    this.idleSinceMs = nowMs;
  }

  /** For a stream of HTTP/2: `request` is complete, and chunk.bytes[0, end). */
  receiveHead(chunk: Chunk, end: number): void {
    const { engine, runtime } = this.context;
    this.headStartMs = engine.nowMs;
    this.#moveToNewestGeneration();
    const { bufferBytes, maxRewriteBytes, headerCountMax } = runtime.configuration.global;
    const isTooLarge = end > bufferBytes - maxRewriteBytes || this.request.receivedCount >= headerCountMax;
    const status = isTooLarge ? 400 : settleRequestHead(this.request);
    if (status !== 0) {
      this.#state = "head";
      refuseHead(this, TERMINATION.badRequest, status, end);
      return;
    }
    this.request.hideOrigin();
    this.#state = "exchange";
    this.#exchange.begin(chunk, chunk, end, end);
  }

  #becomeHttp2(): Http2Client {
    const { connection, listener, context, session } = this;
    context.engine.timers.remove(this.timer);
    this.#dropPartial();
    this.#state = "closed";
    const client = new Http2Client(connection, listener, context, session, this.switchedFrom, () =>
      this.#countOut(),
    );
    connection.handler = client;
    context.liveSessions.delete(this);
    context.liveSessions.add(client);
    return client;
  }

  /** Goes on with a connection that has been in tcp mode until now. The pieces come with their references. */
  takeOver(
    before: Stream,
    pieces: readonly InputPiece[],
    isEnded: boolean,
    protocol: HttpProtocol | null,
  ): void {
    this.connection.handler = this;
    this.switchedFrom = before;
    this.session.requestCount = 0;
    this.isEnded = isEnded;
    this.#protocol = protocol;
    this.connection.resume();
    if (protocol !== "h2") this.continueWith(pieces);
    else {
      this.#becomeHttp2();
      this.#deliver(pieces);
    }
  }

  handleData(_connection: Connection, chunk: Chunk, start: number, end: number): void {
    if (this.#state === "exchange") this.#exchange.receiveRequestData(chunk, start, end);
    else if (this.#state === "idle" || this.#state === "head") this.receiveHeadData(chunk, start, end);
  }

  handleDrain(_connection: Connection): void {
    if (this.#state === "exchange") this.#exchange.handleClientDrain();
  }

  handleEnd(connection: Connection): void {
    this.isEnded = true;
    if (this.#state === "exchange") this.#exchange.handleClientEnd();
    else if (this.#state === "head" || this.#isFirstAwaited)
      this.#failHead(TERMINATION.clientClosedInRequest, 400);
    else connection.close();
  }

  handleClose(_connection: Connection, failure: Failure | null): void {
    const state = this.#state;
    if (state === "closed") return;
    const isBroken = state === "head" || this.#isFirstAwaited;
    this.#state = "closed";
    this.context.engine.timers.remove(this.timer);
    if (state === "exchange") this.#exchange.handleClientGone(failure);
    else if (isBroken) refuseHead(this, TERMINATION.clientClosedInRequest, 400, this.#partialLength);
    this.#exchange.dispose();
    this.#dropPartial();
    if (this.isStream) return;
    this.context.liveSessions.delete(this);
    if (state === "opening") endFailedHandshake(this.context, this.session, this.listener.slot, failure);
    this.#countOut();
  }

  handleTimeout(_nowMs: number): void {
    switch (this.#state) {
      case "idle":
        // Between requests a connection may end at any time; before the first, the silence is said to be one.
        if (this.#isFirstAwaited && !this.session.frontend.definition.options.dontlognull)
          this.#failHead(TERMINATION.requestTimeout, 408);
        else this.connection.close();
        return;
      case "head":
        this.#failHead(TERMINATION.requestTimeout, 408);
        return;
      case "exchange":
        this.#exchange.handleClientTimeout();
        return;
      case "lingering":
        this.connection.close();
        return;
      default:
    }
  }

  /**
   * Nothing has come yet, and an end now is an error worth telling, unless `option http-ignore-probes` says
   * it is not.
   */
  get #isFirstAwaited(): boolean {
    const { frontend, requestCount } = this.session;
    return this.#state === "idle" && requestCount === 0 && !frontend.definition.options.httpIgnoreProbes;
  }

  #failHead(termination: Termination, status: number): void {
    refuseHead(this, termination, status, this.#partialLength);
  }

  /**
   * Takes bytes where a request head is expected: of the connection, or left over from the request before.
   */
  receiveHeadData(chunk: Chunk, start: number, end: number): void {
    const { engine } = this.context;
    if (this.#state === "idle") {
      this.#state = "head";
      this.headStartMs = engine.nowMs;
      this.#moveToNewestGeneration();
      const { httpRequestMs } = this.session.frontend.definition.timeouts;
      if (httpRequestMs !== null) engine.timers.arm(this.timer, engine.nowMs + httpRequestMs);
      else this.armClientTimeout();
    }
    if (this.#partial === null) this.#parseFrom(chunk, start, end);
    else this.#parseAppended(chunk, start, end);
  }

  armClientTimeout(): void {
    const timeoutMs = this.session.frontend.definition.timeouts.clientMs;
    if (timeoutMs !== null) this.context.engine.timers.arm(this.timer, this.context.engine.nowMs + timeoutMs);
    else this.context.engine.timers.disarm(this.timer);
  }

  /** The exchange is over and the connection stays: on to what the client has already sent, or to waiting. */
  continueWith(leftovers: readonly InputPiece[]): void {
    const { engine } = this.context;
    this.#state = "idle";
    this.#dropPartial();
    this.idleSinceMs = engine.nowMs;
    if (leftovers.length === 0) {
      if (this.#stream !== null && !this.isEnded) this.#stream.handleIdle();
      else if (this.isEnded || this.context.isStopping) this.connection.close();
      else this.#armIdle(engine.nowMs);
      return;
    }
    this.#deliver(leftovers);
  }

  /** Deferred, so that a long row of pipelined requests does not become a deep stack. */
  #deliver(leftovers: readonly InputPiece[]): void {
    this.context.engine.defer(() => {
      for (const { chunk, start, end } of leftovers) {
        // The first piece may have shown that the client speaks HTTP/2.
        const { connection } = this;
        if (!connection.isClosed) connection.handler.handleData(connection, chunk, start, end);
        chunk.release();
      }
      // A FIN that came during the exchange was not acted upon then.
      if (!this.isEnded) return;
      const { connection } = this;
      if (this.#state === "idle" || this.#state === "head") this.handleEnd(connection);
      else if (this.#state === "closed" && !connection.isClosed) connection.handler.handleEnd(connection);
    });
  }

  /** Ends the connection behind what is queued. `mayReceive`: the client may still be sending. */
  finish(mayReceive: boolean): void {
    const { engine } = this.context;
    if (this.connection.isClosed) return;
    this.#dropPartial();
    if (!mayReceive || this.isEnded) {
      this.#state = "lingering";
      this.connection.close();
      return;
    }
    this.#state = "lingering";
    this.connection.shutdown();
    this.connection.resume();
    engine.timers.arm(this.timer, engine.nowMs + LINGER_MS);
  }

  get stream(): Stream | null {
    return this.#exchange.activeStream;
  }

  kill(): void {
    if (this.#state === "exchange") this.#exchange.kill();
    else this.connection.reset();
  }

  closeIfIdle(): void {
    if (this.#state === "idle") this.connection.close();
  }

  #parseFrom(chunk: Chunk, start: number, end: number): void {
    const consumed = this.#parse(chunk.bytes, start, end);
    if (consumed === -PREFACE_SEEN) this.#becomeHttp2().handleData(this.connection, chunk, start, end);
    else if (consumed > 0) this.#begin(chunk, start + consumed, end);
    else if (consumed === 0) this.#keepPartial(chunk, start, end);
  }

  #parseAppended(chunk: Chunk, start: number, end: number): void {
    const partial = this.#partial!;
    const space = partial.bytes.length - this.#partialLength;
    const taken = Math.min(space, end - start);
    partial.bytes.set(chunk.bytes.subarray(start, start + taken), this.#partialLength);
    const before = this.#partialLength;
    this.#partialLength += taken;
    const consumed = this.#parse(partial.bytes, 0, this.#partialLength);
    if (consumed === -PREFACE_SEEN) {
      partial.retain();
      const client = this.#becomeHttp2();
      client.handleData(this.connection, partial, 0, before);
      client.handleData(this.connection, chunk, start, end);
      partial.release();
    }
    if (consumed < 0) return;
    if (consumed > 0) this.#begin(chunk, start + consumed - before, end);
    else if (this.#partialLength === partial.bytes.length) this.#failHead(TERMINATION.badRequest, 400);
  }

  /** Bytes consumed, 0 when more are needed, negative when the request was refused and answered. */
  #parse(bytes: Uint8Array, start: number, end: number): number {
    const { bufferBytes, maxRewriteBytes, headerCountMax } = this.context.runtime.configuration.global;
    this.#limits.headBytesMax = bufferBytes - maxRewriteBytes;
    this.#limits.headerCountMax = headerCountMax - 1;
    const consumed = parseRequestHead(this.request, bytes, start, end, this.#limits);
    if (consumed < 0 && this.#isPreface) return -PREFACE_SEEN;
    if (consumed < 0) refuseHead(this, TERMINATION.badRequest, -consumed, end - start);
    return consumed;
  }

  /** What was refused is the first thing that an HTTP/2 client says (RFC 9113 section 3.4). */
  get #isPreface(): boolean {
    const { frontend, requestCount } = this.session;
    if (this.request.method !== "PRI" || requestCount > 0) return false;
    return this.#protocol === null && !frontend.definition.options.disableH2Upgrade;
  }
  readonly #limits = { headBytesMax: 15360, headerCountMax: 100 };

  #keepPartial(chunk: Chunk, start: number, end: number): void {
    const partial = this.context.engine.allocate(
      Math.max(this.context.runtime.configuration.global.bufferBytes, end - start),
    );
    partial.bytes.set(chunk.bytes.subarray(start, end));
    this.#partial = partial;
    this.#partialLength = end - start;
  }

  #begin(chunk: Chunk, restStart: number, end: number): void {
    this.#state = "exchange";
    if (
      this.request.framing === FRAMING_CHUNKED &&
      restStart < end &&
      isMalformed(chunk.bytes, restStart, end)
    ) {
      // No server has to be troubled with what is seen to be wrong at once.
      this.#failHead(TERMINATION.badRequest, 400);
      return;
    }
    this.#state = "exchange";
    this.#exchange.begin(this.#partial ?? chunk, chunk, restStart, end);
  }

  #armIdle(nowMs: number): void {
    const { timeouts } = this.session.frontend.definition;
    const isFirst = this.session.requestCount === 0;
    const timeoutMs = isFirst
      ? (timeouts.httpRequestMs ?? timeouts.clientMs)
      : (timeouts.httpKeepAliveMs ?? timeouts.httpRequestMs ?? timeouts.clientMs);
    if (timeoutMs === null) this.context.engine.timers.disarm(this.timer);
    else this.context.engine.timers.arm(this.timer, nowMs + timeoutMs);
  }

  /**
   * After a reload, the next request of a connection follows the new rules, if its frontend is still there.
   */
  #moveToNewestGeneration(): void {
    const { runtime } = this.context;
    if (runtime.generation === this.#generation) return;
    this.#generation = runtime.generation;
    const newest = runtime.frontendsByName.get(this.session.frontend.name);
    if (newest !== undefined) this.session.frontend = newest;
  }

  #dropPartial(): void {
    this.#partial?.release();
    this.#partial = null;
    this.#partialLength = 0;
  }

  #countOut(): void {
    const { state, engine } = this.context;
    stopTracking(this.session, engine.nowMs);
    const { frontend } = this.session;
    state.leave(frontend.slot, COUNTER.scur);
    state.leave(this.listener.slot, COUNTER.scur);
    this.context.sessionEnded();
  }
}

/**
 * Counts an accepted connection into its frontend and listener; `HttpClient` and `TcpClient` count it out.
 */
export function countSession(context: ExchangeContext, listener: ListenerRuntime): void {
  const { state, engine } = context;
  const slot = listener.frontend.slot;
  for (const each of [slot, listener.slot]) {
    state.enter(each, COUNTER.scur, COUNTER.smax);
    state.count(each, COUNTER.stot);
  }
  countRate(state, slot, COUNTER.sessRateSecond, engine.wallClockMs);
}

/** Whoever comes, also who is turned away at once. */
export function countConnection(context: ExchangeContext, listener: ListenerRuntime): void {
  const { state, engine } = context;
  const slot = listener.frontend.slot;
  for (const each of [slot, listener.slot]) state.count(each, COUNTER.connTot);
  countRate(state, slot, COUNTER.connRateSecond, engine.wallClockMs);
  // Of TLS the rate is limited before the handshake.
  if (listener.definition.tls !== null)
    countRate(state, listener.slot, COUNTER.sessRateSecond, engine.wallClockMs);
}

/** Whether the beginning of a chunked body is none. */
function isMalformed(bytes: Uint8Array, start: number, end: number): boolean {
  const decoder = new BodyDecoder();
  decoder.reset(FRAMING_CHUNKED, 0);
  return decoder.feed(bytes, start, end) < 0;
}
