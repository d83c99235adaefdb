// Collects what the data path tells while it serves the one request of an explanation, and puts it into
// phases. Heads are compared at every step, so that each line of the result has somebody who answers for it.
import type { Span } from "../../diagnostic/span.ts";
import type { BackendSettings, ProxyConfiguration } from "../../model/proxy.ts";
import {
  REQUEST_PHASES,
  type RequestPhaseName,
  type RequestTracePhase,
  type RequestTraceStep,
  type TestTrace,
} from "../../model/request-trace.ts";
import type { Action } from "../../model/rule.ts";
import type { Condition } from "../../model/sample.ts";
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import type { Answer } from "../rules/condition.ts";
import type { Verdict } from "../rules/programs.ts";
import type { SampleValue } from "../rules/sample-value.ts";
import type { Backend } from "../runtime.ts";
import type { Stream } from "../stream.ts";
import { describeVerdict } from "./describe-rule.ts";
import { type Editor, HeadLines, linesOf } from "./head-lines.ts";
import { describeRequestCookie } from "./persistence-text.ts";
import type { RecordedTest, RuleListener } from "./recorder.ts";
import { type IndexedRule, RuleIndex } from "./rule-index.ts";
import { changesOf, factsOf, type StreamFacts } from "./stream-facts.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Step = Writable<RequestTraceStep>;

export interface Decision {
  readonly rule: IndexedRule;
  readonly verdict: Verdict;
}

export class Narrator implements RuleListener {
  /** The stream that is explained, once there is one. */
  stream: Stream | null = null;
  request: HeadLines | null = null;
  response: HeadLines | null = null;
  /** The rule that answered in the server's place. */
  decision: Decision | null = null;
  /** Answers of conditions, for choices that are made by several rules. */
  readonly answers: Map<Condition, Answer> = new Map();
  readonly #index: RuleIndex;
  readonly #variables: ReadonlyMap<string, SampleValue>;
  readonly #phases: Map<RequestPhaseName, Step[]> = new Map();
  readonly #requestLines: readonly string[];
  readonly #responseLines: readonly string[];
  #isOwnResponse = false;
  #facts: StreamFacts = new Map();
  /** The step of a rule whose condition has been answered and whose action may follow. */
  #open: { readonly rule: IndexedRule; readonly step: Step } | null = null;
  #isPersistenceTold = false;
  #sentCookie: string | null = null;

  constructor(
    configuration: ProxyConfiguration,
    variables: ReadonlyMap<string, SampleValue>,
    requestLines: readonly string[],
    responseLines: readonly string[],
  ) {
    this.#index = new RuleIndex(configuration);
    this.#variables = variables;
    this.#requestLines = requestLines;
    this.#responseLines = responseLines;
  }

  get phases(): readonly RequestTracePhase[] {
    return REQUEST_PHASES.flatMap((name) => {
      const steps = this.#phases.get(name);
      return steps === undefined ? [] : [{ name, steps }];
    });
  }

  add(
    phase: RequestPhaseName,
    text: string,
    span: Span | null = null,
    more: Partial<RequestTraceStep> = {},
  ): Step {
    const step: Step = {
      kind: "fact",
      level: "normal",
      text,
      span: span === null || span.line === 0 ? null : span,
      outcome: "noted",
      effects: [],
      tests: [],
      lines: [],
      ...more,
    };
    const steps = this.#phases.get(phase);
    if (steps === undefined) this.#phases.set(phase, [step]);
    else steps.push(step);
    return step;
  }

