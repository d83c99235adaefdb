// Reads format strings: text, `%alias`, `%[expression]`, flags in braces. HAProxy 2.6 manual, section 8.2.6
// (8.2.4 in older ones). `%{+Q}o` sets the flags of everything behind it; no part is left of it in the model.
import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import type { LogAlias, LogFormat, LogFormatPart } from "../../../model/sample.ts";
import type { ExpressionContext } from "../context.ts";
import { spanInside, type Word } from "../word.ts";
import type { Stage } from "./availability.ts";
import { quote, reportError, reportWarning } from "./report.ts";
import { parseSampleInside } from "./sample-parser.ts";

const TCP_ALIASES =
  "B H ID ST T Tc Td Th Tl Ts Tt Tu Tw U ac b bc bi bp bq ci cp f fc fi fp ft hr hrl hs hsl lc ms pid rc rt s sc si sp sq sslc " +
  "sslv t ts tsc";
const HTTP_ALIASES = "CC CS HM HP HPO HQ HU HV Ta Ti Tq TR Tr r tr trg trl";
const KNOWN_ALIASES: ReadonlySet<string> = new Set(`${TCP_ALIASES} ${HTTP_ALIASES}`.split(" "));
const HTTP_ONLY: ReadonlySet<string> = new Set(HTTP_ALIASES.split(" "));
/** Names of the versions before 1.5, and what took their place. */
const FORMER_ALIASES: Readonly<Record<string, LogAlias>> = {
  Bi: "bi",
  Bp: "bp",
  Ci: "ci",
  Cp: "cp",
  Fi: "fi",
  Fp: "fp",
  Si: "si",
  Sp: "sp",
  cc: "CC",
  cs: "CS",
  st: "ST",
};

interface Flags {
  readonly quoted: boolean;
  readonly hexadecimal: boolean;
  readonly escaped: boolean;
  /** "-" is written where there is nothing. */
  readonly mandatory: boolean;
}

/**
 * Reads a format. In a log (`stage` "log") spaces at the beginning are left out, several in a row count as
 * one, and what is not there is written as "-"; in rules it is written as nothing. Null when anything was
 * wrong, all of which is reported.
 */
export function parseLogFormat(
  word: Word,
  context: ExpressionContext,
  stage: Stage = context.direction,
): LogFormat | null {
  return new FormatReader(word, context, stage).read();
}

/** A format without variables, whatever characters it has. */
export function literalFormat(word: Word): LogFormat {
  const parts: readonly LogFormatPart[] = word.text === "" ? [] : [{ kind: "text", text: word.text }];
  return { parts, text: word.text, span: word.span };
}

class FormatReader {
  readonly #word: Word;
  readonly #text: string;
  readonly #context: ExpressionContext;
  readonly #stage: Stage;
  readonly #parts: LogFormatPart[] = [];
  #literal = "";
  #offset = 0;
  #defaults: Flags;

  constructor(word: Word, context: ExpressionContext, stage: Stage) {
    this.#word = word;
    this.#text = word.text;
    this.#context = context;
    this.#stage = stage;
    this.#defaults = { quoted: false, hexadecimal: false, escaped: false, mandatory: stage === "log" };
  }

