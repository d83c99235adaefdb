// One stream of an HTTP/2 connection, as the exchange sees it: a client connection of its own that speaks
// HTTP/1.1. It is used for one stream after the other, as a connection that is kept alive, so that exchanges
// are reused. No operation calls a handler: what has to be told is told in the connection's next turn.
import type { SocketAddress } from "../../base/address.ts";
import { type Failure, failure } from "../../base/failure.ts";
import { copyBytes } from "../../protocol/http1/bytes.ts";
import { FRAMING_CHUNKED, MessageHead } from "../../protocol/http1/message-head.ts";
import { parseResponseHead } from "../../protocol/http1/response-parser.ts";
import { ERROR } from "../../protocol/http2/frames.ts";
import type { RequestHeadWriter } from "../../protocol/http2/request-head.ts";
import type {
  Chunk,
  ConnectionHandler,
  ProxiedConnection,
  TcpStatistics,
  TlsFacts,
} from "../../transport/contract.ts";
import { HttpClient } from "../exchange/http-client.ts";
import type { StreamConnection } from "../exchange/stream-connection.ts";
import { Session } from "../stream.ts";
import { OUTPUT_BYTES_MAX } from "./frame-output.ts";
import type { Http2Client } from "./http2-client.ts";
import { StreamInput } from "./stream-input.ts";
import { StreamOutput } from "./stream-output.ts";

export class Http2Stream implements StreamConnection {
  readonly id: number;
  handler: ConnectionHandler;
  readonly client: HttpClient;
  readonly output: StreamOutput = new StreamOutput();
  readonly input: StreamInput;
  /** The present stream's number; 0 between two. */
  streamId = 0;
  method = "";
  sendWindow = 0;
  receiveWindow = 0;
  /** The client has sent, or we have sent, END_STREAM. */
  isRequestEnded = false;
  isResponseEnded = false;
  /** The end of the request has to be told as one of the connection: CONNECT asked for one. */
  isEndDue = false;
  /** The exchange wants it to end: with an error (RST_STREAM), or null while it does not. */
  endsWith: number | null = null;
  isClosed = false;
  /** The handler has seen bytes waiting, and has to be told once they were taken; they were. */
  isDrainWanted = false;
  isDrainDue = false;
  /** It has a place in the next turn. For `ResponseFrames`. */
  isDue = false;
  /** Nothing is left of the last exchange, so that another stream may begin. */
  isIdle = true;
  /** It waits for one in `StreamSet`. */
  isFree = true;
  readonly #owner: Http2Client;

  constructor(owner: Http2Client, id: number) {
    const { engine } = owner.context;
    this.#owner = owner;
    this.id = id;
    this.input = new StreamInput(engine, (chunk, start, end) => {
      if (!this.isClosed) this.handler.handleData(this, chunk, start, end);
    });
    const session = sessionFor(owner.session, this);
    this.client = new HttpClient(this, owner.listener, owner.context, session);
    this.handler = this.client;
    this.client.beginStreams(engine.nowMs);
  }

  get remote(): SocketAddress {
    return this.#owner.connection.remote;
  }

  get local(): SocketAddress {
    return this.#owner.connection.local;
  }

  get proxied(): ProxiedConnection | null {
    return this.#owner.connection.proxied;
  }

  get tls(): TlsFacts | null {
    return this.#owner.connection.tls;
  }

