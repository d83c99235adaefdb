// The short lines of proxy sections, one function each: mode, timeouts, acl, use_backend, logs and the like
// (manual 4.2).
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Timeouts } from "../../model/proxy.ts";
import type { Condition, LogFormat } from "../../model/sample.ts";
import type { KeepAlive } from "../../transport/contract.ts";
import type { ProxyDraft } from "./draft.ts";
import { parseAclLine } from "./expression/acl-parser.ts";
import { parseCondition } from "./expression/condition-parser.ts";
import { parseLogFormat } from "./expression/log-format-parser.ts";
import { displayText } from "./lexer.ts";
import { readLogTarget } from "./log-line.ts";
import { cursorOf, type ProxyLine } from "./reading.ts";
import { readSource } from "./server-line.ts";
import { expectDurationMs, expectInteger, parseDurationMs } from "./values.ts";
import type { Word } from "./word.ts";

export function readProxyInteger(set: (draft: ProxyDraft, value: number) => void): (line: ProxyLine) => void {
  return (line) => {
    const cursor = cursorOf(line);
    const value = expectInteger(cursor, "a number");
    if (value !== null) set(line.draft, value);
    cursor.expectEnd();
  };
}

/** Longest that the kernel takes (tcp(7)), in seconds, and most probes. */
const PROBE_MAX = { idleSeconds: 32_767, intervalSeconds: 32_767, probeCount: 127 } as const;

export function readProbes(
  side: "clientProbes" | "serverProbes",
  what: keyof KeepAlive,
): (line: ProxyLine) => void {
  return (line) => {
    const cursor = cursorOf(line);
    const word = cursor.peek();
    const value =
      what === "probeCount"
        ? expectInteger(cursor, "a number of probes")
        : expectDurationMs(cursor, "a time", "s");
    cursor.expectEnd();
    if (value === null) return;
    const wanted = what === "probeCount" ? value : Math.ceil(value / 1000);
    const isTaken = wanted <= PROBE_MAX[what];
    if (!isTaken)
      line.report.warning(
        "no-effect",
        word!.span,
        `\`${line.keyword.text}\` is more than the kernel takes`,
        `It takes at most ${PROBE_MAX[what]}; what the system has stays in force.`,
      );
    line.draft[side] = { ...line.draft[side], [what]: isTaken && wanted > 0 ? wanted : null };
  };
}

export function readProxyText(
  what: string,
  set: (draft: ProxyDraft, value: string) => void,
): (line: ProxyLine) => void {
  return (line) => {
    const cursor = cursorOf(line);
    const value = cursor.expect(what);
    if (value !== null) set(line.draft, value.text);
    cursor.expectEnd("warning");
  };
}

export function readMode(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const word = cursor.expect("a mode");
  if (word === null) return;
  if (word.text === "http" || word.text === "tcp") line.draft.mode = word.text;
  else if (word.text === "health")
    line.report.error(
      "refused-keyword",
      word.span,
      "`mode health` no longer exists",
      "Use `http-request return status 200`.",
    );
  else cursor.unknown(word, "mode", ["http", "tcp"]);
  cursor.expectEnd();
}

const TIMEOUTS: Readonly<Record<string, keyof Timeouts>> = {
  client: "clientMs",
  "client-fin": "clientFinMs",
  connect: "connectMs",
  server: "serverMs",
  "server-fin": "serverFinMs",
  "http-request": "httpRequestMs",
  "http-keep-alive": "httpKeepAliveMs",
  queue: "queueMs",
  check: "checkMs",
  tunnel: "tunnelMs",
  tarpit: "tarpitMs",
};

export function readTimeout(line: ProxyLine): void {
  const cursor = cursorOf(line, 2);
  const name = TIMEOUTS[line.words[1]!.text];
  const word = cursor.expect("a time");
  const value = word === null ? null : parseDurationMs(word, line.report);
  if (name !== undefined && value !== null) line.draft.timeouts[name] = value === 0 ? null : value;
  cursor.expectEnd();
}

export function readAcl(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const name = cursor.expect("the acl's name");
  if (name === null) return;
  const words = cursor.rest();
  if (words.length === 0) {
    line.report.error(
      "missing-argument",
      line.span,
      "the acl says nothing to test",
      "Write `acl is_api path_beg /api`, for example.",
    );
    return;
  }
  const test = parseAclLine(name, words, line.reading.contextFor(line.draft, "request"));
  const { acls } = line.draft;
  const previous = acls.get(name.text)?.tests ?? [];
  // A wrong line still defines the name, so that its uses are not reported too.
  acls.set(name.text, { name: name.text, tests: test === null ? previous : [...previous, test] });
}

