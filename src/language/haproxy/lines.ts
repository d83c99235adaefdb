// Files to lines of words: runs the directives of manual 2.4 (.if, .notice, …), resolves variables as they
// are at that line (`setenv` in global acts on the lines below), and knows in which section each line
// stands.

import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import { evaluateBuildCondition } from "./build-condition.ts";
import {
  FEATURES,
  LANGUAGE_VERSION,
  OPENSSL_VERSION,
  type ReaderEnvironment,
  type SourceFile,
} from "./environment.ts";
import { displayText, lexLine } from "./lexer.ts";
import type { Report } from "./report.ts";
import { spanOfWords, type Word } from "./word.ts";

export interface Line {
  /** Never empty. A leading `no` or `default` is taken off. */
  readonly words: readonly Word[];
  readonly modifier: "no" | "default" | null;
  readonly span: Span;
}

export const SECTION_KEYWORDS: readonly string[] = [
  "global",
  "defaults",
  "frontend",
  "backend",
  "listen",
  "userlist",
  "peers",
  "resolvers",
  "mailers",
  "cache",
  "http-errors",
  "ring",
  "program",
  "log-forward",
  "fcgi-app",
];

/** Where each file's last line ends matters to HAProxy: a section never goes on in the next file. */
export interface FileLines {
  readonly file: string;
  readonly lines: readonly Line[];
}

const NESTING_MAX = 1024;
const WORDS_MAX = 64;
const NEGATABLE = new Set([
  "option",
  "log",
  "busy-polling",
  "set-dumpable",
  "strict-limits",
  "insecure-fork-wanted",
  "numa-cpu-mapping",
]);
const DIRECTIVES = [".if", ".elif", ".else", ".endif", ".notice", ".warning", ".alert", ".diag"];

export function readLines(
  files: readonly SourceFile[],
  environment: ReaderEnvironment,
  report: Report,
): FileLines[] {
  const variables = new Map(Object.entries(environment.variables));
  if (!variables.has("HAPROXY_LOCALPEER")) variables.set("HAPROXY_LOCALPEER", environment.hostname);
  if (!variables.has("HAPROXY_CFGFILES"))
    variables.set("HAPROXY_CFGFILES", files.map((file) => file.name).join(";"));
  const original = new Map(variables);
  return files.map((file) => ({
    file: file.name,
    lines: new FilePreprocessor(file, variables, original, report).run(),
  }));
}

/** One level of `.if`: whether its present branch is read, and whether a branch was taken already. */
interface Nesting {
  readonly span: Span;
  /** False below a branch that is not read. */
  readonly isReachable: boolean;
  isTaken: boolean;
  wasTaken: boolean;
  sawElse: boolean;
}

class FilePreprocessor {
  readonly #file: SourceFile;
  readonly #variables: Map<string, string>;
  readonly #original: ReadonlyMap<string, string>;
  readonly #report: Report;
  readonly #lines: Line[] = [];
  readonly #nesting: Nesting[] = [];
  #section = "";
  #sectionKeyword = "";

  constructor(
    file: SourceFile,
    variables: Map<string, string>,
    original: ReadonlyMap<string, string>,
    report: Report,
  ) {
    this.#file = file;
    this.#variables = variables;
    this.#original = original;
    this.#report = report;
  }

