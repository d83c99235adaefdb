// The vocabulary of HAProxy 1.5 (`reqadd`, `rspidel`, `contimeout`, …). Each line is rewritten as the line
// of today, which is then read like any other, with a warning that shows it. What has no line of today
// becomes a LegacyAction.
import type { LegacyAction, Rule } from "../../model/rule.ts";
import { parseCondition } from "./expression/condition-parser.ts";
import { checkRegex } from "./expression/regex.ts";
import { LEGACY_KEYWORDS } from "./keywords-proxy.ts";
import { modernizeLegacyWords } from "./legacy-rewrite.ts";
import { displayText } from "./lexer.ts";
import { capitalize } from "./line-words.ts";
import { allowsPlace, describePlaces } from "./places.ts";
import { quoteWord } from "./quote.ts";
import type { ProxyLine } from "./reading.ts";
import { spanOfWords, type Word, wordAt } from "./word.ts";

/** Reads one legacy line; `readLine` is the reader of lines of today. */
export function readLegacyLine(line: ProxyLine, readLine: (line: ProxyLine) => void): void {
  const { report, keyword, draft } = line;
  const entry = LEGACY_KEYWORDS.get(keyword.text)!;
  if (entry.support === "refused") {
    report.error(
      "refused-keyword",
      keyword.span,
      `\`${entry.name}\` no longer exists`,
      capitalize(entry.note),
    );
    return;
  }
  if (!allowsPlace(entry.places, draft.kind)) {
    report.error(
      "wrong-section",
      keyword.span,
      `\`${entry.name}\` cannot stand in a \`${draft.kind}\` section`,
      `It belongs to ${describePlaces(entry.places)}.`,
    );
    return;
  }
  const result = modernizeLegacyWords(line.words.map((word) => word.text));
  if (result.kind === "error") {
    report.error(
      "obsolete-keyword",
      line.words[result.wordIndex]?.span ?? keyword.span,
      result.message,
      result.help,
    );
    return;
  }
  if (keyword.text.startsWith("req") || keyword.text.startsWith("rsp")) draft.firstLegacyRule ??= line.span;
  if (result.kind === "legacy") {
    readLegacyAction(line, result.action, result.conditionIndex);
    return;
  }
  const modern = result.words.map(quoteWord).join(" ");
  report.warning(
    "obsolete-keyword",
    keyword.span,
    `\`${keyword.text}\` is the language of HAProxy 1.5; it is read as the line of today`,
    displayText(modern),
  );
  const { httpRequest, httpResponse } = draft;
  const [requestCount, responseCount] = [httpRequest.length, httpResponse.length];
  readLine(asLine(line, result.words, result.sources));
  const isAdd = keyword.text.endsWith("add");
  const requestRules =
    keyword.text === "block" ? draft.blockRules : isAdd ? draft.legacyRequestAdds : draft.legacyRequestRules;
  requestRules.push(...httpRequest.splice(requestCount));
  (isAdd ? draft.legacyResponseAdds : draft.legacyResponseRules).push(...httpResponse.splice(responseCount));
}

/** The rewritten words keep the places of the words that they come from. */
function asLine(line: ProxyLine, texts: readonly string[], sources: readonly number[]): ProxyLine {
  const words = texts.map((text, i): Word => {
    const source = line.words[sources[i]!] ?? line.keyword;
    return source.text === text ? source : wordAt(text, source.span);
  });
  return { ...line, words, keyword: words[0]! };
}

function readLegacyAction(line: ProxyLine, action: LegacyAction, conditionIndex: number | null): void {
  const { report, keyword, draft } = line;
  const isRequest = keyword.text.startsWith("req");
  const context = line.reading.contextFor(draft, isRequest ? "request" : "response");
  const help = "HAProxy of today has no such rule. Think of `replace-header` or `replace-uri`.";
  report.warning(
    "obsolete-keyword",
    keyword.span,
    `\`${keyword.text}\` is the language of HAProxy 1.5; it is done line by line as it was`,
    help,
  );
  if (!checkRegex(action.pattern, line.words[1]!.span, context)) return;
  const condition =
    conditionIndex === null ? null : parseCondition(line.words.slice(conditionIndex), context);
  if (conditionIndex !== null && condition === null) return;
  const rule: Rule = { action, condition, span: spanOfWords(line.words) };
  draft.httpOnly.push({ what: keyword.text, span: line.span });
  (isRequest ? draft.legacyRequestRules : draft.legacyResponseRules).push(rule);
}
