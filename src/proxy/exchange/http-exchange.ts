// One HTTP exchange of a client connection: request phases, a server by the Connector, bodies both ways with
// backpressure, response phases, and an end that is always reached once: `#finish` logs, counts and gives everything
// back. Reused for all requests of its connection. Bytes are never copied when they are many.
import type { Failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import { BodyDecoder } from "../../protocol/http1/body.ts";
import {
  FRAMING_CHUNKED,
  FRAMING_LENGTH,
  FRAMING_UNTIL_CLOSE,
  MessageHead,
} from "../../protocol/http1/message-head.ts";
import { parseResponseHead } from "../../protocol/http1/response-parser.ts";
import type { Chunk, Connection } from "../../transport/contract.ts";
import type { Server } from "../runtime.ts";
import { COUNTER, countRate } from "../state.ts";
import { Stream } from "../stream.ts";
import { countStream } from "./accounting.ts";
import { Connector, type ConnectorOwner } from "./connector.ts";
import type { ExchangeContext } from "./context.ts";
import type { HttpClient } from "./http-client.ts";
import { errorReply, type Reply } from "./replies.ts";
import { type PhaseOutcome, RequestPhases, replySource } from "./request-phases.ts";
import { runAfterResponse, runResponsePhases } from "./response-phases.ts";
import type { ServerLink } from "./server-link.ts";
import { TERMINATION, type Termination } from "./termination.ts";
import { Tunnel } from "./tunnel.ts";

/** A sender is held back while this much waits for its receiver. */
const HIGH_WATER_BYTES = 512 * 1024;
/** A body up to this size that came with its head is copied behind the head, which saves a send. */
const COPY_BODY_BYTES_MAX = 8 * 1024;
/** Methods that may be repeated on another connection when a reused one turns out to be dead (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);

interface HeldInput {
  readonly chunk: Chunk;
  readonly start: number;
  readonly end: number;
}

export class HttpExchange implements ConnectorOwner, TimerTarget {
  stream!: Stream;
  readonly #client: HttpClient;
  readonly #context: ExchangeContext;
  readonly #connector: Connector;
  readonly #phases: RequestPhases;
  /** Waiting for the server, for the body, or in the tarpit. */
  readonly #timer = new Timer(this);
  readonly #response = new MessageHead();
  readonly #requestBody = new BodyDecoder();
  readonly #responseBody = new BodyDecoder();
  #isActive = false;
  #waiting: "body" | "tarpit" | "server" = "server";
  #tarpitReply: Reply | null = null;
  /** Holds the request head's bytes while the head may still be read. */
  #headChunk: Chunk | null = null;
  /** What came from the client and could not go on yet. */
  #held: HeldInput[] = [];
  #link: ServerLink | null = null;
  /** Kept for the next request of this client (http-reuse never, NTLM). */
  #privateLink: ServerLink | null = null;
  #isRequestDone = false;
  #isResponseBegun = false;
  #isResponseDone = false;
  #isBodySent = false;
  /** The encoded head, kept until the server has answered, for a second try when a reused connection was dead. */
  #sentHead: Chunk | null = null;
  #sentHeadLength = 0;
  #partialResponse: Chunk | null = null;
  #partialLength = 0;
  #requestSentMs = 0;
  #isClientKept = false;
  #isServerKept = false;
  #isDechunking = false;
  #isFinishing = false;

  constructor(client: HttpClient) {
    this.#client = client;
    this.#context = client.context;
    this.#connector = new Connector(client.context, this);
    this.#phases = new RequestPhases(client.context);
  }

  get activeStream(): Stream | null {
    return this.#isActive ? this.stream : null;
  }

  // ---- The request ----

  /** A complete head: its bytes are in `headChunk`; what follows it is rest.bytes[start, end). */
  begin(headChunk: Chunk, rest: Chunk, start: number, end: number): void {
    const stream = this.#newStream();
    const head = this.#client.request;
    const { engine } = this.#context;
    headChunk.retain();
    this.#headChunk = headChunk;
    stream.request = head;
    stream.requestMs = engine.nowMs - stream.startMs;
    stream.bytesIn = head.end - head.start;
    stream.response = null;
    this.#requestBody.reset(head.framing, head.contentLength);
    this.#isRequestDone = this.#requestBody.isComplete;
    if (start < end) this.#hold(rest, start, end);
    this.#client.armClientTimeout();
    this.#continue(this.#phases.run(stream));
  }

  /** More from the client while the exchange goes on: body, or the next requests. */
  receiveRequestData(chunk: Chunk, start: number, end: number): void {
    if (this.#isRequestDone || this.#link === null || this.#held.length > 0) {
      this.#hold(chunk, start, end);
      if (this.#waiting === "body" && !this.#isRequestDone) this.#continueWithBody(false);
    } else this.#forwardRequestBody(this.#link, chunk, start, end);
    this.#client.armClientTimeout();
  }

  /** A head that never became complete, or was no HTTP. */
  failHead(termination: Termination, status: number = termination.status): void {
    const stream = this.#newStream();
    this.#context.state.count(stream.frontend.slot, COUNTER.ereq);
    this.#context.state.count(this.#client.listener.slot, COUNTER.ereq);
    this.#isRequestDone = true;
    this.#reply(errorReply(status, replySource(this.#context, stream)), termination);
  }

  /** The client left in the middle of a head. */
  logBrokenHead(): void {
    const stream = this.#newStream();
    stream.status = 400;
    this.#context.state.count(stream.frontend.slot, COUNTER.ereq);
    this.#end(TERMINATION.clientClosedInRequest);
    this.#finish();
  }

  handleClientDrain(): void {
    if (this.#isFinishing) this.#finish();
    else this.#link?.connection.resume();
  }

  handleClientEnd(): void {
    if (!this.#isRequestDone) this.#failClient(TERMINATION.clientGoneInData);
    else if (this.#link === null && this.stream.backend?.definition.options.abortonclose === true) {
      this.#failClient(
        this.#connector.isQueued ? TERMINATION.clientGoneInQueue : TERMINATION.clientGoneInConnect,
      );
    }
  }

  handleClientGone(_failure: Failure | null): void {
    if (!this.#isActive) return;
    if (this.#isFinishing) this.#finish();
    else if (this.#isResponseBegun) this.#failClient(TERMINATION.clientGoneInData);
    else if (this.#link !== null) this.#failClient(TERMINATION.clientGoneBeforeResponse);
    else
      this.#failClient(
        this.#connector.isQueued ? TERMINATION.clientGoneInQueue : TERMINATION.clientGoneInConnect,
      );
  }

  handleClientTimeout(): void {
    if (!this.#isActive) return;
    const isWaitingForServer = this.#isRequestDone && !this.#isResponseBegun;
    // The client owes us nothing while the server thinks.
    if (isWaitingForServer || this.#waiting === "tarpit") return;
    this.#failClient(TERMINATION.clientTimeoutInData);
  }

  /** The runtime API ends the stream. */
  kill(): void {
    if (this.#isActive) this.#failClient(TERMINATION.killed);
  }

  #newStream(): Stream {
    const { session, headStartMs, idleSinceMs } = this.#client;
    const { engine, state } = this.#context;
    const stream = new Stream(session, this.#context.runtime);
    session.requestCount++;
    stream.startMs = headStartMs;
    stream.startDateMs = engine.wallClockMs - (engine.nowMs - headStartMs);
    stream.idleMs = headStartMs - idleSinceMs;
    this.stream = stream;
    this.#isActive = true;
    this.#waiting = "server";
    this.#isRequestDone = false;
    this.#isResponseBegun = false;
    this.#isResponseDone = false;
    this.#isBodySent = false;
    this.#isClientKept = false;
    this.#isFinishing = false;
    this.#phases.reset();
    this.#response.reset();
    state.count(stream.frontend.slot, COUNTER.reqTot);
    countRate(state, stream.frontend.slot, COUNTER.reqRateSecond, engine.wallClockMs);
    return stream;
  }

  #continue(outcome: PhaseOutcome): void {
    switch (outcome.kind) {
      case "forward":
        this.#waiting = "server";
        this.#connector.start(true);
        return;
      case "wait":
        this.#waiting = "body";
        this.#context.engine.timers.arm(this.#timer, outcome.deadlineMs);
        this.#continueWithBody(false);
        return;
      case "reply":
        this.#reply(outcome.reply, outcome.termination);
        return;
      case "tarpit": {
        const { timeouts } = (this.stream.backend ?? this.stream.frontend).definition;
        this.#waiting = "tarpit";
        this.#tarpitReply = outcome.reply;
        this.#context.engine.timers.arm(
          this.#timer,
          this.#context.engine.nowMs + (timeouts.tarpitMs ?? timeouts.connectMs ?? 0),
        );
        return;
      }
      case "drop":
        this.#end(TERMINATION.denied);
        if (outcome.isSilent) this.#client.connection.reset();
        else this.#client.connection.close();
        this.#finish();
    }
  }

  /** `wait-for-body` and buffered requests: the phases go on once the body, or as much as fits, is here. */
  #continueWithBody(isTimeUp: boolean): void {
    const stream = this.stream;
    const limit = this.#context.runtime.configuration.global.bufferBytes;
    const peek = new BodyDecoder();
    peek.reset(stream.request!.framing, stream.request!.contentLength);
    const parts: Uint8Array[] = [];
    let heldBytes = 0;
    for (const { chunk, start, end } of this.#held) {
      heldBytes += end - start;
      if (!peek.isComplete) peek.collect(chunk.bytes, start, end, parts);
    }
    stream.body = Buffer.concat(parts);
    if (!peek.isComplete && heldBytes < limit && !isTimeUp) return;
    stream.isContentFinal = true;
    this.#context.engine.timers.disarm(this.#timer);
    this.#waiting = "server";
    this.#continue(this.#phases.run(stream));
  }

  #hold(chunk: Chunk, start: number, end: number): void {
    chunk.retain();
    this.#held.push({ chunk, start, end });
    // More than this nobody needs before the server is there.
    if (this.#waiting !== "body" || this.#held.length > 8) this.#client.connection.pause();
  }

  #sendHeld(link: ServerLink): void {
    const held = this.#held;
    this.#held = [];
    for (const { chunk, start, end } of held) {
      if (this.#link === link && !this.#isRequestDone) this.#forwardRequestBody(link, chunk, start, end);
      else this.#hold(chunk, start, end);
      chunk.release();
    }
    if (this.#held.length === 0) this.#client.connection.resume();
  }

  #forwardRequestBody(link: ServerLink, chunk: Chunk, start: number, end: number): void {
    const taken = this.#requestBody.feed(chunk.bytes, start, end);
    if (taken < 0) {
      this.#failClient(this.#isResponseBegun ? TERMINATION.clientGoneInData : TERMINATION.badRequest);
      return;
    }
    if (taken > 0) {
      this.#isBodySent = true;
      this.stream.bytesIn += taken;
      link.connection.send(chunk, start, start + taken);
    }
    if (start + taken < end) this.#hold(chunk, start + taken, end);
    if (this.#requestBody.isComplete) this.#requestDone();
    else if (link.connection.pendingBytes > HIGH_WATER_BYTES) this.#client.connection.pause();
  }

  #requestDone(): void {
    this.#isRequestDone = true;
    this.#client.connection.expectBulk(0);
    this.#armServerTimeout();
    if (this.#isResponseDone) this.#exchangeDone();
  }

  // ---- The server ----

  takePrivateLink(server: Server): ServerLink | null {
    const link = this.#privateLink;
    if (link === null || link.server.slot !== server.slot || link.connection.isClosed) return null;
    this.#privateLink = null;
    link.isReused = true;
    return link;
  }

  handleServerReady(link: ServerLink): void {
    this.#link = link;
    const head = this.stream.request!;
    this.#setServerConnectionHeader(head, link);
    const chunk = this.#context.engine.allocate(head.encodedLengthMax());
    const length = head.encodeInto(chunk.bytes, 0);
    this.#sentHead = chunk;
    this.#sentHeadLength = length;
    this.#sendRequest(link);
  }

  #sendRequest(link: ServerLink): void {
    this.#requestSentMs = this.#context.engine.nowMs;
    link.connection.send(this.#sentHead!, 0, this.#sentHeadLength);
    this.#armServerTimeout();
    if (!this.#isRequestDone) {
      this.#client.connection.expectBulk(this.stream.request!.contentLength);
      if (this.#held.length > 0) this.#sendHeld(link);
    }
  }

  handleServerFailed(termination: Termination): void {
    if (this.stream.backend!.settings.servers.length === 0 || termination === TERMINATION.noServer)
      this.stream.server = null;
    this.#reply(errorReply(termination.status, replySource(this.#context, this.stream)), termination);
  }

  /** HAProxy writes only what differs from the version's default: nothing for keep-alive in HTTP/1.1. */
  #setServerConnectionHeader(head: MessageHead, link: ServerLink): void {
    const backMode = this.stream.backend!.definition.options.connectionMode;
    const frontMode = this.stream.frontend.definition.options.connectionMode;
    const mayKeep = backMode === "keep-alive" && frontMode === "keep-alive";
    setConnectionHeader(head, mayKeep);
    this.#isServerKept = mayKeep;
    if (link.server.backend.settings.sendNameHeader !== null) {
      head.setHeader(link.server.backend.settings.sendNameHeader, link.server.name);
    }
  }

  handleLinkOpen(_link: ServerLink): void {}

  handleLinkData(link: ServerLink, chunk: Chunk, start: number, end: number): void {
    if (!this.#isResponseBegun) this.#receiveResponseHead(link, chunk, start, end);
    else if (!this.#isResponseDone) {
      this.#armServerTimeout();
      this.#forwardResponseBody(link, chunk, start, end);
    }
  }

  handleLinkDrain(_link: ServerLink): void {
    if (!this.#isRequestDone && this.#held.length === 0) this.#client.connection.resume();
  }

  handleLinkEnd(link: ServerLink): void {
    this.#handleServerEnd(link, true);
  }

  handleLinkClose(link: ServerLink, _failure: Failure | null): void {
    this.#handleServerEnd(link, false);
  }

  #handleServerEnd(link: ServerLink, isOrderly: boolean): void {
    if (!this.#isActive || this.#link !== link) return;
    if (!this.#isResponseBegun) {
      this.#handleDeadBeforeResponse(link);
      return;
    }
    this.#isServerKept = false;
    if (this.#isResponseDone) return;
    // An until-close body ends with an orderly close; with a reset it is cut.
    if (isOrderly && this.#responseBody.finishAtClose()) this.#responseDone();
    else this.#failServer(TERMINATION.serverClosedInData);
  }

  /** A reused connection may have been closed by the server while our request was on its way: that is no answer. */
  #handleDeadBeforeResponse(link: ServerLink): void {
    const isFresh = !link.isReused;
    if (
      isFresh ||
      this.#isBodySent ||
      this.#partialLength > 0 ||
      !IDEMPOTENT.has(this.stream.request!.method)
    ) {
      this.#context.observe(link.server, "http-closed");
      if (isFresh || this.stream.session.requestCount <= 1)
        this.#failServer(TERMINATION.serverClosedBeforeResponse);
      else this.#abandonClient(link);
      return;
    }
    this.#dropLink();
    this.#connector.release();
    this.#sentHead?.release();
    this.#sentHead = null;
    this.stream.server = link.server;
    this.#connector.start(true);
  }

  /** The client may repeat the request on a new connection of its own accord (RFC 9112 section 9.3.1): tell it by closing. */
  #abandonClient(_link: ServerLink): void {
    this.#end(TERMINATION.serverClosedBeforeResponse);
    this.#client.connection.close();
    this.#finish();
  }

  handleTimeout(_nowMs: number): void {
    if (!this.#isActive) return;
    if (this.#waiting === "tarpit") this.#reply(this.#tarpitReply!, TERMINATION.tarpit);
    else if (this.#waiting === "body") this.#continueWithBody(true);
    else if (!this.#isResponseBegun) {
      this.#context.observe(this.stream.server!, "http-read-timeout");
      this.#failServer(TERMINATION.serverTimeout);
    } else this.#failServer(TERMINATION.serverTimeoutInData);
  }

  #armServerTimeout(): void {
    const timeoutMs = this.stream.serverTimeoutMs ?? this.stream.backend!.definition.timeouts.serverMs;
    if (timeoutMs !== null)
      this.#context.engine.timers.arm(this.#timer, this.#context.engine.nowMs + timeoutMs);
  }

  // ---- The response ----

  #receiveResponseHead(link: ServerLink, chunk: Chunk, start: number, end: number): void {
    let bytes = chunk.bytes;
    let from = start;
    let to = end;
    let before = 0;
    if (this.#partialResponse !== null) {
      before = this.#partialLength;
      if (!this.#appendPartial(chunk, start, end)) {
        this.#failBadResponse(link);
        return;
      }
      bytes = this.#partialResponse.bytes;
      from = 0;
      to = this.#partialLength;
    }
    for (;;) {
      const consumed = parseResponseHead(
        this.#response,
        bytes,
        from,
        to,
        this.stream.request!.method,
        RESPONSE_LIMITS,
      );
      if (consumed < 0) {
        this.#failBadResponse(link);
        return;
      }
      if (consumed === 0) {
        if (this.#partialResponse === null) this.#startPartial(chunk, from, end);
        return;
      }
      from += consumed;
      // In the caller's chunk, the rest begins where the head that may have begun in an earlier chunk ends.
      const rest = this.#partialResponse === null ? from : start + from - before;
      if (this.#response.status >= 200 || this.#response.status === 101) {
        this.#beginResponse(link, chunk, rest, end);
        return;
      }
      this.#forwardInterim();
      if (rest >= end) {
        this.#dropPartial();
        return;
      }
      if (this.#partialResponse !== null) {
        this.#dropPartial();
        bytes = chunk.bytes;
        to = end;
        from = rest;
        before = 0;
      }
    }
  }

  /** 100 Continue, 103 Early Hints: passed on to clients that understand them. */
  #forwardInterim(): void {
    if (this.stream.request!.versionMinor === 0) return;
    const response = this.#response;
    response.removeHeader("connection");
    this.#sendHead(response, null, 0, 0);
  }

  #beginResponse(link: ServerLink, chunk: Chunk, start: number, end: number): void {
    const { engine } = this.#context;
    const stream = this.stream;
    const response = this.#response;
    stream.response = response;
    stream.status = response.status;
    stream.responseMs = engine.nowMs - this.#requestSentMs;
    this.#isResponseBegun = true;
    this.#sentHead?.release();
    this.#sentHead = null;
    this.#context.observe(
      link.server,
      isHealthyStatus(response.status) ? "http-correct" : "http-wrong-status",
    );
    const outcome = runResponsePhases(this.#context, stream);
    if (outcome !== null) {
      this.#isResponseBegun = false;
      this.#dropLink();
      this.#reply(outcome.reply, outcome.termination);
      return;
    }
    stream.status = response.status;
    this.#decideKeeping(response);
    this.#armServerTimeout();
    if (isTunnel(stream, response)) {
      this.#becomeTunnel(link, response, chunk, start, end);
      return;
    }
    this.#responseBody.reset(response.framing, response.contentLength);
    this.#sendResponse(link, response, chunk, start, end);
    this.#dropPartial();
  }

  /** Which connections live on after this exchange, and what the client is told about its own. */
  #decideKeeping(response: MessageHead): void {
    const stream = this.stream;
    const request = stream.request!;
    if (response.connectionClose || (response.versionMinor === 0 && !response.connectionKeepAlive))
      this.#isServerKept = false;
    if (response.framing === FRAMING_UNTIL_CLOSE) this.#isServerKept = false;
    if (isConnectionAuthenticated(response)) this.#link!.isPrivate = true;
    const isOldClient = request.versionMinor === 0;
    this.#isDechunking = isOldClient && response.framing === FRAMING_CHUNKED;
    this.#isClientKept =
      this.#mayKeepClient(request) && response.framing !== FRAMING_UNTIL_CLOSE && !this.#isDechunking;
    if (this.#isDechunking) response.removeHeader("transfer-encoding");
    setClientConnectionHeader(response, this.#isClientKept, isOldClient);
  }

  #mayKeepClient(request: MessageHead): boolean {
    if (request.connectionClose || (request.versionMinor === 0 && !request.connectionKeepAlive)) return false;
    const front = this.stream.frontend.definition.options.connectionMode;
    const back = this.stream.backend?.definition.options.connectionMode;
    return front !== "close" && back !== "close" && !this.#context.isStopping;
  }

  #sendResponse(link: ServerLink, response: MessageHead, chunk: Chunk, start: number, end: number): void {
    const isSmall = end - start <= COPY_BODY_BYTES_MAX && !this.#isDechunking;
    if (!isSmall || start === end) {
      this.#sendHead(response, null, 0, 0);
      if (start < end) this.#forwardResponseBody(link, chunk, start, end);
      else this.#checkResponseDone(link, 0, 0);
      return;
    }
    const taken = this.#responseBody.feed(chunk.bytes, start, end);
    if (taken < 0) {
      this.#isResponseBegun = false;
      this.#failBadResponse(link);
      return;
    }
    this.#sendHead(response, chunk, start, start + taken);
    this.#checkResponseDone(link, start + taken, end);
  }

  #sendHead(head: MessageHead, body: Chunk | null, start: number, end: number): void {
    const out = this.#context.engine.allocate(head.encodedLengthMax() + end - start);
    let length = head.encodeInto(out.bytes, 0);
    if (body !== null) {
      out.bytes.set(body.bytes.subarray(start, end), length);
      length += end - start;
    }
    this.stream.bytesOut += length;
    this.#client.connection.send(out, 0, length);
    out.release();
  }

  #forwardResponseBody(link: ServerLink, chunk: Chunk, start: number, end: number): void {
    const client = this.#client.connection;
    let taken: number;
    if (this.#isDechunking) {
      const parts: Uint8Array[] = [];
      taken = this.#responseBody.collect(chunk.bytes, start, end, parts);
      for (const part of parts) this.#sendCopy(client, part);
    } else {
      taken = this.#responseBody.feed(chunk.bytes, start, end);
      if (taken > 0) {
        this.stream.bytesOut += taken;
        client.send(chunk, start, start + taken);
      }
    }
    if (taken < 0) {
      this.#failServer(TERMINATION.serverClosedInData);
      return;
    }
    this.#client.armClientTimeout();
    this.#checkResponseDone(link, start + taken, end);
  }

  #sendCopy(connection: Connection, bytes: Uint8Array): void {
    const out = this.#context.engine.allocate(bytes.length);
    out.bytes.set(bytes);
    this.stream.bytesOut += bytes.length;
    connection.send(out, 0, bytes.length);
    out.release();
  }

  #checkResponseDone(link: ServerLink, restStart: number, end: number): void {
    if (this.#responseBody.isComplete) {
      // Bytes behind the end of a response belong to no request: such a connection must not be used again.
      if (restStart < end) this.#isServerKept = false;
      this.#responseDone();
      return;
    }
    link.connection.expectBulk(
      this.#response.framing === FRAMING_LENGTH ? this.#responseBody.remaining : HIGH_WATER_BYTES,
    );
    if (this.#client.connection.pendingBytes > HIGH_WATER_BYTES) link.connection.pause();
  }

  #responseDone(): void {
    this.#isResponseDone = true;
    this.#releaseLink();
    if (this.#isRequestDone) this.#exchangeDone();
    else {
      // The server answered without wanting the rest of the request.
      this.#isClientKept = false;
      this.#exchangeDone();
    }
  }

  // ---- Ends ----

  /** Both directions are done. Waits for a slow client to take a large rest, so that the log tells the truth. */
  #exchangeDone(): void {
    if (this.#client.connection.pendingBytes > HIGH_WATER_BYTES / 8) this.#isFinishing = true;
    else this.#finish();
  }

  #reply(reply: Reply, termination: Termination): void {
    const stream = this.stream;
    this.#dropLink();
    this.#connector.abandon();
    this.#end(termination);
    const request = stream.request;
    const isHead = request?.method === "HEAD";
    const head = this.#response;
    head.reset();
    if (
      parseResponseHead(
        head,
        Buffer.from(reply.head, "latin1"),
        0,
        reply.head.length,
        "GET",
        RESPONSE_LIMITS,
      ) <= 0
    ) {
      throw new Error(`a reply of our own is no HTTP message: ${reply.head}`);
    }
    stream.response = head;
    stream.status = head.status;
    stream.isIntercepted = termination.cause === "L";
    if (request !== null) runAfterResponse(stream);
    const keeps =
      request !== null && this.#mayKeepClient(request) && head.status !== 400 && head.status !== 408;
    this.#isClientKept = keeps && this.#isBodyHere();
    setClientConnectionHeader(head, this.#isClientKept, request?.versionMinor === 0);
    const body = isHead || head.status === 304 || head.status === 204 ? EMPTY : reply.body;
    const out = this.#context.engine.allocate(head.encodedLengthMax() + body.length);
    const length = head.encodeInto(out.bytes, 0);
    out.bytes.set(body, length);
    stream.bytesOut += length + body.length;
    this.#client.connection.send(out, 0, length + body.length);
    out.release();
    this.#isResponseBegun = true;
    this.#isResponseDone = true;
    this.#exchangeDone();
  }

  /** Takes the rest of the request's body off what was received; false when it is not all here. */
  #isBodyHere(): boolean {
    const held = this.#held;
    this.#held = [];
    for (const { chunk, start, end } of held) {
      const taken = this.#isRequestDone ? 0 : Math.max(0, this.#requestBody.feed(chunk.bytes, start, end));
      this.stream.bytesIn += taken;
      if (this.#requestBody.isComplete) this.#isRequestDone = true;
      if (start + taken < end) this.#held.push({ chunk, start: start + taken, end });
      else chunk.release();
    }
    return this.#isRequestDone;
  }

  #failBadResponse(link: ServerLink): void {
    this.#context.observe(link.server, "http-invalid-head");
    this.#failServer(TERMINATION.badResponse);
  }

  /** The server side broke: our own error if nothing was sent yet, else the client's connection is cut. */
  #failServer(termination: Termination): void {
    if (!this.#isResponseBegun && termination.status > 0) {
      this.#reply(errorReply(termination.status, replySource(this.#context, this.stream)), termination);
      return;
    }
    this.#end(termination);
    // An until-close or chunked client must not take a cut response for a whole one.
    this.#client.connection.reset();
    this.#dropLink();
    this.#finish();
  }

  #failClient(termination: Termination): void {
    const mayAnswer =
      !this.#isResponseBegun && termination.status >= 400 && !this.#client.connection.isClosed;
    if (mayAnswer && this.#client.isEnded === false) {
      this.#reply(errorReply(termination.status, replySource(this.#context, this.stream)), termination);
      return;
    }
    this.#end(termination);
    if (!this.#isResponseBegun && termination.status > 0) this.stream.status = termination.status;
    this.#connector.abandon();
    this.#dropLink();
    this.#client.connection.reset();
    this.#finish();
  }

  #end(termination: Termination): void {
    this.stream.cause = termination.cause === "L" ? "L" : termination.cause;
    this.stream.phase = termination.phase;
  }

  /** The exchange with the server is over: its connection goes back to the pool, to this client, or away. */
  #releaseLink(): void {
    const link = this.#link;
    if (link === null) return;
    this.#link = null;
    this.#context.engine.timers.disarm(this.#timer);
    link.exchangeCount++;
    if (!this.#isServerKept || !this.#isRequestDone || link.connection.isClosed) link.discard();
    else {
      link.connection.expectBulk(0);
      link.connection.resume();
      const isPrivate = link.isPrivate || link.server.backend.settings.httpReuse === "never";
      if (isPrivate) this.#keepPrivate(link);
      else link.pool.put(link, this.#context.engine.nowMs);
    }
    this.#connector.release();
  }

  #keepPrivate(link: ServerLink): void {
    this.#privateLink?.discard();
    link.owner = null;
    this.#privateLink = link;
  }

  #dropLink(): void {
    this.#context.engine.timers.disarm(this.#timer);
    const link = this.#link;
    this.#link = null;
    if (link !== null && !link.connection.isClosed) link.abort();
    this.#dropPartial();
  }

  /** The one end of every exchange. */
  #finish(): void {
    if (!this.#isActive) return;
    const { engine, state } = this.#context;
    const stream = this.stream;
    this.#isActive = false;
    this.#isFinishing = false;
    stream.endMs = engine.nowMs;
    engine.timers.disarm(this.#timer);
    this.#connector.abandon();
    this.#dropLink();
    countStream(state, stream, this.#client.listener.slot, Math.floor(engine.wallClockMs / 1000));
    stream.frontend.log?.write(stream);
    this.#sentHead?.release();
    this.#sentHead = null;
    this.#headChunk?.release();
    this.#headChunk = null;
    this.#tarpitReply = null;
    const leftovers = this.#held;
    this.#held = [];
    if (this.#isClientKept && !this.#client.connection.isClosed) {
      this.#client.connection.resume();
      this.#client.continueWith(leftovers);
      return;
    }
    for (const { chunk } of leftovers) chunk.release();
    this.#closePrivateLink();
    this.#client.finish(!this.#isRequestDone || leftovers.length > 0 || stream.request === null);
  }

  /** The client connection is gone for good. */
  #closePrivateLink(): void {
    this.#privateLink?.discard();
    this.#privateLink = null;
  }

  /** Called when the client connection has closed outside an exchange. */
  dispose(): void {
    this.#closePrivateLink();
  }

  // ---- Upgrades ----

  #becomeTunnel(link: ServerLink, response: MessageHead, chunk: Chunk, start: number, end: number): void {
    const stream = this.stream;
    this.#sendHead(response, null, 0, 0);
    this.#link = null;
    this.#isClientKept = false;
    this.#context.engine.timers.disarm(this.#timer);
    this.#context.engine.timers.disarm(this.#client.timer);
    const tunnel = new Tunnel(this.#context, this.#client.connection, link, stream, (termination) => {
      if (termination !== null) this.#end(termination);
      this.#client.connection.handler = this.#client;
      this.#isRequestDone = true;
      this.#finish();
      // The tunnel had the connection's last event; the client has to hear of it.
      if (this.#client.connection.isClosed) this.#client.handleClose(this.#client.connection, null);
    });
    tunnel.start();
    const held = this.#held;
    this.#held = [];
    for (const input of held) {
      tunnel.handleData(this.#client.connection, input.chunk, input.start, input.end);
      input.chunk.release();
    }
    if (start < end) tunnel.handleLinkData(link, chunk, start, end);
    this.#dropPartial();
    if (this.#client.isEnded) tunnel.handleEnd(this.#client.connection);
  }

  // ---- Response heads in several pieces ----

  #startPartial(chunk: Chunk, start: number, end: number): void {
    const bufferBytes = this.#context.runtime.configuration.global.bufferBytes;
    const partial = this.#context.engine.allocate(Math.max(bufferBytes, end - start));
    partial.bytes.set(chunk.bytes.subarray(start, end));
    this.#partialResponse = partial;
    this.#partialLength = end - start;
  }

  #appendPartial(chunk: Chunk, start: number, end: number): boolean {
    const partial = this.#partialResponse!;
    const taken = Math.min(end - start, partial.bytes.length - this.#partialLength);
    if (taken <= 0) return false;
    partial.bytes.set(chunk.bytes.subarray(start, start + taken), this.#partialLength);
    this.#partialLength += taken;
    return true;
  }

  #dropPartial(): void {
    this.#partialResponse?.release();
    this.#partialResponse = null;
    this.#partialLength = 0;
  }
}

const EMPTY = new Uint8Array(0);
/** Heads of servers are trusted to be larger than those of clients. */
const RESPONSE_LIMITS = { headBytesMax: 16384, headerCountMax: 101 };

/** What `observe layer7` takes for a sign of health: any answer that is not the server's own trouble. */
function isHealthyStatus(status: number): boolean {
  return status < 500 || status === 501 || status === 505;
}

function isTunnel(stream: Stream, response: MessageHead): boolean {
  return (
    response.status === 101 ||
    (stream.request!.method === "CONNECT" && response.status >= 200 && response.status < 300)
  );
}

/** NTLM and Negotiate authenticate the connection, not the request (RFC 4559 section 6). */
function isConnectionAuthenticated(response: MessageHead): boolean {
  if (response.status !== 401 && response.status !== 407) return false;
  const name = response.status === 401 ? "www-authenticate" : "proxy-authenticate";
  for (let i = response.indexOf(name); i >= 0; i = response.indexOf(name, i + 1)) {
    if (/^(NTLM|Negotiate)\b/i.test(response.valueAt(i))) return true;
  }
  return false;
}

/** Keeps the tokens that are not about persistence (upgrade), as HAProxy does, and writes ours only where needed. */
function setConnectionHeader(head: MessageHead, isKept: boolean): void {
  const isUpgrade = head.connectionUpgrade;
  if (head.connectionClose || head.connectionKeepAlive || isUpgrade) head.removeHeader("connection");
  if (isUpgrade) head.addHeader("connection", "upgrade");
  else if (!isKept) head.addHeader("connection", "close");
  else if (head.versionMinor === 0) head.addHeader("connection", "keep-alive");
}

function setClientConnectionHeader(head: MessageHead, isKept: boolean, isOldClient: boolean): void {
  const isUpgrade = head.connectionUpgrade && head.status === 101;
  if (head.connectionClose || head.connectionKeepAlive || head.connectionUpgrade)
    head.removeHeader("connection");
  if (isUpgrade) head.addHeader("connection", "upgrade");
  else if (!isKept) head.addHeader("connection", "close");
  else if (isOldClient) head.addHeader("connection", "keep-alive");
}
