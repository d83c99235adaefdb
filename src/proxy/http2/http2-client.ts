// A client connection that speaks HTTP/2 (RFC 9113): frames in, a stream for each request, frames out by the
// windows that the client gives. Each stream is a client connection of HTTP/1.1 for the exchange, so that
// rules, logs, counters, timeouts and servers need not know of this. All that a client can make us hold is
// bounded: streams by their number, what they hold by windows, header blocks by their size, the rest by the
// FloodGuard.
import type { Failure } from "../../base/failure.ts";
import { MessageHead } from "../../protocol/http1/message-head.ts";
import { FrameReader, type FrameSink } from "../../protocol/http2/frame-reader.ts";
import {
  DEFAULT_WINDOW_BYTES,
  ERROR,
  FRAME,
  goawayFrame,
  rstStreamFrame,
  windowUpdateFrame,
} from "../../protocol/http2/frames.ts";
import { HpackDecoder } from "../../protocol/http2/hpack-decoder.ts";
import { RequestHeadWriter } from "../../protocol/http2/request-head.ts";
import { TrailerLines } from "../../protocol/http2/trailer-lines.ts";
import type { Chunk, Connection, ConnectionHandler } from "../../transport/contract.ts";
import type { ExchangeContext, LiveSession } from "../exchange/context.ts";
import type { ListenerRuntime } from "../runtime.ts";
import { COUNTER } from "../state.ts";
import type { Session, Stream } from "../stream.ts";
import { ConnectionTimer } from "./connection-timer.ts";
import { ControlFrames } from "./control-frames.ts";
import { COST, FloodGuard } from "./flood-guard.ts";
import { FrameOutput } from "./frame-output.ts";
import { greeting, LIST_BYTES_MAX } from "./greeting.ts";
import { Http2Stream } from "./http2-stream.ts";
import { ResponseFrames } from "./response-frames.ts";
import { StreamSet } from "./stream-set.ts";

/**
 * What all streams may have on their way to us together: given back at once, so that none waits for another.
 */
const CONNECTION_WINDOW_BYTES = 1024 * 1024;

// One of each for all connections: a block is decoded at once.
const REQUEST = new RequestHeadWriter();
const TRAILERS = new TrailerLines();
/** For blocks of which no stream comes: they are decoded for the table's sake. */
const UNUSED_HEAD = new MessageHead();

export class Http2Client implements ConnectionHandler, FrameSink, LiveSession {
  readonly connection: Connection;
  readonly listener: ListenerRuntime;
  readonly context: ExchangeContext;
  readonly session: Session;
  /** The stream of tcp mode that this connection began as, until its first request. */
  switchedFrom: Stream | null;
  readonly frames: ResponseFrames;
  readonly streams: StreamSet = new StreamSet();
  readonly #onGone: () => void;
  readonly #slot: number;
  readonly #timer = new ConnectionTimer(this);
  readonly #reader: FrameReader;
  readonly #decoder: HpackDecoder;
  readonly #output: FrameOutput;
  readonly #guard: FloodGuard;
  readonly #control: ControlFrames;
  #isTurnDue = false;
  #isEnding = false;
  /** Nothing more is read or said. */
  isOver = false;
  #isClientLeaving = false;
  #receiveWindow = DEFAULT_WINDOW_BYTES;
  // What we have set.
  readonly #initialReceiveWindow: number;
  readonly #streamCountMax: number;
  /** The chunk that is being read. */
  #chunk!: Chunk;

