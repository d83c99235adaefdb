// The phases of a response between its complete head and its way to the client: captures, http-response rules
// (the backend's, then the frontend's), the persistence cookie, http-after-response rules.

import { FRAMING_CHUNKED, type MessageHead } from "../../protocol/http1/message-head.ts";
import { asChunks } from "../cache/cached-reply.ts";
import { beginCompression, decideCompression } from "../compression/compressed-body.ts";
import { prepareCompression } from "../compression/response-compression.ts";
import type { Observation } from "../health/observation.ts";
import { applyResponseCookie } from "../persistence/cookie.ts";
import type { BackendPrograms, RuleProgram, Verdict } from "../rules/programs.ts";
import type { Server } from "../runtime.ts";
import { COUNTER } from "../state.ts";
import { countStatus } from "../stick-table/tracking.ts";
import type { Stream } from "../stream.ts";
import type { AwaitedBody } from "./body-wait.ts";
import type { ExchangeContext } from "./context.ts";
import { definedReply, errorReply, NO_REPLY, type Reply, readReplyHead, redirectReply } from "./replies.ts";
import { captureCookie, captureOf, replySource } from "./request-phases.ts";
import { TERMINATION, type Termination } from "./termination.ts";

/**
 * Null: the server's response goes on. Otherwise our own reply takes its place, or the rules go on once its
 * body is here.
 */
export type ResponseOutcome =
  | { readonly reply: Reply; readonly termination: Termination }
  | AwaitingResponse
  | null;

export interface AwaitingResponse {
  readonly deadlineMs: number;
  readonly body: AwaitedBody;
  /** The rules that wait, and the first one that has not run. */
  readonly rules: RuleProgram;
  readonly resumeAt: number;
}

/** What a response is noted for before any rule sees it. */
export function noteResponse(context: ExchangeContext, stream: Stream, server: Server): void {
  context.observe(server, observationOf(stream.status));
  countStatus(stream, context.engine.nowMs);
  server.backend.programs.stick?.store(stream);
  if (stream.compression !== null) decideCompression(context, stream);
}

/** `resume`: where it stood, once what it waited for is here. */
export function runResponsePhases(
  context: ExchangeContext,
  stream: Stream,
  resume: AwaitingResponse | null,
): ResponseOutcome {
  const backend = stream.backend!;
  if (resume === null) captureResponseHeaders(stream);
  const outcome = runResponseRules(context, stream, resume);
  if (outcome !== null) return outcome;
  if (backend.settings.cookie !== null || backend.definition.options.checkcache) {
    const nowSeconds = Math.floor(context.engine.wallClockMs / 1000);
    if (applyResponseCookie(stream, backend, nowSeconds) === "deny") {
      context.state.count(backend.slot, COUNTER.dresp);
      return {
        reply: errorReply(502, replySource(context, stream)),
        termination: TERMINATION.responseDenied,
      };
    }
  }
  runAfterResponse(stream);
  return null;
}

/**
 * Our own reply: its head goes into `head` and through the rules. Returns the body that belongs to it, or
 * what rules give instead.
 */
export function runReplyPhases(
  context: ExchangeContext,
  stream: Stream,
  reply: Reply,
  head: MessageHead,
  termination: Termination,
): Uint8Array | { readonly reply: Reply; readonly termination: Termination } {
  stream.compression = null;
  if (reply.isCached === true) return runCachedPhases(context, stream, reply, head);
  stream.isIntercepted ||= termination.cause === "L" && stream.cache?.isHit !== true;
  readReplyHead(reply, head);
  stream.response = head;
  stream.status = head.status;
  runAfterResponse(stream);
  const isBodiless = stream.request!.method === "HEAD" || head.status === 304 || head.status === 204;
  return isBodiless ? EMPTY : reply.body;
}

/**
 * A response from a cache, which goes through the rules for responses as the server's has, and is compressed.
 * Its head goes into `head`. Returns the body as it is sent, or what takes its place.
 */
function runCachedPhases(
  context: ExchangeContext,
  stream: Stream,
  reply: Reply,
  head: MessageHead,
): Uint8Array | { readonly reply: Reply; readonly termination: Termination } {
  readReplyHead(reply, head);
  stream.response = head;
  stream.status = head.status;
  captureResponseHeaders(stream);
  prepareCompression(stream);
  if (stream.compression !== null) decideCompression(context, stream);
  let outcome = runHttpRules(context, stream, null);
  while (outcome !== null && "rules" in outcome) {
    stream.responseBody = reply.body;
    outcome = runHttpRules(context, stream, outcome);
  }
  // HAProxy counts it as intercepted, and logs it as its own, whatever rules make of it.
  stream.isIntercepted = stream.backend === null;
  if (outcome !== null) {
    stream.responseMs = -1;
    return { reply: outcome.reply, termination: TERMINATION.local };
  }
  runAfterResponse(stream);
  const compressed = beginCompression(context, stream);
  if (stream.request!.method === "HEAD" || head.status === 304) return EMPTY;
  if (compressed !== null) return compressed.push([reply.body], true);
  return head.framing === FRAMING_CHUNKED ? asChunks(reply.body) : reply.body;
}

