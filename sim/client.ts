// A simulated HTTP client: goes through its connections one after the other, sends what its plans say in
// the manner that they say, and has every answer judged. It gives up only by plan; waiting for longer than
// any timeout of the configuration explains is a hang, and that is a violation.
import type { SocketAddress } from "../src/base/address.ts";
import type { Failure } from "../src/base/failure.ts";
import type { MemoryEngine } from "../src/io/memory/memory-engine.ts";
import { encodeProxyHeaderV1 } from "../src/protocol/proxy-protocol/encode.ts";
import type { Chunk, Connection, ConnectionHandler, TlsClientContext } from "../src/transport/contract.ts";
import { contentOf, isPrefix } from "./content.ts";
import type { Draw } from "./draw.ts";
import { type JudgeRules, judgeCut, judgeResponse, statusOf } from "./judge.ts";
import { MalformedMessage, MessageReader, type ReadMessage } from "./message-reader.ts";
import { sendText } from "./outgoing.ts";
import { greetingOf, hasNoBody, type RequestPlan, requestContent, targetOf } from "./plan.ts";
import { encodeChunks } from "./server.ts";

export interface ConnectionScript {
  readonly requests: readonly RequestPlan[];
  /** Requests that are sent without waiting for answers. */
  readonly pipelineDepth: number;
  /** "proxied" begins with a PROXY header, as behind another load balancer. */
  readonly transport: "clear" | "tls" | "proxied";
  /** Whom the PROXY header names. */
  readonly proxiedSource: SocketAddress;
  readonly manner: "usual" | "silent" | "partial-head" | "garbage" | "never-reads";
  readonly thinkMs: number;
  /** "early-half-close": right behind the last request, with the answers still to come. */
  readonly ending: "close" | "half-close" | "early-half-close" | "reset" | "wait";
}

export interface ClientWatch {
  readonly rules: JudgeRules;
  readonly draw: Draw;
  readonly tls: TlsClientContext;
  /** Most time without any progress that the configuration's timeouts explain. */
  readonly patienceMs: number;
  readonly statistics: { requestsSent: number; responses: number; cuts: number; bytesReceived: number };
  /** From now on the proxy owes an answer only where it has begun one. */
  isStopping(): boolean;
  violation(text: string): void;
  /** Cookies stick to their server. */
  readonly isStickinessExact: boolean;
}

export class HttpScriptClient {
  readonly #engine: MemoryEngine;
  readonly #scripts: readonly ConnectionScript[];
  readonly #watch: ClientWatch;
  readonly #onDone: () => void;
  readonly #cookies: Map<string, string> = new Map();
  #next = 0;

  constructor(
    engine: MemoryEngine,
    scripts: readonly ConnectionScript[],
    watch: ClientWatch,
    onDone: () => void,
  ) {
    this.#engine = engine;
    this.#scripts = scripts;
    this.#watch = watch;
    this.#onDone = onDone;
  }

  start(): void {
    const script = this.#scripts[this.#next++];
    if (script === undefined) {
      this.#onDone();
      return;
    }
    new ClientConnection(this.#engine, script, this.#watch, this.#cookies, () =>
      this.#engine.network.schedule(this.#engine, script.thinkMs, () => this.start()),
    );
  }
}

class ClientConnection implements ConnectionHandler {
  readonly #engine: MemoryEngine;
  readonly #script: ConnectionScript;
  readonly #watch: ClientWatch;
  readonly #cookies: Map<string, string>;
  readonly #onDone: () => void;
  readonly #connection: Connection;
  readonly #reader: MessageReader;
  /** Sent and not yet answered. */
  readonly #open: RequestPlan[] = [];
  readonly #cookieSent: Map<string, string> = new Map();
  #sent = 0;
  #isSending = false;
  /** Continues a body that waits for a 100. */
  #onContinue: (() => void) | null = null;
  #isOver = false;
  #isLeaving = false;
  /** The proxy said that this was its last response. */
  #isToldToClose = false;
  #lastProgressMs: number;
  #echoWanted: Uint8Array | null = null;
  #echoPlan: RequestPlan | null = null;

