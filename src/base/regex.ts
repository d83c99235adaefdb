// Regular expressions of an haproxy.cfg (PCRE) as JavaScript ones over strings of bytes (Latin-1). What
// JavaScript cannot do (atomic groups, possessive quantifiers, recursion, …) is refused with the reason,
// never approximated. Also the replacement syntax of `replace-header` and `regsub`: `\1`, `\x41`, `\\`.
//
// An expression that tries too many ways is gone on with by V8's other engine, which tries all of them at
// once in time that is linear (`LINEAR_WHEN_SLOW`), so that no request can keep a worker busy for ever. That
// engine does not know the flag `i`. So letters are translated to both of their cases here, which is PCRE's
// meaning anyway: JavaScript would fold other letters than those of ASCII, too.
import { failed, type Result, success } from "./failure.ts";

// All end in a range or a class: a dash behind them stands for itself, and would not behind a character.
const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alpha: "a-zA-Z",
  digit: "0-9",
  alnum: "a-zA-Z0-9",
  upper: "A-Z",
  lower: "a-z",
  space: " \\t-\\r",
  blank: "\\t\\x20-\\x20",
  punct: "!-\\/:-@\\[-`{-~",
  cntrl: "\\x7f\\x00-\\x1f",
  graph: "!-~",
  print: " -~",
  xdigit: "0-9a-fA-F",
  word: "\\w",
  ascii: "\\x00-\\x7f",
};
const NEGATED_POSIX_CLASSES: Readonly<Record<string, string>> = {
  alpha: "\\x00-@\\[-`{-\\xff",
  digit: "\\D",
  alnum: "\\x00-\\/:-@\\[-`{-\\xff",
  upper: "\\x00-@\\[-\\xff",
  lower: "\\x00-`{-\\xff",
  space: "\\x00-\\x08\\x0e-\\x1f!-\\xff",
  blank: "\\x00-\\x08\\n-\\x1f!-\\xff",
  word: "\\W",
  cntrl: " -~\\x80-\\xff",
  graph: "\\x00- \\x7f-\\xff",
  print: "\\x00-\\x1f\\x7f-\\xff",
  xdigit: "\\x00-\\/:-@G-`g-\\xff",
  ascii: "\\x80-\\xff",
  punct: "\\x00- 0-9A-Za-z\\x7f-\\xff",
};

/**
 * Escapes whose meaning differs from JavaScript's: outside a class, and inside one (null: not allowed
 * there).
 */
const ESCAPES: Readonly<Record<string, readonly [string, string | null]>> = {
  A: ["(?<![^])", null],
  z: ["(?![^])", null],
  Z: ["(?=\\n?(?![^]))", null],
  h: ["[\\t \\xa0]", "\\t \\xa0-\\xa0"],
  H: ["[^\\t \\xa0]", "\\x00-\\x08\\n-\\x1f!-\\x9f\\xa1-\\xff"],
  v: ["[\\n-\\r\\x85]", "\\x85\\n-\\r"],
  V: ["[^\\n-\\r\\x85]", "\\x00-\\t\\x0e-\\x84\\x86-\\xff"],
  s: ["[\\t-\\r ]", " \\t-\\r"],
  S: ["[^\\t-\\r ]", "\\x00-\\x08\\x0e-\\x1f!-\\xff"],
  N: ["[^\\n]", null],
  R: ["(?:\\r\\n|[\\n-\\r\\x85])", null],
  a: ["\\x07", "\\x07"],
  e: ["\\x1b", "\\x1b"],
};
const SAME_ESCAPES = "dDwWbBtnrf";

/** Settings of V8 for whoever matches expressions of a configuration against what others send. */
export const LINEAR_WHEN_SLOW = "--enable-experimental-regexp-engine-on-excessive-backtracks";

/**
 * A compiled expression, or the reason why it cannot be one: a clause such as "atomic groups are not
 * supported".
 */
export function compileRegex(pattern: string, ignoreCase: boolean): Result<RegExp, string> {
  try {
    return success(new RegExp(new Translation(pattern, ignoreCase).run()));
  } catch (error) {
    if (error instanceof Refusal) return failed(error.message);
    if (error instanceof SyntaxError)
      return failed(error.message.replace(/^Invalid regular expression: /, ""));
    throw error;
  }
}

class Refusal extends Error {}