  run(): Line[] {
    const texts = this.#file.text.split("\n");
    if (texts.at(-1) === "") texts.pop();
    else if (texts.length > 0 && texts.at(-1)!.trim() !== "") this.#noticeMissingLineFeed(texts);
    texts.forEach((text, i) => {
      this.#readLine(text, i + 1);
    });
    for (const open of this.#nesting) {
      this.#report.error(
        "unfinished-condition",
        open.span,
        "this `.if` has no `.endif`",
        "Add `.endif` behind the lines that it guards.",
      );
    }
    return this.#lines;
  }

  #noticeMissingLineFeed(texts: readonly string[]): void {
    const column = texts.at(-1)!.length + 1;
    const span = { file: this.#file.name, line: texts.length, column, endColumn: column };
    this.#report.notice(
      "missing-line-feed",
      span,
      "the last line has no line break",
      "HAProxy refuses such a file as possibly truncated.",
    );
  }

  #readLine(text: string, line: number): void {
    if (/^\s*\[/.test(text)) {
      this.#refuseScope(text, line);
      return;
    }
    const lexed = lexLine(text, this.#file.name, line, (name) => this.#lookup(name, line));
    if (lexed.problem !== null) {
      if (this.#isRead())
        this.#report.error(lexed.problem.code, lexed.problem.span, lexed.problem.message, lexed.problem.help);
      return;
    }
    const words = lexed.words;
    if (words.length === 0 || words[0]!.text === "") return;
    if (words[0]!.text.startsWith(".")) {
      this.#runDirective(words);
      return;
    }
    if (!this.#isRead()) return;
    if (words.length > WORDS_MAX) {
      this.#report.error(
        "too-many-words",
        words[WORDS_MAX]!.span,
        `a line has at most ${WORDS_MAX} words`,
        "Quote texts that contain spaces.",
      );
      return;
    }
    this.#addLine(words);
  }

  #refuseScope(text: string, line: number): void {
    const column = text.search(/\S/) + 1;
    const span = { file: this.#file.name, line, column, endColumn: text.trimEnd().length + 1 };
    this.#report.error(
      "refused-keyword",
      span,
      "scopes in brackets are not supported",
      "Remove the line; it only matters for `program` sections.",
    );
  }

  #lookup(name: string, line: number): string | null {
    if (name === ".FILE") return this.#file.name;
    if (name === ".LINE") return String(line);
    if (name === ".SECTION") return this.#section;
    if (name.startsWith(".")) return null;
    return this.#variables.get(name) ?? null;
  }

  #addLine(words: readonly Word[]): void {
    const span = spanOfWords(words);
    let modifier: Line["modifier"] = null;
    const first = words[0]!.text;
    if ((first === "no" || first === "default") && words.length > 1) {
      modifier = first;
      if (!NEGATABLE.has(words[1]!.text)) {
        const message = `\`${first}\` cannot stand before \`${displayText(words[1]!.text)}\``;
        this.#report.error(
          "bad-negation",
          words[0]!.span,
          message,
          `It works before ${[...NEGATABLE].join(", ")}.`,
        );
        return;
      }
    }
    const rest = modifier === null ? words : words.slice(1);
    if (SECTION_KEYWORDS.includes(rest[0]!.text)) {
      this.#sectionKeyword = rest[0]!.text;
      this.#section = rest[1]?.text ?? rest[0]!.text;
    } else if (this.#sectionKeyword === "global") this.#applyEnvironmentKeyword(rest);
    this.#lines.push({ words: rest, modifier, span });
  }

  /** `setenv` and its kin (3.1) act at once, on the lines that follow. */
  #applyEnvironmentKeyword(words: readonly Word[]): void {
    const [keyword, name, value] = words.map((word) => word.text);
    if (keyword === "setenv" && name !== undefined && value !== undefined) this.#variables.set(name, value);
    if (keyword === "presetenv" && name !== undefined && value !== undefined && !this.#variables.has(name))
      this.#variables.set(name, value);
    if (keyword === "unsetenv") for (const word of words.slice(1)) this.#variables.delete(word.text);
    if (keyword === "resetenv") {
      const kept = new Set(words.slice(1).map((word) => word.text));
      for (const known of this.#original.keys()) if (!kept.has(known)) this.#variables.delete(known);
    }
  }

  #isRead(): boolean {
    return this.#nesting.every((level) => level.isTaken);
  }

  #runDirective(words: readonly Word[]): void {
    const first = words[0]!;
    switch (first.text) {
      case ".if":
        this.#openCondition(words);
        return;
      case ".elif":
        this.#elseIf(words);
        return;
      case ".else":
        this.#else(words);
        return;
      case ".endif":
        this.#endIf(words);
        return;
    }
    if (!this.#isRead()) return;
    const severity = first.text === ".alert" ? "error" : first.text === ".warning" ? "warning" : "notice";
    if (!DIRECTIVES.includes(first.text)) {
      this.#report.error(
        "unknown-directive",
        first.span,
        `\`${displayText(first.text)}\` is no directive`,
        suggestWord(first.text, DIRECTIVES) ?? `There are ${DIRECTIVES.join(", ")}.`,
      );
    } else if (words.length > 2) {
      this.#report.error(
        "unexpected-word",
        words[2]!.span,
        `\`${first.text}\` takes one text`,
        "Put the text into quotes.",
      );
    } else if (first.text !== ".diag") {
      this.#report[severity]("file-message", spanOfWords(words), displayText(words[1]?.text ?? ""));
    }
  }

  #openCondition(words: readonly Word[]): void {
    const span = spanOfWords(words);
    if (this.#nesting.length >= NESTING_MAX) {
      this.#report.error("too-deep", span, `\`.if\` can be nested ${NESTING_MAX} times at most`);
      return;
    }
    const isReachable = this.#isRead();
    const isTaken = isReachable && this.#evaluate(words);
    this.#nesting.push({ span, isReachable, isTaken, wasTaken: isTaken, sawElse: false });
  }

  #elseIf(words: readonly Word[]): void {
    const level = this.#presentLevel(words[0]!);
    if (level === null) return;
    level.isTaken = level.isReachable && !level.wasTaken && this.#evaluate(words);
    level.wasTaken ||= level.isTaken;
  }

  #else(words: readonly Word[]): void {
    this.#expectAlone(words);
    const level = this.#presentLevel(words[0]!);
    if (level === null) return;
    level.sawElse = true;
    level.isTaken = level.isReachable && !level.wasTaken;
    level.wasTaken = true;
  }

  #endIf(words: readonly Word[]): void {
    this.#expectAlone(words);
    if (this.#nesting.pop() === undefined) this.#reportLone(words[0]!);
  }

  #presentLevel(word: Word): Nesting | null {
    const level = this.#nesting.at(-1);
    if (level === undefined) this.#reportLone(word);
    else if (level.sawElse)
      this.#report.error("lone-directive", word.span, `\`${word.text}\` cannot follow \`.else\``);
    else return level;
    return null;
  }

  #reportLone(word: Word): void {
    this.#report.error("lone-directive", word.span, `this \`${word.text}\` belongs to no \`.if\``);
  }

  #expectAlone(words: readonly Word[]): void {
    if (words.length > 1)
      this.#report.error("unexpected-word", words[1]!.span, `nothing can follow \`${words[0]!.text}\``);
  }

  #evaluate(words: readonly Word[]): boolean {
    const parts = words.slice(1);
    const text = parts.map((word) => word.text).join(" ");
    const facts = {
      variable: (name: string) => this.#variables.get(name) ?? null,
      features: FEATURES,
      version: LANGUAGE_VERSION,
      opensslVersion: OPENSSL_VERSION,
    };
    const result = evaluateBuildCondition(text, facts);
    if (result.ok) return result.value;
    this.#report.error("bad-condition", placeInWords(parts, result.offset, words[0]!), result.message);
    return false;
  }
}

/** Where an offset into the words joined by single spaces stands in the line. */
function placeInWords(words: readonly Word[], offset: number, fallback: Word): Span {
  let start = 0;
  for (const word of words) {
    if (offset <= start + word.text.length) {
      const column = word.columns?.[offset - start] ?? word.span.column + offset - start;
      return { ...word.span, column, endColumn: Math.max(column + 1, word.span.endColumn) };
    }
    start += word.text.length + 1;
  }
  return fallback.span;
}
