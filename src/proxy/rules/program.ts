// Turns the rules of a proxy into programs: arrays of conditions and actions that run in order until one
// gives a verdict. Running a set of edits allocates nothing but the values it writes.
import type * as model from "../../model/proxy.ts";
import type { Rule } from "../../model/rule.ts";
import type { Server } from "../runtime.ts";
import type { Stream } from "../stream.ts";
import { type AddressScope, DONE, type MessageSide, type RunAction } from "./actions/action.ts";
import { compileAction } from "./actions/compile.ts";
import {
  type Answer,
  type CompiledCondition,
  compileCondition,
  compileContentCondition,
} from "./condition.ts";
import type { RuleEnvironment } from "./environment.ts";
import { compileFormat } from "./format.ts";
import type { BackendPrograms, FrontendPrograms, RuleProgram, Verdict } from "./programs.ts";
import { compileStickRules } from "./stick-program.ts";

const EMPTY_PROGRAM: RuleProgram = { isEmpty: true, run: () => DONE };

/** http and tcp rules that are decided at once. */
export function compileRules(
  rules: readonly Rule[],
  environment: RuleEnvironment,
  side: MessageSide = "request",
  scope: AddressScope = "stream",
): RuleProgram {
  if (rules.length === 0) return EMPTY_PROGRAM;
  const steps = rules.map((rule, index) => ({
    condition: rule.condition === null ? null : compileCondition(rule.condition, environment),
    run: compileAction(rule.action, { side, scope, next: index + 1 }, environment),
    span: rule.span,
  }));
  return {
    isEmpty: false,
    run: (stream, resumeAt) => {
      for (let i = resumeAt; i < steps.length; i++) {
        const { condition, run, span } = steps[i]!;
        if (condition !== null && !condition(stream)) continue;
        const verdict = run(stream);
        if (verdict !== null) return conclude(stream, verdict, span);
      }
      return DONE;
    },
  };
}

function conclude(stream: Stream, verdict: Verdict, span: Rule["span"]): Verdict {
  if (verdict.kind !== "wait") {
    stream.lastRuleFile = span.file;
    stream.lastRuleLine = span.line;
  }
  return verdict;
}

/**
 * tcp content rules: while content may still come, a rule that lacks some waits, until `inspectDelayMs`
 * after the stream's start, or after `sinceMs`. Without a delay everything is decided on what is there.
 */
export function compileContentRules(
  rules: readonly Rule[],
  inspectDelayMs: number | null,
  environment: RuleEnvironment,
  side: MessageSide = "request",
): RuleProgram {
  if (rules.length === 0) return EMPTY_PROGRAM;
  const steps = rules.map((rule, index) => ({
    decide: compileContentCondition(rule.condition, environment),
    run: compileAction(rule.action, { side, scope: "stream", next: index + 1 }, environment),
    span: rule.span,
  }));
  const delayMs = inspectDelayMs ?? 0;
  return {
    isEmpty: false,
    run: (stream, resumeAt, sinceMs = stream.startMs) => {
      const wasFinal = stream.isContentFinal;
      const deadlineMs = sinceMs + delayMs;
      stream.isContentFinal = wasFinal || delayMs === 0 || environment.clock.nowMs >= deadlineMs;
      const verdict = runContentSteps(steps, stream, resumeAt, deadlineMs);
      stream.isContentFinal = wasFinal;
      return verdict;
    },
  };
}

interface ContentStep {
  readonly decide: (stream: Stream) => Answer;
  readonly run: RunAction;
  readonly span: Rule["span"];
}

function runContentSteps(
  steps: readonly ContentStep[],
  stream: Stream,
  resumeAt: number,
  deadlineMs: number,
): Verdict {
  for (let i = resumeAt; i < steps.length; i++) {
    const { decide, run, span } = steps[i]!;
    const answer = decide(stream);
    if (answer === "lacking") return { kind: "wait", resumeAt: i, deadlineMs };
    if (answer === "no") continue;
    const verdict = run(stream);
    if (verdict !== null) return conclude(stream, verdict, span);
  }
  return DONE;
}

