// `option httpchk`, `http-check send` and `http-check expect`.
import type { CheckRule, HttpExpectation } from "../../../model/proxy.ts";
import type { LogFormat } from "../../../model/sample.ts";
import { requireRegex } from "../../rules/regex.ts";
import { toInteger } from "../../rules/sample-cast.ts";
import type { Server } from "../../runtime.ts";
import { CELL, COUNTER, SERVER_STATE, WEIGHT_SCALE } from "../../state.ts";
import { type CheckStatusName, STATUS_FACTS } from "../check-result.ts";
import type { CheckSamples } from "../check-samples.ts";
import {
  type CheckContext,
  type CheckInput,
  type CheckStep,
  type Expectation,
  type ExpectOutcome,
  WAIT,
} from "../check-step.ts";
import { type HttpReply, parseHttpReply } from "../http-reply.ts";
import type { CheckFormat } from "./tcp.ts";

type Rule<K extends CheckRule["kind"]> = Extract<CheckRule, { kind: K }>;

export interface SendStateFacts {
  /** "UP 2/3" and the like. */
  describeState(server: Server): string;
  readonly nodeName: string;
}

/** `sendState` adds X-Haproxy-Server-State (`http-check send-state`). */
export function httpSendStep(
  rule: Rule<"http-send">,
  format: CheckFormat,
  sendState: SendStateFacts | null,
): CheckStep {
  const text = (value: LogFormat | string, context: CheckContext) =>
    typeof value === "string" ? value : format(value, context);
  const make = (context: CheckContext) => {
    const uri = text(rule.uri, context) || "/";
    const body = rule.body === null ? "" : text(rule.body, context);
    const lines = [`${rule.method} ${uri} ${rule.version || "HTTP/1.0"}`];
    for (const header of rule.headers) {
      const value = text(header.value, context);
      if (value !== "") lines.push(`${header.name.toLowerCase()}: ${value}`);
    }
    if (sendState !== null)
      lines.push(`x-haproxy-server-state: ${serverState(context.server, sendState, context.nowSeconds)}`);
    if (rule.body !== null) lines.push(`content-length: ${body.length}`);
    const hasConnection = rule.headers.some((header) => header.name.toLowerCase() === "connection");
    // HTTP/1.0 closes by itself.
    if (!hasConnection && rule.version === "HTTP/1.1") lines.push("connection: close");
    const request = `${lines.join("\r\n")}\r\n\r\n${body}`;
    return context.server.backend.headerCase?.adjustText(request) ?? request;
  };
  return { kind: "send", make, comment: null };
}

/**
 * `disableOn404`: a 404 from a server that is not down passes here; `Check` turns it into a conditional
 * success.
 */
export function httpExpectStep(
  rule: Rule<"http-expect">,
  samples: CheckSamples,
  disableOn404: boolean,
): CheckStep {
  const { format } = samples;
  const { statusCode } = rule;
  const codeOf = (status: number, context: CheckContext): number => {
    const code = statusCode === null ? undefined : samples.value(statusCode, context);
    return code === undefined ? status : (toInteger(code) ?? status);
  };
  const errorStatus = asStatus(rule.errorStatus);
  const test = makeTest(rule, format, errorStatus);
  const expectation: Expectation = {
    label: " (expect HTTP)",
    okStatus: asStatus(rule.okStatus),
    errorStatus,
    timeoutStatus: null,
    evaluate(input) {
      const reply = parseHttpReply(input.text, input.isFinal);
      if (reply.kind === "malformed") return { kind: "fail", status: "L7RSP", description: "" };
      if (reply.kind === "incomplete")
        return input.isFinal ? { kind: "fail", status: "L7RSP", description: "" } : WAIT;
      const { status } = reply.head;
      if (disableOn404 && status === 404 && input.context.server.operational !== SERVER_STATE.down)
        return { kind: "match", code: 404 };
      const outcome = test(reply, { ...input, isFinal: input.isFinal || reply.isComplete });
      if (outcome.kind === "wait") return outcome;
      const code = codeOf(status, input.context);
      if (outcome.kind === "match") return { kind: "match", code };
      const described = rule.onError === null ? outcome.description : format(rule.onError, input.context);
      return { ...outcome, code, description: described + commentOf(rule) };
    },
    describeSuccess: ({ context }) => (rule.onSuccess === null ? "" : format(rule.onSuccess, context)),
  };
  // The comment is part of the description already.
  return { kind: "expect", expectation, comment: null };
}

/** What is expected when the rules end with a send. */
export const DEFAULT_EXPECT: Rule<"http-expect"> = {
  kind: "http-expect",
  negated: false,
  match: { by: "status", ranges: [[200, 399]] },
  okStatus: null,
  errorStatus: null,
  statusCode: null,
  onError: null,
  onSuccess: null,
  minRecv: null,
  comment: null,
  span: { file: "", line: 0, column: 0, endColumn: 0 },
};

type ReplyTest = (reply: Extract<HttpReply, { kind: "reply" }>, input: CheckInput) => ExpectOutcome;

function makeTest(
  rule: Rule<"http-expect">,
  format: CheckFormat,
  errorStatus: CheckStatusName | null,
): ReplyTest {
  const { match } = rule;
  switch (match.by) {
    case "status":
    case "rstatus":
      return judgeHead(makeStatusTest(match), rule, errorStatus);
    case "hdr":
    case "fhdr":
      return judgeHead(makeHeaderTest(match, format), rule, errorStatus);
    default:
      return makeBodyTest(rule, match, format, errorStatus ?? "L7RSP");
  }
}

