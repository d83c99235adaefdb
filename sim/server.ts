// The simulated origins: they do what the requests' plans say, check what they receive, and go down and
// come up as the scenario says. In tcp mode a first line carries the plan.
import type { Failure } from "../src/base/failure.ts";
import type { MemoryEngine } from "../src/io/memory/memory-engine.ts";
import type {
  Chunk,
  Connection,
  ConnectionHandler,
  Listener,
  TlsServerContext,
} from "../src/transport/contract.ts";
import { contentOf, differenceBetween, isPrefix } from "./content.ts";
import type { Draw } from "./draw.ts";
import { MalformedMessage, MessageReader, type ReadMessage } from "./message-reader.ts";
import { sendText } from "./outgoing.ts";
import { greetingOf, hasNoBody, type ResponsePlan, requestContent, responseContent } from "./plan.ts";

export const HTTP_PORT = 8000;
export const TCP_PORT = 9000;
/** Wants a PROXY header first. */
export const PROXY_PORT = 8001;
export const TLS_PORT = 8443;

export interface OriginWatch {
  readonly draw: Draw;
  readonly tls: TlsServerContext;
  /** Nothing is ever cut. */
  readonly isClean: boolean;
  violation(text: string): void;
  /** A request's head came in: once for a request that must not be repeated. */
  requestSeen(id: string, method: string): void;
}

/** One host with its two ports. */
export class Origin {
  readonly host: string;
  readonly engine: MemoryEngine;
  readonly watch: OriginWatch;
  readonly connections: Set<Connection> = new Set();
  /** What it answers health checks with. */
  isHealthy = true;
  #listeners: Listener[] = [];
  #isUp = false;

  constructor(host: string, engine: MemoryEngine, watch: OriginWatch) {
    this.host = host;
    this.engine = engine;
    this.watch = watch;
  }

  up(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    for (const port of [HTTP_PORT, PROXY_PORT, TLS_PORT])
      this.#listen(port, (connection) => new HttpOrigin(this, connection));
    this.#listen(TCP_PORT, () => new TcpOrigin(this));
  }

  /** Refuses from now on. */
  down(): void {
    this.#isUp = false;
    for (const listener of this.#listeners.splice(0)) listener.close();
  }

  resetAll(): void {
    for (const connection of [...this.connections]) connection.reset();
  }

  #listen(port: number, handlerFor: (connection: Connection) => ConnectionHandler): void {
    const options = {
      address: { kind: "tcp", host: this.host, port },
      backlog: 1000,
      tls: port === TLS_PORT ? this.watch.tls : null,
      acceptProxy: port === PROXY_PORT,
      handshakeTimeoutMs: 1000,
      reusePort: false,
    } as const;
    const acceptor = {
      accept: (connection: Connection) => {
        this.connections.add(connection);
        return handlerFor(connection);
      },
    };
    this.engine.listen(options, acceptor, (result) => {
      if (!result.ok) this.watch.violation(`origin ${this.host} cannot listen: ${result.error.message}`);
      else if (this.#isUp) this.#listeners.push(result.value);
      else result.value.close();
    });
  }
}

class HttpOrigin implements ConnectionHandler {
  readonly #origin: Origin;
  readonly #connection: Connection;
  readonly #reader: MessageReader;
  #plan: ResponsePlan | null = null;
  #id = "";
  #method = "";
  #isAnswering = false;
  #echoed = 0;
  #hasSwitched = false;
  #isStale = false;

  constructor(origin: Origin, connection: Connection) {
    this.#origin = origin;
    this.#connection = connection;
    this.#reader = new MessageReader(false, (_line, headers) =>
      headers.get("upgrade") === "websocket" ? "tunnel" : "as-announced",
    );
  }

  handleOpen(_connection: Connection): void {}
  handleDrain(_connection: Connection): void {}