  conditionAnswered(
    condition: Condition,
    answer: Answer,
    tests: readonly RecordedTest[],
    stream: Stream,
  ): void {
    this.#meet(stream);
    this.answers.set(condition, answer);
    const rule = this.#index.find(condition);
    if (rule === null) return;
    const outcome = answer === "yes" ? "matched" : answer === "no" ? "not-matched" : "lacking";
    const step = this.#ruleStep(rule, stream);
    step.outcome = outcome;
    step.tests = tests.map((test) => testTrace(test, this.#index.aclNameOf(test.test)));
    step.level = answer === "yes" ? "brief" : "normal";
    this.#open = { rule, step };
  }

  actionBegins(_action: Action, stream: Stream): void {
    this.#meet(stream);
    this.settle(stream);
    this.#facts = factsOf(stream, this.#variables);
  }

  actionEnded(action: Action, verdict: Verdict | null, stream: Stream): void {
    const rule = this.#index.find(action);
    if (rule === null) return;
    const step = this.#open?.rule === rule ? this.#open.step : this.#ruleStep(rule, stream);
    this.#open = null;
    step.outcome = "matched";
    step.level = "brief";
    const editor: Editor = { by: rule.what, span: rule.span };
    const effects = [
      ...this.#updateHeads(stream, () => editor),
      ...changesOf(this.#facts, factsOf(stream, this.#variables)),
    ];
    if (verdict !== null) effects.push(describeVerdict(verdict));
    step.effects = [...step.effects, ...effects];
    if (verdict !== null && verdict.kind !== "done" && verdict.kind !== "wait")
      this.decision = { rule, verdict };
  }

  /** Differences that no rule made so far belong to options, or to the protocol. */
  settle(stream: Stream): void {
    this.#meet(stream);
    this.#updateHeads(stream, (line) => optionEditor(line, stream));
  }

  /** Before persistence is looked at: the cookie that the client sent is about to be taken out. */
  persistenceBegins(stream: Stream): void {
    this.settle(stream);
    this.#sentCookie = cookieOf(stream.request, stream.backend?.settings.cookie ?? null);
  }

  /** Called whenever it is over: by the first who needs a server. */
  persistenceIsOver(stream: Stream, backend: Backend): void {
    if (this.#isPersistenceTold) return;
    this.#isPersistenceTold = true;
    this.settle(stream);
    const { cookie } = backend.settings;
    const text = stream.request === null ? null : describeRequestCookie(stream, backend, this.#sentCookie);
    if (text !== null && cookie !== null)
      this.add("persistence", text, cookie.span, { kind: "choice", level: "brief" });
  }

  #meet(stream: Stream): void {
    // Rules of connections run on streams of their own.
    if (this.stream === null || stream.request !== null || stream.backend !== null) this.stream = stream;
  }

  #updateHeads(stream: Stream, editorOf: (line: string) => Editor | null): string[] {
    const effects: string[] = [];
    if (stream.request !== null) {
      this.request ??= new HeadLines(this.#requestLines);
      effects.push(...this.request.update(linesOf(stream.request), editorOf));
    }
    if (stream.response !== null) {
      // An answer of ours: its end is decided before its rules run.
      const isOwn = stream.cause !== "-";
      if (this.response === null || isOwn !== this.#isOwnResponse)
        this.response = new HeadLines(isOwn ? linesOf(stream.response) : this.#responseLines);
      this.#isOwnResponse = isOwn;
      effects.push(...this.response.update(linesOf(stream.response), editorOf));
    }
    return effects;
  }

  /** The head that the client got. */
  finishResponse(lines: readonly string[], stream: Stream): void {
    const isOwn = stream.cause !== "-";
    if (this.response === null || isOwn !== this.#isOwnResponse)
      this.response = new HeadLines(isOwn ? lines : this.#responseLines);
    this.response.update(lines, (line) => optionEditor(line, stream));
  }

  #ruleStep(rule: IndexedRule, stream: Stream): Step {
    const phase = phaseOf(rule, stream);
    // A rule that waited for content is tried again: its last answer counts.
    const earlier = this.#phases
      .get(phase)
      ?.find((step) => step.outcome === "lacking" && step.span === rule.span);
    return earlier ?? this.add(phase, rule.text, rule.span, { kind: "rule" });
  }
}

function phaseOf(rule: IndexedRule, stream: Stream): RequestPhaseName {
  switch (rule.place) {
    case "connection":
      return "connection rules";
    case "request":
      return stream.backend === null ? "frontend rules" : "backend rules";
    case "response":
      return "response rules";
    case "backend choice":
      return "backend choice";
    case "persistence":
      return "persistence";
    case "other":
      return "request";
  }
}

function testTrace({ test, values, pattern, matched }: RecordedTest, acl: string): TestTrace {
  return {
    acl,
    sample: test.sample.text,
    values,
    method: test.method,
    ignoreCase: test.ignoreCase,
    patterns: [...test.patterns, ...test.files.map((path) => `-f ${path}`)],
    pattern: test.method === "bool" || test.method === "found" ? null : pattern,
    matched,
    span: test.span,
  };
}

function cookieOf(head: MessageHead | null, cookie: BackendSettings["cookie"]): string | null {
  if (head === null || cookie === null) return null;
  for (let i = head.indexOf("cookie"); i >= 0; i = head.indexOf("cookie", i + 1)) {
    for (const part of head.valueAt(i).split(";")) {
      const [name = "", ...value] = part.split("=");
      if (name.trim() === cookie.name && value.length > 0) return value.join("=").trim();
    }
  }
  return null;
}

/** Which setting a line of a head comes from, when no rule made it. */
function optionEditor(line: string, stream: Stream): Editor | null {
  const name = line.slice(0, Math.max(0, line.indexOf(":"))).toLowerCase();
  const front = stream.frontend.definition;
  const back = stream.backend?.definition ?? front;
  const placeOf = (setting: string): Span | null => back.places[setting] ?? front.places[setting] ?? null;
  const forwardFor = back.options.forwardFor ?? front.options.forwardFor;
  if (name === forwardFor?.header.toLowerCase())
    return { by: "option forwardfor", span: placeOf("option forwardfor") };
  const originalTo = back.options.originalTo ?? front.options.originalTo;
  if (name === originalTo?.header.toLowerCase())
    return { by: "option originalto", span: placeOf("option originalto") };
  if (name === front.uniqueId?.header?.toLowerCase())
    return { by: "unique-id-header", span: front.places["unique-id-header"] ?? null };
  if (name === back.backend?.sendNameHeader?.toLowerCase())
    return { by: "http-send-name-header", span: placeOf("http-send-name-header") };
  const cookie = back.backend?.cookie ?? null;
  if (cookie !== null && (name === "cookie" || name === "set-cookie" || name === "cache-control"))
    return { by: `cookie ${cookie.name}`, span: cookie.span };
  if (name === "connection") return connectionEditor(stream, placeOf);
  return null;
}

function connectionEditor(stream: Stream, placeOf: (setting: string) => Span | null): Editor {
  for (const option of ["option httpclose", "option forceclose", "option http-server-close"]) {
    const span = placeOf(option);
    if (span !== null && stream.frontend.definition.options.connectionMode !== "keep-alive")
      return { by: option, span };
    if (span !== null && stream.backend?.definition.options.connectionMode !== "keep-alive")
      return { by: option, span };
  }
  return { by: "the connection's own way", span: null };
}
