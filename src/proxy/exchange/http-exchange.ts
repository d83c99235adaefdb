// One HTTP exchange of a client connection: request phases, a server by the Connector, bodies both ways with
// backpressure, response phases, and an end that is always reached once: `#finish` logs, counts and gives
// everything back. Reused for all requests of its connection. Bytes are never copied when they are many.
import type { Failure } from "../../base/failure.ts";
import { Timer, type TimerTarget } from "../../base/timer-wheel.ts";
import { FRAMING_CHUNKED, type MessageHead } from "../../protocol/http1/message-head.ts";
import type { Chunk } from "../../transport/contract.ts";
import { beginCompression, endCompression } from "../compression/compressed-body.ts";
import type { Server } from "../runtime.ts";
import { countTracked } from "../stick-table/tracking.ts";
import type { Stream } from "../stream.ts";
import { endStream, noteTarpit } from "./accounting.ts";
import { BodyWait, CONTINUE } from "./body-wait.ts";
import { Connector, type ConnectorOwner } from "./connector.ts";
import type { ExchangeContext } from "./context.ts";
import { Delivery, HIGH_WATER_BYTES } from "./delivery.ts";
import type { HttpClient } from "./http-client.ts";
import {
  decideClientKeeping,
  doesServerKeep,
  endsConnection,
  isConnectionAuthenticated,
  isIdempotent,
  mayKeepClient,
  mayKeepServer,
  opensTunnel,
  setClientConnectionHeader,
  setServerConnectionHeader,
} from "./keep-alive.ts";
import { beginRequest } from "./refused-head.ts";
import { errorReply, type Reply } from "./replies.ts";
import { type PhaseOutcome, RequestPhases, replySource } from "./request-phases.ts";
import { RequestRelay } from "./request-relay.ts";
import { ResponseHeadReader } from "./response-head-reader.ts";
import { noteResponse, type ResponseOutcome, runReplyPhases, runResponsePhases } from "./response-phases.ts";
import { ResponseRelay, sendText } from "./response-relay.ts";
import { ResponseWait } from "./response-wait.ts";
import { isRetried, prepareRetry, type RetryReason } from "./retry.ts";
import type { ServerLink } from "./server-link.ts";
import { ServerLinks } from "./server-links.ts";
import { TERMINATION, type Termination } from "./termination.ts";
import { openTunnel } from "./upgrade.ts";

export class HttpExchange implements ConnectorOwner, TimerTarget {
  stream!: Stream;
  readonly #client: HttpClient;
  readonly #context: ExchangeContext;
  readonly #connector: Connector;
  readonly #phases: RequestPhases;
  /** Waiting for the server, for the body, or in the tarpit. */
  readonly #timer = new Timer(this);
  readonly #responses: ResponseHeadReader;
  readonly #requestRelay: RequestRelay;
  readonly #relay: ResponseRelay;
  #responseWait: ResponseWait | null = null;
  readonly #toClient = new Delivery();
  readonly #toServer = new Delivery();
  #isActive = false;
  #waiting: "body" | "tarpit" | "server" = "server";
  #tarpitReply: Reply | null = null;
  readonly #body: BodyWait;
  /** Holds the request head's bytes while the head may still be read. */
  #headChunk: Chunk | null = null;
  readonly #links = new ServerLinks();
  #isRequestDone = false;
  #isResponseBegun = false;
  #isResponseDone = false;
  #requestSentMs = 0;
  #isClientKept = false;
  #isDechunking = false;
  #isFinishing = false;

  constructor(client: HttpClient) {
    this.#client = client;
    this.#context = client.context;
    this.#connector = new Connector(client.context, this);
    this.#phases = new RequestPhases(client.context);
    this.#responses = new ResponseHeadReader(client.context.engine);
    this.#requestRelay = new RequestRelay(client.context.engine);
    this.#body = new BodyWait(client.context);
    this.#relay = new ResponseRelay(client.context.engine, client.connection);
  }

  get activeStream(): Stream | null {
    return this.#isActive ? this.stream : null;
  }