export function readDefaultBackend(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const name = cursor.expect("a backend's name");
  if (name === null) return;
  line.draft.defaultBackend = { name: name.text, span: name.span };
  verifyBackendLater(line, name);
  cursor.expectEnd();
}

function verifyBackendLater(line: ProxyLine, name: Word): void {
  const { reading, report } = line;
  reading.deferred.push(() => {
    if (reading.names.backends.has(name.text)) return;
    const shown = displayText(name.text);
    const isFrontend = reading.names.frontends.has(name.text);
    const help = isFrontend
      ? `\`${shown}\` is a frontend; only backend and listen sections have servers.`
      : (suggestWord(name.text, reading.names.backends) ?? `Add a section \`backend ${shown}\`.`);
    report.error("unknown-backend", name.span, `there is no backend \`${shown}\``, help);
  });
}

export function readUseBackend(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const name = cursor.expect("a backend's name");
  if (name === null) return;
  const target = readDynamicName(line, name);
  const condition = readCondition(line, cursor.rest());
  if (target === null || condition === undefined) return;
  if (typeof target === "string") verifyBackendLater(line, name);
  line.draft.useBackend.push({ backend: target, condition, span: line.span });
}

/** A fixed name, or a format when there is a variable in it. Null after an error. */
function readDynamicName(line: ProxyLine, name: Word): string | LogFormat | null {
  return name.text.includes("%")
    ? parseLogFormat(name, line.reading.contextFor(line.draft, "request"))
    : name.text;
}

/** Undefined after an error, null when there is no condition. */
function readCondition(line: ProxyLine, words: readonly Word[]): Condition | null | undefined {
  if (words.length === 0) return null;
  if (words[0]!.text !== "if" && words[0]!.text !== "unless") {
    const help = suggestWord(words[0]!.text, ["if", "unless"]) ?? "A condition begins with `if` or `unless`.";
    line.report.error(
      "unexpected-word",
      words[0]!.span,
      `\`${displayText(words[0]!.text)}\` cannot stand here`,
      help,
    );
    return undefined;
  }
  return parseCondition(words, line.reading.contextFor(line.draft, "request")) ?? undefined;
}

export function readUseServer(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const name = cursor.expect("a server's name");
  if (name === null) return;
  const target = readDynamicName(line, name);
  const condition = readCondition(line, cursor.rest());
  if (condition === null) {
    line.report.error(
      "missing-argument",
      line.span,
      "`use-server` needs a condition",
      "Add `if …` or `unless …`.",
    );
    return;
  }
  if (target === null || condition === undefined) return;
  line.draft.useServer.push({ server: target, condition, span: line.span });
  if (typeof target !== "string") return;
  const { draft, reading, report } = line;
  reading.namedServers.add(`${draft.name}/${target}`);
  reading.deferred.push(() => {
    if (draft.servers.some((server) => server.name === target)) return;
    const help = suggestWord(
      target,
      draft.servers.map((server) => server.name),
    );
    report.error(
      "unknown-server",
      name.span,
      `there is no server \`${displayText(target)}\` in this section`,
      help,
    );
  });
}

export function readPersistRule(line: ProxyLine): void {
  const condition = readCondition(line, line.words.slice(1));
  if (condition === null)
    line.report.error(
      "missing-argument",
      line.span,
      `\`${line.keyword.text}\` needs a condition`,
      "Add `if …` or `unless …`.",
    );
  if (condition === null || condition === undefined) return;
  line.draft.persistRules.push({
    kind: line.keyword.text === "force-persist" ? "force" : "ignore",
    condition,
    span: line.span,
  });
}

export function readLog(line: ProxyLine): void {
  const cursor = cursorOf(line);
  if (line.modifier !== null) {
    line.draft.logs = [];
    line.draft.usesGlobalLogs = false;
  } else if (cursor.take("global") !== null) line.draft.usesGlobalLogs = true;
  else {
    const target = readLogTarget(line.reading, cursor, line.span);
    if (target !== null) line.draft.logs.push(target);
    return;
  }
  cursor.expectEnd();
}

export function readLogFormat(line: ProxyLine): void {
  const format = readFormatArgument(line);
  if (format !== null) line.draft.logFormat = { kind: "custom", format, span: line.span };
}

export function readLogFormatData(line: ProxyLine): void {
  line.draft.logFormatData = readFormatArgument(line) ?? line.draft.logFormatData;
}