  constructor(
    engine: MemoryEngine,
    script: ConnectionScript,
    watch: ClientWatch,
    cookies: Map<string, string>,
    onDone: () => void,
  ) {
    this.#engine = engine;
    this.#script = script;
    this.#watch = watch;
    this.#cookies = cookies;
    this.#onDone = onDone;
    this.#lastProgressMs = engine.nowMs;
    this.#reader = new MessageReader(true, (line, headers) => this.#bodyRuleOf(line, headers));
    this.#connection = engine.connect(
      {
        address: { kind: "tcp", host: "10.0.0.1", port: PORTS[script.transport] },
        source: null,
        tls: script.transport === "tls" ? { context: watch.tls, serverName: "sim.test" } : null,
        preamble: script.transport === "proxied" ? preambleOf(script.proxiedSource) : null,
        timeoutMs: Number.POSITIVE_INFINITY,
      },
      this,
    );
    this.#watchProgress();
  }

  handleOpen(_connection: Connection): void {
    this.#progress();
    switch (this.#script.manner) {
      case "silent":
        return;
      case "partial-head":
        sendText(this.#engine, this.#connection, "GET /one/partial HTTP/1.1\r\nHost: si");
        return;
      case "garbage":
        sendText(this.#engine, this.#connection, "\u0016\u0003\u0001 no HTTP at all\r\n\r\n");
        return;
      case "never-reads":
        this.#connection.pause();
        this.#after(this.#watch.patienceMs, () => this.#leave("reset"));
        this.#sendMore();
        return;
      default:
        this.#sendMore();
    }
  }

  handleData(_connection: Connection, chunk: Chunk, start: number, end: number): void {
    this.#progress();
    this.#watch.statistics.bytesReceived += end - start;
    try {
      for (const { kind, message } of this.#reader.receive(chunk.bytes.subarray(start, end))) {
        if (kind === "complete") this.#receiveMessage(message);
        else if (this.#reader.isTunnel) this.#enterTunnel(message);
      }
      if (this.#reader.isTunnel) this.#receiveEcho();
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      this.#watch.violation(`client got no HTTP${this.#whose()}: ${error.message}`);
      this.#leave("reset");
    }
  }

  handleDrain(_connection: Connection): void {}

  handleEnd(_connection: Connection): void {
    this.#progress();
    const whole = this.#reader.finish();
    if (whole !== null) this.#receiveMessage(whole);
    this.#leave("close");
  }

  handleClose(_connection: Connection, failure: Failure | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const partial = this.#reader.isTunnel ? null : this.#reader.message;
    if (failure === null && !this.#isLeaving) this.#reader.finish();
    this.#judgeUnanswered(partial);
    this.#onDone();
  }

  /** What was asked and not answered when the connection ended. */
  #judgeUnanswered(partial: ReadMessage | null): void {
    const { rules, statistics } = this.#watch;
    if (this.#script.manner !== "usual") return;
    if (this.#echoPlan !== null) {
      if (this.#echoWanted!.length > 0 && rules.isClean)
        this.#watch.violation(`request ${this.#echoPlan.id}: tunnel cut without a reason`);
      return;
    }
    const first = this.#open[0];
    if (first === undefined) return;
    statistics.cuts++;
    // Behind an announced last response nothing is owed; behind an abort of ours neither.
    if (this.#isToldToClose && partial === null) return;
    const isUnasked = this.#watch.isStopping() && partial === null;
    const isExplained = isUnasked || this.#open.some(({ abort }) => abort !== null);
    const complaint = judgeCut(first, partial, isExplained ? { ...rules, isClean: false } : rules);
    if (complaint !== null) this.#watch.violation(`request ${first.id}: ${complaint}`);
  }

  #sendMore(): void {
    const { requests, pipelineDepth } = this.#script;
    if (this.#isSending || this.#isLeaving || this.#isToldToClose || this.#reader.isTunnel) return;
    if (this.#open.length >= pipelineDepth) return;
    // Nothing follows a request that asks for the end of HTTP or of the connection.
    const last = this.#open.at(-1);
    if (last !== undefined && (last.connection === "close" || last.response.kind === "upgrade")) return;
    const plan = requests[this.#sent];
    if (plan === undefined) {
      if (this.#open.length === 0) this.#endByScript();
      return;
    }
    this.#sent++;
    this.#open.push(plan);
    this.#watch.statistics.requestsSent++;
    this.#send(plan);
  }

  #endByScript(): void {
    const { ending } = this.#script;
    if (ending === "wait" || ending === "early-half-close") return;
    this.#leave(ending);
  }

  #send(plan: RequestPlan): void {
    const head = Buffer.from(this.#headOf(plan), "latin1");
    const content = requestContent(plan);
    const body = plan.bodyFraming === "chunked" ? encodeChunks(content, this.#watch.draw) : content;
    this.#isSending = true;
    if (!plan.expectsContinue) {
      this.#sendPieces(plan, Buffer.concat([head, body]));
      return;
    }
    sendText(this.#engine, this.#connection, head);
    const goOn = () => {
      if (this.#onContinue !== goOn) return;
      this.#onContinue = null;
      this.#sendPieces(plan, Buffer.from(body));
    };
    this.#onContinue = goOn;
    this.#after(CONTINUE_PATIENCE_MS, goOn);
  }

  #sendPieces(plan: RequestPlan, bytes: Buffer): void {
    const { draw } = this.#watch;
    const end = plan.abort === null ? bytes.length : Math.floor(bytes.length * plan.abort.share);
    const cuts = Array.from({ length: plan.pieceCount - 1 }, () => draw.integer(0, end)).sort(
      (a, b) => a - b,
    );
    const ends = [...cuts, end];
    const sendPiece = (position: number, from: number) => {
      const to = ends[position]!;
      sendText(this.#engine, this.#connection, bytes.subarray(from, to));
      if (position + 1 < ends.length) this.#after(plan.pauseMs, () => sendPiece(position + 1, to));
      else this.#requestSent(plan);
    };
    sendPiece(0, 0);
  }

  #requestSent(plan: RequestPlan): void {
    this.#isSending = false;
    this.#progress();
    const { ending, requests } = this.#script;
    const isLast = this.#sent === requests.length && plan.response.kind !== "upgrade";
    if (plan.abort === null && isLast && ending === "early-half-close") this.#connection.shutdown();
    else if (plan.abort === null) this.#sendMore();
    else if (plan.abort.kind === "half-close") this.#connection.shutdown();
    else this.#leave(plan.abort.kind);
  }

  #headOf(plan: RequestPlan): string {
    const lines = [
      `${plan.method} ${targetOf(plan)} HTTP/${plan.version}`,
      "Host: sim.test",
      `X-Id: ${plan.id}`,
      `X-Plan: ${JSON.stringify(plan.response)}`,
      `X-Length: ${plan.bodyLength}`,
      `X-Client: ${this.#source.host}:${this.#source.port}`,
    ];
    if (plan.connection !== null) lines.push(`Connection: ${plan.connection}`);
    if (plan.bodyFraming === "length") lines.push(`Content-Length: ${plan.bodyLength}`);
    if (plan.bodyFraming === "chunked") lines.push("Transfer-Encoding: chunked");
    if (plan.expectsContinue) lines.push("Expect: 100-continue");
    if (plan.response.kind === "upgrade") lines.push(...WEBSOCKET_HEADERS);
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    if (cookie !== "") {
      lines.push(`Cookie: other=1; ${cookie}`);
      this.#cookieSent.set(plan.id, cookie);
    }
    return `${lines.join("\r\n")}\r\n\r\n`;
  }

  get #source(): SocketAddress {
    return this.#script.transport === "proxied" ? this.#script.proxiedSource : this.#connection.local;
  }

  #bodyRuleOf(startLine: string, _headers: ReadonlyMap<string, string>): "as-announced" | "none" | "tunnel" {
    const status = Number(startLine.slice(9, 12));
    if (status === 101) return "tunnel";
    const plan = this.#open[0];
    return hasNoBody(plan?.method ?? "GET", status) ? "none" : "as-announced";
  }

  #receiveMessage(message: ReadMessage): void {
    const status = statusOf(message);
    if (status === 100) {
      this.#onContinue?.();
      return;
    }
    if (status < 200) return;
    if (["silent", "partial-head", "garbage"].includes(this.#script.manner)) {
      if (status !== 400 && status !== 408) this.#watch.violation(`${status} for ${this.#script.manner}`);
      this.#isToldToClose = true;
      return;
    }
    const plan = this.#open.shift();
    if (plan === undefined) {
      this.#watch.violation(`a response that nobody asked for: ${message.startLine}`);
      return;
    }
    this.#watch.statistics.responses++;
    const complaint = judgeResponse(plan, message, this.#watch.rules);
    if (complaint !== null) this.#watch.violation(`request ${plan.id}: ${complaint}`);
    this.#keepCookie(plan, message);
    this.#goOnAfter(plan, message);
  }

  #goOnAfter(plan: RequestPlan, message: ReadMessage): void {
    const connection = message.headers.get("connection")?.toLowerCase() ?? "";
    if (connection.includes("close") || (plan.version === "1.0" && !connection.includes("keep-alive")))
      this.#isToldToClose = true;
    if (plan.expectsContinue) this.#onContinue?.();
    if (this.#isToldToClose) {
      // A client that is still sending stops; one that is done waits for the proxy's end.
      if (this.#isSending) this.#leave("close");
      return;
    }
    this.#after(this.#script.thinkMs, () => this.#sendMore());
  }

  #keepCookie(plan: RequestPlan, message: ReadMessage): void {
    const match = /(SIM[A-Z]+)=([^;,]*)/.exec(message.headers.get("set-cookie") ?? "");
    if (match !== null) this.#cookies.set(match[1]!, match[2]!);
    const server = message.headers.get("x-server");
    const name = plan.route === "two" ? "SIMTWO" : "SIMONE";
    const sent = new RegExp(`${name}=([^;]*)`).exec(this.#cookieSent.get(plan.id) ?? "")?.[1];
    if (!this.#watch.isStickinessExact || server === undefined || sent === undefined) return;
    if (server !== `10.0.1.${sent.slice(1)}`)
      this.#watch.violation(`request ${plan.id} has the cookie of ${sent} and went to ${server}`);
  }

  #enterTunnel(message: ReadMessage): void {
    const plan = this.#open.shift();
    if (plan === undefined || plan.response.kind !== "upgrade" || message.headers.get("x-id") !== plan.id) {
      this.#watch.violation(`a 101 for nobody: ${message.headers.get("x-id")}`);
      return;
    }
    this.#watch.statistics.responses++;
    this.#echoPlan = plan;
    const bytes = contentOf(`echo ${plan.id}`, plan.response.length);
    this.#echoWanted = Buffer.concat([greetingOf(plan.id), bytes]);
    for (let at = 0, position = 0; at < bytes.length; position++) {
      const size = this.#watch.draw.integer(1, 20_000);
      const piece = bytes.subarray(at, at + size);
      this.#after(position * plan.pauseMs, () => sendText(this.#engine, this.#connection, piece));
      at += size;
    }
  }

  #receiveEcho(): void {
    const { rest } = this.#reader;
    this.#reader.rest = Buffer.alloc(0);
    if (this.#echoWanted === null || rest.length === 0) return;
    if (!isPrefix(this.#echoWanted, rest)) {
      this.#watch.violation(`request ${this.#echoPlan!.id}: the echo differs`);
      this.#leave("reset");
      return;
    }
    this.#echoWanted = this.#echoWanted.subarray(rest.length);
    if (this.#echoWanted.length === 0 && this.#echoPlan!.response.afterwards === "keep") this.#leave("close");
  }

  #leave(how: "close" | "half-close" | "reset"): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    if (how === "half-close") this.#connection.shutdown();
    else if (how === "reset") this.#connection.reset();
    else this.#connection.close();
  }

  #whose(): string {
    const plan = this.#open[0];
    return plan === undefined ? "" : ` for request ${plan.id}`;
  }

  #progress(): void {
    this.#lastProgressMs = this.#engine.nowMs;
  }

  /** The proxy owes an answer or an end within its timeouts. */
  #watchProgress(): void {
    const { patienceMs } = this.#watch;
    this.#engine.network.schedule(this.#engine, patienceMs / 2, () => {
      if (this.#isOver) return;
      if (this.#engine.nowMs - this.#lastProgressMs > patienceMs && this.#script.manner !== "never-reads") {
        this.#watch.violation(
          `hang: a client (${this.#script.manner}) waits since ${this.#lastProgressMs.toFixed(0)} ms${this.#whose()}`,
        );
        this.#connection.reset();
        return;
      }
      this.#watchProgress();
    });
  }

  #after(delayMs: number, task: () => void): void {
    this.#engine.network.schedule(this.#engine, delayMs, () => {
      if (!this.#isOver && !this.#connection.isClosed && !this.#isLeaving) task();
    });
  }
}

const PORTS = { clear: 80, tls: 443, proxied: 8080 } as const;

function preambleOf(source: SocketAddress): Uint8Array {
  return encodeProxyHeaderV1({ source, destination: { family: 4, host: "10.0.0.9", port: 80 } });
}

/** Key and answer are the example of RFC 6455 section 1.3. */
const WEBSOCKET_HEADERS: readonly string[] = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/** How long a body waits for a 100 before it is sent all the same. */
const CONTINUE_PATIENCE_MS = 500;
