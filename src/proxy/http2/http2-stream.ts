// One stream of an HTTP/2 connection, as the exchange sees it: a client connection of its own that speaks
// HTTP/1.1. It is used for one stream after the other, as a connection that is kept alive, so that exchanges
// are reused. No operation calls a handler: what has to be told is told in the connection's next turn.
import type { SocketAddress } from "../../base/address.ts";
import { type Failure, failure } from "../../base/failure.ts";
import { writeLatin1 } from "../../protocol/http1/bytes.ts";
import { ERROR } from "../../protocol/http2/frames.ts";
import type { RequestParts } from "../../protocol/http2/request-head.ts";
import type {
  Chunk,
  Connection,
  ConnectionHandler,
  ProxiedConnection,
  TlsFacts,
} from "../../transport/contract.ts";
import { HttpClient } from "../exchange/http-client.ts";
import { Session } from "../stream.ts";
import type { Http2Client } from "./http2-client.ts";
import { StreamInput } from "./stream-input.ts";
import { StreamOutput } from "./stream-output.ts";

export class Http2Stream implements Connection {
  readonly id: number;
  handler: ConnectionHandler;
  readonly client: HttpClient;
  readonly output: StreamOutput = new StreamOutput();
  readonly input: StreamInput;
  /** The present stream's number; 0 between two. */
  streamId = 0;
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
  /** The handler has to be told that all was taken. */
  isDrainDue = false;
  readonly #owner: Http2Client;
  #isConnect = false;

  constructor(owner: Http2Client, id: number) {
    const { engine } = owner.context;
    this.#owner = owner;
    this.id = id;
    this.input = new StreamInput(engine, (chunk, start, end) => {
      if (!this.isClosed) this.handler.handleData(this, chunk, start, end);
    });
    const session = sessionFor(owner.session, this);
    this.client = new HttpClient(this, owner.listener, owner.context, session, true);
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
    return this.output.waitingBytes;
  }

  /** It can be used for another stream. */
  get isFree(): boolean {
    return this.streamId === 0 && !this.isClosed && this.endsWith === null && this.client.isIdle;
  }

  begin(streamId: number, parts: RequestParts, sendWindow: number, receiveWindow: number): void {
    this.streamId = streamId;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.isRequestEnded = this.isResponseEnded = this.isDrainDue = this.isEndDue = false;
    this.#isConnect = parts.method === "CONNECT";
    this.output.begin(parts.method);
    this.input.begin(parts);
    const { session } = this.client;
    session.tracked = this.#owner.session.tracked;
    this.client.switchedFrom = this.#owner.switchedFrom;
    this.#owner.switchedFrom = null;
    const chunk = this.#owner.context.engine.allocate(parts.head.length);
    this.handler.handleData(this, chunk, 0, writeLatin1(parts.head, chunk.bytes, 0));
    chunk.release();
  }

  /** The client has sent END_STREAM. False: before all that it had announced. */
  endRequest(trailers: string): boolean {
    this.isRequestEnded = true;
    this.isEndDue = this.#isConnect;
    return this.input.addEnd(trailers);
  }

  /** Hands over what can be taken; returns the window that this sets free. */
  deliver(): number {
    this.input.deliver();
    if (this.isEndDue && this.input.isEmpty && !this.isClosed) {
      this.isEndDue = false;
      this.handler.handleEnd(this);
    }
    return this.input.takeWindowBytes();
  }

  readTcpStatistics(): ReturnType<NonNullable<Connection["readTcpStatistics"]>> {
    return this.#owner.connection.readTcpStatistics?.() ?? null;
  }

  send(chunk: Chunk, start: number, end: number): void {
    if (this.isClosed || this.streamId === 0 || this.endsWith !== null) return;
    this.output.add(chunk, start, end);
    if (this.output.isBroken) this.endsWith = ERROR.internal;
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

/** What rules see of the connection; what they change of it for one request stays with that request. */
function sessionFor(parent: Session, connection: Connection): Session {
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
