// Reads the arguments of `redirect`, which is a rule of http-request and http-response and a keyword of its
// own. HAProxy 2.6 manual, section 4.2, "redirect".
import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import type { RedirectDefinition } from "../../../model/rule.ts";
import type { LogFormat } from "../../../model/sample.ts";
import type { Word } from "../word.ts";
import { parseLogFormat } from "./log-format-parser.ts";
import { quote } from "./report.ts";
import type { RuleLine } from "./rule-line.ts";

const CODES = [301, 302, 303, 307, 308] as const;
const KINDS = ["location", "prefix", "scheme"] as const;
const WORDS = [...KINDS, "code", "set-cookie", "clear-cookie", "drop-query", "append-slash", "ignore-empty"];

interface Draft {
  to: RedirectDefinition["to"] | null;
  target: Word | null;
  code: RedirectDefinition["code"];
  setCookie: string | null;
  clearCookie: string | null;
  dropQuery: boolean;
  appendSlash: boolean;
  ignoreEmpty: boolean;
}

/** Reads the arguments up to a condition. Null after an error. */
export function readRedirect(line: RuleLine): RedirectDefinition | null {
  const draft: Draft = {
    to: null,
    target: null,
    code: 302,
    setCookie: null,
    clearCookie: null,
    dropQuery: false,
    appendSlash: false,
    ignoreEmpty: false,
  };
  for (let word = line.next(); word !== null; word = line.next()) {
    if (!readArgument(line, word, draft)) return null;
  }
  const { to, target, ...options } = draft;
  if (to === null || target === null) {
    return line.error(
      "bad-redirect",
      line.span,
      "where to redirect is missing",
      "Give `location`, `prefix` or `scheme`.",
    );
  }
  if (line.stage === "response" && to !== "location") {
    return line.error(
      "bad-redirect",
      target.span,
      `a response can be redirected by \`location\` only, not by ${quote(to)}`,
    );
  }
  const value = readTarget(line, to, target);
  return value === null ? null : { kind: "redirect", to, value, ...options };
}

/** The prefix "/" stands for none, so that a page can redirect to itself. */
function readTarget(line: RuleLine, to: RedirectDefinition["to"], target: Word): LogFormat | null {
  if (to === "prefix" && target.text === "/") return { parts: [], text: target.text, span: target.span };
  return parseLogFormat(target, line.context, line.stage);
}

/** False after an error. */
function readArgument(line: RuleLine, word: Word, draft: Draft): boolean {
  const kind = KINDS.find((one) => one === word.text);
  if (kind !== undefined) {
    draft.to = kind;
    draft.target = line.expect(`the ${kind}`);
    return draft.target !== null;
  }
  switch (word.text) {
    case "code":
      return readCode(line, draft);
    case "set-cookie":
    case "clear-cookie":
      return readCookie(line, word, draft);
    case "drop-query":
      draft.dropQuery = true;
      return true;
    case "append-slash":
      draft.appendSlash = true;
      return true;
    case "ignore-empty":
      draft.ignoreEmpty = true;
      return true;
  }
  line.error(
    "unexpected-word",
    word.span,
    `${quote(word.text)} is not expected in a redirect`,
    suggestWord(word.text, WORDS) ?? `Possible: ${WORDS.join(", ")}.`,
  );
  return false;
}

function readCode(line: RuleLine, draft: Draft): boolean {
  const word = line.expect("a status");
  if (word === null) return false;
  const code = CODES.find((one) => String(one) === word.text);
  if (code === undefined) {
    line.error(
      "bad-status",
      word.span,
      `${quote(word.text)} is no status of a redirect`,
      `Possible: ${CODES.join(", ")}.`,
    );
    return false;
  }
  draft.code = code;
  return true;
}

/** The last cookie given counts, as in HAProxy. */
function readCookie(line: RuleLine, keyword: Word, draft: Draft): boolean {
  const word = line.expect("a cookie");
  if (word === null) return false;
  draft.setCookie = keyword.text === "set-cookie" ? word.text : null;
  draft.clearCookie = keyword.text === "clear-cookie" ? word.text : null;
  return true;
}
