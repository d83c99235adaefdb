// Reads the rules of a proxy: the words behind `http-request`, `tcp-request content` and so on, with their
// condition. Which actions exist in which rule set is in the tables here; how each is read is in the files of
// actions. HAProxy 2.6 manual, section 4.2.
import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import { NO_SPAN, type Span } from "../../../diagnostic/span.ts";
import type { Action, RedirectDefinition, Rule } from "../../../model/rule.ts";
import type { Condition } from "../../../model/sample.ts";
import type { ExpressionContext } from "../context.ts";
import { spanOfWords, type Word } from "../word.ts";
import type { Stage } from "./availability.ts";
import { readCacheAction } from "./cache-actions.ts";
import { isConditionKeyword, parseCondition } from "./condition-parser.ts";
import { COUNTER_ACTIONS, TRACK_ACTIONS } from "./counter-actions.ts";
import {
  readAccept,
  readAllow,
  readAuth,
  readClose,
  readDeny,
  readRedirectAction,
  readReject,
  readReturn,
  readSilentDrop,
  readSwitchMode,
  readUseService,
} from "./final-actions.ts";
import { HEADER_ACTIONS, REQUEST_LINE_ACTIONS } from "./message-actions.ts";
import { readRedirect } from "./redirect-parser.ts";
import { quote, reportError } from "./report.ts";
import { readDoResolve } from "./resolve-action.ts";
import { type ActionReader, RuleLine } from "./rule-line.ts";
import {
  readCapture,
  readDisableRetry,
  readPatternChange,
  readSetAddress,
  readSetLogLevel,
  readSetNice,
  readSetStatus,
  readSetTimeout,
  readSetVar,
  readSetVarFormat,
  readStrictMode,
  readUnsetVar,
  readWaitForBody,
  readWaitForHandshake,
} from "./state-actions.ts";
import { unsupportedRuleReason } from "./unsupported-rules.ts";

/** The rule sets that are evaluated on the raw connection. */
export type TcpRequestKind = "connection" | "session" | "content";

interface RuleSet {
  /** As written in the file. */
  readonly name: string;
  readonly stage: Stage;
  readonly actions: Readonly<Record<string, ActionReader>>;
}

const VARIABLE_ACTIONS: Readonly<Record<string, ActionReader>> = {
  "set-var": readSetVar,
  "set-var-fmt": readSetVarFormat,
  "unset-var": readUnsetVar,
};

const PATTERN_ACTIONS: Readonly<Record<string, ActionReader>> = {
  "add-acl": (line) => readPatternChange(line, "add-acl"),
  "del-acl": (line) => readPatternChange(line, "del-acl"),
  "set-map": (line) => readPatternChange(line, "set-map"),
  "del-map": (line) => readPatternChange(line, "del-map"),
};

const ADDRESS_ACTIONS: Readonly<Record<string, ActionReader>> = {
  "set-src": (line) => readSetAddress(line, "set-src"),
  "set-src-port": (line) => readSetAddress(line, "set-src-port"),
  "set-dst": (line) => readSetAddress(line, "set-dst"),
  "set-dst-port": (line) => readSetAddress(line, "set-dst-port"),
};

const EARLY_ACTIONS: Readonly<Record<string, ActionReader>> = {
  accept: readAccept,
  reject: readReject,
  "silent-drop": readSilentDrop,
  ...VARIABLE_ACTIONS,
  ...ADDRESS_ACTIONS,
  ...TRACK_ACTIONS,
  ...COUNTER_ACTIONS,
};

