// Rewrites the vocabulary of HAProxy 1.5 in configuration files as lines of today, rules in the order in
// which they were done. Everything else stays as it is, byte for byte. What cannot be rewritten stays too,
// and is reported.
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { LineEdit } from "../../model/line-edit.ts";
import type { ReaderEnvironment, SourceFile } from "./environment.ts";
import { optionRequestLines } from "./http-check-request.ts";
import { LEGACY_GLOBAL_KEYWORD } from "./keywords-global.ts";
import { LEGACY_KEYWORDS } from "./keywords-proxy.ts";
import { modernizeLegacyWords } from "./legacy-rewrite.ts";
import { displayText, type LexedLine, lexLine } from "./lexer.ts";
import { applyLineEdits } from "./line-edits.ts";
import { quoteWord } from "./quote.ts";
import { readConfiguration } from "./reader.ts";
import { Report } from "./report.ts";
import { headerOf, inOrder, isOldRule } from "./rule-order.ts";
import type { Word } from "./word.ts";

export interface ConvertResult {
  /** The same files in the same order. */
  readonly files: readonly SourceFile[];
  /** Legacy lines that were left as they are. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Files for HAProxy 1.5 as files for HAProxy of today. Faults of other lines are not looked at. */
export function modernise(files: readonly SourceFile[], environment: ReaderEnvironment): ConvertResult {
  const report = new Report();
  const places = placesWithoutMode(files, environment);
  const converted = files.map((file) => ({
    name: file.name,
    text: convertFile(file, places.get(file.name) ?? new Set(), report),
  }));
  return { files: converted, diagnostics: report.inFileOrder(files.map((file) => file.name)) };
}

/**
 * Section headers whose mode was inferred from rules that the conversion takes away: they get a `mode
 * http`.
 */
function placesWithoutMode(
  files: readonly SourceFile[],
  environment: ReaderEnvironment,
): Map<string, Set<number>> {
  const places = new Map<string, Set<number>>();
  for (const { code, span } of readConfiguration(files, environment).diagnostics) {
    if (code !== "missing-mode") continue;
    places.set(span.file, (places.get(span.file) ?? new Set()).add(span.line));
  }
  return places;
}

function convertFile(file: SourceFile, withoutMode: ReadonlySet<number>, report: Report): string {
  const lines = file.text.split("\n");
  let edits: readonly LineEdit[] = lines.flatMap((before, i): LineEdit[] => {
    const converted = convertedLine(lines, i, file.name, report);
    const after = withoutMode.has(i + 1) ? [...converted, modeLine(lines, i)] : converted;
    return after.length === 1 && after[0] === before ? [] : [{ file: file.name, line: i + 1, before, after }];
  });
  const rules = edits.filter(({ before }) => isOldRule(before));
  for (const header of new Set(rules.map(({ line }) => headerOf(lines, line))))
    edits = inOrder(edits, file.name, lines, header) ?? edits;
  return applyLineEdits(file.text, edits) ?? file.text;
}

/** What becomes of one line; usually itself. `lines` are those of the whole file. */
export function convertedLine(
  lines: readonly string[],
  index: number,
  file: string,
  report: Report,
): readonly string[] {
  const text = lines[index]!;
  // Variables stay as they are: a line that has one cannot be quoted anew.
  let hasVariable = false;
  const lexed = lexLine(text, file, index + 1, () => {
    hasVariable = true;
    return "x";
  });
  const converted = convertLine(text, lexed, hasVariable, () => indentBehind(lines, index), report);
  if (converted === text) return [text];
  const ending = text.endsWith("\r") ? "\r" : "";
  const written = converted.split("\n").filter((line) => line.trim() !== "");
  return written.map((line) => (line.endsWith(ending) ? line : line + ending));
}

/** The line behind the section's header at `index` that says its mode. */
export function modeLine(lines: readonly string[], index: number): string {
  return `${indentBehind(lines, index)}mode http${lines[index]!.endsWith("\r") ? "\r" : ""}`;
}

/** Asked for the few lines that need it only: it may look at the whole rest of the file. */
function indentBehind(lines: readonly string[], index: number): string {
  for (let i = index + 1; i < lines.length; i++) {
    const indent = /^\s+(?=\S)/.exec(lines[i]!);
    if (indent !== null) return indent[0];
  }
  return "    ";
}

function convertLine(
  text: string,
  { words }: LexedLine,
  hasVariable: boolean,
  indent: () => string,
  report: Report,
): string {
  const first = words[0];
  if (first === undefined) return text;
  const request = first.text === "option" && words[1]?.text === "httpchk" ? optionRequestLines(words) : null;
  const modern = request?.join(`\n${/^\s*/.exec(text)![0]}`) ?? modernWords(words, indent);
  if (modern === null) return text;
  if (typeof modern !== "string") {
    report.warning("not-converted", first.span, modern.message, modern.help);
    return text;
  }
  if (hasVariable) {
    report.warning(
      "not-converted",
      first.span,
      "this line has a variable and has to be changed by hand",
      modern,
    );
    return text;
  }
  const start = first.span.column - 1;
  const end = words.at(-1)!.span.endColumn - 1;
  return text.slice(0, start) + modern + text.slice(end);
}

/**
 * The line of today, empty where it needs none, null for one that is of today already, or why there is none.
 */
function modernWords(
  words: readonly Word[],
  indent: () => string,
): string | null | { message: string; help: string } {
  const texts = words.map((word) => word.text);
  const [keyword = "", second = "", third = ""] = texts;
  if ((keyword === "listen" || keyword === "frontend") && texts.length === 3 && /[:/@]/.test(third)) {
    return `${keyword} ${displayText(second)}\n${indent()}bind ${displayText(third)}`;
  }
  if (keyword === "option" && second === "forceclose") return "option httpclose";
  // It is ignored: keep-alive is the default.
  if (keyword === "option" && second === "http-tunnel") return "";
  const entry = LEGACY_KEYWORDS.get(keyword);
  if (entry === undefined && keyword !== LEGACY_GLOBAL_KEYWORD) return null;
  if (entry?.support === "refused")
    return { message: `\`${keyword}\` has no line of today`, help: entry.note };
  const result = modernizeLegacyWords(texts);
  if (result.kind === "modern") return result.words.map(quoteWord).join(" ");
  if (result.kind === "error") return { message: result.message, help: result.help };
  return {
    message: `\`${keyword}\` has no line of today`,
    help: "Sallyport still does it line by line; for HAProxy rewrite it with `replace-header` or `replace-uri`.",
  };
}
