// What would become of a request, and which line of the configuration decides it. The data path itself
// serves the request, on an engine that sends nothing; this tells what it did.
import { formatPlace } from "../../diagnostic/span.ts";
import type { ProxyConfiguration } from "../../model/proxy.ts";
import type {
  RequestDisposition,
  RequestTrace,
  RequestTraceLog,
  RequestTraceServer,
  TracedLine,
} from "../../model/request-trace.ts";
import type { HeaderCase } from "../../protocol/http1/header-case.ts";
import type { ListenerRuntime, Server } from "../runtime.ts";
import type { Stream } from "../stream.ts";
import { tellHandshake, tlsFactsOf } from "./handshake.ts";
import { type HeadLines, splitHead } from "./head-lines.ts";
import { chooseListener } from "./listener-choice.ts";
import { Narrator } from "./narrator.ts";
import { describeResponseCookie } from "./persistence-text.ts";
import {
  destinationOf,
  type ExplainFacts,
  helloText,
  type RequestQuestion,
  requestLines,
  requestText,
  responseLines,
  responseText,
} from "./question.ts";
import { Recorder } from "./recorder.ts";
import { addressText } from "./stream-facts.ts";
import { type VirtualConnect, type VirtualConnection, VirtualEngine } from "./virtual-engine.ts";
import { takeDown, VirtualProxy } from "./virtual-proxy.ts";

/** The question names something that is not there; one sentence. */
export interface UnclearQuestion {
  readonly kind: "unclear";
  readonly message: string;
}

export function explainRequest(
  configuration: ProxyConfiguration,
  question: RequestQuestion,
  facts: ExplainFacts,
): RequestTrace | UnclearQuestion {
  const explanation = new Explanation(configuration, question, facts);
  const complaint = takeDown(explanation.proxy.runtime, question.down);
  return complaint === null ? explanation.run() : { kind: "unclear", message: complaint };
}

class Explanation {
  readonly proxy: VirtualProxy;
  readonly #question: RequestQuestion;
  readonly #facts: ExplainFacts;
  readonly #engine: VirtualEngine;
  readonly #narrator: Narrator;
  #client: VirtualConnection | null = null;
  #isRefused = false;