const HTTP_REQUEST: RuleSet = {
  name: "http-request",
  stage: "request",
  actions: {
    ...HEADER_ACTIONS,
    ...REQUEST_LINE_ACTIONS,
    ...VARIABLE_ACTIONS,
    ...PATTERN_ACTIONS,
    ...ADDRESS_ACTIONS,
    ...TRACK_ACTIONS,
    ...COUNTER_ACTIONS,
    allow: readAllow,
    auth: readAuth,
    capture: (line) => readCapture(line, true),
    deny: (line) => readDeny(line, "deny"),
    "disable-l7-retry": readDisableRetry,
    redirect: readRedirectAction,
    "do-resolve": readDoResolve,
    reject: readReject,
    return: readReturn,
    "set-log-level": readSetLogLevel,
    "set-nice": readSetNice,
    "set-timeout": readSetTimeout,
    "strict-mode": readStrictMode,
    "silent-drop": readSilentDrop,
    tarpit: (line) => readDeny(line, "tarpit"),
    "use-service": readUseService,
    "cache-use": (line) => readCacheAction(line, "cache-use"),
    "wait-for-body": readWaitForBody,
    "wait-for-handshake": readWaitForHandshake,
  },
};

const HTTP_RESPONSE: RuleSet = {
  name: "http-response",
  stage: "response",
  actions: {
    ...HEADER_ACTIONS,
    ...VARIABLE_ACTIONS,
    ...PATTERN_ACTIONS,
    ...TRACK_ACTIONS,
    ...COUNTER_ACTIONS,
    allow: readAllow,
    "cache-store": (line) => readCacheAction(line, "cache-store"),
    capture: (line) => readCapture(line, false),
    deny: (line) => readDeny(line, "deny"),
    redirect: readRedirectAction,
    return: readReturn,
    "set-log-level": readSetLogLevel,
    "set-nice": readSetNice,
    "set-status": readSetStatus,
    "strict-mode": readStrictMode,
    "silent-drop": readSilentDrop,
    "wait-for-body": readWaitForBody,
  },
};

const HTTP_AFTER_RESPONSE: RuleSet = {
  name: "http-after-response",
  stage: "response",
  actions: {
    ...HEADER_ACTIONS,
    ...VARIABLE_ACTIONS,
    allow: readAllow,
    capture: (line) => readCapture(line, false),
    "set-status": readSetStatus,
    "strict-mode": readStrictMode,
  },
};

const TCP_REQUEST: Readonly<Record<TcpRequestKind, RuleSet>> = {
  connection: { name: "tcp-request connection", stage: "connection", actions: EARLY_ACTIONS },
  session: { name: "tcp-request session", stage: "session", actions: EARLY_ACTIONS },
  content: {
    name: "tcp-request content",
    stage: "request",
    actions: {
      ...EARLY_ACTIONS,
      capture: (line) => readCapture(line, true),
      "do-resolve": readDoResolve,
      "set-log-level": readSetLogLevel,
      "set-nice": readSetNice,
      "switch-mode": readSwitchMode,
    },
  },
};

const TCP_RESPONSE: RuleSet = {
  name: "tcp-response content",
  stage: "response",
  actions: {
    ...VARIABLE_ACTIONS,
    ...COUNTER_ACTIONS,
    accept: readAccept,
    close: readClose,
    reject: readReject,
    "set-log-level": readSetLogLevel,
    "silent-drop": readSilentDrop,
  },
};

/**
 * One `http-request` line: `words` are those behind the keyword, `keyword` is where to complain when there
 * are none. Null after an error, which was reported. All functions here work alike.
 */
export function parseHttpRequestRule(
  words: readonly Word[],
  context: ExpressionContext,
  keyword: Span = NO_SPAN,
): Rule | null {
  return parseRule(HTTP_REQUEST, words, context, keyword);
}

export function parseHttpResponseRule(
  words: readonly Word[],
  context: ExpressionContext,
  keyword: Span = NO_SPAN,
): Rule | null {
  return parseRule(HTTP_RESPONSE, words, context, keyword);
}

export function parseHttpAfterResponseRule(
  words: readonly Word[],
  context: ExpressionContext,
  keyword: Span = NO_SPAN,
): Rule | null {
  return parseRule(HTTP_AFTER_RESPONSE, words, context, keyword);
}

/** `tcp-request connection|session|content`: `words` are those behind the kind. */
export function parseTcpRequestRule(
  kind: TcpRequestKind,
  words: readonly Word[],
  context: ExpressionContext,
  keyword: Span = NO_SPAN,
): Rule | null {
  return parseRule(TCP_REQUEST[kind], words, context, keyword);
}

