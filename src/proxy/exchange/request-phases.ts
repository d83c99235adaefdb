// The phases of a request between its complete head and the choice of a server: captures, monitor-uri,
// frontend rules, choice of the backend, backend rules, statistics, headers that options add, persistence.
// `explain` names the same phases. Runs without waiting unless a rule asks for the body.
import { networkContains, parseIpAddress, parseIpNetwork } from "../../base/address.ts";
import type { ForwardedHeader, ProxyOptions } from "../../model/proxy.ts";
import { FRAMING_NONE, type MessageHead, prepareHeader } from "../../protocol/http1/message-head.ts";
import { cachedReply } from "../cache/cached-reply.ts";
import { prepareCompression } from "../compression/response-compression.ts";
import { applyRequestCookie } from "../persistence/cookie.ts";
import type { PendingAnswer, RuleProgram, Verdict } from "../rules/programs.ts";
import { pathAndQueryOf } from "../rules/target.ts";
import type { Backend } from "../runtime.ts";
import { COUNTER, countRate } from "../state.ts";
import { countTracked } from "../stick-table/tracking.ts";
import type { Session, Stream } from "../stream.ts";
import type { AwaitedBody, BodyWait } from "./body-wait.ts";
import type { ExchangeContext } from "./context.ts";
import { restrictNames } from "./header-names.ts";
import {
  authReply,
  builtinReply,
  definedReply,
  errorReply,
  type Reply,
  type ReplySource,
  redirectReply,
} from "./replies.ts";
import { TERMINATION, type Termination } from "./termination.ts";

export type PhaseOutcome =
  | { readonly kind: "forward" }
  /** The body (more of it) is needed before the phases can go on, or an answer of another process. */
  | {
      readonly kind: "wait";
      readonly deadlineMs: number;
      readonly body: AwaitedBody | null;
      readonly pending: PendingAnswer | null;
    }
  | { readonly kind: "reply"; readonly reply: Reply; readonly termination: Termination }
  /** Answer only after `timeout tarpit`. */
  | { readonly kind: "tarpit"; readonly reply: Reply; readonly deadlineMs: number }
  | { readonly kind: "drop"; readonly isSilent: boolean };

const FORWARD: PhaseOutcome = { kind: "forward" };
const WHOLE_BODY: AwaitedBody = { atLeastBytes: null };

/** Where the phases of one request stand, so that they can be taken up again after waiting for the body. */
export class RequestPhases {
  readonly #context: ExchangeContext;
  #phase: "begin" | "content" | "frontend" | "enter" | "backend-content" | "backend" = "begin";
  #resumeAt = 0;

  constructor(context: ExchangeContext) {
    this.#context = context;
  }

  reset(): void {
    this.#phase = "begin";
    this.#resumeAt = 0;
  }

  run(stream: Stream): PhaseOutcome {
    if (this.#phase === "begin") {
      this.#phase = "content";
      const { options } = stream.frontend.definition;
      captureRequestHeaders(stream);
      makeUniqueId(stream);
      if (options.monitorUri !== null && isTarget(stream.request!.target, options.monitorUri))
        return this.#monitor(stream);
      if (options.httpBufferRequest && lacksBody(stream)) return this.#awaitBody(stream);
    }
    if (this.#phase === "content") {
      const { tcpRequestContent } = stream.frontend.programs;
      const outcome = stream.areContentRulesDone ? null : this.#runRules(stream, tcpRequestContent);
      if (outcome !== null) return outcome;
      this.#phase = "frontend";
      this.#resumeAt = 0;
    }
    if (this.#phase === "frontend") {
      const outcome = this.#frontendPhase(stream);
      if (outcome !== null) return outcome;
      const backend = this.#chooseBackend(stream);
      if (backend === null) {
        // HAProxy says nothing of the head's time here.
        stream.requestMs = -1;
        return this.#error(stream, TERMINATION.noServer);
      }
      this.#enterBackend(stream, backend);
      this.#phase = "enter";
      this.#resumeAt = 0;
    }
    if (this.#phase === "enter") {
      this.#phase = "backend-content";
      if (wantsBody(stream.backend!) && lacksBody(stream)) return this.#awaitBody(stream);
    }
    if (this.#phase === "backend-content") {
      const { definition, programs } = stream.backend!;
      const isOwn = definition !== stream.frontend.definition;
      const outcome = isOwn ? this.#runRules(stream, programs.tcpRequestContent) : null;
      if (outcome !== null) return outcome;
      this.#phase = "backend";
      this.#resumeAt = 0;
    }
    return this.#backendPhase(stream) ?? this.#finish(stream);
  }