/** Rules that run on every response, our own replies included. */
function runAfterResponse(stream: Stream): void {
  const back = ownBackendPrograms(stream)?.httpAfterResponse;
  if (back !== undefined && !back.isEmpty) back.run(stream, 0);
  const front = stream.frontend.programs.httpAfterResponse;
  if (!front.isEmpty) front.run(stream, 0);
}

function runResponseRules(
  context: ExchangeContext,
  stream: Stream,
  resume: AwaitingResponse | null,
): ResponseOutcome {
  const content = stream.backend!.programs.tcpResponseContent;
  if (!content.isEmpty && resume === null) {
    // All is decided on the head that is here: HAProxy would wait for more first.
    stream.isContentFinal = true;
    const outcome = outcomeOf(context, stream, content.run(stream, 0));
    if (outcome !== null) return outcome;
  }
  return runHttpRules(context, stream, resume);
}

function runHttpRules(
  context: ExchangeContext,
  stream: Stream,
  resume: AwaitingResponse | null,
): ResponseOutcome {
  const front = stream.frontend.programs.httpResponse;
  const back = ownBackendPrograms(stream)?.httpResponse;
  if (back !== undefined && !back.isEmpty && resume?.rules !== front) {
    const outcome = runRules(context, stream, back, resume);
    if (outcome !== null) return outcome;
  }
  return front.isEmpty ? null : runRules(context, stream, front, resume);
}

function runRules(
  context: ExchangeContext,
  stream: Stream,
  rules: RuleProgram,
  resume: AwaitingResponse | null,
): ResponseOutcome {
  const verdict = rules.run(stream, resume?.rules === rules ? resume.resumeAt : 0);
  if (verdict.kind !== "wait" || verdict.body === undefined) return outcomeOf(context, stream, verdict);
  const { deadlineMs, body, resumeAt } = verdict;
  return { deadlineMs, body, rules, resumeAt };
}

/** The backend's programs, unless it is the same listen section as the frontend, whose rules run once. */
function ownBackendPrograms(stream: Stream): BackendPrograms | undefined {
  const backend = stream.backend;
  return backend === null || backend.definition === stream.frontend.definition ? undefined : backend.programs;
}

function outcomeOf(context: ExchangeContext, stream: Stream, verdict: Verdict): ResponseOutcome {
  if (verdict.kind === "done" || verdict.kind === "wait") return null;
  const source = replySource(context, stream);
  switch (verdict.kind) {
    case "deny":
      context.state.count((stream.backend ?? stream.frontend).slot, COUNTER.dresp);
      if (stream.server !== null) context.state.count(stream.server.slot, COUNTER.dresp);
      return { reply: definedReply(verdict.reply, source), termination: TERMINATION.responseDenied };
    case "return":
      return { reply: definedReply(verdict.reply, source), termination: TERMINATION.localInResponse };
    case "redirect":
      return {
        reply: redirectReply(verdict.status, verdict.location, verdict.setCookie),
        termination: TERMINATION.localInResponse,
      };
    case "close":
      return { reply: errorReply(502, source), termination: TERMINATION.serverClosedBeforeResponse };
    case "silent-drop":
      context.state.count((stream.backend ?? stream.frontend).slot, COUNTER.dresp);
      stream.session.connection.reset();
      return { reply: NO_REPLY, termination: TERMINATION.denied };
    case "reject":
      context.state.count((stream.backend ?? stream.frontend).slot, COUNTER.dresp);
      if (stream.server !== null) context.state.count(stream.server.slot, COUNTER.dresp);
      return { reply: NO_REPLY, termination: TERMINATION.responseRejected };
    default:
      return { reply: errorReply(502, source), termination: TERMINATION.responseDenied };
  }
}

function captureResponseHeaders(stream: Stream): void {
  const { responseCaptures, cookieCapture } = stream.frontend.settings;
  const head = stream.response!;
  if (responseCaptures.length > 0) {
    const captures = responseCaptures.map(({ header, length }) => captureOf(head, header, length));
    stream.responseCaptures = captures;
  }
  if (cookieCapture !== null)
    stream.capturedServerCookie = captureCookie(head.firstValue("set-cookie"), cookieCapture);
}

/**
 * What `observe layer7` takes an answer for: anything that is not the server's own trouble is a sign of
 * health.
 */
function observationOf(status: number): Observation {
  return status < 500 || status === 501 || status === 505 ? "http-correct" : "http-wrong-status";
}

const EMPTY = new Uint8Array(0);