  get pendingBytes(): number {
    const count = this.output.waitingBytes + (this.#owner.isFull ? OUTPUT_BYTES_MAX : 0);
    if (count > 0) this.isDrainWanted = true;
    return count;
  }

  /** The request's head is in `client.request`, and its bytes in `text`. */
  begin(streamId: number, text: RequestHeadWriter, sendWindow: number, receiveWindow: number): void {
    const { client } = this;
    const { request, session } = client;
    this.streamId = streamId;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.isRequestEnded = this.isResponseEnded = this.isDrainWanted = this.isDrainDue = this.isEndDue = false;
    this.isIdle = this.isFree = false;
    this.method = request.method;
    this.output.begin();
    this.input.begin(request.framing === FRAMING_CHUNKED, request.contentLength);
    session.tracked = this.#owner.session.tracked;
    client.switchedFrom = this.#owner.switchedFrom;
    this.#owner.switchedFrom = null;
    const chunk = this.#owner.context.engine.allocate(text.length);
    copyBytes(text.bytes, 0, text.length, chunk.bytes, 0);
    request.bytes = chunk.bytes;
    client.receiveHead(chunk, text.length);
    chunk.release();
  }

  /** The client has sent END_STREAM. False: before all that it had announced. */
  endRequest(trailers: string): boolean {
    this.isRequestEnded = true;
    this.isEndDue = this.method === "CONNECT";
    return this.input.addEnd(trailers);
  }

  /**
   * Hands over what can be taken; returns the window that this sets free, once it is worth a frame:
   * `windowBytesMin`.
   */
  deliver(windowBytesMin: number): number {
    this.input.deliver();
    if (this.isEndDue && this.input.isEmpty && !this.isClosed) {
      this.isEndDue = false;
      this.handler.handleEnd(this);
    }
    return this.input.takeWindowBytes(windowBytesMin);
  }

  readTcpStatistics(): TcpStatistics | null {
    return this.#owner.connection.readTcpStatistics?.() ?? null;
  }

  /** Of a body; or text of our own that was never a head, which then is read as one. */
  send(chunk: Chunk, start: number, end: number): void {
    if (!this.#maySend()) return;
    if (!this.output.isHeadSent) {
      this.#sendText(chunk.bytes, start, end);
      return;
    }
    this.output.add(chunk, start, end);
    if (this.output.isBroken) this.endsWith = ERROR.internal;
    this.#owner.wantTurn(this);
  }

  sendHead(head: MessageHead, body: Uint8Array, start: number, end: number): number {
    if (!this.#maySend()) return 0;
    // Switching protocols is no part of HTTP/2 (RFC 9113 section 8.6).
    if (head.status === 101) {
      this.#break();
      return 0;
    }
    const { frames, context } = this.#owner;
    const rest = frames.sendHead(this, head, body, start, end);
    this.#owner.wantTurn(this);
    if (rest < end) {
      const chunk = context.engine.allocate(end - rest);
      this.send(chunk, 0, copyBytes(body, rest, end, chunk.bytes, 0));
      chunk.release();
    }
    return frames.headLength + end - start;
  }

  /** The exchange is through with its last stream. */
  handleIdle(): void {
    this.isIdle = true;
    this.#owner.wantTurn(this);
  }

  /** No getter: V8 looks for a private one by a call into its runtime, each time. */
  #maySend(): boolean {
    return !this.isClosed && this.streamId !== 0 && this.endsWith === null;
  }

  #sendText(bytes: Uint8Array, start: number, end: number): void {
    const length = parseResponseHead(TEXT_HEAD, bytes, start, end, this.method, TEXT_LIMITS);
    if (length <= 0) this.#break();
    else this.sendHead(TEXT_HEAD, bytes, start + length, end);
  }

  #break(): void {
    this.output.isBroken = true;
    this.endsWith = ERROR.internal;
    this.#owner.wantTurn(this);
  }

  pause(): void {
    this.input.isPaused = true;
  }

  resume(): void {
    if (!this.input.isPaused) return;
    this.input.isPaused = false;
    if (this.streamId !== 0) this.#owner.wantTurn(this);
  }

  expectBulk(_byteCount: number): void {}

  /** The response is whole, or never will be. What the client still sends is wanted by tunnels only. */
  shutdown(): void {
    if (this.isClosed || this.endsWith !== null) return;
    if (!this.output.isTunnel) this.close();
    else {
      this.output.end();
      this.#owner.wantTurn(this);
    }
  }

  close(): void {
    if (this.isClosed || this.endsWith !== null) return;
    if (this.streamId !== 0) this.output.end();
    this.endsWith = this.output.isBroken ? ERROR.internal : ERROR.none;
    this.#owner.wantTurn(this);
  }

  reset(): void {
    if (this.isClosed) return;
    this.endsWith = ERROR.internal;
    this.output.drop();
    this.#owner.wantTurn(this);
  }

  /** It is over for the exchange too: `isReset` tells that it was the client who broke it off. */
  handleClosed(isReset: boolean): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.streamId = 0;
    this.output.drop();
    this.input.drop();
    this.handler.handleClose(this, isReset ? RESET : null);
  }

  /** Request and response are through; the exchange may still have to end. */
  handleDone(): void {
    this.streamId = 0;
    this.input.drop();
  }
}

const RESET: Failure = failure("reset", "client", "the client reset the stream");

/** For texts that are responses: 100 Continue, errors of heads that were none. */
const TEXT_HEAD = new MessageHead();
const TEXT_LIMITS = { headBytesMax: Number.MAX_SAFE_INTEGER, headerCountMax: Number.MAX_SAFE_INTEGER };

/** What rules see of the connection; what they change of it for one request stays with that request. */
function sessionFor(parent: Session, connection: StreamConnection): Session {
  const { frontend, bind, acceptMs, acceptDateMs } = parent;
  const session = new Session(connection, frontend, bind, acceptMs, acceptDateMs);
  session.isHttp2 = true;
  session.source = parent.source;
  session.destination = parent.destination;
  session.originalSource = parent.originalSource;
  session.originalDestination = parent.originalDestination;
  session.handshakeMs = parent.handshakeMs;
  parent.variables ??= new Map();
  session.variables = parent.variables;
  return session;
}
