// Cuts one line of an haproxy.cfg into words (manual 2.2, 2.3): quotes, escapes, comments, environment
// variables. Total: every input gives words or one problem, never an exception.
import type { Span } from "../../diagnostic/span.ts";
import type { Word } from "./word.ts";

/** Resolves `$NAME`, pseudo-variables such as ".LINE" included; null when the variable is not set. */
export type VariableLookup = (name: string) => string | null;

export interface LexProblem {
  readonly code: "unmatched-quote" | "unmatched-brace" | "bad-variable-name" | "bad-escape" | "bad-expansion";
  readonly message: string;
  readonly help: string;
  readonly span: Span;
}

export interface LexedLine {
  readonly words: readonly Word[];
  /** Set when the line cannot be read; `words` then has those before the problem. */
  readonly problem: LexProblem | null;
  /** Offset in the line where a comment begins; the line's length when there is none. */
  readonly commentStart: number;
}

/** `text` is one line without its line feed; a carriage return ends it. */
export function lexLine(text: string, file: string, line: number, lookup: VariableLookup): LexedLine {
  return new LineLexer(text, file, line, lookup).run();
}

const PLAIN_ESCAPES: Readonly<Record<string, string>> = {
  " ": " ",
  "\\": "\\",
  t: "\t",
  n: "\n",
  r: "\r",
  "#": "#",
  "'": "'",
  '"': '"',
};

class LineLexer {
  readonly #text: string;
  readonly #file: string;
  readonly #line: number;
  readonly #lookup: VariableLookup;
  readonly #words: Word[] = [];
  #at = 0;
  #quote: "" | '"' | "'" = "";
  #quoteStart = 0;
  #problem: LexProblem | null = null;
  /** The word being made; -1 between words. */
  #wordStart = -1;
  #wordText = "";
  #wordColumns: number[] = [];
  #wordQuoted = false;

  constructor(text: string, file: string, line: number, lookup: VariableLookup) {
    this.#text = text;
    this.#file = file;
    this.#line = line;
    this.#lookup = lookup;
  }

  run(): LexedLine {
    let end = this.#text.length;
    while (this.#at < this.#text.length && this.#problem === null) {
      const char = this.#text[this.#at]!;
      if (char === "\r" || (char === "#" && this.#quote === "")) {
        end = this.#at;
        break;
      }
      this.#step(char);
    }
    if (this.#problem === null && this.#quote !== "") {
      const name = this.#quote === '"' ? "double" : "single";
      this.#fail(
        "unmatched-quote",
        this.#quoteStart,
        this.#quoteStart + 1,
        `this ${name} quote is never closed`,
        "Close it, or write a backslash before it.",
      );
    }
    if (this.#problem === null) this.#endWord(Math.min(this.#at, end));
    return { words: this.#words, problem: this.#problem, commentStart: end };
  }

  #step(char: string): void {
    if (char === '"' || char === "'") {
      this.#readQuote(char);
      return;
    }
    if (char === "\\" && this.#quote !== "'") {
      this.#readEscape();
      return;
    }
    if (char === "$" && this.#quote === '"') {
      this.#readVariable();
      return;
    }
    if (this.#quote === "" && isSpace(char)) {
      this.#endWord(this.#at);
      this.#at++;
      return;
    }
    this.#emitSource(this.#at);
  }

  #readQuote(char: '"' | "'"): void {
    if (this.#quote !== "" && this.#quote !== char) {
      this.#emitSource(this.#at);
      return;
    }
    this.#beginWord();
    this.#wordQuoted = true;
    if (this.#quote === "") {
      this.#quote = char;
      this.#quoteStart = this.#at;
    } else this.#quote = "";
    this.#at++;
  }

