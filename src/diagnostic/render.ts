// Diagnostics as text for a terminal or a pipe: place, message, the line with a caret under the word, the
// likely fix.
import type { Diagnostic, Severity } from "./diagnostic.ts";
import type { Span } from "./span.ts";

export interface RenderOptions {
  /** Text of a file by its name, null when unknown: then no line is shown. */
  source(file: string): string | null;
  /** ANSI colours. */
  readonly colour: boolean;
}

const COLOURS: Readonly<Record<Severity, string>> = {
  error: "\x1b[1;31m",
  warning: "\x1b[1;33m",
  notice: "\x1b[1;36m",
};
const BOLD = "\x1b[1m";
const DIM = "\x1b[2m";
const RESET = "\x1b[0m";
/** Longer lines are cut around the caret. */
const WIDTH_MAX = 100;

/** All diagnostics, separated by empty lines, with a line feed at the end; "" when there are none. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: RenderOptions): string {
  return diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, options)).join("\n");
}

export function renderDiagnostic(diagnostic: Diagnostic, options: RenderOptions): string {
  const paint = painter(options.colour);
  const { severity, span, code } = diagnostic;
  const place = formatPosition(span);
  const label = `${paint(COLOURS[severity], severity)}${paint(DIM, `[${code}]`)}`;
  const head = `${label} ${paint(BOLD, oneLine(diagnostic.message))}`;
  const lines = [
    place === "" ? head : `${place}: ${head}`,
    ...renderExcerpt(span, COLOURS[severity], options),
  ];
  for (const other of diagnostic.related) {
    lines.push(
      `  ${formatPosition(other.span)}: ${oneLine(other.message)}`,
      ...renderExcerpt(other.span, DIM, options),
    );
  }
  if (diagnostic.help !== null) {
    const [first = "", ...rest] = visible(diagnostic.help).split("\n");
    lines.push(`  ${paint(BOLD, "help:")} ${first}`, ...rest.map((line) => `        ${line}`));
  }
  return `${lines.join("\n")}\n`;
}

/** "2 errors and 1 warning", "no errors". */
export function summarizeDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: Severity): number => diagnostics.filter((one) => one.severity === severity).length;
  const plural = (amount: number, word: string): string => `${amount} ${word}${amount === 1 ? "" : "s"}`;
  const parts = [plural(count("error"), "error"), plural(count("warning"), "warning")].filter(
    (part) => !part.startsWith("0 "),
  );
  return parts.length === 0 ? "no errors" : parts.join(" and ");
}

function formatPosition(span: Span): string {
  return span.line === 0 ? span.file : `${span.file}:${span.line}:${span.column}`;
}

function renderExcerpt(span: Span, colour: string, options: RenderOptions): string[] {
  const text = span.line === 0 ? undefined : options.source(span.file)?.split("\n")[span.line - 1];
  if (text === undefined) return [];
  const paint = painter(options.colour);
  const line = text.replace(/\r$/, "");
  const start = Math.max(0, span.column - 1);
  const end = Math.max(start + 1, span.endColumn - 1);
  const cut = cutAround(line, start, Math.min(end, Math.max(line.length, start + 1)));
  const number = String(span.line);
  // Tabs stay tabs under the line too, so that the caret is right whatever their width.
  const indent = cut.text.slice(0, cut.start).replace(/[^\t]/g, " ").padEnd(cut.start, " ");
  const carets = "^".repeat(Math.max(1, cut.end - cut.start));
  return [
    `  ${paint(DIM, `${number} |`)} ${visible(cut.text)}`,
    `  ${" ".repeat(number.length)} ${paint(DIM, "|")} ${indent}${paint(colour, carets)}`,
  ];
}

function cutAround(line: string, start: number, end: number): { text: string; start: number; end: number } {
  if (line.length <= WIDTH_MAX) return { text: line, start, end };
  const from = Math.max(0, Math.min(start - 40, line.length - WIDTH_MAX));
  const prefix = from > 0 ? "…" : "";
  const text = line.slice(from, from + WIDTH_MAX);
  const suffix = from + WIDTH_MAX < line.length ? "…" : "";
  const shift = prefix.length - from;
  return {
    text: prefix + text + suffix,
    start: start + shift,
    end: Math.min(end + shift, prefix.length + text.length),
  };
}

/** Control characters would move the terminal's cursor. */
function visible(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "?");
}

/** Messages quote names as the file has them, with whatever an escape of YAML put into them. */
function oneLine(text: string): string {
  return visible(text).replaceAll("\n", "?");
}

function painter(isColoured: boolean): (code: string, text: string) => string {
  return (code, text) => (isColoured ? `${code}${text}${RESET}` : text);
}