  read(): LogFormat | null {
    while (this.#offset < this.#text.length) {
      if (this.#text[this.#offset] === "%") {
        if (!this.#variable()) return null;
      } else {
        this.#literal += this.#text[this.#offset];
        this.#offset++;
      }
    }
    this.#endLiteral();
    return { parts: this.#parts, text: this.#text, span: this.#word.span };
  }

  /** Reads what begins with the percent sign at the offset. False after an error. */
  #variable(): boolean {
    const start = this.#offset;
    const next = this.#text[start + 1];
    if (next === undefined)
      return this.#wrong(start, start + 1, "the format ends behind `%`", "Write `%%` for a percent sign.");
    if (/[0-9 \t]/.test(next)) {
      return this.#wrong(
        start,
        start + 2,
        `${quote(`%${next}`)} is no variable`,
        "Write `%%` for a percent sign.",
      );
    }
    let flags = this.#defaults;
    let at = start + 1;
    const hasFlags = next === "{";
    if (hasFlags) {
      const end = this.#text.indexOf("}", at);
      if (end < 0) return this.#wrong(at, this.#text.length, "a `}` is missing behind the flags");
      flags = this.#readFlags(at + 1, end);
      at = end + 1;
    }
    if (this.#text[at] === "[") return this.#expression(at + 1, flags);
    const name = /^[A-Za-z][A-Za-z0-9]*/.exec(this.#text.slice(at))?.[0];
    if (name !== undefined) return this.#alias(start, at, name, flags);
    if (hasFlags)
      return this.#wrong(start, at, `a variable is missing behind ${quote(this.#text.slice(start, at))}`);
    // "%%" is a percent sign. HAProxy drops a percent sign before anything else that begins no variable.
    this.#literal += next;
    this.#offset = start + 2;
    return true;
  }

  #readFlags(start: number, end: number): Flags {
    let flags = this.#defaults;
    let offset = start;
    for (const item of this.#text.slice(start, end).split(",")) {
      const isOn = item[0] === "+";
      const letter = item.slice(1);
      const span = spanInside(this.#word, offset, offset + item.length);
      offset += item.length + 1;
      if (item === "") continue;
      if (item[0] !== "+" && item[0] !== "-") {
        reportWarning(
          this.#context,
          "odd-log-flag",
          span,
          `${quote(item)} has no effect: a flag begins with \`+\` or \`-\``,
        );
      } else if (letter === "Q") flags = { ...flags, quoted: isOn };
      else if (letter === "X") flags = { ...flags, hexadecimal: isOn };
      else if (letter === "E") flags = { ...flags, escaped: isOn };
      else if (letter === "M") flags = { ...flags, mandatory: isOn };
      else
        reportWarning(
          this.#context,
          "odd-log-flag",
          span,
          `${quote(item)} has no effect: the flags are Q, X, E and M`,
        );
    }
    return flags;
  }

  #expression(start: number, flags: Flags): boolean {
    const read = parseSampleInside(this.#word, start, this.#context, this.#stage);
    if (read === null) return false;
    if (this.#text[read.end] !== "]") {
      const found = this.#text[read.end];
      const message =
        found === undefined
          ? "a `]` is missing behind the expression"
          : `\`]\` is expected behind the expression, not ${quote(found)}`;
      return this.#wrong(read.end, read.end + 1, message);
    }
    const { mandatory, ...shown } = flags;
    this.#add({ kind: "sample", sample: read.sample, ...shown, optional: !mandatory });
    this.#offset = read.end + 1;
    return true;
  }

  #alias(start: number, at: number, name: string, flags: Flags): boolean {
    this.#offset = at + name.length;
    if (name === "o") {
      this.#defaults = flags;
      return true;
    }
    if (!isAlias(name)) return this.#unknownAlias(start, name);
    if (HTTP_ONLY.has(name) && this.#context.mode === "tcp") {
      return this.#wrong(start, this.#offset, `${quote(`%${name}`)} is there in mode http only`);
    }
    const { mandatory: _, ...shown } = flags;
    this.#add({ kind: "alias", alias: name, ...shown });
    return true;
  }

  #unknownAlias(start: number, name: string): boolean {
    const present = Object.hasOwn(FORMER_ALIASES, name) ? FORMER_ALIASES[name] : undefined;
    const former = present === undefined ? null : `It is called \`%${present}\` since HAProxy 1.5.`;
    const nearest = suggestWord(name, KNOWN_ALIASES)?.replace("`", "`%");
    const help = former ?? nearest ?? "Write `%%` for a percent sign.";
    return this.#wrong(start, this.#offset, `there is no format variable ${quote(`%${name}`)}`, help);
  }

  #add(part: LogFormatPart): void {
    this.#endLiteral();
    this.#parts.push(part);
  }

  #endLiteral(): void {
    let text = this.#literal;
    if (this.#stage === "log")
      text = text.replace(this.#parts.length === 0 ? /^ +| +(?= )/g : / +(?= )/g, "");
    if (text !== "") this.#parts.push({ kind: "text", text });
    this.#literal = "";
  }

  #wrong(start: number, end: number, message: string, help: string | null = null): false {
    reportError(this.#context, "bad-log-format", spanInside(this.#word, start, end), message, help);
    return false;
  }
}

function isAlias(name: string): name is LogAlias {
  return KNOWN_ALIASES.has(name);
}