  /** `onGone`: the connection is closed, and whoever counted it in has to count it out. */
  constructor(
    connection: Connection,
    listener: ListenerRuntime,
    context: ExchangeContext,
    session: Session,
    switchedFrom: Stream | null,
    onGone: () => void,
  ) {
    this.connection = connection;
    this.listener = listener;
    this.context = context;
    this.session = session;
    this.switchedFrom = switchedFrom;
    this.#onGone = onGone;
    const { http2 } = context.runtime.configuration.global;
    this.#initialReceiveWindow = http2.initialWindowBytes;
    this.#streamCountMax = http2.concurrentStreamsMax;
    this.#reader = new FrameReader(this, http2.frameBytesMax);
    this.#decoder = new HpackDecoder(http2.headerTableBytes);
    this.#output = new FrameOutput(context.engine, connection);
    this.#guard = new FloodGuard(context.engine.nowMs);
    this.frames = new ResponseFrames(this.#output, this.#guard);
    this.#control = new ControlFrames(this, this.#output);
    this.#slot = session.frontend.slot;
    this.count(COUNTER.h2Connections);
    this.count(COUNTER.h2ConnectionsTotal);
    this.#output.write(greeting(http2));
    this.#wantTurn();
    this.#timer.arm();
  }

  /** Of the frontend that it came to. */
  count(counter: number, delta = 1): void {
    this.context.state.count(this.#slot, counter, delta);
  }

  handleOpen(_connection: Connection): void {}

  handleData(_connection: Connection, chunk: Chunk, start: number, end: number): void {
    if (this.isOver) return;
    this.#chunk = chunk;
    const error = this.#reader.receive(chunk.bytes, start, end);
    if (error !== 0) {
      this.count(COUNTER.h2ConnectionErrors);
      this.#fail(error);
    }
    this.#wantTurn();
  }

  handleDrain(connection: Connection): void {
    connection.resume();
    for (const stream of this.streams.open()) {
      if (!stream.isDrainWanted || stream.output.waitingBytes > 0) continue;
      stream.isDrainDue = true;
      this.frames.note(stream);
    }
    this.#wantTurn();
  }

  handleEnd(connection: Connection): void {
    // Who sends no more frames gives no window either: nothing can be promised to it.
    for (const stream of [...this.streams.open()]) if (!stream.isRequestEnded) this.#forget(stream, true);
    this.#isClientLeaving = true;
    if (this.isOver) connection.close();
    else this.#wantTurn();
  }

  handleClose(_connection: Connection, _failure: Failure | null): void {
    this.isOver = true;
    this.count(COUNTER.h2Connections, -1);
    this.count(COUNTER.h2Streams, -this.streams.openCount);
    for (const slot of this.streams.dropAll()) slot.handleClosed(true);
    this.#output.drop();
    this.#timer.remove();
    this.context.liveSessions.delete(this);
    this.#onGone();
  }

  endIdle(): void {
    this.#fail(ERROR.none);
  }

  get stream(): Stream | null {
    for (const { client } of this.streams.open()) if (client.stream !== null) return client.stream;
    return null;
  }

  /** More waits for the kernel than should. */
  get isFull(): boolean {
    return this.#output.isFull;
  }

  kill(): void {
    this.connection.reset();
  }

  /** The streams in progress may end; no new ones. */
  closeIfIdle(): void {
    if (this.#isEnding || this.isOver) return;
    this.#isEnding = true;
    this.#sayGoodbye(ERROR.none);
    this.#wantTurn();
  }

  #sayGoodbye(error: number): void {
    this.count(COUNTER.h2GoawaysSent);
    this.#output.write(goawayFrame(this.streams.lastId, error));
  }

  receiveHeaders(
    streamId: number,
    block: Uint8Array,
    start: number,
    end: number,
    isEndOfStream: boolean,
    dependency: number,
  ): number {
    if (!this.#control.hasSettings) return ERROR.protocol;
    this.count(COUNTER.h2Headers);
    const { streams } = this;
    const known = streams.get(streamId);
    if (known !== undefined) return this.#receiveTrailers(known, block, start, end, isEndOfStream);
    const isNew = streamId > streams.lastId && streamId % 2 === 1 && !this.#isEnding;
    const mayBegin = isNew && streams.openCount < this.#streamCountMax && dependency !== streamId;
    const slot = mayBegin ? streams.nextFree(this.#makeStream) : null;
    REQUEST.begin(slot === null ? UNUSED_HEAD : slot.client.request);
    if (!this.#decoder.decode(block, start, end, LIST_BYTES_MAX, REQUEST)) return ERROR.compression;
    if (streamId % 2 === 0) return ERROR.protocol;
    if (streamId <= streams.lastId) return streams.wasReset(streamId) ? 0 : ERROR.streamClosed;
    // Sent before our GOAWAY arrived: the client will ask elsewhere (section 6.8).
    if (this.#isEnding) return 0;
    streams.lastId = streamId;
    if (this.#decoder.isTooLarge) return this.#refuse(streamId, ERROR.enhanceYourCalm);
    if (slot === null)
      return this.#refuse(streamId, dependency === streamId ? ERROR.protocol : ERROR.refusedStream);
    if (!REQUEST.finish(isEndOfStream)) return this.#refuse(streamId, ERROR.protocol);
    streams.begin(streamId);
    this.session.requestCount++;
    this.count(COUNTER.h2Streams);
    this.count(COUNTER.h2StreamsTotal);
    slot.begin(streamId, REQUEST, this.#control.initialSendWindow, this.#initialReceiveWindow);
    if (isEndOfStream) slot.isRequestEnded = true;
    if (streams.openCount === 1) this.#timer.arm();
    this.wantTurn(slot);
    return 0;
  }

  readonly #makeStream = (): Http2Stream => new Http2Stream(this, this.connection.id);

  #receiveTrailers(
    stream: Http2Stream,
    block: Uint8Array,
    start: number,
    end: number,
    isEndOfStream: boolean,
  ): number {
    TRAILERS.begin();
    if (!this.#decoder.decode(block, start, end, LIST_BYTES_MAX, TRAILERS)) return ERROR.compression;
    if (stream.isRequestEnded) return this.breakOff(stream, ERROR.streamClosed);
    if (TRAILERS.isMalformed || !isEndOfStream || this.#decoder.isTooLarge)
      return this.breakOff(stream, ERROR.protocol);
    if (!stream.endRequest(TRAILERS.text)) return this.breakOff(stream, ERROR.protocol);
    this.wantTurn(stream);
    return 0;
  }

  receiveData(
    streamId: number,
    start: number,
    end: number,
    windowBytes: number,
    isLast: boolean,
    isEndOfStream: boolean,
  ): number {
    const { streams } = this;
    if (isLast) this.count(COUNTER.h2Data);
    this.#receiveWindow -= windowBytes;
    if (this.#receiveWindow < 0) return ERROR.flowControl;
    if (this.#receiveWindow < CONNECTION_WINDOW_BYTES / 2) this.#giveConnectionWindow();
    const stream = streams.get(streamId);
    if (stream === undefined) {
      if (streams.isIdle(streamId)) return this.#isEnding ? 0 : ERROR.protocol;
      if (streams.wasReset(streamId)) return this.charge(isLast ? COST.frame : 0);
      return ERROR.streamClosed;
    }
    if (stream.isRequestEnded) return this.breakOff(stream, ERROR.streamClosed);
    if (start === end && isLast && !isEndOfStream && this.charge(COST.frame) !== 0)
      return ERROR.enhanceYourCalm;
    stream.receiveWindow -= windowBytes;
    if (stream.receiveWindow < 0) return this.breakOff(stream, ERROR.flowControl);
    if (!stream.input.addData(this.#chunk, start, end, windowBytes))
      return this.breakOff(stream, ERROR.protocol);
    if (isEndOfStream && !stream.endRequest("")) return this.breakOff(stream, ERROR.protocol);
    if (isLast && start < end) this.#guard.credit();
    this.wantTurn(stream);
    return 0;
  }

  receiveControl(
    type: number,
    flags: number,
    streamId: number,
    payload: Uint8Array,
    start: number,
    end: number,
  ): number {
    if (type === FRAME.goaway && streamId === 0 && end - start >= 8) this.#isClientLeaving = true;
    return this.#control.receive(type, flags, streamId, payload, start, end);
  }

  /** What that costs the client; the error with which it ends when it cannot pay. */
  charge(cost: number): number {
    return this.#guard.mayGoOn(cost, this.context.engine.nowMs) ? 0 : ERROR.enhanceYourCalm;
  }

  /** The client has lost interest. That costs it, since the work may have been done (CVE-2023-44487). */
  receiveReset(streamId: number): number {
    const stream = this.streams.get(streamId);
    if (stream !== undefined) this.#forget(stream, true);
    return this.charge(COST.reset);
  }

  /** An error of one stream (RFC 9113 section 5.4.2). */
  breakOff(stream: Http2Stream, error: number): number {
    const { streamId } = stream;
    this.count(COUNTER.h2StreamErrors);
    this.#forget(stream, true);
    return this.#refuse(streamId, error);
  }

  breakOffId(streamId: number, error: number): number {
    const stream = this.streams.get(streamId);
    return stream === undefined ? this.#refuse(streamId, error) : this.breakOff(stream, error);
  }

  /** An error of one stream that never got an exchange. */
  #refuse(streamId: number, error: number): number {
    this.#reset(streamId, error);
    return this.charge(COST.reset);
  }

  #reset(streamId: number, error: number): void {
    this.streams.rememberReset(streamId);
    this.count(COUNTER.h2ResetsSent);
    this.#output.write(rstStreamFrame(streamId, error));
  }

  #forget(stream: Http2Stream, isReset: boolean): void {
    const wasOpen = stream.streamId !== 0;
    this.streams.drop(stream);
    stream.handleClosed(isReset);
    if (!wasOpen) return;
    this.count(COUNTER.h2Streams, -1);
    if (this.streams.openCount === 0) this.#timer.arm();
  }

  /** Something is to be told to this stream's exchange, or sent for it. */
  wantTurn(stream: Http2Stream): void {
    this.frames.note(stream);
    this.#wantTurn();
  }

  #wantTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.context.engine.defer(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isTurnDue = false;
    if (this.connection.isClosed) return;
    this.frames.serve(this.#tell, this.#settle);
    this.#output.flush();
    if (this.connection.isClosed || this.isOver) return;
    if (this.#output.isFull) this.connection.pause();
    // Both ends know that nothing follows.
    if ((this.#isEnding || this.#isClientLeaving) && this.streams.openCount === 0) this.#end();
  };

  readonly #tell = (stream: Http2Stream): void => {
    if (stream.streamId === 0) return;
    const byteCount = stream.deliver(this.#initialReceiveWindow / 2);
    if (byteCount > 0 && !stream.isRequestEnded && stream.streamId !== 0)
      this.frames.giveWindow(stream, byteCount);
  };

  /** Ends what has come to its end. */
  readonly #settle = (stream: Http2Stream): void => {
    if (stream.isDrainDue && !stream.isClosed) {
      stream.isDrainDue = stream.isDrainWanted = false;
      stream.handler.handleDrain(stream);
    }
    if (stream.isClosed) return;
    const { streamId, endsWith } = stream;
    if (streamId !== 0 && stream.isResponseEnded && stream.isRequestEnded) {
      this.streams.end(streamId);
      this.count(COUNTER.h2Streams, -1);
      stream.handleDone();
      if (this.streams.openCount === 0) this.#timer.arm();
    } else if (streamId !== 0 && endsWith !== null && (endsWith !== ERROR.none || stream.isResponseEnded)) {
      // A whole response needs no more of its request (RFC 9113 section 8.1).
      this.#forget(stream, false);
      this.#reset(streamId, endsWith);
      return;
    }
    if (stream.streamId !== 0) return;
    if (endsWith !== null) this.#forget(stream, false);
    else if (stream.isIdle && !stream.isFree) this.#reuse(stream);
  };

  #reuse(stream: Http2Stream): void {
    stream.isFree = true;
    this.streams.reuse(stream);
  }

  #giveConnectionWindow(): void {
    const increment = CONNECTION_WINDOW_BYTES - this.#receiveWindow;
    this.#receiveWindow = CONNECTION_WINDOW_BYTES;
    this.#output.write(windowUpdateFrame(0, increment));
  }

  /** Ends the connection, and all that is on it. */
  #fail(error: number): void {
    if (this.isOver) return;
    this.#sayGoodbye(error);
    this.#output.flush();
    this.#end();
  }

  #end(): void {
    this.isOver = true;
    for (const stream of [...this.streams.open()]) this.#forget(stream, true);
    this.connection.shutdown();
    this.connection.resume();
    this.#timer.linger();
  }
}