  constructor(configuration: ProxyConfiguration, question: RequestQuestion, facts: ExplainFacts) {
    this.#question = question;
    this.#facts = facts;
    const { request, response } = question;
    const variables = new Map();
    this.#narrator = new Narrator(
      configuration,
      variables,
      request === null ? [] : requestLines(request),
      responseLines(response, 0),
    );
    this.#engine = new VirtualEngine(facts.nowMs, (connect) => this.#serve(connect));
    const recorder = new Recorder(this.#narrator);
    this.proxy = new VirtualProxy(configuration, this.#engine, this.#narrator, recorder, facts, variables);
  }

  run(): RequestTrace {
    const choice = chooseListener(this.proxy.runtime.listeners, this.#question.to);
    if (choice.kind === "none") {
      this.#narrator.add("listener", choice.text, null, { level: "brief", outcome: "failed" });
      return this.#trace("no-listener", choice.text, null);
    }
    const { listener, others } = choice;
    const { definition, frontend } = listener;
    this.#narrator.add(
      "listener",
      `bind ${definition.text} of ${frontend.definition.kind} ${frontend.name}, mode ${frontend.definition.mode}`,
      definition.span,
      { kind: "choice", level: "brief" },
    );
    for (const other of others) {
      const text = `${other.definition.text} of ${other.frontend.name} has the port too; name an address to ask for it`;
      this.#narrator.add("listener", text, other.definition.span, { level: "normal" });
    }
    if (definition.acceptProxy)
      this.#narrator.add(
        "listener",
        "accept-proxy: the client is who the PROXY header names",
        definition.span,
      );
    const mismatch = tellHandshake(listener, this.#question, this.#facts, this.#narrator);
    if (mismatch !== null) return this.#trace("tls-mismatch", mismatch, listener);
    this.#connect(listener);
    const isSilent = this.#question.request === null && frontend.definition.mode === "http";
    if (isSilent && !this.#isRefused && this.#client?.isClosed === false)
      return this.#trace(
        "accepted",
        "the connection is accepted; who serves depends on the request",
        listener,
      );
    return this.#result(listener);
  }

  #connect(listener: ListenerRuntime): void {
    const { from } = this.#question;
    const { definition } = listener;
    const local = destinationOf(this.#question, definition);
    const proxied = definition.acceptProxy ? { source: from, destination: local } : null;
    const tls = tlsFactsOf(definition, this.#question);
    const client = this.#engine.accept({ remote: from, local, proxied, tls });
    this.#client = client;
    const handler = this.proxy.core.addAcceptor(listener).accept(client);
    if (handler === null) {
      this.#isRefused = true;
      return;
    }
    client.handler = handler;
    handler.handleOpen(client);
    // Of a client that is silent in http mode only its timeout could be told.
    if (this.#question.request === null && listener.frontend.definition.mode === "http") return;
    client.receive(this.#clientBytes(listener));
    this.#engine.runUntil(() => this.proxy.ended !== null || client.isClosed || this.#isTunnel);
    this.#engine.runDeferred();
    // A tunnel ends when both sides have said so; only then it is logged.
    if (this.proxy.ended === null && this.#isTunnel) {
      client.handler.handleEnd(client);
      const server = this.#engine.connects.at(-1)!.connection;
      server.handler.handleEnd(server);
      this.#engine.runDeferred();
    }
  }

  #clientBytes({ definition, frontend }: ListenerRuntime): string {
    const { tls, request } = this.#question;
    const isRaw = frontend.definition.mode === "tcp" && definition.tls === null && tls !== null;
    if (isRaw) return helloText(tls);
    return request === null ? "" : requestText(request);
  }

  /** In tcp mode, or behind a 101: a server has the connection, and nothing more is known. */
  get #isTunnel(): boolean {
    const stream = this.#narrator.stream;
    const last = this.#engine.connects.at(-1);
    if (last === undefined || !this.#opened.has(last)) return false;
    return stream?.request == null || this.#question.response.status === 101;
  }
  readonly #opened: Set<VirtualConnect> = new Set();

  /** How every server behaves: it answers once it has the whole request. */
  #serve(connect: VirtualConnect): void {
    const { connection } = connect;
    const stream = this.#narrator.stream!;
    this.#narrator.persistenceIsOver(stream, stream.backend!);
    let isAnswered = false;
    this.#engine.defer(() => this.#engine.defer(() => void this.#opened.add(connect)));
    connection.onSend = () => {
      if (isAnswered || !isWhole(connection.sent)) return;
      isAnswered = true;
      this.#narrator.settle(stream);
      const method = stream.request?.method ?? "GET";
      this.#engine.defer(() => connection.receive(responseText(this.#question.response, method)));
    };
  }

  #result(listener: ListenerRuntime): RequestTrace {
    const stream = this.proxy.ended?.stream ?? this.#narrator.stream;
    const { decision } = this.#narrator;
    if (this.#isRefused || stream === null || this.proxy.ended === null) {
      const text =
        decision === null ? "the connection is closed" : `${decision.rule.text} closes the connection`;
      return this.#trace("refused", text, listener);
    }
    const isHttp = listener.frontend.definition.mode === "http";
    this.#tellConnection(stream);
    if (isHttp) this.#tellHeads(stream);
    const log = this.#tellLog(stream, isHttp);
    const disposition = isHttp ? this.#httpDisposition(stream) : this.#tcpDisposition(stream);
    return this.#trace(disposition, this.#summary(disposition, stream), listener, stream, log);
  }

  #tellConnection(stream: Stream): void {
    const server = this.#serverOf(stream);
    if (server === null) return;
    const { name, host, port, tls, proxyHeader, source, span } = server;
    const phase = "connection to the server";
    const address = port === 0 ? host : addressText({ family: host.includes(":") ? 6 : 4, host, port });
    const from = source === null ? "" : `, from ${source.host}`;
    const who = describeResolution(stream.server!, this.#facts);
    this.#narrator.add(phase, `${name} at ${address}${from}${who}`, span, { level: "brief" });
    if (tls !== null) {
      const sni = tls.serverName === "" ? "without a server name" : `server name ${tls.serverName}`;
      this.#narrator.add(phase, `TLS, ${sni}`, span);
    }
    if (proxyHeader !== null) this.#narrator.add(phase, `PROXY header first: ${proxyHeader}`, span);
  }

  #tellHeads(stream: Stream): void {
    const { request, response } = this.#question;
    if (request === null) return;
    this.#narrator.add("request", `${request.method} ${request.target}`, null, { level: "full" });
    const isSent = this.#serverOf(stream) !== null && stream.request !== null;
    if (isSent && this.#narrator.request !== null)
      this.#narrator.add("request head", "the server gets", null, {
        kind: "head",
        level: "brief",
        lines: this.#narrator.request.lines,
      });
    if (isSent)
      this.#narrator.add("response", `assumed: ${response.status} ${response.reason}`, null, {
        level: "normal",
      });
    const lines = finalHead(this.#client?.sent ?? "");
    if (lines.length > 0) this.#narrator.finishResponse(lines, stream);
    const cookie = stream.backend === null ? null : describeResponseCookie(stream, stream.backend);
    if (cookie !== null && stream.cause === "-")
      this.#narrator.add("answer", cookie, stream.backend!.settings.cookie!.span, { level: "brief" });
    if (lines.length > 0)
      this.#narrator.add("answer", "the client gets", null, {
        kind: "head",
        level: "brief",
        lines: this.#narrator.response!.lines,
      });
    else
      this.#narrator.add("answer", "the client gets nothing: the connection is closed", null, {
        level: "brief",
      });
  }

  #tellLog(stream: Stream, isHttp: boolean): RequestTraceLog {
    const cookies = isHttp ? stream.cookieRequest + stream.cookieResponse : "";
    const flags = stream.cause + stream.phase + cookies;
    const { line } = this.proxy.ended!;
    const place = stream.frontend.definition.places["log-format"] ?? null;
    this.#narrator.add("log", `termination state ${flags}`, null, { level: "brief" });
    this.#narrator.add("log", line ?? "nothing is logged", place, {
      level: line === null ? "normal" : "full",
    });
    return { flags, status: isHttp ? stream.status : -1, line };
  }

  #httpDisposition(stream: Stream): RequestDisposition {
    const { decision } = this.#narrator;
    if (stream.request === null) return "bad-request";
    const isSent = this.#serverOf(stream) !== null;
    if (isSent) return stream.cause === "-" ? "forwarded" : "response-replaced";
    switch (decision?.verdict.kind) {
      case "deny":
        return "denied";
      case "reject":
      case "silent-drop":
        return "refused";
    }
    if (stream.cause === "S" || stream.cause === "s") return "no-server";
    if (stream.cause === "P") return "bad-request";
    return "answered";
  }

  #tcpDisposition(stream: Stream): RequestDisposition {
    if (this.#serverOf(stream) !== null) return "connected";
    return stream.cause === "P" ? "refused" : "no-server";
  }

  #summary(disposition: RequestDisposition, stream: Stream): string {
    const { decision } = this.#narrator;
    const server = stream.server === null ? "" : `${stream.backend!.name}/${stream.server.name}`;
    const by = decision === null ? "" : ` (${formatPlace(decision.rule.span)})`;
    switch (disposition) {
      case "forwarded":
        return `${server} answers`;
      case "connected":
        return `the connection goes to ${server}`;
      case "response-replaced":
        return `${server} gets it, but the client gets ${stream.status} from us${by}`;
      case "denied":
        return `we answer ${stream.status}${by}`;
      case "refused":
        return `the connection is closed${by}`;
      case "answered":
        return `we answer ${stream.status}${by}`;
      case "no-server":
        return stream.backend === null
          ? `we answer ${stream.status}: no backend takes it`
          : `${stream.status > 0 ? `we answer ${stream.status}` : "the connection is closed"}: no server of ${stream.backend.name} takes it`;
      case "bad-request":
        return `we answer ${stream.status}: the request is not let through`;
      default:
        return disposition;
    }
  }

  #serverOf(stream: Stream): RequestTraceServer | null {
    const last = this.#engine.connects.at(-1);
    const { server, backend } = stream;
    if (last === undefined || server === null || backend === null) return null;
    const { address, tls, preamble, source } = last.options;
    const isText = preamble !== null && server.definition.sendProxy?.version === 1;
    return {
      name: server.name,
      backend: backend.name,
      host: address.kind === "unix" ? address.path : address.host,
      port: address.kind === "unix" ? 0 : address.port,
      source,
      tls: tls === null ? null : { serverName: tls.serverName },
      proxyHeader: preamble === null ? null : isText ? textOf(preamble).trim() : hexOf(preamble),
      isPersistent: stream.isPersistent,
      span: server.definition.span,
    };
  }

  #trace(
    disposition: RequestDisposition,
    summary: string,
    listener: ListenerRuntime | null,
    stream: Stream | null = null,
    log: RequestTraceLog | null = null,
  ): RequestTrace {
    const server = stream === null ? null : this.#serverOf(stream);
    const isHttp = listener?.frontend.definition.mode === "http";
    // A server's response that a rule rejected goes nowhere.
    const isAnswered = isHttp && (stream === null || stream.status >= 0);
    return {
      phases: this.#narrator.phases,
      disposition,
      summary,
      span: this.#narrator.decision?.rule.span ?? server?.span ?? listener?.definition.span ?? null,
      frontend: listener?.frontend.name ?? null,
      backend: stream?.backend?.name ?? null,
      server,
      requestHead:
        isHttp && server !== null ? inCase(this.#narrator.request, stream?.backend?.headerCase) : null,
      responseHead: isAnswered ? inCase(this.#narrator.response, listener?.frontend.headerCase) : null,
      log,
    };
  }
}

/** As a peer gets it that wants names of headers in another case. */
function inCase(head: HeadLines | null, headerCase: HeaderCase | null = null): readonly TracedLine[] | null {
  if (head === null || headerCase === null) return head?.lines ?? null;
  const [start, ...headers] = head.lines;
  if (start === undefined) return head.lines;
  // Each is a head by itself, behind an empty start line.
  return [
    start,
    ...headers.map((line) => ({ ...line, text: headerCase.adjustText(`\n${line.text}`).slice(1) })),
  ];
}

/** Whether a server has all of a request. */
function isWhole(sent: string): boolean {
  const end = sent.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const head = sent.slice(0, end);
  if (/^transfer-encoding:.*chunked/im.test(head)) return sent.endsWith("0\r\n\r\n");
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return sent.length - end - 4 >= length;
}

/** Of the last response: interim ones come before it. */
function finalHead(sent: string): string[] {
  let rest = sent;
  while (/^HTTP\/1\.[01] 1(?!01)\d\d /.test(rest)) rest = rest.slice(rest.indexOf("\r\n\r\n") + 4);
  return splitHead(rest);
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whose word an address is; "" for one of the file. */
function describeResolution(server: Server, { endpoints }: ExplainFacts): string {
  const { resolution, address } = server.definition;
  if (resolution === null || address.kind !== "tcp") return "";
  const known = endpoints?.get(`${server.backend.name}/${server.name}`);
  const { resolvers } = resolution;
  if (known === undefined) return `: where that is, the nameservers of ${resolvers} say while it runs`;
  return `, which the nameservers of ${resolvers} say of ${known.hostName ?? address.host}`;
}