  handleData(connection: Connection, chunk: Chunk, start: number, end: number): void {
    try {
      const events = this.#reader.receive(chunk.bytes.subarray(start, end));
      for (const { kind, message } of events) {
        if (kind === "head") this.#begin(message);
        else this.#complete(message);
      }
      if (this.#reader.isTunnel && this.#isAnswering) this.#echo();
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.#origin.watch.violation(`origin got no HTTP: ${error.message}`);
      connection.reset();
    }
  }

  handleEnd(connection: Connection): void {
    // Like a server that finishes what it is doing.
    if (!this.#isAnswering || this.#reader.isTunnel) connection.close();
  }

  handleClose(connection: Connection, _failure: Failure | null): void {
    this.#origin.connections.delete(connection);
    const partial = this.#reader.finish() ?? this.#reader.message;
    const id = partial?.headers.get("x-id");
    if (partial === null || id === undefined || this.#reader.isTunnel) return;
    const length = Number(partial.headers.get("x-length"));
    if (!isPrefix(requestContent({ id, bodyLength: length }), partial.body))
      this.#origin.watch.violation(`origin got a changed beginning of the body of request ${id}`);
  }

  #begin(message: ReadMessage): void {
    const { watch, engine } = this.#origin;
    if (this.#isAnswering) watch.violation(`origin got a request before it had answered request ${this.#id}`);
    this.#method = message.startLine.split(" ")[0]!;
    this.#id = message.headers.get("x-id") ?? "";
    this.#isAnswering = true;
    if (this.#id === "") {
      this.#plan = null;
      return;
    }
    watch.requestSeen(this.#id, this.#method);
    if (this.#isStale) {
      this.#plan = STALE_PLAN;
      this.#connection.close();
      return;
    }
    this.#checkSource(message.headers.get("x-client") ?? "");
    this.#plan = JSON.parse(message.headers.get("x-plan")!) as ResponsePlan;
    const target = message.startLine.split(" ")[1]!;
    if (!target.endsWith(`/${this.#id}`)) watch.violation(`origin got ${target} for request ${this.#id}`);
    if (message.headers.get("expect") === "100-continue") sendText(engine, this.#connection, CONTINUE);
    if (this.#plan.kind === "early" || this.#reader.isTunnel) this.#act(this.#plan);
  }

  /** A PROXY header speaks of the client whose request follows, and of no other. */
  #checkSource(client: string): void {
    const { proxied } = this.#connection;
    if (proxied === null || client === `${proxied.source.host}:${proxied.source.port}`) return;
    this.#origin.watch.violation(
      `request ${this.#id} of ${client} came behind the PROXY header of ${proxied.source.host}:${proxied.source.port}`,
    );
  }

  #complete(message: ReadMessage): void {
    const plan = this.#plan;
    if (plan === null) {
      const status = this.#origin.isHealthy ? "200 OK" : "500 Unwell";
      sendText(
        this.#origin.engine,
        this.#connection,
        `HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      this.#connection.close();
      return;
    }
    const wanted = requestContent({ id: this.#id, bodyLength: Number(message.headers.get("x-length")) });
    const difference = differenceBetween(wanted, message.body);
    if (difference !== null)
      this.#origin.watch.violation(`origin got a changed body of request ${this.#id}: ${difference}`);
    if (plan.kind !== "early") this.#act(plan);
  }

  #act(plan: ResponsePlan): void {
    this.#after(plan.delayMs, () => {
      switch (plan.kind) {
        case "hang":
          return;
        case "reset-before":
          this.#connection.reset();
          return;
        case "close-before":
          this.#connection.close();
          return;
        case "garbage":
          sendText(this.#origin.engine, this.#connection, "220 mail.example ESMTP\r\n\r\n");
          return;
        case "upgrade":
          this.#switchProtocols();
          this.#echo();
          return;
        default:
          this.#respond(plan);
      }
    });
  }

  #switchProtocols(): void {
    const head = `HTTP/1.1 101 Switching Protocols\r\n${WEBSOCKET_HEADERS}X-Id: ${this.#id}\r\n\r\n`;
    const bytes = Buffer.concat([Buffer.from(head, "latin1"), greetingOf(this.#id)]);
    sendText(this.#origin.engine, this.#connection, bytes);
    this.#hasSwitched = true;
  }

  #echo(): void {
    if (this.#plan === null || !this.#hasSwitched) return;
    const { rest } = this.#reader;
    if (rest.length === 0) return;
    this.#reader.rest = Buffer.alloc(0);
    this.#echoed += rest.length;
    sendText(this.#origin.engine, this.#connection, rest);
    if (this.#echoed >= this.#plan.length && this.#plan.afterwards !== "keep") this.#connection.close();
  }

  #respond(plan: ResponsePlan): void {
    const bytes = encodeResponse(this.#id, this.#method, plan, this.#origin);
    const isCut = plan.kind === "reset-midway" || plan.kind === "close-midway";
    const end = isCut ? Math.floor(bytes.length * 0.7) : bytes.length;
    const { draw } = this.#origin.watch;
    const cuts = Array.from({ length: plan.pieceCount - 1 }, () => draw.integer(1, end - 1)).sort(
      (a, b) => a - b,
    );
    const ends = [...cuts, end];
    let from = 0;
    for (const [position, to] of ends.entries()) {
      const piece = bytes.subarray(from, to);
      from = to;
      this.#after(plan.pauseMs * position, () => {
        sendText(this.#origin.engine, this.#connection, piece);
        if (position === ends.length - 1) this.#responded(plan);
      });
    }
  }

  #responded(plan: ResponsePlan): void {
    this.#isAnswering = false;
    if (plan.kind === "reset-midway") this.#after(5, () => this.#connection.reset());
    else if (plan.afterwards === "stale" && plan.framing !== "until-close") this.#isStale = true;
    else if (plan.kind === "close-midway" || plan.framing === "until-close" || plan.afterwards !== "keep")
      this.#connection.close();
    // What comes after an early answer is read to its end.
  }

  #after(delayMs: number, task: () => void): void {
    const { engine } = this.#origin;
    engine.network.schedule(engine, delayMs, () => {
      if (!this.#connection.isClosed) task();
    });
  }
}

/** Never answers: the connection is closing. */
const STALE_PLAN: ResponsePlan = {
  kind: "hang",
  status: 200,
  framing: "length",
  length: 0,
  delayMs: 0,
  pieceCount: 1,
  pauseMs: 0,
  interimCount: 0,
  afterwards: "keep",
};
const WEBSOCKET_HEADERS =
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const SURPLUS = "HTTP/1.1 200 Surplus\r\nX-Id: nobody\r\nContent-Length: 0\r\n\r\n";
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

function encodeResponse(id: string, method: string, plan: ResponsePlan, origin: Origin): Buffer {
  const { draw } = origin.watch;
  const content = responseContent(id, method, plan);
  const lines = [`HTTP/1.1 ${plan.status} Planned`, `X-Id: ${id}`, `X-Server: ${origin.host}`];
  if (plan.framing === "length" && plan.status !== 204 && plan.status !== 304)
    lines.push(`Content-Length: ${plan.length}`);
  if (plan.framing === "chunked" && plan.status !== 204 && plan.status !== 304)
    lines.push("Transfer-Encoding: chunked");
  if (plan.afterwards === "announced-close" || plan.framing === "until-close")
    lines.push("Connection: close");
  const interims = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n".repeat(plan.interimCount);
  const head = Buffer.from(`${interims}${lines.join("\r\n")}\r\n\r\n`, "latin1");
  const body = plan.framing === "chunked" ? encodeChunks(content, draw) : content;
  const surplus = plan.kind === "surplus" && plan.framing !== "until-close" ? SURPLUS : "";
  if (hasNoBody(method, plan.status)) return Buffer.concat([head, Buffer.from(surplus)]);
  return Buffer.concat([head, body, Buffer.from(surplus)]);
}

/** A body as chunks of random sizes. */
export function encodeChunks(content: Uint8Array, draw: Draw): Buffer {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < content.length; ) {
    const size = Math.min(
      content.length - at,
      draw.chance(0.2) ? draw.integer(1, 10) : draw.integer(500, 30_000),
    );
    const line = draw.chance(0.1) ? `${size.toString(16)};note=1\r\n` : `${size.toString(16)}\r\n`;
    parts.push(Buffer.from(line), content.subarray(at, at + size), CRLF);
    at += size;
  }
  parts.push(Buffer.from(draw.chance(0.1) ? "0\r\nX-Trailer: 1\r\n\r\n" : "0\r\n\r\n"));
  return Buffer.concat(parts);
}

const CRLF = Buffer.from("\r\n");

/** In tcp mode: a line with name and lengths, the client's bytes, its FIN; then the answer, and our FIN. */
class TcpOrigin implements ConnectionHandler {
  readonly #origin: Origin;
  #received: Buffer = Buffer.alloc(0);

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  handleOpen(_connection: Connection): void {}
  handleDrain(_connection: Connection): void {}

  handleData(_connection: Connection, chunk: Chunk, start: number, end: number): void {
    this.#received = Buffer.concat([this.#received, chunk.bytes.subarray(start, end)]);
  }

  handleEnd(connection: Connection): void {
    const lineEnd = this.#received.indexOf("\n");
    if (lineEnd < 0) {
      connection.close();
      return;
    }
    const [name, upLength, downLength] = this.#received.toString("latin1", 0, lineEnd).split(" ");
    const bytes = this.#received.subarray(lineEnd + 1);
    const wanted = contentOf(`up ${name}`, Number(upLength));
    const { watch } = this.#origin;
    // As in HAProxy, a client's reset reaches the server as a FIN: a cut stream looks like a whole one.
    const difference = isPrefix(wanted, bytes) && !watch.isClean ? null : differenceBetween(wanted, bytes);
    if (difference !== null) watch.violation(`origin got a changed stream of ${name}: ${difference}`);
    sendText(this.#origin.engine, connection, contentOf(`down ${name}`, Number(downLength)));
    connection.shutdown();
    connection.close();
  }

  handleClose(connection: Connection, _failure: Failure | null): void {
    this.#origin.connections.delete(connection);
  }
}
