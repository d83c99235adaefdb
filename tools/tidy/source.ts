// Takes TypeScript apart just far enough for the checks: what is code, what is comment, what is in a string.
// Positions stay: what is taken out becomes blanks. It is no parser; a regular expression is told from a
// division by what stands before it.

export interface Source {
  /**
   * The text with comments made blanks and the contents of strings, templates and regular expressions NUL.
   */
  readonly code: string;
  /** The text with everything but comments blanked. */
  readonly comments: string;
  /** String literals without substitutions, quotes excluded, with the position of their first character. */
  readonly strings: readonly { readonly text: string; readonly position: number }[];
}

export interface Import {
  /** As written: "./x.ts", "node:fs", "node-forge". */
  readonly specifier: string;
  readonly position: number;
}

/** After these a slash begins a regular expression. */
const BEFORE_EXPRESSION =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield))\s*$/;

const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|[`{}/]/g;
const REGULAR_EXPRESSION = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const TEMPLATE_PART = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(`|\$\{|$)/y;

export function takeApart(text: string): Source {
  const code = text.split("");
  const comments = text.replace(/[^\n]/g, " ").split("");
  const strings: { text: string; position: number }[] = [];
  /** For each open brace: whether it is a substitution in a template. */
  const braces: boolean[] = [];

  const blank = (from: number, to: number, filler: " " | "\0") => {
    for (let i = from; i < to; i++) if (code[i] !== "\n") code[i] = filler;
  };
  /** Reads a template from behind its "`" or "}"; returns where its next piece of code begins. */
  const passTemplate = (from: number): number => {
    TEMPLATE_PART.lastIndex = from;
    const [part, end] = TEMPLATE_PART.exec(text)!;
    if (text[from - 1] === "`" && end === "`") strings.push({ text: part!.slice(0, -1), position: from });
    blank(from, from + part!.length - end!.length, "\0");
    if (end === "${") braces.push(true);
    return from + part!.length;
  };

  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) return { code: code.join(""), comments: comments.join(""), strings };
    const [token] = match;
    const start = match.index;
    at = start + token.length;
    if (token === "`") at = passTemplate(at);
    else if (token === "{") braces.push(false);
    else if (token === "}") {
      if (braces.pop() === true) at = passTemplate(at);
    } else if (token === "/") {
      REGULAR_EXPRESSION.lastIndex = start;
      const expression = BEFORE_EXPRESSION.test(code.slice(Math.max(0, start - 40), start).join(""))
        ? REGULAR_EXPRESSION.exec(text)
        : null;
      if (expression !== null) {
        at = start + expression[0].length;
        blank(start + 1, at - 1, "\0");
      }
    } else if (token.startsWith("/")) {
      for (let i = start; i < at; i++) comments[i] = text[i]!;
      blank(start, at, " ");
    } else {
      strings.push({ text: token.slice(1, -1), position: start + 1 });
      blank(start + 1, at - 1, "\0");
    }
  }
}

/** Everything that a file imports or re-exports, types included, also by `import("…")`. */
export function importsOf(source: Source): Import[] {
  return source.strings
    .filter(({ position }) =>
      /(?:\bfrom|\bimport|\bimport\()\s*$/.test(source.code.slice(Math.max(0, position - 20), position - 1)),
    )
    .map(({ text, position }) => ({ specifier: text, position }));
}