/** For a proxy with a frontend side. */
export function compileFrontendPrograms(proxy: model.Proxy, environment: RuleEnvironment): FrontendPrograms {
  const makeUniqueId =
    proxy.uniqueId === null ? null : compileFormat(proxy.uniqueId.format, environment, "unique-id");
  return {
    tcpRequestConnection: compileRules(proxy.tcpRequestConnection, environment, "request", "connection"),
    tcpRequestSession: compileRules(proxy.tcpRequestSession, environment, "request", "session"),
    tcpRequestContent: compileContentRules(proxy.tcpRequestContent, proxy.inspectDelayMs, environment),
    httpRequest: compileRules(proxy.httpRequest, environment),
    httpResponse: compileRules(proxy.httpResponse, environment, "response"),
    httpAfterResponse: compileRules(proxy.httpAfterResponse, environment, "response"),
    chooseBackend: compileBackendChoice(proxy.frontend?.useBackend ?? [], environment),
    isMonitorFailing: anyCondition(proxy.options.monitorFail, environment),
    makeUniqueId,
  };
}

/** For a proxy with a backend side. */
export function compileBackendPrograms(
  proxy: model.Proxy,
  backend: model.BackendSettings,
  environment: RuleEnvironment,
): BackendPrograms {
  const { stats } = proxy;
  return {
    tcpRequestContent: compileContentRules(proxy.tcpRequestContent, proxy.inspectDelayMs, environment),
    tcpResponseContent: compileContentRules(
      proxy.tcpResponseContent,
      proxy.responseInspectDelayMs,
      environment,
      "response",
    ),
    httpRequest: compileRules(proxy.httpRequest, environment),
    httpResponse: compileRules(proxy.httpResponse, environment, "response"),
    httpAfterResponse: compileRules(proxy.httpAfterResponse, environment, "response"),
    chooseServer: compileServerChoice(proxy, backend, environment),
    persistence: compilePersistence(backend.persistRules, environment),
    stick: compileStickRules(backend.stickRules, environment),
    stats:
      stats === null
        ? null
        : {
            httpRequest: compileRules(stats.httpRequest, environment),
            isAdmin: anyCondition(stats.adminRules, environment),
          },
  };
}

function anyCondition(rules: readonly Rule[], environment: RuleEnvironment): (stream: Stream) => boolean {
  const conditions = rules.map((rule) => compileCondition(rule.condition, environment));
  return (stream) => conditions.some((condition) => condition(stream));
}

function compileBackendChoice(
  rules: model.FrontendSettings["useBackend"],
  environment: RuleEnvironment,
): (stream: Stream) => string | null {
  const steps = rules.map(({ backend, condition }) => ({
    condition: compileCondition(condition, environment),
    name: typeof backend === "string" ? backend : compileFormat(backend, environment, "http"),
  }));
  return (stream) => {
    for (const { condition, name } of steps) {
      if (!condition(stream)) continue;
      if (typeof name === "string") return name;
      // A name that no backend has ends the search: the default backend takes the request.
      const evaluated = name(stream);
      return stream.runtime.backendsByName.has(evaluated) ? evaluated : null;
    }
    return null;
  };
}

/** Rules whose server is down are passed over, unless `option persist` insists on it. */
function compileServerChoice(
  proxy: model.Proxy,
  backend: model.BackendSettings,
  environment: RuleEnvironment,
): (stream: Stream) => Server | null {
  const steps = backend.useServer.map(({ server, condition }) => ({
    condition: compileCondition(condition, environment),
    name: typeof server === "string" ? server : compileFormat(server, environment, "http"),
  }));
  if (steps.length === 0) return () => null;
  return (stream) => {
    for (const { condition, name } of steps) {
      if (!condition(stream)) continue;
      const server = stream.backend?.serversByName.get(typeof name === "string" ? name : name(stream));
      if (server !== undefined && (server.isUsable || proxy.options.persist)) return server;
    }
    return null;
  };
}

function compilePersistence(
  rules: model.BackendSettings["persistRules"],
  environment: RuleEnvironment,
): (stream: Stream) => "force" | "ignore" | null {
  const steps: { condition: CompiledCondition; kind: "force" | "ignore" }[] = rules.map(
    ({ kind, condition }) => ({
      condition: compileCondition(condition, environment),
      kind,
    }),
  );
  return (stream) => steps.find(({ condition }) => condition(stream))?.kind ?? null;
}