  /**
   * The client is gone before its body is here. HAProxy notices in the backend, so that is what is logged.
   */
  leaveInBody(stream: Stream, body: BodyWait): void {
    body.countTime(stream);
    const backend = stream.backend === null ? this.#chooseBackend(stream) : null;
    if (backend !== null) this.#enterBackend(stream, backend);
  }

  #awaitBody(stream: Stream): PhaseOutcome {
    const { timeouts } = (stream.backend ?? stream.frontend).definition;
    const deadlineMs = this.#context.engine.nowMs + (timeouts.httpRequestMs ?? Number.POSITIVE_INFINITY);
    return { kind: "wait", deadlineMs, body: WHOLE_BODY, pending: null };
  }

  #frontendPhase(stream: Stream): PhaseOutcome | null {
    const { frontend } = stream;
    const outcome =
      this.#runRules(stream, frontend.programs.httpRequest) ??
      this.#restrictNames(stream, frontend.definition.options);
    if (outcome !== null) return outcome;
    return frontend.definition.stats === null || frontend.definition.backend !== null
      ? null
      : this.#statistics(stream);
  }

  #backendPhase(stream: Stream): PhaseOutcome | null {
    const backend = stream.backend!;
    // A listen section's rules have already run as its frontend's.
    if (backend.definition !== stream.frontend.definition) {
      const outcome =
        this.#runRules(stream, backend.programs.httpRequest) ??
        this.#restrictNames(stream, backend.definition.options);
      if (outcome !== null) return outcome;
    }
    return backend.definition.stats === null ? null : this.#statistics(stream);
  }

  /** Behind the rules, as in HAProxy: what they add is looked at too. */
  #restrictNames(stream: Stream, options: ProxyOptions): PhaseOutcome | null {
    if (restrictNames(stream.request!, options.restrictRequestHeaderNames)) return null;
    this.#countDenied(stream);
    return this.#error(stream, TERMINATION.denied);
  }

  #finish(stream: Stream): PhaseOutcome {
    const backend = stream.backend!;
    const head = stream.request!;
    const uniqueHeader = stream.frontend.definition.uniqueId?.header ?? null;
    if (uniqueHeader !== null && stream.uniqueId !== null) head.addHeader(uniqueHeader, stream.uniqueId);
    addForwardedHeaders(stream, head, backend);
    this.#persist(stream, backend);
    prepareCompression(stream);
    return FORWARD;
  }

  #persist(stream: Stream, backend: Backend): void {
    const chosen = backend.programs.chooseServer(stream);
    if (chosen !== null) {
      stream.server = chosen;
      stream.isPersistent = true;
    }
    const server = applyRequestCookie(stream, backend, Math.floor(this.#context.engine.wallClockMs / 1000));
    if (chosen === null && server !== null) {
      stream.server = server;
      stream.isPersistent = true;
    }
    stickToServer(stream, backend);
  }

  #runRules(stream: Stream, program: RuleProgram): PhaseOutcome | null {
    if (program.isEmpty) return null;
    const verdict = program.run(stream, this.#resumeAt);
    if (verdict.kind === "done" || verdict.kind === "switch-mode") return null;
    if (verdict.kind === "wait") {
      const { deadlineMs, body = null, pending = null } = verdict;
      this.#resumeAt = verdict.resumeAt;
      return { kind: "wait", deadlineMs, body, pending };
    }
    return this.#outcomeOf(stream, verdict);
  }

  #outcomeOf(
    stream: Stream,
    verdict: Exclude<Verdict, { kind: "done" | "wait" | "switch-mode" }>,
  ): PhaseOutcome {
    const source = replySource(this.#context, stream);
    switch (verdict.kind) {
      case "deny": {
        this.#countDenied(stream);
        const reply = definedReply(verdict.reply, source);
        if (verdict.isTarpit) {
          const { timeouts } = (stream.backend ?? stream.frontend).definition;
          const delayMs = timeouts.tarpitMs ?? timeouts.connectMs ?? 0;
          return { kind: "tarpit", reply, deadlineMs: this.#context.engine.nowMs + delayMs };
        }
        return { kind: "reply", reply, termination: TERMINATION.denied };
      }
      case "return":
        return { kind: "reply", reply: definedReply(verdict.reply, source), termination: TERMINATION.local };
      case "redirect":
        return {
          kind: "reply",
          reply: redirectReply(verdict.status, verdict.location, verdict.setCookie),
          termination: TERMINATION.local,
        };
      case "auth": {
        countTracked(stream, "error", this.#context.engine.nowMs);
        const isProxyRequest =
          !stream.request!.target.startsWith("/") && stream.frontend.definition.options.httpUseProxyHeader;
        return {
          kind: "reply",
          reply: authReply(verdict.realm, isProxyRequest, source),
          termination: TERMINATION.local,
        };
      }
      case "cached": {
        const { state, engine } = this.#context;
        const reply = cachedReply(stream.request!, verdict.object, Math.floor(engine.wallClockMs / 1000));
        state.count((stream.backend ?? stream.frontend).slot, COUNTER.cacheHits);
        stream.serviceName = "<CACHE>";
        stream.queueMs = stream.connectMs = stream.responseMs = 0;
        return { kind: "reply", reply, termination: TERMINATION.local };
      }
      case "use-service":
        return { kind: "reply", reply: this.#context.serveMetrics(stream), termination: TERMINATION.local };
      case "invalid":
        countTracked(stream, "error", this.#context.engine.nowMs);
        stream.requestMs = -1;
        return this.#error(stream, TERMINATION.badRequest);
      // There is no server to close yet, and no rule of requests that would.
      case "close":
      case "reject":
      case "silent-drop":
        this.#context.state.count((stream.backend ?? stream.frontend).slot, COUNTER.dreq);
        return { kind: "drop", isSilent: verdict.kind === "silent-drop" };
    }
  }

  #countDenied(stream: Stream): void {
    const { state, engine } = this.#context;
    state.count((stream.backend ?? stream.frontend).slot, COUNTER.dreq);
    countTracked(stream, "error", engine.nowMs);
  }

  #monitor(stream: Stream): PhaseOutcome {
    stream.logLevel = "silent";
    const isFailing = stream.frontend.programs.isMonitorFailing(stream);
    const reply = isFailing ? errorReply(503, replySource(this.#context, stream)) : builtinReply(200);
    return { kind: "reply", reply, termination: TERMINATION.local };
  }

  #statistics(stream: Stream): PhaseOutcome | null {
    if (isStatisticsForm(stream) && lacksBody(stream)) {
      // The rules have run and do not run again.
      this.#resumeAt = Number.POSITIVE_INFINITY;
      return this.#awaitBody(stream);
    }
    const reply = this.#context.serveStatistics(stream);
    return reply === null ? null : { kind: "reply", reply, termination: TERMINATION.local };
  }

  #chooseBackend(stream: Stream): Backend | null {
    const name = stream.frontend.programs.chooseBackend(stream);
    if (name === null) return stream.frontend.defaultBackend;
    return stream.runtime.backendsByName.get(name) ?? stream.frontend.defaultBackend;
  }

  #enterBackend(stream: Stream, backend: Backend): void {
    enterBackend(this.#context, stream, backend);
    this.#context.state.count(backend.slot, COUNTER.reqTot);
  }

  #error(stream: Stream, termination: Termination): PhaseOutcome {
    return {
      kind: "reply",
      reply: errorReply(termination.status, replySource(this.#context, stream)),
      termination,
    };
  }
}

/** What `stick` rules say, behind cookies and `use-server`. */
export function stickToServer(stream: Stream, backend: Backend): void {
  const server = backend.programs.stick?.chooseServer(stream, backend) ?? null;
  if (server === null) return;
  stream.server = server;
  stream.isPersistent = true;
}

/** Counts a stream into its backend; the exchange counts it out. */
export function enterBackend(context: ExchangeContext, stream: Stream, backend: Backend): void {
  const { state, engine } = context;
  stream.backend = backend;
  state.enter(backend.slot, COUNTER.scur, COUNTER.smax);
  state.count(backend.slot, COUNTER.stot);
  countRate(state, backend.slot, COUNTER.sessRateSecond, engine.wallClockMs);
}

/** Where replies for this stream come from: the backend's error replies first, then the frontend's. */
export function replySource(context: ExchangeContext, stream: Stream): ReplySource {
  const own = stream.frontend.definition.errorReplies;
  const backend = stream.backend?.definition;
  const errorReplies =
    backend === undefined || backend === stream.frontend.definition ? own : [...backend.errorReplies, ...own];
  return { errorReplies, evaluate: (format) => context.evaluate(format, stream) };
}

function captureRequestHeaders(stream: Stream): void {
  const { requestCaptures, cookieCapture } = stream.frontend.settings;
  const head = stream.request!;
  if (requestCaptures.length > 0) {
    stream.requestCaptures = requestCaptures.map(({ header, length }) => captureOf(head, header, length));
  }
  if (cookieCapture !== null) stream.capturedCookie = captureCookie(head.firstValue("cookie"), cookieCapture);
}

/**
 * A header's last value, cut to the capture's length; null when it is missing or the slot is filled by rules.
 */
export function captureOf(head: MessageHead, header: string | null, length: number): string | null {
  if (header === null) return null;
  let last = -1;
  for (let i = head.indexOf(header.toLowerCase()); i >= 0; i = head.indexOf(header.toLowerCase(), i + 1))
    last = i;
  return last < 0 ? null : head.valueAt(last).slice(0, length);
}

/** `capture cookie`: "NAME=value" as sent, cut to its length. */
export function captureCookie(
  value: string | null,
  capture: { readonly name: string; readonly isPrefix: boolean; readonly length: number },
): string | null {
  if (value === null) return null;
  for (const part of value.split(";")) {
    const text = part.trim();
    const name = text.slice(0, Math.max(0, text.indexOf("=")));
    if (capture.isPrefix ? name.startsWith(capture.name) : name === capture.name)
      return text.slice(0, capture.length);
  }
  return null;
}

function makeUniqueId(stream: Stream): void {
  const make = stream.frontend.programs.makeUniqueId;
  if (make !== null) stream.uniqueId = make(stream);
}

function addForwardedHeaders(stream: Stream, head: MessageHead, backend: Backend): void {
  const front = stream.frontend.definition.options;
  const back = backend.definition.options;
  const forwardFor = back.forwardFor ?? front.forwardFor;
  if (forwardFor !== null) addForwardedFor(head, forwardFor, stream.session);
  const originalTo = back.originalTo ?? front.originalTo;
  if (originalTo !== null)
    addForwarded(head, originalTo, stream.session.destination.host, stream.session.destination.family);
}

/** Most clients send more than one request: the header is made once for a connection. */
function addForwardedFor(head: MessageHead, settings: ForwardedHeader, session: Session): void {
  const { forwardedFor, source } = session;
  if (forwardedFor !== null && forwardedFor.settings === settings && forwardedFor.host === source.host) {
    if (!settings.ifNone || !head.has(forwardedFor.header.name)) head.addPrepared(forwardedFor.header);
    return;
  }
  if (source.family === "unix" || (settings.except.length > 0 && isExcepted(settings.except, source.host)))
    return;
  const header = prepareHeader(settings.header, source.host);
  if (header === null) return;
  session.forwardedFor = { settings, host: source.host, header };
  if (!settings.ifNone || !head.has(header.name)) head.addPrepared(header);
}

function addForwarded(
  head: MessageHead,
  settings: ForwardedHeader,
  host: string,
  family: 4 | 6 | "unix",
): void {
  if (family === "unix") return;
  if (settings.ifNone && head.has(settings.header.toLowerCase())) return;
  if (settings.except.length > 0 && isExcepted(settings.except, host)) return;
  head.addHeader(settings.header, host);
}

function isExcepted(except: readonly string[], host: string): boolean {
  const address = parseIpAddress(host);
  if (address === null) return false;
  return except.some((text) => {
    const network = parseIpNetwork(text);
    return network !== null && networkContains(network, address);
  });
}

/** `option http-buffer-request`, or a key for balancing that may stand in the body. */
function wantsBody({ definition, settings }: Backend): boolean {
  const { balance } = settings;
  return (
    definition.options.httpBufferRequest || (balance.algorithm === "url_param" && balance.checkPost !== null)
  );
}

/** What an administrator sends from the page. Who may not is told so when the body is here. */
function isStatisticsForm({ request, backend, frontend }: Stream): boolean {
  const { stats } = (backend ?? frontend).definition;
  return (
    stats !== null &&
    stats.adminRules.length > 0 &&
    request!.method === "POST" &&
    request!.targetStartsWith(stats.uri)
  );
}

/** A path of a `monitor-uri` also stands for that path in an absolute target. */
function isTarget(target: string, wanted: string): boolean {
  return target === wanted || (wanted.startsWith("/") && pathAndQueryOf(target) === wanted);
}

function lacksBody(stream: Stream): boolean {
  return (
    stream.body === null && stream.request!.framing !== FRAMING_NONE && stream.request!.method !== "CONNECT"
  );
}
