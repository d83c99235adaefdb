// Lines that are rules: `http-request`, `http-response`, `http-after-response`, `tcp-request`,
// `tcp-response`, `redirect`. The rules themselves are read by expression/; here is where they go.
import type { Rule } from "../../model/rule.ts";
import { Cursor } from "./cursor.ts";
import type { ProxyDraft } from "./draft.ts";
import {
  parseHttpAfterResponseRule,
  parseHttpRequestRule,
  parseHttpResponseRule,
  parseRedirect,
  parseTcpRequestRule,
  parseTcpResponseRule,
} from "./expression/rule-parser.ts";
import { cursorOf, type ProxyLine } from "./reading.ts";
import { expectDurationMs } from "./values.ts";

export function readRule(line: ProxyLine): void {
  const name = line.keyword.text;
  if (line.draft.kind === "defaults" && line.draft.name === "") {
    line.report.error(
      "wrong-section",
      line.keyword.span,
      `\`${name}\` can only stand in a \`defaults\` section that has a name`,
      "Name it, and use it by `from NAME`.",
    );
    return;
  }
  if (name === "tcp-request") {
    readTcpRequest(line);
    return;
  }
  if (name === "tcp-response") {
    readTcpResponse(line);
    return;
  }
  if (line.words.length < 2) {
    cursorOf(line).expect("an action");
    return;
  }
  line.draft.httpOnly.push({ what: name, span: line.span });
  const words = line.words.slice(1);
  if (name === "http-request")
    add(line, "httpRequest", parseHttpRequestRule(words, line.reading.contextFor(line.draft, "request")));
  else if (name === "redirect")
    add(line, "redirectRules", parseRedirect(words, line.reading.contextFor(line.draft, "request")));
  else if (name === "http-response")
    add(line, "httpResponse", parseHttpResponseRule(words, line.reading.contextFor(line.draft, "response")));
  else
    add(
      line,
      "httpAfterResponse",
      parseHttpAfterResponseRule(words, line.reading.contextFor(line.draft, "response")),
    );
}

type RuleList = { [K in keyof ProxyDraft]: ProxyDraft[K] extends Rule[] ? K : never }[keyof ProxyDraft];

function add(line: ProxyLine, list: RuleList, rule: Rule | null): void {
  if (rule !== null) line.draft[list].push(rule);
}

function readTcpRequest(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const kind = cursor.expectOneOf("kind of rule", ["connection", "session", "content", "inspect-delay"]);
  if (kind === null) return;
  if (kind === "inspect-delay") {
    line.draft.inspectDelayMs = expectDurationMs(cursor, "a time");
    cursor.expectEnd("warning");
    return;
  }
  if (kind !== "content" && line.draft.kind === "backend") {
    line.report.error(
      "wrong-section",
      line.words[1]!.span,
      `\`tcp-request ${kind}\` cannot stand in a \`backend\` section`,
      "It belongs to frontend and listen: a backend sees no new connections.",
    );
    return;
  }
  if (cursor.isAtEnd) {
    cursor.expect("an action");
    return;
  }
  const rule = parseTcpRequestRule(kind, line.words.slice(2), line.reading.contextFor(line.draft, "request"));
  add(
    line,
    kind === "connection"
      ? "tcpRequestConnection"
      : kind === "session"
        ? "tcpRequestSession"
        : "tcpRequestContent",
    rule,
  );
}

function readTcpResponse(line: ProxyLine): void {
  const cursor = new Cursor(line.words, 1, line.report);
  const kind = cursor.expectOneOf("kind of rule", ["content", "inspect-delay"]);
  if (kind === null) return;
  if (kind === "inspect-delay") {
    line.draft.responseInspectDelayMs = expectDurationMs(cursor, "a time");
    cursor.expectEnd("warning");
    return;
  }
  if (cursor.isAtEnd) {
    cursor.expect("an action");
    return;
  }
  add(
    line,
    "tcpResponseContent",
    parseTcpResponseRule(line.words.slice(2), line.reading.contextFor(line.draft, "response")),
  );
}
