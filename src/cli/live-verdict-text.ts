// What a running network has done with a question, in words: the kernel's rules beside the lines of the file,
// and whether all was as explained.
import { formatPlace } from "../diagnostic/span.ts";
import type { Trace } from "../model/trace.ts";
import type { Decision, RuleComparison } from "../network/explain/compare-rules.ts";
import type { Disagreement, LiveCapture } from "../network/explain/compare-trace.ts";
import { colour, type Terminal } from "./terminal.ts";

export interface LiveVerdict {
  readonly disagreements: readonly Disagreement[];
  readonly rules: readonly RuleComparison[];
  /** The way there was as explained, but no program answers. */
  readonly isUnanswered: boolean;
}

export function isAgreed({ disagreements, rules }: LiveVerdict): boolean {
  return disagreements.length === 0 && rules.every(({ agrees }) => agrees);
}

export function silenceText({ question, there }: Trace): string {
  const what = question.port === null ? question.protocol : `${question.protocol} ${question.port}`;
  const end = there.hops[there.end]?.node.name ?? "its end";
  return `no program answers ${what} at ${end}: compared is the way there\n`;
}

/** Empty when no rule was asked. */
export function rulesText(rules: readonly RuleComparison[], { isColour }: Terminal): string {
  const lines = rules.flatMap(({ node, stage, explained, kernel }) =>
    kernel === null
      ? []
      : `  ${node}, ${stage}: ${placeWords(explained)}\n    ${colour(isColour, "faint", kernel.rule)}\n`,
  );
  return lines.length === 0 ? "" : `the lines that decide, and the rules of the kernel:\n${lines.join("")}\n`;
}

export function verdictText(
  captures: readonly LiveCapture[],
  verdict: LiveVerdict,
  { isColour }: Terminal,
): string {
  const { disagreements, rules } = verdict;
  const places = new Set(captures.map(({ node, port }) => `${node} ${port}`)).size;
  if (isAgreed(verdict)) {
    const good = colour(isColour, "good", "the kernel agrees");
    const ruleWords = rules.length === 0 ? "" : ` and ${count(rules.length, "rule")}`;
    const frames = `${count(captures.length, "frame")} at ${count(places, "cable")}`;
    return `${good}: ${frames}${ruleWords} as explained\n`;
  }
  const frameLines = disagreements.map(({ node, port, direction, explained, captured }) => {
    const what = `explained ${explained ?? "nothing"}, captured ${captured ?? "nothing"}`;
    return `  ${node}, ${direction} by ${port}: ${what}\n`;
  });
  const ruleLines = rules
    .filter(({ agrees }) => !agrees)
    .map(({ node, stage, explained, kernel }) => {
      const wanted = explained === null ? "nothing" : decisionWords(explained);
      const found = kernel === null ? "names no rule" : `${decisionWords(kernel)} by ${kernel.rule}`;
      return `  ${node}, ${stage}: explained ${wanted}; the kernel ${found}\n`;
    });
  const all = [...frameLines, ...ruleLines].join("");
  return `${colour(isColour, "error", "the kernel does otherwise")}:\n${all}`;
}

function decisionWords(decision: Decision): string {
  return decision.span === null ? decision.verdict : `${decision.verdict} (${placeWords(decision)})`;
}

function placeWords(decision: Decision | null): string {
  if (decision === null) return "no line";
  return decision.span === null ? decision.verdict : formatPlace(decision.span);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