function judgeHead(
  matches: HeadTest,
  rule: Rule<"http-expect">,
  errorStatus: CheckStatusName | null,
): ReplyTest {
  return (reply, input) => {
    if (matches(reply, input.context) !== rule.negated) return { kind: "match" };
    return { kind: "fail", status: errorStatus ?? "L7STS", description: reply.head.reason };
  };
}

type HeadTest = (reply: Extract<HttpReply, { kind: "reply" }>, context: CheckContext) => boolean;

function makeStatusTest(
  match: Extract<HttpExpectation, { by: "status" | "rstatus" | "string" | "rstring" }>,
): HeadTest {
  if (match.by === "status") {
    return ({ head }) => match.ranges.some(([first, last]) => head.status >= first && head.status <= last);
  }
  const regex = requireRegex(match.pattern, false);
  return ({ head }) => regex.test(String(head.status));
}

function makeBodyTest(
  rule: Rule<"http-expect">,
  match: Extract<HttpExpectation, { by: "rstatus" | "string" | "rstring" | "string-lf" }>,
  format: CheckFormat,
  status: CheckStatusName,
): ReplyTest {
  const regex = match.by === "rstring" ? requireRegex(match.pattern, false) : null;
  return ({ body }, { isFinal, context }) => {
    if (body === "") {
      return isFinal
        ? { kind: "fail", status, description: "HTTP content check could not find a response body" }
        : WAIT;
    }
    const pattern = match.by === "string-lf" ? format(match.format, context) : match.pattern;
    if (!isFinal && ((regex === null && body.length < pattern.length) || body.length < (rule.minRecv ?? 0)))
      return WAIT;
    const isMatch = regex === null ? body.includes(pattern) : regex.test(body);
    if (!isMatch && !isFinal && rule.minRecv === null) return WAIT;
    if (isMatch !== rule.negated) return { kind: "match" };
    return {
      kind: "fail",
      status,
      description: rule.negated ? "HTTP check matched unwanted content" : "HTTP content check did not match",
    };
  };
}

/** Names of headers are kept in lower case, and regular expressions for them know no case either. */
function makeNameTest({ nameMethod }: HeaderMatch, name: string): (name: string) => boolean {
  if (nameMethod !== "reg") return makeTextTest(nameMethod, name.toLowerCase());
  const regex = requireRegex(name, true);
  return (text) => regex.test(text);
}

type HeaderMatch = Extract<HttpExpectation, { by: "hdr" | "fhdr" }>;

/** `hdr` looks at each of a header's comma-separated values, `fhdr` at whole ones. */
function makeHeaderTest(match: HeaderMatch, format: CheckFormat): HeadTest {
  const { name } = match;
  const constantName = typeof name === "string" ? makeNameTest(match, name) : null;
  const constant = typeof match.value === "string" ? makeTextTest(match.valueMethod, match.value) : null;
  return ({ head }, context) => {
    const { value } = match;
    const isName = constantName ?? makeNameTest(match, format(name as LogFormat, context));
    const isValue =
      constant ??
      (value === null || typeof value === "string"
        ? () => true
        : makeTextTest(match.valueMethod, format(value, context)));
    for (let i = 0; i < head.headerCount; i++) {
      if (head.isRemovedAt(i) || !isName(head.nameAt(i))) continue;
      const whole = head.valueAt(i);
      const values =
        match.by === "fhdr"
          ? [whole]
          : whole.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((part) => part.trim());
      if (values.some(isValue)) return true;
    }
    return false;
  };
}

function makeTextTest(method: HeaderMatch["valueMethod"], pattern: string): (text: string) => boolean {
  switch (method) {
    case "str":
      return (text) => text === pattern;
    case "beg":
      return (text) => text.startsWith(pattern);
    case "end":
      return (text) => text.endsWith(pattern);
    case "sub":
      return (text) => text.includes(pattern);
    case "reg": {
      const regex = requireRegex(pattern, false);
      return (text) => regex.test(text);
    }
  }
}

function commentOf(rule: Rule<"http-expect">): string {
  return rule.comment === null ? "" : ` comment: ${rule.comment}`;
}

function asStatus(name: string | null): CheckStatusName | null {
  return name !== null && name in STATUS_FACTS ? (name as CheckStatusName) : null;
}

function serverState(server: Server, facts: SendStateFacts, nowSeconds: number): string {
  const { backend, state, slot } = server;
  const total = backend.servers.reduce(
    (sum, other) => sum + (other.isBalanced ? state.read(other.slot, CELL.effectiveWeight) : 0),
    0,
  );
  const weight = (scaled: number) => Math.ceil(scaled / WEIGHT_SCALE);
  const queued = state.read(backend.slot, CELL.queued);
  let text = `${facts.describeState(server)}; address=${server.host}; port=${server.port ?? ""}`;
  text += `; name=${backend.name}/${server.name}`;
  text += `; node=${facts.nodeName}; weight=${weight(state.read(slot, CELL.effectiveWeight))}/${weight(total)}`;
  text += `; scur=${state.total(slot, COUNTER.scur)}/${state.total(backend.slot, COUNTER.scur) - queued}`;
  text += `; qcur=${server.queued}`;
  const slowstart = Math.ceil((server.definition.slowstartMs ?? 0) / 1000);
  const age = nowSeconds - state.read(slot, CELL.lastChangeSeconds);
  if (server.operational !== SERVER_STATE.starting || age < 0 || age >= slowstart) return text;
  return `${text}; throttle=${Math.max(1, Math.floor((100 * age) / slowstart))}%`;
}