  /** A complete head: its bytes are in `headChunk`; what follows it is rest.bytes[start, end). */
  begin(headChunk: Chunk, rest: Chunk, start: number, end: number): void {
    const stream = beginRequest(this.#client);
    this.stream = stream;
    this.#reset();
    headChunk.retain();
    this.#headChunk = headChunk;
    this.#requestRelay.begin(stream);
    this.#isRequestDone = this.#requestRelay.isComplete;
    if (start < end) this.#hold(rest, start, end);
    this.#client.armClientTimeout();
    this.#continue(this.#phases.run(stream));
  }

  /** More from the client while the exchange goes on: body, or the next requests. */
  receiveRequestData(chunk: Chunk, start: number, end: number): void {
    if (this.#isRequestDone || this.#links.current === null || this.#requestRelay.heldCount > 0) {
      this.#hold(chunk, start, end);
      if (this.#waiting === "body" && !this.#isRequestDone) this.#continueWithBody(false);
    } else {
      const link = this.#links.current;
      if (!this.#isResponseDone) this.#armServerTimeout();
      this.#checkRequest(link, this.#requestRelay.forward(link.connection, chunk, start, end));
    }
    this.#client.armClientTimeout();
  }

  handleClientDrain(): void {
    if (this.#isFinishing) this.#finish();
    else this.#links.current?.connection.resume();
  }

  handleClientEnd(): void {
    const isWaiting = this.#links.current === null;
    // A FIN behind a whole request is no abort, also where the body is still held.
    const isWhole = this.#isRequestDone || (isWaiting && this.#requestRelay.peekBody().isComplete);
    if (!isWhole) this.#failClient(this.#goneInBody);
    else if (!this.#isResponseBegun && this.stream.backend?.definition.options.abortonclose === true)
      this.#failClient(isWaiting ? this.#connector.goneTermination : TERMINATION.clientAborted);
  }

  /** Its body is still coming, and somebody takes it. */
  get #isSendingBody(): boolean {
    return !this.#isRequestDone && (this.#links.current !== null || this.#waiting === "body");
  }

  /** How it ends when the client is gone before the whole body is here. */
  get #goneInBody(): Termination {
    return this.#waiting === "body" ? TERMINATION.clientGoneInBody : TERMINATION.clientGoneInData;
  }

  handleClientGone(_failure: Failure | null): void {
    if (!this.#isActive) return;
    if (this.#isFinishing) this.#finish();
    else if (this.#isResponseBegun || this.#isSendingBody) this.#failClient(this.#goneInBody);
    else if (this.#links.current !== null) this.#failClient(TERMINATION.clientGoneBeforeResponse);
    else this.#failClient(this.#connector.goneTermination);
  }

  handleClientTimeout(): void {
    if (!this.#isActive || this.#waiting === "tarpit") return;
    if (this.#isClientDue()) this.#failClient(TERMINATION.clientTimeoutInData);
    else this.#client.armClientTimeout();
  }

  #isClientDue(): boolean {
    const { connection } = this.#client;
    if (connection.pendingBytes === 0 && !this.#isSendingBody) return false;
    const source = this.#links.current?.connection ?? connection;
    return this.#toClient.isDue(this.stream.bytesOut, connection, source);
  }

  /** The runtime API ends the stream. */
  kill(): void {
    if (this.#isActive) this.#failClient(TERMINATION.killed);
  }

  #reset(): void {
    this.#isActive = true;
    this.#waiting = "server";
    this.#isResponseBegun = false;
    this.#isResponseDone = false;
    this.#isClientKept = false;
    this.#isFinishing = false;
    this.#phases.reset();
    this.#toClient.reset();
    this.#toServer.reset();
    const { bufferBytes, headerCountMax } = this.#context.runtime.configuration.global;
    this.#responses.reset(bufferBytes, headerCountMax);
  }

  #continue(outcome: PhaseOutcome): void {
    switch (outcome.kind) {
      case "forward":
        this.#waiting = "server";
        this.#links.isKept = mayKeepServer(this.stream);
        setServerConnectionHeader(this.stream, this.#links.isKept);
        this.#connector.start(true);
        return;
      case "wait":
        this.#waiting = "body";
        this.#body.await(outcome, () => this.#continueWithBody(false));
        this.#context.engine.timers.arm(this.#timer, outcome.deadlineMs);
        // What came with the head was held back for a server.
        this.#client.connection.resume();
        this.#continueWithBody(false);
        if (this.#waiting === "body" && this.#body.asksFor(this.stream.request!))
          sendText(this.#client.connection, this.#context.engine, this.stream, CONTINUE);
        return;
      case "reply":
        this.#reply(outcome.reply, outcome.termination);
        return;
      case "tarpit":
        this.#waiting = "tarpit";
        this.#tarpitReply = outcome.reply;
        this.#context.engine.timers.arm(this.#timer, outcome.deadlineMs);
        return;
      case "drop":
        this.#end(TERMINATION.denied);
        this.stream.requestMs = -1;
        if (outcome.isSilent) this.#client.connection.reset();
        else this.#client.connection.close();
        this.#finish();
    }
  }

  /** `wait-for-body` and buffered requests: the phases go on once the body, or as much as fits, is here. */
  #continueWithBody(isTimeUp: boolean): void {
    const outcome = this.#body.look(this.stream, this.#requestRelay, isTimeUp);
    if (outcome === "wait") return;
    if (outcome === "given-up") {
      this.#failClient(TERMINATION.requestTimeout);
      return;
    }
    this.#context.engine.timers.disarm(this.#timer);
    this.#waiting = "server";
    this.#continue(this.#phases.run(this.stream));
  }

  #hold(chunk: Chunk, start: number, end: number): void {
    this.#requestRelay.hold(chunk, start, end);
    // Nobody needs more before the server is there, unless rules do: as much as a buffer holds.
    if (this.#waiting !== "body" || !this.#body.wantsMore) this.#client.connection.pause();
  }

  #checkRequest(link: ServerLink, isWellFormed: boolean): void {
    const client = this.#client.connection;
    if (!isWellFormed) {
      this.#failClient(this.#isResponseBegun ? TERMINATION.clientGoneInData : TERMINATION.badRequest);
    } else if (this.#requestRelay.isComplete) {
      if (this.#requestRelay.heldCount > 0) client.pause();
      this.#requestDone();
    } else if (link.connection.pendingBytes > HIGH_WATER_BYTES) client.pause();
    else client.resume();
  }

  #requestDone(): void {
    this.#isRequestDone = true;
    this.#client.connection.expectBulk(0);
    if (this.#isResponseDone) this.#bothDone();
    else this.#armServerTimeout();
  }

  takePrivateLink(server: Server, key: string): ServerLink | null {
    return this.#links.takeOwn(server, key);
  }

  handleServerReady(link: ServerLink): void {
    this.#links.current = link;
    const { sendNameHeader } = link.server.backend.settings;
    if (sendNameHeader !== null) this.stream.request!.setHeader(sendNameHeader, link.server.name);
    prepareRetry(this.#context, this.stream, this.#requestRelay);
    this.#requestSentMs = this.#context.engine.nowMs;
    this.#requestRelay.sendHead(link.connection);
    this.#armServerTimeout();
    if (this.#isRequestDone) return;
    this.#client.connection.expectBulk(this.stream.request!.contentLength);
    if (this.#requestRelay.heldCount > 0)
      this.#checkRequest(link, this.#requestRelay.forwardHeld(link.connection));
  }

  handleServerFailed(termination: Termination): void {
    if (this.stream.backend!.settings.servers.length === 0 || termination === TERMINATION.noServer)
      this.stream.server = null;
    this.#reply(errorReply(termination.status, replySource(this.#context, this.stream)), termination);
  }

  handleLinkOpen(_link: ServerLink): void {}

  handleLinkData(link: ServerLink, chunk: Chunk, start: number, end: number): void {
    if (!this.#isResponseBegun) this.#receiveResponseHead(link, chunk, start, end);
    else if (!this.#isResponseDone) {
      this.#armServerTimeout();
      this.#client.armClientTimeout();
      this.#checkRelay(link, this.#relay.forward(chunk, start, end), end);
      this.#toClient.note(this.stream.bytesOut, this.#client.connection);
    }
  }

  handleLinkDrain(_link: ServerLink): void {
    if (!this.#isRequestDone && this.#requestRelay.heldCount === 0) this.#client.connection.resume();
  }

  handleLinkEnd(link: ServerLink): void {
    this.#handleServerEnd(link, true);
  }

  handleLinkClose(link: ServerLink, _failure: Failure | null): void {
    this.#handleServerEnd(link, false);
  }

  #handleServerEnd(link: ServerLink, isOrderly: boolean): void {
    if (!this.#isActive || this.#links.current !== link) return;
    if (!this.#isResponseBegun) {
      this.#handleDeadBeforeResponse(link);
      return;
    }
    this.#links.isKept = false;
    if (this.#isResponseDone) {
      if (!link.connection.isClosed) return;
      // It has answered and gone: nobody takes the rest of the request.
      this.#end(TERMINATION.serverClosedInData);
      this.#isClientKept = false;
      this.#bothDone();
      return;
    }
    // An until-close body ends with an orderly close; with a reset it is cut.
    if (isOrderly && this.#relay.finishAtClose()) this.#responseDone();
    else this.#failServer(TERMINATION.serverClosedInData);
  }

  /** A reused connection may have been closed while our request was on its way: that is no answer. */
  #handleDeadBeforeResponse(link: ServerLink): void {
    const isUntouched = !this.#requestRelay.isBodySent && !this.#responses.isPartial;
    if (link.isReused && isUntouched && isIdempotent(this.stream.request!.method)) {
      this.#dropLink();
      this.#connector.release();
      this.stream.server = link.server;
      this.#connector.start(true);
      return;
    }
    if (this.#retry(link, "emptyResponse")) return;
    this.#context.observe(link.server, "http-closed");
    const isFirst = !link.isReused || this.stream.session.requestCount <= 1;
    if (isFirst) this.#failServer(TERMINATION.serverClosedBeforeResponse);
    // A client may repeat a request on a new connection by itself (RFC 9112 section 9.3.1): closing says so.
    else this.#failClient(TERMINATION.serverClosedOnReuse);
  }

  /** `retry-on`: the request goes to a server once more. False: it may not, so what came is passed on. */
  #retry({ server }: ServerLink, reason: RetryReason): boolean {
    if (!isRetried(this.stream, reason) || !this.#requestRelay.mayRepeat) return false;
    this.#dropLink();
    this.#requestRelay.rewind();
    this.#isRequestDone = this.#requestRelay.isComplete;
    this.#connector.retry(server);
    return true;
  }

  handleTimeout(_nowMs: number): void {
    if (!this.#isActive) return;
    if (this.#waiting === "tarpit") {
      noteTarpit(this.stream, this.#context.engine.nowMs);
      this.#reply(this.#tarpitReply!, TERMINATION.tarpit);
    } else if (this.#waiting === "body") this.#continueWithBody(true);
    else if (
      !this.#toServer.isDue(this.stream.bytesIn, this.#links.current!.connection, this.#client.connection)
    )
      this.#armServerTimeout();
    else if (!this.#isResponseBegun) {
      if (this.#retry(this.#links.current!, "responseTimeout")) return;
      this.#context.observe(this.stream.server!, "http-read-timeout");
      this.#failServer(TERMINATION.serverTimeout);
    } else this.#failServer(TERMINATION.serverTimeoutInData);
  }

  #armServerTimeout(): void {
    const timeoutMs = this.stream.serverTimeoutMs ?? this.stream.backend!.definition.timeouts.serverMs;
    const { timers, nowMs } = this.#context.engine;
    if (timeoutMs !== null) timers.arm(this.#timer, nowMs + timeoutMs);
  }

  #receiveResponseHead(link: ServerLink, chunk: Chunk, start: number, end: number): void {
    const rest = this.#responses.readFinal(chunk, start, end, this.stream.request!.method, this);
    if (rest === 0 || this.#retry(link, rest < 0 ? "junkResponse" : this.#responses.head.status)) return;
    if (rest < 0) this.#failServer(TERMINATION.badResponse);
    else this.#beginResponse(link, this.#responses.head, chunk, rest, end);
  }

  /** 100 Continue, 103 Early Hints: passed on to clients that understand them. */
  handleInterim(head: MessageHead): void {
    if (this.stream.request!.versionMinor !== 1) return;
    this.#relay.sendHead(this.stream, head);
    // Nothing bounds their number.
    if (this.#client.connection.pendingBytes > this.#client.highWaterBytes)
      this.#links.current?.connection.pause();
  }

  #beginResponse(link: ServerLink, response: MessageHead, chunk: Chunk, start: number, end: number): void {
    const { engine } = this.#context;
    const stream = this.stream;
    stream.response = response;
    stream.status = response.status;
    stream.responseMs = engine.nowMs - this.#requestSentMs;
    this.#isResponseBegun = true;
    noteResponse(this.#context, stream, link.server);
    this.concludeResponse(runResponsePhases(this.#context, stream, null), chunk, start, end);
  }

  /** `chunk.bytes[start, end)` is what is here behind the head. */
  concludeResponse(outcome: ResponseOutcome, chunk: Chunk, start: number, end: number): void {
    const stream = this.stream;
    const link = this.#links.current!;
    const response = stream.response!;
    this.#isResponseBegun = outcome === null;
    if (outcome !== null) {
      if ("rules" in outcome) {
        this.#context.engine.timers.disarm(this.#timer);
        this.#responseWait = new ResponseWait(this.#context, this, link, stream, outcome);
        this.#responseWait.start(chunk, start, end);
        return;
      }
      stream.responseMs = -1;
      this.#dropLink();
      this.#reply(outcome.reply, outcome.termination);
      return;
    }
    stream.status = response.status;
    const compressed = beginCompression(this.#context, stream);
    this.#decideKeeping(response);
    this.#armServerTimeout();
    if (opensTunnel(stream, response)) {
      this.#becomeTunnel(link, response, chunk, start, end);
      return;
    }
    const rest = this.#relay.begin(stream, response, this.#isDechunking, compressed, chunk, start, end);
    if (rest < 0 && !this.#relay.isHeadSent) {
      this.#isResponseBegun = false;
      this.#failServer(TERMINATION.badResponse);
      return;
    }
    this.#responses.drop();
    this.#checkRelay(link, rest, end);
  }

  /** Which connections live on after this exchange, and what the client is told about its own. */
  #decideKeeping(response: MessageHead): void {
    const stream = this.stream;
    if (!doesServerKeep(response)) this.#links.isKept = false;
    if (isConnectionAuthenticated(response)) this.#links.current!.isPrivate = true;
    this.#isDechunking = stream.request!.versionMinor === 0 && response.framing === FRAMING_CHUNKED;
    this.#isClientKept = decideClientKeeping(stream, response, this.#isDechunking, this.#context.isStopping);
  }

  #checkRelay(link: ServerLink, rest: number, end: number): void {
    if (rest < 0) this.#failServer(TERMINATION.serverClosedInData);
    else if (this.#relay.isComplete) {
      // Bytes behind the end of a response belong to no request: such a connection must not be used again.
      if (rest < end) this.#links.isKept = false;
      this.#responseDone();
    } else {
      link.connection.expectBulk(this.#relay.expectedBytes);
      if (this.#client.connection.pendingBytes > this.#client.highWaterBytes) link.connection.pause();
    }
  }

  #responseDone(): void {
    this.#isResponseDone = true;
    if (this.#isRequestDone) this.#bothDone();
    // An early answer: the server still takes the rest of the request, but owes us nothing.
    else this.#context.engine.timers.disarm(this.#timer);
  }

  #bothDone(): void {
    this.#releaseLink();
    this.#exchangeDone();
  }

  /** Both directions are done. A slow client is given time for a large rest, so that the log is true. */
  #exchangeDone(): void {
    if (this.#client.connection.pendingBytes > this.#client.highWaterBytes / 8) this.#isFinishing = true;
    else this.#finish();
  }

  #reply(reply: Reply, termination: Termination): void {
    const stream = this.stream;
    this.#dropLink();
    this.#connector.abandon();
    this.#end(termination);
    if (reply.head === "") {
      stream.status = reply.status;
      this.#finish();
      return;
    }
    const { head } = this.#responses;
    const body = runReplyPhases(this.#context, stream, reply, head, termination);
    if ("reply" in body) {
      this.#reply(body.reply, body.termination);
      return;
    }
    // The next request can only be found when all of this one's body has come.
    this.#isRequestDone ||= this.#requestRelay.skipBody();
    const isOver = !this.#isRequestDone || endsConnection(head);
    this.#isClientKept = !isOver && mayKeepClient(stream, this.#context.isStopping);
    setClientConnectionHeader(head, this.#isClientKept, stream.request!.versionMinor === 0);
    this.#relay.sendReply(stream, head, body);
    this.#isResponseBegun = true;
    this.#isResponseDone = true;
    this.#exchangeDone();
  }

  /** The server side broke: our own error if nothing was sent yet, else the client's connection is cut. */
  #failServer(termination: Termination): void {
    const isBad = termination === TERMINATION.badResponse;
    if (isBad) this.#context.observe(this.stream.server!, "http-invalid-head");
    if (!this.#isResponseBegun && termination.status > 0) {
      countTracked(this.stream, "failure", this.#context.engine.nowMs);
      this.#reply(errorReply(termination.status, replySource(this.#context, this.stream)), termination);
      return;
    }
    this.#end(termination);
    // Where only the close tells the end, a cut response must not be taken for a whole one.
    if (!this.#relay.isDelimited) this.#client.connection.reset();
    this.#isClientKept = false;
    this.#dropLink();
    this.#finish();
  }

  #failClient(termination: Termination): void {
    if (termination === TERMINATION.clientGoneInBody) this.#phases.leaveInBody(this.stream, this.#body);
    const mayAnswer = !this.#isResponseBegun && termination.status >= 400;
    if (mayAnswer && !this.#client.connection.isClosed) {
      this.#reply(errorReply(termination.status, replySource(this.#context, this.stream)), termination);
      return;
    }
    this.#end(termination);
    if (!this.#isResponseBegun && termination.status > 0) this.stream.status = termination.status;
    this.#isClientKept = false;
    this.#connector.abandon();
    this.#dropLink();
    if (this.#isResponseBegun && !this.#relay.isDelimited) this.#client.connection.reset();
    this.#finish();
  }

  #end(termination: Termination): void {
    this.stream.cause = termination.cause;
    this.stream.phase = termination.phase;
  }

  /** The exchange with the server is over. */
  #releaseLink(): void {
    const { engine } = this.#context;
    engine.timers.disarm(this.#timer);
    this.#links.giveBack(this.#isRequestDone, this.stream.bytesOut, engine.nowMs);
    this.#connector.release();
  }

  #dropLink(): void {
    this.#responseWait?.abandon();
    this.#context.engine.timers.disarm(this.#timer);
    this.#links.drop();
    this.#responses.drop();
  }

  /** The one end of every exchange. */
  #finish(): void {
    if (!this.#isActive) return;
    const { engine } = this.#context;
    const stream = this.stream;
    this.#isActive = false;
    this.#body.stop();
    this.#isFinishing = false;
    stream.endMs = engine.nowMs;
    engine.timers.disarm(this.#timer);
    this.#connector.abandon();
    this.#dropLink();
    if (stream.compression !== null) endCompression(this.#context, stream, this.#relay.payloadBytes);
    this.#requestRelay.forgetSent();
    endStream(this.#context, stream, this.#client.listener.slot);
    this.#headChunk?.release();
    this.#headChunk = null;
    this.#tarpitReply = null;
    const hasLeftovers = this.#requestRelay.heldCount > 0;
    if (this.#isClientKept && !this.#client.connection.isClosed) {
      this.#client.connection.resume();
      this.#client.continueWith(this.#requestRelay.takeLeftovers());
      return;
    }
    this.#requestRelay.releaseAll();
    this.#links.dispose();
    this.#client.finish(!this.#isRequestDone || hasLeftovers || stream.request === null);
  }

  /** Called when the client connection has closed outside an exchange. */
  dispose(): void {
    this.#links.dispose();
  }

  #becomeTunnel(link: ServerLink, response: MessageHead, chunk: Chunk, start: number, end: number): void {
    this.#relay.sendHead(this.stream, response);
    this.#links.current = null;
    this.#isClientKept = false;
    this.#context.engine.timers.disarm(this.#timer);
    const received = { fromClient: this.#requestRelay.takeLeftovers(), chunk, start, end };
    openTunnel(this.#client, link, this.stream, received, (termination) => {
      if (termination !== null) this.#end(termination);
      this.#isRequestDone = true;
      this.#finish();
    });
    this.#responses.drop();
  }
}