  #readEscape(): void {
    const next = this.#text[this.#at + 1] ?? "";
    const start = this.#at;
    if (next === "x") {
      const digits = this.#text.slice(start + 2, start + 4);
      if (!/^[0-9a-fA-F]{2}$/.test(digits)) {
        this.#fail(
          "bad-escape",
          start,
          start + 4,
          "`\\x` needs two hexadecimal digits",
          "A space, for example, is `\\x20`.",
        );
        return;
      }
      this.#at += 4;
      this.#emit(String.fromCharCode(Number.parseInt(digits, 16)), start);
      return;
    }
    const plain = next === "$" && this.#quote === '"' ? "$" : PLAIN_ESCAPES[next];
    if (plain === undefined) {
      this.#emitSource(start); // such as \1 of a regular expression: stays as it is
      return;
    }
    this.#at += 2;
    this.#emit(plain, start);
  }

  #readVariable(): void {
    const start = this.#at;
    const hasBrace = this.#text[start + 1] === "{";
    const nameStart = start + (hasBrace ? 2 : 1);
    const name = /^(?:[A-Za-z_]|\.)\w*/.exec(this.#text.slice(nameStart))?.[0] ?? "";
    if (name === "" || name === "." || (name.startsWith(".") && this.#lookup(name) === null)) {
      const message = "this is no name of an environment variable";
      this.#fail(
        "bad-variable-name",
        nameStart,
        nameStart + Math.max(1, name.length),
        message,
        "For a plain dollar sign write `\\$`, or use single quotes.",
      );
      return;
    }
    this.#at = nameStart + name.length;
    const value = hasBrace
      ? this.#readBraceTail(start, name)
      : { text: this.#lookup(name) ?? "", splits: false };
    if (value === null) return;
    this.#beginWord();
    for (const char of value.text) {
      if (value.splits && isSpace(char)) {
        if (this.#wordStart >= 0) this.#endWord(this.#at);
      } else {
        if (this.#wordStart < 0) this.#beginWord(start);
        this.#emit(char, start);
      }
    }
    // After a list that ends with a space, what follows is a word of its own, as in HAProxy.
    if (this.#wordStart < 0) this.#beginWord(this.#at);
  }

  /** Reads `[*]`, `-default` and the closing brace of `${NAME…}`. */
  #readBraceTail(start: number, name: string): { text: string; splits: boolean } | null {
    let splits = false;
    if (this.#text[this.#at] === "[") {
      if (this.#text.slice(this.#at, this.#at + 3) !== "[*]") {
        this.#fail(
          "bad-expansion",
          this.#at,
          this.#at + 3,
          "only `[*]` may follow the name of a variable",
          `Write \`\${${name}[*]}\`.`,
        );
        return null;
      }
      splits = true;
      this.#at += 3;
    }
    const close = this.#text.indexOf("}", this.#at);
    const hasDefault = this.#text[this.#at] === "-";
    if (close < 0 || (!hasDefault && close !== this.#at)) {
      this.#fail(
        "unmatched-brace",
        start + 1,
        start + 2,
        "this brace is not closed behind the variable's name",
        "Write `${NAME}` or `${NAME-default}`.",
      );
      return null;
    }
    const fallback = hasDefault ? this.#text.slice(this.#at + 1, close) : "";
    this.#at = close + 1;
    return { text: this.#lookup(name) ?? fallback, splits };
  }

  #emitSource(start: number): void {
    const point = this.#text.codePointAt(start)!;
    const length = point > 0xffff ? 2 : 1;
    this.#at = start + length;
    this.#emit(this.#text.slice(start, start + length), start);
  }

  #emit(char: string, start: number): void {
    this.#beginWord(start);
    const escaped = this.#text[start] === "\\";
    const bytes = char.charCodeAt(0) < 0x80 || escaped ? char : utf8Units(char);
    for (let i = 0; i < bytes.length; i++) this.#wordColumns.push(start + 1);
    this.#wordText += bytes;
  }

  #beginWord(start: number = this.#at): void {
    if (this.#wordStart >= 0) return;
    this.#wordStart = start;
    this.#wordText = "";
    this.#wordColumns = [];
    this.#wordQuoted = this.#quote !== "";
  }

  #endWord(end: number): void {
    if (this.#wordStart < 0) return;
    const span = this.#span(this.#wordStart, end);
    const isAsWritten =
      this.#wordColumns.length === end - this.#wordStart &&
      this.#wordColumns.every((column, i) => column === span.column + i);
    const columns = isAsWritten ? null : [...this.#wordColumns, span.endColumn];
    this.#words.push({ text: this.#wordText, span, isQuoted: this.#wordQuoted, columns });
    this.#wordStart = -1;
  }

  #fail(code: LexProblem["code"], start: number, end: number, message: string, help: string): void {
    this.#problem = {
      code,
      message,
      help,
      span: this.#span(start, Math.min(end, Math.max(start + 1, this.#text.length))),
    };
  }

  #span(start: number, end: number): Span {
    return { file: this.#file, line: this.#line, column: start + 1, endColumn: end + 1 };
  }
}

function isSpace(char: string): boolean {
  return char === " " || char === "\t" || char === "\v" || char === "\f" || char === "\n";
}

const encoder = new TextEncoder();

/** The UTF-8 bytes of a text, one UTF-16 unit each. */
export function utf8Units(text: string): string {
  return String.fromCharCode(...encoder.encode(text));
}

/** For messages: the text that `utf8Units` was made from. */
export function displayText(units: string): string {
  if (!/[\x80-\xff]/.test(units)) return units;
  return new TextDecoder().decode(Uint8Array.from(units, (unit) => unit.charCodeAt(0)));
}
