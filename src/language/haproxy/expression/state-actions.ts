// Reads the actions that change something besides the message: variables, addresses, timeouts, captures, the
// log level. HAProxy 2.6 manual, section 4.2.
import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import type { Action, LogLevel, VariableCondition } from "../../../model/rule.ts";
import type { SampleExpression } from "../../../model/sample.ts";
import { LEVELS } from "../log-line.ts";
import { spanInside, type Word } from "../word.ts";
import {
  describeVariable,
  describeVariableCondition,
  isVariableCondition,
  isVariableName,
} from "./argument-values.ts";
import { parseByteCount, parseInteger, parseTimeMs } from "./numbers.ts";
import { quote } from "./report.ts";
import type { ActionReader, RuleLine } from "./rule-line.ts";

const LOG_LEVELS: readonly LogLevel[] = [...LEVELS, "silent"];

export const readSetVar: ActionReader = (line) => {
  const variable = variableOf(line);
  const value = variable === null ? null : line.expectSample();
  return variable === null || value === null
    ? null
    : { kind: "set-var", variable: variable.name, conditions: variable.conditions, value, isFormat: false };
};

export const readSetVarFormat: ActionReader = (line) => {
  const variable = variableOf(line);
  const value = variable === null ? null : line.expectFormat("a format");
  return variable === null || value === null
    ? null
    : { kind: "set-var", variable: variable.name, conditions: variable.conditions, value, isFormat: true };
};

export const readUnsetVar: ActionReader = (line) => {
  const variable = variableOf(line);
  return variable === null ? null : { kind: "unset-var", variable: variable.name };
};

interface NamedVariable {
  readonly name: string;
  readonly conditions: readonly VariableCondition[];
}

/** What stands in `set-var(txn.name,ifset)`. Null after an error. */
function variableOf(line: RuleLine): NamedVariable | null {
  const { name } = line;
  const open = name.text.indexOf("(");
  const action = open < 0 ? name.text : name.text.slice(0, open);
  const example = `Write \`${action}(txn.NAME)\`.`;
  if (open < 0)
    return line.error(
      "missing-argument",
      name.span,
      `the variable is missing behind ${quote(action)}`,
      example,
    );
  if (!name.text.endsWith(")"))
    return line.error("bad-variable", name.span, `a \`)\` is missing behind ${quote(name.text)}`, example);
  const [variable = "", ...conditions] = name.text.slice(open + 1, -1).split(",");
  let start = open + 1 + variable.length + 1;
  if (!isVariableName(variable)) {
    const span = spanInside(name, open + 1, start - 1);
    const help = "Names begin with `proc.`, `sess.`, `txn.`, `req.` or `res.`.";
    return line.error("bad-variable", span, describeVariable(variable), help);
  }
  for (const condition of conditions) {
    const span = spanInside(name, start, start + condition.length);
    if (action === "unset-var")
      return line.error("bad-argument", span, "`unset-var` has no conditions", "Test with `if`.");
    if (!isVariableCondition(condition))
      return line.error("bad-argument", span, describeVariableCondition(condition), null);
    start += condition.length + 1;
  }
  return { name: variable, conditions: conditions.filter(isVariableCondition) };
}

/** `add-acl(FILE) KEY` and its like; `set-map` has a value too. */
export function readPatternChange(
  line: RuleLine,
  kind: "add-acl" | "del-acl" | "set-map" | "del-map",
): Action | null {
  const { name, context } = line;
  const open = name.text.indexOf("(");
  const path = open < 0 ? "" : name.text.slice(open + 1).replace(/\)$/, "");
  if (path === "" || !name.text.endsWith(")"))
    return line.error(
      "missing-argument",
      name.span,
      `the file of the list is missing behind ${quote(kind)}`,
      `Write \`${kind}(FILE)\`, with a file that an acl or a map reads.`,
    );
  const key = line.expectFormat("a key");
  const value = kind !== "set-map" || key === null ? null : line.expectFormat("a value");
  if (key === null || (kind === "set-map" && value === null)) return null;
  context.deferCheck(() => {
    if (context.hasPatternFile(path)) return;
    const message = `no acl and no map reads ${quote(path)}, so there is nothing to change`;
    context.report({
      code: "no-effect",
      severity: "warning",
      span: name.span,
      message,
      help: null,
      related: [],
    });
  });
  return { kind, path, key, value };
}

