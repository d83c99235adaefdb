// `${NAME}` and `${NAME-default}` in values: first what the file has under `variables`, then the environment.
// `$${` is a plain `${`, for commands that have variables of their own.
import { suggestWord } from "../../diagnostic/nearest-word.ts";

export type Variables = ReadonlyMap<string, string>;

export type Expansion =
  | { readonly text: string }
  /** With the characters of the text that are meant. */
  | (Fault & { readonly from: number; readonly to: number });

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly help: string | null;
}

/** Variables of variables could otherwise grow without end. */
const LENGTH_MAX = 65_536;
const PLACE = /\$(\$\{)|\$\{([^{}]*)(\}?)/g;

/** `text` with the values in the place of the variables. */
export function expandVariables(text: string, variables: Variables): Expansion {
  let result = "";
  let end = 0;
  for (const match of text.matchAll(PLACE)) {
    const [whole, escaped, inside = "", brace] = match;
    result += text.slice(end, match.index);
    end = match.index + whole.length;
    if (escaped !== undefined) {
      result += "${";
      continue;
    }
    const value = lookUp(inside, brace === "}", variables);
    if (typeof value !== "string") return { ...value, from: match.index, to: end };
    result += value;
    if (result.length > LENGTH_MAX)
      return {
        code: "yaml-too-large",
        message: "this value becomes too long by its variables",
        help: null,
        from: match.index,
        to: end,
      };
  }
  return { text: result + text.slice(end) };
}

function lookUp(inside: string, isClosed: boolean, variables: Variables): string | Fault {
  const [, name, fallback] = /^(\w+)(?::?-([\s\S]*))?$/.exec(inside) ?? [];
  if (!isClosed || name === undefined)
    return {
      code: "bad-expansion",
      message: isClosed ? `\`\${${inside}}\` names no variable` : "a closing brace is missing behind `${`",
      help: `Write \${NAME} or \${NAME-default}; a plain \${ is $\${.`,
    };
  const value = variables.get(name) ?? fallback;
  if (value !== undefined) return value;
  return {
    code: "unset-variable",
    message: `the variable \`${name}\` is not set`,
    help:
      suggestWord(name, variables.keys()) ??
      `Set it under \`variables:\` or in the environment, or give a default: \${${name}-…}.`,
  };
}
