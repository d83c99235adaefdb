// Splits the `(a,b,…)` after a fetch or converter into texts, by HAProxy 2.6's rules: quotes of both kinds
// protect commas and parentheses, a backslash protects itself, a space and quotes and makes \r \n \t. Knows
// nothing of what the arguments mean. (This is the second unquoting: the first, of the line, is done when a
// Word exists.)
import type { Word } from "../word.ts";

export interface RawArgument {
  readonly text: string;
  /** Range in the word's text, quotes included. */
  readonly start: number;
  readonly end: number;
}

export interface ArgumentList {
  /** False when there was no parenthesis at all. */
  readonly hasParentheses: boolean;
  readonly arguments: readonly RawArgument[];
  /** Offset behind the closing parenthesis. */
  readonly end: number;
  /** False when the closing parenthesis is missing. */
  readonly isClosed: boolean;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  " ": " ",
  '"': '"',
  "'": "'",
  r: "\r",
  n: "\n",
  t: "\t",
};

/** Reads the list that begins at `start`; `start` itself is returned as its end when no "(" stands there. */
export function readArguments(word: Word, start: number): ArgumentList {
  const { text } = word;
  if (text[start] !== "(") return { hasParentheses: false, arguments: [], end: start, isClosed: true };
  const found: RawArgument[] = [];
  let offset = start + 1;
  for (;;) {
    const argument = readArgument(text, offset);
    found.push(argument);
    if (text[argument.end] === ",") {
      offset = argument.end + 1;
      continue;
    }
    const isClosed = text[argument.end] === ")";
    return {
      hasParentheses: true,
      arguments: found,
      end: isClosed ? argument.end + 1 : argument.end,
      isClosed,
    };
  }
}

function readArgument(text: string, start: number): RawArgument {
  let value = "";
  let quote = "";
  let offset = start;
  for (; offset < text.length; offset++) {
    const character = text[offset]!;
    if (quote === "" && (character === "," || character === ")")) break;
    if ((character === '"' || character === "'") && (quote === "" || quote === character)) {
      quote = quote === "" ? character : "";
    } else if (character === "\\" && quote !== "'" && offset + 1 < text.length) {
      const escaped = ESCAPES[text[offset + 1]!];
      value += escaped ?? "\\";
      if (escaped !== undefined) offset++;
    } else value += character;
  }
  return { text: value, start, end: offset };
}
