// A client connection that speaks HTTP/2 (RFC 9113): frames in, a stream for each request, frames out by the
// windows that the client gives. Each stream is a client connection of HTTP/1.1 for the exchange, so that
// rules, logs, counters, timeouts and servers need not know of this. All that a client can make us hold is
// bounded: streams by their number, what they hold by windows, header blocks by their size, the rest by the
// FloodGuard.
import type { Failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import { FrameReader, type FrameSink } from "../../protocol/http2/frame-reader.ts";
import {
  DEFAULT_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  ERROR,
  FLAG,
  FRAME,
  goawayFrame,
  pingAckFrame,
  readUint32,
  rstStreamFrame,
  SETTING,
  settingsAckFrame,
  settingsFrame,
  WINDOW_BYTES_MAX,
  windowUpdateFrame,
} from "../../protocol/http2/frames.ts";
import { HpackDecoder } from "../../protocol/http2/hpack-decoder.ts";
import { HpackEncoder } from "../../protocol/http2/hpack-encoder.ts";
import { requestPartsOf, trailerLinesOf } from "../../protocol/http2/request-head.ts";
import { encodeBlock } from "../../protocol/http2/response-block.ts";
import type { Chunk, Connection, ConnectionHandler } from "../../transport/contract.ts";
import type { ExchangeContext, LiveSession } from "../exchange/context.ts";
import type { ListenerRuntime } from "../runtime.ts";
import type { Session, Stream } from "../stream.ts";
import { COST, FloodGuard } from "./flood-guard.ts";
import { FrameOutput } from "./frame-output.ts";
import { Http2Stream } from "./http2-stream.ts";

/** No more data is framed while this much waits for the kernel, and nothing is read. */
const OUTPUT_BYTES_MAX = 128 * 1024;
/**
 * What all streams may have on their way to us together: given back at once, so that none waits for another.
 */
const CONNECTION_WINDOW_BYTES = 1024 * 1024;
/** So large a list of fields is decoded; the exchange refuses what does not fit a buffer. */
const LIST_BYTES_MAX = 64 * 1024;
/** Frames of streams that we have reset may still be on their way. */
const REMEMBERED_RESETS_MAX = 200;
/** How long a connection that we end may go on sending, so that our last frames are not lost to a reset. */
const LINGER_MS = 1000;

export class Http2Client implements ConnectionHandler, FrameSink, TimerTarget, LiveSession {
  readonly connection: Connection;
  readonly listener: ListenerRuntime;
  readonly context: ExchangeContext;
  readonly session: Session;
  /** The stream of tcp mode that this connection began as, until its first request. */
  switchedFrom: Stream | null;
  readonly #onGone: () => void;
  readonly #timer = new Timer(this);
  readonly #reader: FrameReader;
  readonly #decoder: HpackDecoder;
  readonly #encoder = new HpackEncoder();
  readonly #output: FrameOutput;
  readonly #guard: FloodGuard;
  /** By number. */
  readonly #streams: Map<number, Http2Stream> = new Map();
  /** All there are, those between two streams included. */
  readonly #slots: Set<Http2Stream> = new Set();
  readonly #resetIds: Set<number> = new Set();
  readonly #due: Set<Http2Stream> = new Set();
  #isTurnDue = false;
  #lastStreamId = 0;
  #isEnding = false;
  #isOver = false;
  #isClientLeaving = false;
  #hasSettings = false;
  #sendWindow = DEFAULT_WINDOW_BYTES;
  /** Of data, in all; and at the last time that the timer looked. */
  #sentBytes = 0;
  #sentBytesBefore = -1;
  #receiveWindow = DEFAULT_WINDOW_BYTES;
  // What the client has set.
  #initialSendWindow = DEFAULT_WINDOW_BYTES;
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
    this.#greet(http2);
  }

  #greet(http2: ExchangeContext["runtime"]["configuration"]["global"]["http2"]): void {
    const settings: [number, number][] = [[SETTING.maxConcurrentStreams, http2.concurrentStreamsMax]];
    if (http2.headerTableBytes !== 4096) settings.push([SETTING.headerTableSize, http2.headerTableBytes]);
    if (http2.initialWindowBytes !== DEFAULT_WINDOW_BYTES)
      settings.push([SETTING.initialWindowSize, http2.initialWindowBytes]);
    if (http2.frameBytesMax !== DEFAULT_FRAME_BYTES)
      settings.push([SETTING.maxFrameSize, http2.frameBytesMax]);
    settings.push([SETTING.maxHeaderListSize, LIST_BYTES_MAX]);
    this.#output.write(settingsFrame(settings));
    this.#wantTurn();
    this.#armTimer();
  }

  handleOpen(_connection: Connection): void {}

  handleData(_connection: Connection, chunk: Chunk, start: number, end: number): void {
    if (this.#isOver) return;
    this.#chunk = chunk;
    const error = this.#reader.receive(chunk.bytes, start, end);
    if (error !== 0) this.#fail(error);
    this.#wantTurn();
  }

  handleDrain(connection: Connection): void {
    connection.resume();
    this.#wantTurn();
  }

  handleEnd(connection: Connection): void {
    // Who sends no more frames gives no window either: nothing can be promised to it.
    for (const stream of [...this.#streams.values()]) if (!stream.isRequestEnded) this.#forget(stream, true);
    this.#isClientLeaving = true;
    if (this.#isOver) connection.close();
    else this.#wantTurn();
  }

  handleClose(_connection: Connection, _failure: Failure | null): void {
    this.#isOver = true;
    this.#streams.clear();
    for (const slot of [...this.#slots]) slot.handleClosed(true);
    this.#slots.clear();
    this.#due.clear();
    this.#output.drop();
    this.context.engine.timers.remove(this.#timer);
    this.context.liveSessions.delete(this);
    this.#onGone();
  }

  /**
   * Nothing was asked for in time, or nothing taken of what is left of responses that are over. Where an
   * exchange is in progress, its own timeouts are what counts.
   */
  handleTimeout(_nowMs: number): void {
    if (this.#isOver) this.connection.close();
    else if (this.stream === null && this.#sentBytes === this.#sentBytesBefore) this.#fail(ERROR.none);
    else this.#armTimer();
    this.#sentBytesBefore = this.#sentBytes;
  }

  get stream(): Stream | null {
    for (const { client } of this.#streams.values()) if (client.stream !== null) return client.stream;
    return null;
  }

  kill(): void {
    this.connection.reset();
  }

  /** The streams in progress may end; no new ones. */
  closeIfIdle(): void {
    if (this.#isEnding || this.#isOver) return;
    this.#isEnding = true;
    this.#output.write(goawayFrame(this.#lastStreamId, ERROR.none));
    this.#wantTurn();
  }

  receiveHeaders(
    streamId: number,
    block: Uint8Array,
    start: number,
    end: number,
    isEndOfStream: boolean,
    dependency: number,
  ): number {
    if (!this.#hasSettings) return ERROR.protocol;
    if (!this.#decoder.decode(block, start, end, { listBytesMax: LIST_BYTES_MAX })) return ERROR.compression;
    const known = this.#streams.get(streamId);
    if (known !== undefined) return this.#receiveTrailers(known, isEndOfStream);
    if (streamId % 2 === 0) return ERROR.protocol;
    if (streamId <= this.#lastStreamId) return this.#resetIds.has(streamId) ? 0 : ERROR.streamClosed;
    // Sent before our GOAWAY arrived: the client will ask elsewhere (section 6.8).
    if (this.#isEnding) return 0;
    this.#lastStreamId = streamId;
    if (this.#decoder.isTooLarge) return this.#refuse(streamId, ERROR.enhanceYourCalm);
    if (dependency === streamId) return this.#refuse(streamId, ERROR.protocol);
    if (this.#streams.size >= this.#streamCountMax) return this.#refuse(streamId, ERROR.refusedStream);
    const parts = requestPartsOf(this.#decoder.fields, isEndOfStream);
    if (parts === null) return this.#refuse(streamId, ERROR.protocol);
    const stream = this.#freeSlot();
    this.#streams.set(streamId, stream);
    this.session.requestCount++;
    stream.begin(streamId, parts, this.#initialSendWindow, this.#initialReceiveWindow);
    if (isEndOfStream) stream.isRequestEnded = true;
    this.#armTimer();
    this.wantTurn(stream);
    return 0;
  }

  #freeSlot(): Http2Stream {
    for (const slot of this.#slots) if (slot.isFree) return slot;
    const slot = new Http2Stream(this, this.connection.id);
    this.#slots.add(slot);
    return slot;
  }

  #receiveTrailers(stream: Http2Stream, isEndOfStream: boolean): number {
    if (stream.isRequestEnded) return this.#breakOff(stream, ERROR.streamClosed);
    const lines = trailerLinesOf(this.#decoder.fields);
    if (lines === null || !isEndOfStream || this.#decoder.isTooLarge)
      return this.#breakOff(stream, ERROR.protocol);
    if (!stream.endRequest(lines)) return this.#breakOff(stream, ERROR.protocol);
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
    this.#receiveWindow -= windowBytes;
    if (this.#receiveWindow < 0) return ERROR.flowControl;
    if (this.#receiveWindow < CONNECTION_WINDOW_BYTES / 2) this.#giveConnectionWindow();
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      if (streamId > this.#lastStreamId || streamId % 2 === 0) return this.#isEnding ? 0 : ERROR.protocol;
      if (this.#resetIds.has(streamId)) return this.#charge(isLast ? COST.frame : 0);
      return ERROR.streamClosed;
    }
    if (stream.isRequestEnded) return this.#breakOff(stream, ERROR.streamClosed);
    if (start === end && isLast && !isEndOfStream && this.#charge(COST.frame) !== 0)
      return ERROR.enhanceYourCalm;
    stream.receiveWindow -= windowBytes;
    if (stream.receiveWindow < 0) return this.#breakOff(stream, ERROR.flowControl);
    if (!stream.input.addData(this.#chunk, start, end, windowBytes))
      return this.#breakOff(stream, ERROR.protocol);
    if (isEndOfStream && !stream.endRequest("")) return this.#breakOff(stream, ERROR.protocol);
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
    const length = end - start;
    if (type !== FRAME.settings && !this.#hasSettings) return ERROR.protocol;
    switch (type) {
      case FRAME.settings:
        return this.#receiveSettings(flags, streamId, payload, start, end);
      case FRAME.ping:
        if (streamId !== 0) return ERROR.protocol;
        if (length !== 8) return ERROR.frameSize;
        if ((flags & FLAG.ack) === 0) this.#output.write(pingAckFrame(payload.subarray(start, end)));
        return this.#charge(COST.frame);
      case FRAME.priority:
        if (streamId === 0) return ERROR.protocol;
        if (length !== 5) return this.#breakOffId(streamId, ERROR.frameSize);
        if ((readUint32(payload, start) & 0x7fff_ffff) === streamId)
          return this.#breakOffId(streamId, ERROR.protocol);
        return this.#charge(COST.frame);
      case FRAME.rstStream:
        if (length !== 4) return ERROR.frameSize;
        if (this.#isIdleStream(streamId)) return ERROR.protocol;
        return this.#receiveReset(streamId);
      case FRAME.goaway:
        if (streamId !== 0) return ERROR.protocol;
        if (length < 8) return ERROR.frameSize;
        this.#isClientLeaving = true;
        return this.#charge(COST.frame);
      case FRAME.windowUpdate:
        if (length !== 4) return ERROR.frameSize;
        return this.#receiveWindowUpdate(streamId, readUint32(payload, start) & 0x7fff_ffff);
      default:
        return 0;
    }
  }

  #receiveSettings(flags: number, streamId: number, payload: Uint8Array, start: number, end: number): number {
    if (streamId !== 0) return ERROR.protocol;
    if ((flags & FLAG.ack) !== 0) {
      if (!this.#hasSettings) return ERROR.protocol;
      return end === start ? this.#charge(COST.frame) : ERROR.frameSize;
    }
    if ((end - start) % 6 !== 0) return ERROR.frameSize;
    for (let at = start; at < end; at += 6) {
      const error = this.#set((payload[at]! << 8) | payload[at + 1]!, readUint32(payload, at + 2));
      if (error !== 0) return error;
    }
    this.#hasSettings = true;
    this.#output.write(settingsAckFrame());
    return this.#charge(COST.frame + Math.floor((end - start) / 60));
  }

  #set(setting: number, value: number): number {
    switch (setting) {
      case SETTING.headerTableSize:
        this.#encoder.limitTable(value);
        return 0;
      case SETTING.enablePush:
        return value > 1 ? ERROR.protocol : 0;
      case SETTING.initialWindowSize: {
        if (value > WINDOW_BYTES_MAX) return ERROR.flowControl;
        const difference = value - this.#initialSendWindow;
        this.#initialSendWindow = value;
        for (const stream of this.#streams.values()) {
          stream.sendWindow += difference;
          if (stream.sendWindow > WINDOW_BYTES_MAX) return ERROR.flowControl;
          this.wantTurn(stream);
        }
        return 0;
      }
      case SETTING.maxFrameSize:
        if (value < DEFAULT_FRAME_BYTES || value > 0xff_ffff) return ERROR.protocol;
        // Small frames suffice, and let streams take turns.
        return 0;
      default:
        return 0;
    }
  }

  #receiveWindowUpdate(streamId: number, increment: number): number {
    if (streamId === 0) {
      if (increment === 0) return ERROR.protocol;
      this.#sendWindow += increment;
      if (this.#sendWindow > WINDOW_BYTES_MAX) return ERROR.flowControl;
      for (const stream of this.#streams.values()) this.#due.add(stream);
      return this.#charge(COST.frame);
    }
    if (this.#isIdleStream(streamId)) return ERROR.protocol;
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return this.#charge(COST.frame);
    if (increment === 0) return this.#breakOff(stream, ERROR.protocol);
    stream.sendWindow += increment;
    if (stream.sendWindow > WINDOW_BYTES_MAX) return this.#breakOff(stream, ERROR.flowControl);
    this.wantTurn(stream);
    return this.#charge(COST.frame);
  }

  /** The client has lost interest. That costs it, since the work may have been done (CVE-2023-44487). */
  #receiveReset(streamId: number): number {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) this.#forget(stream, true);
    return this.#charge(COST.reset);
  }

  #isIdleStream(streamId: number): boolean {
    return streamId === 0 || streamId % 2 === 0 || streamId > this.#lastStreamId;
  }

  #charge(cost: number): number {
    return this.#guard.mayGoOn(cost, this.context.engine.nowMs) ? 0 : ERROR.enhanceYourCalm;
  }

  /** An error of one stream that never got an exchange. */
  #refuse(streamId: number, error: number): number {
    this.#rememberReset(streamId);
    this.#output.write(rstStreamFrame(streamId, error));
    return this.#charge(COST.reset);
  }

  /** An error of one stream (RFC 9113 section 5.4.2). */
  #breakOff(stream: Http2Stream, error: number): number {
    const { streamId } = stream;
    this.#forget(stream, true);
    return this.#refuse(streamId, error);
  }

  #breakOffId(streamId: number, error: number): number {
    const stream = this.#streams.get(streamId);
    return stream === undefined ? this.#refuse(streamId, error) : this.#breakOff(stream, error);
  }

  #rememberReset(streamId: number): void {
    this.#resetIds.add(streamId);
    if (this.#resetIds.size <= REMEMBERED_RESETS_MAX) return;
    for (const oldest of this.#resetIds) {
      this.#resetIds.delete(oldest);
      return;
    }
  }

  #forget(stream: Http2Stream, isReset: boolean): void {
    this.#streams.delete(stream.streamId);
    this.#slots.delete(stream);
    this.#due.delete(stream);
    stream.handleClosed(isReset);
    if (this.#streams.size === 0) this.#armTimer();
  }

  /** Something is to be told to this stream's exchange, or sent for it. */
  wantTurn(stream: Http2Stream): void {
    this.#due.add(stream);
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
    this.#serveStreams();
    this.#output.flush();
    if (this.connection.isClosed || this.#isOver) return;
    if (this.connection.pendingBytes > OUTPUT_BYTES_MAX) this.connection.pause();
    if ((this.#isEnding || this.#isClientLeaving) && this.#streams.size === 0) this.#fail(ERROR.none);
  };

  /** Each stream that has something to do gets a frame in turn, until windows or the kernel are full. */
  #serveStreams(): void {
    const due = [...this.#due];
    this.#due.clear();
    for (const stream of due) this.#tell(stream);
    let sending = due.filter((stream) => stream.streamId !== 0);
    while (sending.length > 0) {
      sending = sending.filter((stream) => this.#sendFrame(stream));
      this.#output.flush();
      if (this.connection.pendingBytes <= OUTPUT_BYTES_MAX) continue;
      // They go on when the kernel has taken what it has.
      for (const stream of sending) this.#due.add(stream);
      sending = [];
    }
    for (const stream of due) this.#settle(stream);
  }

  #tell(stream: Http2Stream): void {
    if (stream.streamId === 0) return;
    const bytes = stream.deliver();
    if (bytes === 0 || stream.isRequestEnded || stream.streamId === 0) return;
    stream.receiveWindow += bytes;
    this.#output.write(windowUpdateFrame(stream.streamId, bytes));
  }

  /** True: it has more to send, and may. */
  #sendFrame(stream: Http2Stream): boolean {
    const { output, streamId } = stream;
    if (streamId === 0 || stream.isResponseEnded) return false;
    if (stream.endsWith !== null && stream.endsWith !== ERROR.none) return false;
    while (output.hasHeads) {
      const { fields, isFinal } = output.takeHead();
      const isEnd = isFinal && output.isComplete && output.waitingBytes === 0 && !output.hasTrailers;
      this.#output.writeBlock(streamId, encodeBlock(this.#encoder, fields), isEnd, DEFAULT_FRAME_BYTES);
      stream.isResponseEnded = isEnd;
      this.#guard.credit();
    }
    const piece = output.firstPiece;
    if (piece === undefined) {
      if (output.isComplete && output.isHeadRead && !stream.isResponseEnded) this.#endResponse(stream);
      return false;
    }
    const window = Math.min(stream.sendWindow, this.#sendWindow, DEFAULT_FRAME_BYTES);
    if (window <= 0) return false;
    const { chunk, start, end } = piece;
    const length = Math.min(end - start, window);
    const isEnd = output.isComplete && length === output.waitingBytes && !output.hasTrailers;
    this.#output.writeData(streamId, chunk, start, start + length, isEnd);
    stream.sendWindow -= length;
    this.#sendWindow -= length;
    this.#sentBytes += length;
    output.take(length);
    this.#guard.credit();
    stream.isResponseEnded = isEnd;
    if (output.waitingBytes === 0) stream.isDrainDue = true;
    return !isEnd;
  }

  #endResponse(stream: Http2Stream): void {
    const trailers = stream.output.takeTrailers();
    if (trailers === null) this.#output.writeData(stream.streamId, null, 0, 0, true);
    else
      this.#output.writeBlock(
        stream.streamId,
        encodeBlock(this.#encoder, trailers),
        true,
        DEFAULT_FRAME_BYTES,
      );
    stream.isResponseEnded = true;
  }

  /** Ends what has come to its end. */
  #settle(stream: Http2Stream): void {
    if (stream.isDrainDue && !stream.isClosed) {
      stream.isDrainDue = false;
      stream.handler.handleDrain(stream);
    }
    const { streamId, endsWith } = stream;
    if (stream.isClosed) return;
    if (streamId === 0) {
      if (endsWith !== null) this.#forget(stream, false);
      return;
    }
    if (stream.isResponseEnded && stream.isRequestEnded) {
      this.#streams.delete(streamId);
      stream.handleDone();
      if (endsWith !== null) this.#forget(stream, false);
      else if (this.#streams.size === 0) this.#armTimer();
    } else if (endsWith !== null && (endsWith !== ERROR.none || stream.isResponseEnded)) {
      // A whole response needs no more of its request (RFC 9113 section 8.1).
      this.#forget(stream, false);
      this.#rememberReset(streamId);
      this.#output.write(rstStreamFrame(streamId, endsWith));
    }
  }

  #giveConnectionWindow(): void {
    const increment = CONNECTION_WINDOW_BYTES - this.#receiveWindow;
    this.#receiveWindow = CONNECTION_WINDOW_BYTES;
    this.#output.write(windowUpdateFrame(0, increment));
  }

  /** Ends the connection, and all that is on it. */
  #fail(error: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#output.write(goawayFrame(this.#lastStreamId, error));
    this.#output.flush();
    for (const stream of [...this.#streams.values()]) this.#forget(stream, true);
    this.connection.shutdown();
    this.connection.resume();
    const { engine } = this.context;
    engine.timers.arm(this.#timer, engine.nowMs + LINGER_MS);
  }

  /**
   * Between requests, and before the first, a connection may be without one for as long as one of HTTP/1.
   * Armed when streams come and go only: no other frame makes that time longer.
   */
  #armTimer(): void {
    const { timers, nowMs } = this.context.engine;
    if (this.#isOver) return;
    const { httpRequestMs, httpKeepAliveMs, clientMs } = this.session.frontend.definition.timeouts;
    const isFirst = this.session.requestCount === 0;
    const idleMs = (isFirst ? httpRequestMs : (httpKeepAliveMs ?? httpRequestMs)) ?? clientMs;
    const timeoutMs = this.#streams.size > 0 ? clientMs : idleMs;
    this.#sentBytesBefore = this.#streams.size > 0 ? -1 : this.#sentBytes;
    if (timeoutMs === null) timers.disarm(this.#timer);
    else timers.arm(this.#timer, nowMs + timeoutMs);
  }
}