class Translation {
  readonly #source: string;
  #at = 0;
  #out = "";
  #isDotAll = false;
  #ignoresCase: boolean;
  /**
   * Per open group: how many modifier groups were opened inside it and must be closed with it, and what holds
   * again behind it.
   */
  readonly #groups: { extra: number; readonly isDotAll: boolean; readonly ignoresCase: boolean }[] = [];

  constructor(source: string, ignoresCase: boolean) {
    this.#source = source;
    this.#ignoresCase = ignoresCase;
    this.#groups.push({ extra: 0, isDotAll: false, ignoresCase });
  }

  run(): string {
    while (this.#at < this.#source.length) this.#step();
    if (this.#groups.length > 1) throw new Refusal("a parenthesis is not closed");
    return this.#out + ")".repeat(this.#groups[0]!.extra);
  }

  #step(): void {
    const character = this.#source[this.#at]!;
    if (character === "\\") this.#escape();
    else if (character === "[") this.#characterClass();
    else if (character === "(") this.#group();
    else if (character === ")") this.#endGroup();
    else if (character === ".") this.#emit(this.#isDotAll ? "[^]" : "[^\\n]", 1);
    else if ("*+?".includes(character)) this.#quantifier(character);
    else if (character === "{") this.#braces();
    else if (character === "}" || character === "]") this.#emit(`\\${character}`, 1);
    else this.#emit(this.#cased(character.charCodeAt(0)) ?? character, 1);
  }

  /** A letter in both cases; null when only one is meant. */
  #cased(code: number): string | null {
    return this.#ignoresCase && isLetter(code) ? `[${hexEscape(code)}${hexEscape(code ^ 0x20)}]` : null;
  }