export function readErrorLogFormat(line: ProxyLine): void {
  line.draft.errorLogFormat = readFormatArgument(line) ?? line.draft.errorLogFormat;
}

function readFormatArgument(line: ProxyLine): LogFormat | null {
  const cursor = cursorOf(line);
  const word = cursor.expect("a format");
  if (word === null) return null;
  if (!cursor.isAtEnd) {
    const next = cursor.peek()!;
    line.report.error(
      "unexpected-word",
      next.span,
      `\`${line.keyword.text}\` takes one text`,
      "Put the format into quotes, or a backslash before each space.",
    );
    return null;
  }
  return parseLogFormat(word, line.reading.contextFor(line.draft, "response"), "log");
}

export function readUniqueIdFormat(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const word = cursor.expect("a format");
  if (word !== null)
    line.draft.uniqueIdFormat = parseLogFormat(word, line.reading.contextFor(line.draft, "request"));
  cursor.expectEnd();
}

export function readMonitor(line: ProxyLine): void {
  const cursor = cursorOf(line);
  if (cursor.expectOneOf("word", ["fail"]) === null) return;
  const condition = readCondition(line, cursor.rest());
  if (condition === null)
    line.report.error(
      "missing-argument",
      line.span,
      "`monitor fail` needs a condition",
      "Write `monitor fail if …`.",
    );
  if (condition === null || condition === undefined) return;
  const { options } = line.draft;
  options.monitorFail = [
    ...options.monitorFail,
    {
      action: { kind: "deny", reply: { status: 503, content: null, headers: [] } },
      condition,
      span: line.span,
    },
  ];
}

const RETRYABLE = [
  "conn-failure",
  "empty-response",
  "junk-response",
  "response-timeout",
  "500",
  "502",
  "503",
  "504",
];
const RETRY_WORDS = [
  "none",
  "conn-failure",
  "empty-response",
  "junk-response",
  "response-timeout",
  "0rtt-rejected",
  "all-retryable-errors",
  "401",
  "403",
  "404",
  "408",
  "425",
  "500",
  "501",
  "502",
  "503",
  "504",
];

/** `persist rdp-cookie`, `persist rdp-cookie(NAME)`. */
export function readPersist(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const word = cursor.expect("`rdp-cookie`");
  if (word === null) return;
  const call = /^rdp-cookie(?:\(([^)]*)\))?$/.exec(word.text);
  if (call === null) cursor.unknown(word, "way to persist", ["rdp-cookie"]);
  else line.draft.rdpCookieName = call[1] || "msts";
  cursor.expectEnd("warning");
}

export function readRetryOn(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const words: string[] = [];
  if (cursor.isAtEnd) cursor.expect("when to retry");
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    if (!RETRY_WORDS.includes(word.text)) cursor.unknown(word, "reason to retry", RETRY_WORDS);
    else if (word.text === "none" && line.words.length > 2)
      line.report.error("conflict", word.span, "`none` stands alone", "Remove the others, or `none`.");
    else if (word.text === "0rtt-rejected")
      line.report.notice(
        "no-effect",
        word.span,
        "`0rtt-rejected` has no effect here",
        "Nothing is sent to servers before the handshake is done.",
      );
    words.push(word.text);
  }
  if (words.includes("all-retryable-errors")) words.push(...RETRYABLE);
  line.draft.retryOn = {
    connFailure: words.includes("conn-failure"),
    emptyResponse: words.includes("empty-response"),
    junkResponse: words.includes("junk-response"),
    responseTimeout: words.includes("response-timeout"),
    statuses: words.filter((word) => /^\d+$/.test(word)).map(Number),
  };
}

export function readHttpReuse(line: ProxyLine): void {
  const cursor = cursorOf(line);
  line.draft.httpReuse =
    cursor.expectOneOf("way to reuse", ["never", "safe", "aggressive", "always"]) ?? line.draft.httpReuse;
  cursor.expectEnd();
}

export function readRateLimit(line: ProxyLine): void {
  const cursor = cursorOf(line);
  if (cursor.expectOneOf("thing to limit", ["sessions"]) === null) return;
  line.draft.rateLimitSessions = expectInteger(cursor, "a number of sessions in a second");
  cursor.expectEnd("warning");
}

export function readId(line: ProxyLine): void {
  const cursor = cursorOf(line);
  line.draft.id = expectInteger(cursor, "a number", 1);
  line.draft.idSpan = line.span;
  cursor.expectEnd();
}

export function readProxySource(line: ProxyLine): void {
  const cursor = cursorOf(line);
  line.draft.source = readSource(line, cursor);
  cursor.expectEnd();
}
