// Walks over the words of one line and reports what is missing or too much, at the place where it should
// stand.

import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import { displayText } from "./lexer.ts";
import type { Report } from "./report.ts";
import type { Word } from "./word.ts";

export class Cursor {
  readonly words: readonly Word[];
  readonly report: Report;
  #at: number;

  constructor(words: readonly Word[], at: number, report: Report) {
    this.words = words;
    this.report = report;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.words.length;
  }

  peek(): Word | null {
    return this.words[this.#at] ?? null;
  }

  next(): Word | null {
    const word = this.words[this.#at] ?? null;
    if (word !== null) this.#at++;
    return word;
  }

  /** The next word, or an error that says which value is missing behind which word. */
  expect(what: string): Word | null {
    const word = this.next();
    if (word !== null && word.text !== "") return word;
    const previous = this.words[Math.max(0, this.#at - (word === null ? 1 : 2))]!;
    const place = word?.span ?? endOf(previous.span);
    this.report.error(
      "missing-argument",
      place,
      `${what} is missing behind \`${displayText(previous.text)}\``,
    );
    return null;
  }

  /** Takes the next word if it is `text`. */
  take(text: string): Word | null {
    return this.peek()?.text === text ? this.next() : null;
  }

  rest(): readonly Word[] {
    const rest = this.words.slice(this.#at);
    this.#at = this.words.length;
    return rest;
  }

  /**
   * Reports the first word that nothing has taken: an error where HAProxy has one, a warning where it
   * ignores such a word, so that files that it accepts are accepted.
   */
  expectEnd(severity: "error" | "warning" = "error"): void {
    const word = this.next();
    if (word === null) return;
    this.#at = this.words.length;
    const message = `\`${displayText(word.text)}\` is too much: nothing is expected here`;
    const help =
      severity === "error"
        ? "Quote texts that contain spaces; a comment starts with `#`."
        : "It is ignored; remove it.";
    this.report[severity]("unexpected-word", word.span, message, help);
  }

  /** Reports `word` as none of `known`. */
  unknown(word: Word, what: string, known: readonly string[]): void {
    const help = suggestWord(word.text, known) ?? `Possible: ${known.join(", ")}.`;
    this.report.error("unknown-word", word.span, `\`${displayText(word.text)}\` is no ${what}`, help);
  }

  /** The next word if it is one of `known`, else an error and null. */
  expectOneOf<T extends string>(what: string, known: readonly T[]): T | null {
    const word = this.expect(`a ${what}`);
    if (word === null) return null;
    const found = known.find((one) => one === word.text);
    if (found === undefined) this.unknown(word, what, known);
    return found ?? null;
  }
}

export function endOf(span: Span): Span {
  return { ...span, column: span.endColumn, endColumn: span.endColumn };
}