  /** A back reference. */
  #refer(text: string, consumed: number): void {
    this.#emit(this.#ignoresCase ? `(?i:${text})` : text, consumed);
  }

  #emit(text: string, consumed: number): void {
    this.#out += text;
    this.#at += consumed;
  }

  #quantifier(text: string): void {
    this.#emit(text, text.length);
    const next = this.#source[this.#at];
    if (next === "+") throw new Refusal(`possessive quantifiers (${text}+) are not supported`);
    if (next === "?") this.#emit("?", 1);
  }

  #braces(): void {
    const match = /^\{\d+(,\d*)?\}/.exec(this.#source.slice(this.#at));
    if (match === null) this.#emit("\\{", 1);
    else this.#quantifier(match[0]);
  }

  #group(): void {
    const rest = this.#source.slice(this.#at);
    if (rest.startsWith("(*")) throw new Refusal("verbs such as (*UTF8) are not supported");
    if (!rest.startsWith("(?")) {
      this.#open("(", 1);
      return;
    }
    if (rest.startsWith("(?#")) {
      const end = rest.indexOf(")");
      if (end < 0) throw new Refusal("a comment is not closed");
      this.#at += end + 1;
      return;
    }
    const simple = /^\(\?(:|=|!|<=|<!)/.exec(rest);
    if (simple !== null) {
      this.#open(simple[0], simple[0].length);
      return;
    }
    const name = /^\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/.exec(rest);
    if (name !== null) {
      this.#open(`(?<${name[1] ?? name[2]}>`, name[0].length);
      return;
    }
    const reference = /^\(\?P=(\w+)\)/.exec(rest);
    if (reference !== null) {
      this.#refer(`\\k<${reference[1]}>`, reference[0].length);
      return;
    }
    this.#modifiers(rest);
  }

  #modifiers(rest: string): void {
    const match = /^\(\?([a-zA-Z]*)(?:-([a-zA-Z]*))?([:)])/.exec(rest);
    if (match === null) throw new Refusal(refusedGroup(rest));
    const [text, on, off = "", end] = match as unknown as [string, string, string | undefined, string];
    const unknown = /[^ims]/.exec(on + off);
    if (/^\(\?R\)/.test(rest)) throw new Refusal(refusedGroup(rest));
    if (unknown !== null) throw new Refusal(`the modifier (?${unknown[0]}) is not supported`);
    // `i` and `s` are translated by ourselves, so only `m` goes on to JavaScript.
    const multiline = on.includes("m") ? "m" : off.includes("m") ? "-m" : "";
    if (end === ":") this.#open(`(?${multiline}:`, text.length);
    else if (multiline === "") this.#at += text.length;
    else {
      this.#emit(`(?${multiline}:`, text.length);
      this.#groups.at(-1)!.extra++;
    }
    if (on.includes("s")) this.#isDotAll = true;
    if (off.includes("s")) this.#isDotAll = false;
    if (on.includes("i")) this.#ignoresCase = true;
    if (off.includes("i")) this.#ignoresCase = false;
  }

  #open(text: string, consumed: number): void {
    this.#groups.push({ extra: 0, isDotAll: this.#isDotAll, ignoresCase: this.#ignoresCase });
    this.#emit(text, consumed);
  }

  #endGroup(): void {
    const group = this.#groups.pop()!;
    if (this.#groups.length === 0) throw new Refusal("a closing parenthesis has no opening one");
    this.#isDotAll = group.isDotAll;
    this.#ignoresCase = group.ignoresCase;
    this.#emit(")".repeat(group.extra + 1), 1);
  }

  #escape(): void {
    const next = this.#source[this.#at + 1];
    if (next === undefined) throw new Refusal("it ends in a backslash");
    const known = ESCAPES[next];
    if (known !== undefined) {
      this.#emit(known[0], 2);
      return;
    }
    if (SAME_ESCAPES.includes(next)) {
      this.#emit(`\\${next}`, 2);
      return;
    }
    if (next === "Q") {
      this.#literal();
      return;
    }
    if (next === "E") {
      this.#emit("", 2);
      return;
    }
    const group = /^\\g(?:\{(\d+)\}|(\d+))/.exec(this.#source.slice(this.#at));
    if (group !== null) {
      this.#refer(`\\${group[1] ?? group[2]}`, group[0].length);
      return;
    }
    const named = /^\\k(?:<(\w+)>|\{(\w+)\}|'(\w+)')/.exec(this.#source.slice(this.#at));
    if (named !== null) {
      this.#refer(`\\k<${named[1] ?? named[2] ?? named[3]}>`, named[0].length);
      return;
    }
    if (next >= "1" && next <= "9") {
      this.#refer(`\\${next}`, 2);
      return;
    }
    this.#code();
  }

  /** \Q…\E */
  #literal(): void {
    const end = this.#source.indexOf("\\E", this.#at + 2);
    const text = this.#source.slice(this.#at + 2, end < 0 ? undefined : end);
    const quoted = text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
    const cased = quoted.replace(/[A-Za-z]/g, (letter) => this.#cased(letter.charCodeAt(0)) ?? letter);
    this.#emit(cased, text.length + (end < 0 ? 2 : 4));
  }

  /** \x41, \x{41}, \012, \cA, or an escaped character that stands for itself. */
  #code(isInClass = false): void {
    const emitByte = (code: number, consumed: number) =>
      this.#emit((isInClass ? null : this.#cased(code)) ?? hexEscape(code), consumed);
    const rest = this.#source.slice(this.#at);
    const hexadecimal = /^\\x(?:\{([0-9a-fA-F]{1,2})\}|([0-9a-fA-F]{0,2}))/.exec(rest);
    if (hexadecimal !== null) {
      const digits = hexadecimal[1] ?? hexadecimal[2] ?? "0";
      emitByte(Number.parseInt(digits, 16) || 0, hexadecimal[0].length);
      return;
    }
    const octal = /^\\(0[0-7]{0,2})/.exec(rest);
    if (octal !== null) {
      emitByte(Number.parseInt(octal[1]!, 8), octal[0].length);
      return;
    }
    const control = /^\\c([\x40-\x7e])/.exec(rest);
    if (control !== null) {
      this.#emit(hexEscape(control[1]!.toUpperCase().charCodeAt(0) ^ 0x40), 3);
      return;
    }
    const next = rest[1]!;
    if (/[A-Za-z0-9]/.test(next)) throw new Refusal(`the escape \\${next} is not supported`);
    this.#emit(/[\^$.*+?()[\]{}|/\\-]/.test(next) ? `\\${next}` : next, 2);
  }

  #characterClass(): void {
    this.#emit("[", 1);
    if (this.#source[this.#at] === "^") this.#emit("^", 1);
    const start = this.#out.length;
    if (this.#source[this.#at] === "]") this.#emit("\\]", 1);
    for (;;) {
      const character = this.#source[this.#at];
      if (character === undefined) throw new Refusal("a bracket is not closed");
      if (character === "]") {
        const body = this.#out.slice(start);
        // In front: behind it there may be a dash that stands for itself.
        if (this.#ignoresCase) this.#out = this.#out.slice(0, start) + otherCase(body) + body;
        this.#emit("]", 1);
        return;
      }
      if (character === "[") this.#posixClass();
      else if (character === "\\") this.#classEscape();
      else this.#emit(character, 1);
    }
  }

  #posixClass(): void {
    const match = /^\[:(\^?)(\w+):\]/.exec(this.#source.slice(this.#at));
    if (match === null) {
      this.#emit("\\[", 1);
      return;
    }
    const text = (match[1] === "" ? POSIX_CLASSES : NEGATED_POSIX_CLASSES)[match[2]!];
    if (text === undefined) throw new Refusal(`there is no character class ${match[0]}`);
    this.#emit(text, match[0].length);
  }

  #classEscape(): void {
    const next = this.#source[this.#at + 1];
    if (next === undefined) throw new Refusal("it ends in a backslash");
    const known = ESCAPES[next];
    if (known !== undefined) {
      if (known[1] === null) throw new Refusal(`\\${next} is not allowed in brackets`);
      this.#emit(known[1], 2);
      return;
    }
    if ("dDwWbtnrf".includes(next)) {
      this.#emit(`\\${next}`, 2);
      return;
    }
    if (next >= "1" && next <= "7") {
      const octal = /^\\([0-7]{1,3})/.exec(this.#source.slice(this.#at))!;
      this.#emit(hexEscape(Number.parseInt(octal[1]!, 8) & 0xff), octal[0].length);
      return;
    }
    this.#code(true);
  }
}

function refusedGroup(rest: string): string {
  if (rest.startsWith("(?>")) return "atomic groups (?>…) are not supported";
  if (rest.startsWith("(?|")) return "branch reset groups (?|…) are not supported";
  if (rest.startsWith("(?(")) return "conditional groups (?(…)…) are not supported";
  if (/^\(\?(R|[+-]?\d|&|P>)/.test(rest)) return "recursion is not supported";
  return `the group ${rest.slice(0, 3)} is not supported`;
}

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

/** What a class of JavaScript has of letters, in their other case: "a-f_0" gives "A-F". */
function otherCase(body: string): string {
  const tokens = body.match(/\\x[0-9a-f]{2}|\\?./gs) ?? [];
  const codes = tokens.map(codeOf);
  let other = "";
  for (let at = 0; at < tokens.length; at++) {
    const first = codes[at]!;
    const isRange = tokens[at + 1] === "-" && first >= 0 && codes[at + 2]! >= 0;
    const last = isRange ? codes[at + 2]! : first;
    if (isRange) at += 2;
    for (const [from, to] of [
      [65, 90],
      [97, 122],
    ] as const) {
      const [low, high] = [Math.max(first, from), Math.min(last, to)];
      if (low <= high) other += `${hexEscape(low ^ 0x20)}-${hexEscape(high ^ 0x20)}`;
    }
  }
  return other;
}

/** Of what stands for one character in a class; NaN for those that stand for several, as `\\w`. */
function codeOf(token: string): number {
  if (token.length === 1) return token.charCodeAt(0);
  if (token.startsWith("\\x")) return Number.parseInt(token.slice(2), 16);
  return /[A-Za-z]/.test(token[1]!) ? Number.NaN : token.charCodeAt(1);
}

function hexEscape(code: number): string {
  return `\\x${code.toString(16).padStart(2, "0")}`;
}

/** A replacement: text, and numbers of groups. */
export type Replacement = readonly (string | number)[];

/** Reads `\0`…`\9`, `\xHH` and `\` before any other character. Null if it ends in a lone backslash. */
export function parseReplacement(text: string): Replacement | null {
  const parts: (string | number)[] = [];
  let literal = "";
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "\\") {
      literal += text[i];
      continue;
    }
    const next = text[++i];
    if (next === undefined) return null;
    if (next >= "0" && next <= "9") {
      if (literal !== "") parts.push(literal);
      literal = "";
      parts.push(Number(next));
    } else if (next === "x" && /^[0-9a-fA-F]{2}$/.test(text.slice(i + 1, i + 3))) {
      literal += String.fromCharCode(Number.parseInt(text.slice(i + 1, i + 3), 16));
      i += 2;
    } else literal += next;
  }
  if (literal !== "") parts.push(literal);
  return parts;
}

/** The replacement with the groups of one match put in; groups that took no part are empty. */
export function expandReplacement(replacement: Replacement, match: RegExpMatchArray): string {
  let text = "";
  for (const part of replacement) text += typeof part === "string" ? part : (match[part] ?? "");
  return text;
}
