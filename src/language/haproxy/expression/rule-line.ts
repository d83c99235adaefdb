// The words of one rule while they are read: what comes next, and what is said when it is missing. Every
// `expect…` returns null after having reported why.
import type { Span } from "../../../diagnostic/span.ts";
import type { Action } from "../../../model/rule.ts";
import type { LogFormat, SampleExpression } from "../../../model/sample.ts";
import type { ExpressionContext } from "../context.ts";
import { spanOfWords, type Word } from "../word.ts";
import type { Stage } from "./availability.ts";
import { isConditionKeyword } from "./condition-parser.ts";
import { parseLogFormat } from "./log-format-parser.ts";
import { checkRegex } from "./regex.ts";
import { quote, reportError, reportWarning } from "./report.ts";
import { parseSampleWords } from "./sample-parser.ts";

/** Reads what stands behind an action's name. */
export type ActionReader = (line: RuleLine) => Action | null;

export class RuleLine {
  readonly words: readonly Word[];
  readonly context: ExpressionContext;
  readonly stage: Stage;
  #at: number;

  constructor(words: readonly Word[], at: number, context: ExpressionContext, stage: Stage) {
    this.words = words;
    this.context = context;
    this.stage = stage;
    this.#at = at;
  }

  /** The action's name, or the first word of the line. */
  get name(): Word {
    return this.words[0]!;
  }

  /** All words not taken so far. */
  get rest(): readonly Word[] {
    return this.words.slice(this.#at);
  }

  /** The next word that is no beginning of a condition; null at the end of the arguments. */
  peek(): Word | null {
    const word = this.words[this.#at];
    return word === undefined || isConditionKeyword(word) ? null : word;
  }

  next(): Word | null {
    const word = this.peek();
    if (word !== null) this.#at++;
    return word;
  }

  take(text: string): Word | null {
    return this.peek()?.text === text ? this.next() : null;
  }

  /** `what` with its article: "a header name". */
  expect(what: string): Word | null {
    const word = this.next();
    if (word !== null && word.text !== "") return word;
    const previous = this.words[this.#at - 1 - (word === null ? 0 : 1)] ?? this.name;
    return this.error(
      "missing-argument",
      word?.span ?? previous.span,
      `${what} is missing behind ${quote(previous.text)}`,
    );
  }

  expectFormat(what: string): LogFormat | null {
    const word = this.expect(what);
    return word === null ? null : parseLogFormat(word, this.context, this.stage);
  }

  expectRegex(): string | null {
    const word = this.expect("a regular expression");
    return word === null || !checkRegex(word.text, word.span, this.context) ? null : word.text;
  }

  /** Reads an expression, which may go on in converters of the following words. */
  expectSample(stage: Stage = this.stage): SampleExpression | null {
    const word = this.expect("a sample expression");
    if (word === null) return null;
    const read = parseSampleWords(this.words, this.#at - 1, this.context, stage);
    if (read === null) return null;
    this.#at = read.next;
    return read.sample;
  }

  /** Reads a header's name; warns when it cannot be meant. */
  expectHeaderName(): string | null {
    const word = this.expect("the name of a header");
    if (word === null) return null;
    if (word.text.length > 1 && word.text.endsWith(":")) {
      reportWarning(
        this.context,
        "odd-header-name",
        word.span,
        `the header ${quote(word.text)} has a colon in its name`,
        `Write ${quote(word.text.slice(0, -1))}.`,
      );
    }
    return word.text;
  }

  error(code: string, span: Span, message: string, help: string | null = null): null {
    return reportError(this.context, code, span, message, help);
  }

  /** The span of the whole line. */
  get span(): Span {
    return spanOfWords(this.words);
  }
}
