// Reads `if …` and `unless …`: acls side by side must all hold, `or` and `||` separate alternatives, `!`
// negates, `{ … }` is an acl without a name. HAProxy 2.6 manual, section 7.2.
import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import type { Span } from "../../../diagnostic/span.ts";
import type { Acl, Condition, ConditionTerm } from "../../../model/sample.ts";
import type { ExpressionContext } from "../context.ts";
import { spanOfWords, type Word } from "../word.ts";
import { criterionOf, parseAclTest } from "./acl-parser.ts";
import { type Stage, unavailableReason } from "./availability.ts";
import { PREDEFINED_ACL_NAMES, predefinedAcl } from "./predefined-acls.ts";
import { quote, reportError, reportWarning } from "./report.ts";

/**
 * Reads all of `words`, the first of which is `if` or `unless`. Null when anything was wrong. An acl that can
 * never match at `stage` (the context's direction unless given) is a warning, as in HAProxy.
 */
export function parseCondition(
  words: readonly Word[],
  context: ExpressionContext,
  stage: Stage = context.direction,
): Condition | null {
  const keyword = words[0];
  if (keyword === undefined) return null;
  if (keyword.text !== "if" && keyword.text !== "unless") {
    return reportError(
      context,
      "bad-condition",
      keyword.span,
      `a condition begins with \`if\` or \`unless\`, not with ${quote(keyword.text)}`,
    );
  }
  if (words.length === 1) {
    return reportError(
      context,
      "bad-condition",
      keyword.span,
      `the condition behind \`${keyword.text}\` is missing`,
    );
  }
  const anyOf = new TermReader(words, context, stage).read();
  if (anyOf === null) return null;
  const text = words.map((word) => word.text).join(" ");
  return { keyword: keyword.text, anyOf, text, span: spanOfWords(words) };
}

/** True if a condition begins with this word. */
export function isConditionKeyword(word: Word | undefined): boolean {
  return word !== undefined && (word.text === "if" || word.text === "unless");
}

class TermReader {
  readonly #words: readonly Word[];
  readonly #context: ExpressionContext;
  readonly #stage: Stage;
  readonly #anyOf: ConditionTerm[][] = [];
  #suite: ConditionTerm[] | null = null;
  #isGood = true;

  constructor(words: readonly Word[], context: ExpressionContext, stage: Stage) {
    this.#words = words;
    this.#context = context;
    this.#stage = stage;
  }

  read(): readonly (readonly ConditionTerm[])[] | null {
    let negated = false;
    for (let index = 1; index < this.#words.length; index++) {
      const word = this.#words[index]!;
      const marks = /^!*/.exec(word.text)![0].length;
      if (marks % 2 === 1) negated = !negated;
      const text = word.text.slice(marks);
      if (text === "") continue;
      if (text.toLowerCase() === "or" || text === "||") {
        this.#endSuite(word);
        negated = false;
        continue;
      }
      const end = text === "{" ? this.#closingBrace(index) : index;
      if (end === null) return null;
      this.#addTerm(
        text === "{" ? this.#anonymousAcl(index, end) : this.#namedAcl(text, word),
        negated,
        word,
      );
      negated = false;
      index = end;
    }
    if (this.#anyOf.length === 0 && this.#isGood) {
      return reportError(
        this.#context,
        "bad-condition",
        spanOfWords(this.#words),
        "the condition names no acl",
      );
    }
    return this.#isGood ? this.#anyOf : null;
  }

  #endSuite(word: Word): void {
    if (this.#suite === null && this.#isGood) {
      reportWarning(this.#context, "odd-condition", word.span, `nothing stands before ${quote(word.text)}`);
    }
    this.#suite = null;
  }

  #addTerm(acl: Acl | null, negated: boolean, word: Word): void {
    if (acl === null) {
      this.#isGood = false;
      return;
    }
    this.#warnIfNever(acl, word.span);
    if (this.#suite === null) {
      this.#suite = [];
      this.#anyOf.push(this.#suite);
    }
    this.#suite.push({ negated, acl });
  }

  #closingBrace(start: number): number | null {
    for (let index = start + 1; index < this.#words.length; index++) {
      if (this.#words[index]!.text === "}") return index;
    }
    const glued = this.#words.slice(start + 1).find((word) => word.text.endsWith("}"));
    const help = glued === undefined ? null : "A space must stand before `}`.";
    return reportError(
      this.#context,
      "bad-condition",
      this.#words[start]!.span,
      "this `{` is not closed by `}`",
      help,
    );
  }

  #anonymousAcl(start: number, end: number): Acl | null {
    const test = parseAclTest(this.#words.slice(start + 1, end), this.#words[start]!.span, this.#context);
    return test === null ? null : { name: "", tests: [test] };
  }

  #namedAcl(name: string, word: Word): Acl | null {
    const own = this.#context.acls.get(name);
    if (own !== undefined) return own;
    const predefined = predefinedAcl(name);
    if (predefined !== null) return this.#adopt(predefined, word);
    const help = this.#helpForUnknown(name);
    return reportError(
      this.#context,
      "unknown-acl",
      word.span,
      `there is no acl ${quote(name)} above this line`,
      help,
    );
  }

  /** Its patterns can be changed too, for the proxy that uses it, as in HAProxy. */
  #adopt(acl: Acl, word: Word): Acl {
    return this.#context.adoptAcl(acl.name, () => {
      const tests = acl.tests.map((test) => {
        const { method, ignoreCase } = test;
        const use = { kind: "acl", method, ignoreCase, span: word.span } as const;
        const criterion = criterionOf(test.sample.text);
        const list = this.#context.addPatterns(criterion, test.patterns, use, null);
        return list === null ? test : { ...test, lists: [list] };
      });
      return { ...acl, tests };
    });
  }

  #helpForUnknown(name: string): string | null {
    if (name.startsWith("{") || name.endsWith("}")) return "Spaces must stand around `{` and `}`.";
    if (["and", "&&"].includes(name.toLowerCase()))
      return "Acls side by side must all hold: leave this word out.";
    return suggestWord(name, [...this.#context.acls.keys(), ...PREDEFINED_ACL_NAMES]);
  }

  #warnIfNever(acl: Acl, span: Span): void {
    const reasons = acl.tests.map((test) =>
      unavailableReason(test.sample.fetch.name, this.#stage, this.#context),
    );
    const reason = reasons[0];
    if (reason === null || reason === undefined || reasons.includes(null)) return;
    const what = acl.name === "" ? "this test" : `acl ${quote(acl.name)}`;
    const fetch = quote(acl.tests[0]!.sample.fetch.name);
    reportWarning(this.#context, "never-matches", span, `${what} never matches: ${fetch} ${reason}`);
  }
}