export const readSetLogLevel: ActionReader = (line) => {
  const word = line.expect("a log level");
  if (word === null) return null;
  const level = LOG_LEVELS.find((one) => one === word.text);
  if (level !== undefined) return { kind: "set-log-level", level };
  const help = suggestWord(word.text, LOG_LEVELS) ?? `Possible: ${LOG_LEVELS.join(", ")}.`;
  return line.error("unknown-word", word.span, `${quote(word.text)} is no log level`, help);
};

/**
 * `set-src` and its like. HAProxy takes expressions of requests here even before there is a request, where
 * they can only fail; we do not.
 */
export function readSetAddress(
  line: RuleLine,
  kind: "set-src" | "set-src-port" | "set-dst" | "set-dst-port",
): Action | null {
  const value = line.expectSample();
  return value === null ? null : { kind, value };
}

export const readSetTimeout: ActionReader = (line) => {
  const word = line.expect("`server` or `tunnel`");
  if (word === null) return null;
  if (word.text !== "server" && word.text !== "tunnel") {
    return line.error(
      "unknown-word",
      word.span,
      `there is no timeout ${quote(word.text)} to set`,
      "Possible: server, tunnel.",
    );
  }
  if (line.context.proxyKind === "frontend") {
    return line.error(
      "misplaced-rule",
      line.name.span,
      "a frontend has no servers whose timeout could be set",
      "Move the rule to the backend.",
    );
  }
  const next = line.peek();
  if (next === null || !/^\d/.test(next.text)) {
    const value = line.expectSample();
    return value === null ? null : { kind: "set-timeout", timeout: word.text, value };
  }
  const value = readTime(line, next);
  return value === null ? null : { kind: "set-timeout", timeout: word.text, value };
};

function readTime(line: RuleLine, word: Word): number | null {
  line.next();
  const value = parseTimeMs(word.text);
  if (value === null)
    return line.error(
      "bad-time",
      word.span,
      `${quote(word.text)} is no time`,
      "Write a number and a unit: us, ms, s, m, h or d.",
    );
  return value > 0 ? value : line.error("bad-time", word.span, "a timeout cannot be 0");
}

export const readSetStatus: ActionReader = (line) => {
  const word = line.expect("a status");
  if (word === null) return null;
  const status = parseInteger(word.text);
  if (status === null || status < 100 || status > 999) {
    return line.error("bad-status", word.span, `${quote(word.text)} is not a status from 100 to 999`);
  }
  if (line.take("reason") === null) return { kind: "set-status", status, reason: null };
  const reason = line.expect("the reason");
  return reason === null ? null : { kind: "set-status", status, reason: reason.text };
};

export const readStrictMode: ActionReader = (line) => {
  const word = line.expect("`on` or `off`");
  if (word === null) return null;
  if (word.text !== "on" && word.text !== "off") {
    const message = `${quote(word.text)} is neither \`on\` nor \`off\``;
    return line.error("unknown-word", word.span, message, suggestWord(word.text, ["on", "off"]));
  }
  sayNoEffect(line, "`strict-mode` has no effect: heads may grow, so no rewrite fails for want of room");
  return { kind: "strict-mode", isOn: word.text === "on" };
};

export const readDisableRetry: ActionReader = () => ({ kind: "disable-l7-retry" });

export const readSetNice: ActionReader = (line) => {
  if (line.expect("a number") === null) return null;
  sayNoEffect(line, "`set-nice` has no effect: streams have no priorities in a worker");
  return { kind: "set-nice" };
};