/** `tcp-response content`: `words` are those behind it. */
export function parseTcpResponseRule(
  words: readonly Word[],
  context: ExpressionContext,
  keyword: Span = NO_SPAN,
): Rule | null {
  return parseRule(TCP_RESPONSE, words, context, keyword);
}

/** The keyword `redirect` of a proxy: `words` are those behind it. */
export function parseRedirect(
  words: readonly Word[],
  context: ExpressionContext,
  keyword: Span = NO_SPAN,
): Rule<RedirectDefinition> | null {
  const stage = context.direction;
  if (words.length === 0)
    return reportError(
      context,
      "missing-argument",
      keyword,
      "where to redirect is missing",
      "Give `location`, `prefix` or `scheme`.",
    );
  const line = new RuleLine(words, 0, context, stage);
  const action = readRedirect(line);
  const ending = action === null ? null : readEnding("redirect", line);
  return action === null || ending === null
    ? null
    : { action, condition: ending.condition, span: spanOfWords(words) };
}

function parseRule(
  ruleSet: RuleSet,
  words: readonly Word[],
  context: ExpressionContext,
  keyword: Span,
): Rule | null {
  const first = words[0];
  if (first === undefined || first.text === "") {
    return reportError(
      context,
      "missing-argument",
      first?.span ?? keyword,
      `the action is missing behind \`${ruleSet.name}\``,
    );
  }
  const name = actionName(first.text);
  const reader = Object.hasOwn(ruleSet.actions, name) ? ruleSet.actions[name] : undefined;
  if (reader === undefined) return reportUnknownAction(ruleSet, first, name, context);
  const line = new RuleLine(words, 1, context, ruleSet.stage);
  const action: Action | null = reader(line);
  const ending = action === null ? null : readEnding(`${ruleSet.name} ${name}`, line);
  return action === null || ending === null
    ? null
    : { action, condition: ending.condition, span: spanOfWords(words) };
}

/** `set-var(txn.x)` is the action `set-var`. */
function actionName(text: string): string {
  const open = text.indexOf("(");
  return open < 0 ? text : text.slice(0, open);
}

function reportUnknownAction(ruleSet: RuleSet, word: Word, name: string, context: ExpressionContext): null {
  const elsewhere = ALL_RULE_SETS.filter((one) => Object.hasOwn(one.actions, name)).map(
    (one) => `\`${one.name}\``,
  );
  if (elsewhere.length > 0) {
    const message = `\`${ruleSet.name}\` has no action ${quote(name)}`;
    return reportError(
      context,
      "misplaced-rule",
      word.span,
      message,
      `It can stand behind ${elsewhere.join(", ")}.`,
    );
  }
  const reason = unsupportedRuleReason(name);
  if (reason !== null)
    return reportError(
      context,
      "unsupported-rule",
      word.span,
      `${quote(name)} is not supported yet: ${reason}`,
    );
  const message = `\`${ruleSet.name}\` has no action ${quote(name)}`;
  return reportError(
    context,
    "unknown-rule",
    word.span,
    message,
    suggestWord(name, Object.keys(ruleSet.actions)),
  );
}

const ALL_RULE_SETS: readonly RuleSet[] = [
  HTTP_REQUEST,
  HTTP_RESPONSE,
  HTTP_AFTER_RESPONSE,
  ...Object.values(TCP_REQUEST),
  TCP_RESPONSE,
];

/** Nothing, or a condition. Null after an error. */
function readEnding(rule: string, line: RuleLine): { readonly condition: Condition | null } | null {
  const { rest } = line;
  const first = rest[0];
  if (first === undefined) return { condition: null };
  if (!isConditionKeyword(first)) {
    const message = `\`${rule}\` is complete, but ${quote(first.text)} follows`;
    return line.error(
      "unexpected-word",
      first.span,
      message,
      "A condition begins with `if` or `unless`; a value with spaces needs quotes.",
    );
  }
  const condition = parseCondition(rest, line.context, line.stage);
  return condition === null ? null : { condition };
}
