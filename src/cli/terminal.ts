// What a command sees of the terminal: two streams of text, whether they take colour, and somebody to ask.
// Commands get it as an argument, so that a test can be the terminal. It decides nothing about what is
// printed.
import type { Buffer } from "node:buffer";
import type { ReadStream, WriteStream } from "node:tty";
import type { styleText } from "node:util";

export interface Terminal {
  /** To standard output, as it is: a line ends with "\n". */
  write(text: string): void;
  /** To standard error. */
  error(text: string): void;
  /** Whether standard output is a terminal that shows colours, and the user did not refuse them. */
  readonly isColour: boolean;
  /** The same of standard error. */
  readonly isErrorColour: boolean;
  /** Width of standard output in characters; 80 when it is no terminal. */
  readonly columns: number;
  /** Whether somebody sits there who can answer. */
  readonly isInteractive: boolean;
  /** Asks without echo. Null when nobody can answer or the question was refused with Ctrl-C or Ctrl-D. */
  askSecret(question: string): Promise<string | null>;
}

/** Roles rather than colours: what a piece of text is, so that all commands look alike. */
export type TextRole = "error" | "warning" | "notice" | "good" | "title" | "faint" | "place";

const ROLE_FORMATS: Readonly<Record<TextRole, Parameters<typeof styleText>[0]>> = {
  error: ["red", "bold"],
  warning: ["yellow", "bold"],
  notice: ["cyan", "bold"],
  good: ["green"],
  title: ["bold"],
  faint: ["gray"],
  place: ["cyan"],
};

/** `text` dressed for its role, or unchanged when `isColour` is false. */
export function colour(isColour: boolean, role: TextRole, text: string): string {
  if (!isColour) return text;
  return nodeUtil().styleText(ROLE_FORMATS[role], text, { validateStream: false });
}

/**
 * Lines of a table whose cells stand under each other, two spaces apart, without trailing blanks. Colour
 * codes in a cell do not count as width. Rows may have different numbers of cells.
 */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, visibleLength(cell));
    });
  }
  return rows.map((row) =>
    row
      .map((cell, i) => cell + " ".repeat(widths[i]! - visibleLength(cell)))
      .join("  ")
      .trimEnd(),
  );
}

/**
 * Whether to colour what goes to a stream: never when NO_COLOR is set to anything (https://no-color.org),
 * always when FORCE_COLOR is set to anything but 0, else on a terminal that is not "dumb".
 */
export function wantsColour(
  isTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  if ((environment["NO_COLOR"] ?? "") !== "") return false;
  const forced = environment["FORCE_COLOR"] ?? "";
  if (forced !== "") return forced !== "0";
  return isTerminal && environment["TERM"] !== "dumb";
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  return {
    write: (text) => void stdout.write(text),
    error: (text) => void stderr.write(text),
    isColour: wantsColour(stdout.isTTY, env),
    isErrorColour: wantsColour(stderr.isTTY, env),
    get columns() {
      return stdout.isTTY ? stdout.columns : 80;
    },
    isInteractive: stdin.isTTY && stderr.isTTY,
    askSecret: (question) => (stdin.isTTY ? askSecret(stdin, stderr, question) : Promise.resolve(null)),
  };
}

/** What one key press does to a secret being typed. Exported for its test. */
export function typeKey(
  typed: string,
  key: string,
): { readonly typed: string; readonly outcome: "more" | "done" | "refused" } {
  if (key === "\r" || key === "\n") return { typed, outcome: "done" };
  if (key === "\u0003" || key === "\u0004") return { typed, outcome: "refused" };
  if (key === "\u007f" || key === "\b") return { typed: [...typed].slice(0, -1).join(""), outcome: "more" };
  if (key === "\u0015") return { typed: "", outcome: "more" };
  return { typed: typed + key, outcome: "more" };
}

function askSecret(input: ReadStream, output: WriteStream, question: string): Promise<string | null> {
  // Raw mode switches the echo off, and Ctrl-C arrives as a character. Before the question: who types fast
  // must not see the secret.
  input.setRawMode(true);
  output.write(question);
  return new Promise((resolve) => {
    let typed = "";
    const finish = (answer: string | null) => {
      input.setRawMode(false);
      input.pause();
      input.off("data", receive);
      output.write("\n");
      resolve(answer);
    };
    const receive = (data: Buffer | string) => {
      for (const key of data.toString()) {
        const step = typeKey(typed, key);
        typed = step.typed;
        if (step.outcome !== "more") return finish(step.outcome === "done" ? typed : null);
      }
    };
    input.on("data", receive);
    input.resume();
  });
}

function visibleLength(text: string): number {
  return text.includes("\x1b") ? nodeUtil().stripVTControlCharacters(text).length : text.length;
}

/** Only colours need it, and it would be the largest part of loading this module. */
function nodeUtil(): typeof import("node:util") {
  return process.getBuiltinModule("node:util");
}