export const readWaitForHandshake: ActionReader = (line) => {
  sayNoEffect(line, "`wait-for-handshake` has no effect: requests never begin before the handshake is done");
  return { kind: "wait-for-handshake" };
};

function sayNoEffect({ context, name }: Parameters<ActionReader>[0], message: string): void {
  context.report({
    code: "no-effect",
    severity: "notice",
    span: name.span,
    message,
    help: null,
    related: [],
  });
}

export const readWaitForBody: ActionReader = (line) => {
  let timeoutMs: number | null = null;
  let atLeastBytes: number | null = null;
  for (let word = line.peek(); word !== null; word = line.peek()) {
    if (word.text !== "time" && word.text !== "at-least") break;
    line.next();
    const argument = line.expect(word.text === "time" ? "a time" : "a size");
    if (argument === null) return null;
    const value = word.text === "time" ? parseTimeMs(argument.text) : parseByteCount(argument.text);
    if (value === null)
      return line.error(
        "bad-argument",
        argument.span,
        `${quote(argument.text)} is no ${word.text === "time" ? "time" : "size"}`,
      );
    if (word.text === "time") timeoutMs = value;
    else atLeastBytes = value;
  }
  if (timeoutMs === null)
    return line.error(
      "missing-argument",
      line.name.span,
      "`time` is missing",
      "Write `wait-for-body time 5s`.",
    );
  // At least 0 bytes means the whole body, as when nothing is said.
  return { kind: "wait-for-body", timeoutMs, atLeastBytes: atLeastBytes === 0 ? null : atLeastBytes };
};

/** `capture EXPR len N` takes a slot (requests only), `capture EXPR id N` fills one of `declare capture`. */
export function readCapture(line: RuleLine, mayTakeSlot: boolean): Action | null {
  const sample = line.expectSample();
  if (sample === null) return null;
  const keyword = line.expect(mayTakeSlot ? "`len` or `id`" : "`id`");
  if (keyword === null) return null;
  if (keyword.text === "len" && mayTakeSlot) return readCaptureLength(line, sample);
  if (keyword.text === "id") return readCaptureSlot(line, sample);
  const help = mayTakeSlot
    ? "Write `len LENGTH` or `id SLOT`."
    : "Write `id SLOT`, with a slot of `declare capture response`.";
  return line.error("unexpected-word", keyword.span, `${quote(keyword.text)} is not expected here`, help);
}

function readCaptureLength(line: RuleLine, sample: SampleExpression): Action | null {
  const { context } = line;
  const word = line.expect("a length");
  if (word === null) return null;
  const length = parseInteger(word.text);
  if (length === null || length <= 0)
    return line.error("bad-number", word.span, `${quote(word.text)} is no length`);
  if (context.proxyKind === "backend") {
    return line.error(
      "misplaced-rule",
      line.name.span,
      "a backend has no captures of its own",
      "Use `declare capture` in the frontend and `id` here.",
    );
  }
  return { kind: "capture", sample, slot: context.captures.addRequestSlot(length) };
}

function readCaptureSlot(line: RuleLine, sample: SampleExpression): Action | null {
  const { context } = line;
  const word = line.expect("a slot");
  if (word === null) return null;
  const slot = parseInteger(word.text);
  if (slot === null || slot < 0) return line.error("bad-number", word.span, `${quote(word.text)} is no slot`);
  // The slots of a backend's rule are those of whichever frontend the request came through.
  if (context.proxyKind === "frontend" || context.proxyKind === "listen") {
    const direction = line.stage === "response" ? "response" : "request";
    context.deferCheck(() => {
      const count = direction === "response" ? context.captures.responseCount : context.captures.requestCount;
      if (slot >= count)
        line.error(
          "unknown-capture",
          word.span,
          `there is no ${direction} capture ${slot}`,
          `Add \`declare capture ${direction} len LENGTH\`.`,
        );
    });
  }
  return { kind: "capture", sample, slot };
}
