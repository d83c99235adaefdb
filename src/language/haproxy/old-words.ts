// What a safe fix of an old word in haproxy.cfg would write: the line of today, wherever the whole
// configuration, read again with it, means exactly what it meant. Rules of HAProxy 1.5 have a place of their
// own behind those of today, so that some can only be rewritten together with others, and some not at all.
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { LineEdit } from "../../model/line-edit.ts";
import type { ProxyConfiguration } from "../../model/proxy.ts";
import { convertedLine, modeLine } from "./convert.ts";
import type { ReaderEnvironment, SourceFile } from "./environment.ts";
import { SECTION_KEYWORDS } from "./lines.ts";
import { readConfiguration } from "./reader.ts";
import { Report } from "./report.ts";
import { isSameMeaning } from "./same-meaning.ts";

/** Each proof reads all files anew: about a second for so many characters. */
const PROVED_CHARACTERS_MAX = 4_000_000;

/** The edits of each diagnostic that has a safe fix. Several may share the same ones. */
export type OldWordFixes = ReadonlyMap<Diagnostic, readonly LineEdit[]>;

/** `diagnostics` are those that reading these files gave. */
export function fixOldWords(
  files: readonly SourceFile[],
  diagnostics: readonly Diagnostic[],
  environment: ReaderEnvironment,
): OldWordFixes {
  const fixes = new Map<Diagnostic, readonly LineEdit[]>();
  const candidates = diagnostics.flatMap((diagnostic) => candidateOf(diagnostic, files));
  if (candidates.length === 0) return fixes;
  const prover = new Prover(files, environment);
  const alone = candidates.filter(({ diagnostic, edit }) => {
    const isSafe = prover.isSafe([edit]);
    if (isSafe) fixes.set(diagnostic, [edit]);
    return !isSafe;
  });
  // The mode that was inferred from such rules spreads along the backends: it is written everywhere at once.
  // A rule that others stand before moves only with them, and with the last of a section its mode must be
  // there.
  const modes = candidates.filter(({ diagnostic }) => diagnostic.code === "missing-mode");
  const sections = [...Map.groupBy(candidates, ({ section }) => section).values()];
  for (const group of [modes, ...sections, candidates]) {
    const left = group.filter((one) => alone.includes(one) && !fixes.has(one.diagnostic));
    if (left.length === 0) continue;
    const inPlace = withoutRepeated([...group, ...modes].map(({ edit }) => edit));
    const edits = [inPlace, ...inOrder(inPlace, left[0]!, files)].find((some) => prover.isSafe(some));
    if (edits !== undefined) for (const { diagnostic } of left) fixes.set(diagnostic, edits);
  }
  return fixes;
}

export interface CombinedFixes {
  readonly edits: readonly LineEdit[];
  /** For each of the fixes that were wanted, whether it is among the edits. */
  readonly isTaken: readonly boolean[];
}

/** As many of these fixes as are safe together. */
export function combineFixes(
  files: readonly SourceFile[],
  wanted: readonly (readonly LineEdit[])[],
  environment: ReaderEnvironment,
): CombinedFixes {
  const prover = new Prover(files, environment);
  // Where two say what becomes of a line, that of the whole section counts.
  const largestFirst = wanted.toSorted((a, b) => b.length - a.length);
  const all = withoutRepeated(largestFirst.flat());
  if (prover.isSafe(all)) return { edits: all, isTaken: wanted.map(() => true) };
  let edits: readonly LineEdit[] = [];
  const taken = new Set<readonly LineEdit[]>();
  for (const more of largestFirst) {
    const together = withoutRepeated([...edits, ...more]);
    if (!prover.isSafe(together)) continue;
    edits = together;
    taken.add(more);
  }
  return { edits, isTaken: wanted.map((one) => taken.has(one)) };
}

/** Null: the text is not the one that they were made for. */
export function applyLineEdits(text: string, edits: readonly LineEdit[]): string | null {
  const lines: (string | readonly string[])[] = text.split("\n");
  for (const { line, before, after } of edits) {
    if (lines[line - 1] !== before) return null;
    lines[line - 1] = after;
  }
  return lines.flat().join("\n");
}

interface Candidate {
  readonly diagnostic: Diagnostic;
  readonly edit: LineEdit;
  /** Where the header of its section stands, and in which file. */
  readonly section: string;
}

function candidateOf(diagnostic: Diagnostic, files: readonly SourceFile[]): Candidate[] {
  const { code, span } = diagnostic;
  const text = files.find(({ name }) => name === span.file)?.text;
  if (text === undefined || (code !== "obsolete-keyword" && code !== "missing-mode")) return [];
  const lines = text.split("\n");
  const before = lines[span.line - 1];
  if (before === undefined) return [];
  const after =
    code === "missing-mode"
      ? [before, modeLine(lines, span.line - 1)]
      : convertedLine(lines, span.line - 1, span.file, new Report());
  if (after.length === 1 && after[0] === before) return [];
  const edit: LineEdit = { file: span.file, line: span.line, before, after };
  return [{ diagnostic, edit, section: `${span.file}:${headerOf(lines, span.line)}` }];
}

/** The number of the line with which the section of a line begins. */
function headerOf(lines: readonly string[], line: number): number {
  let header = line;
  while (header > 1 && !isHeader(lines[header - 1]!)) header--;
  return header;
}

/** Which rules a line of each of these words belongs to, and when it is done among them. */
const RANKS: readonly (readonly [words: RegExp, kind: "request" | "response", rank: number])[] = [
  [/^block$/, "request", 0],
  [/^http-request$/, "request", 1],
  [/^reqi?add$/, "request", 3],
  [/^req/, "request", 2],
  [/^http-response$/, "response", 1],
  [/^rspi?add$/, "response", 3],
  [/^rsp/, "response", 2],
];

/**
 * The same edits with the rules of the section in the order in which they were done: a list of one, or none
 * where lines cannot change their places, since a condition around them may be another one elsewhere.
 */
function inOrder(
  edits: readonly LineEdit[],
  { section, edit: { file } }: Candidate,
  files: readonly SourceFile[],
): (readonly LineEdit[])[] {
  const lines = files.find(({ name }) => name === file)!.text.split("\n");
  const first = Number(section.slice(section.lastIndexOf(":") + 1));
  const others = lines.findIndex((line, index) => index >= first && isHeader(line));
  const end = others === -1 ? lines.length : others;
  const own = lines.slice(first, end).map((before, index) => ({ line: first + index + 1, before }));
  if (own.some(({ before }) => /^\s*\./.test(before))) return [];
  const moved = new Map(edits.filter((one) => one.file === file).map((one) => [one.line, one]));
  for (const kind of ["request", "response"] as const) {
    const rules = own.flatMap(({ line, before }) => {
      const word = firstWord(before);
      const found = RANKS.find(([words, of]) => of === kind && words.test(word));
      return found === undefined ? [] : [{ line, before, rank: found[2] }];
    });
    const after = rules
      .toSorted((a, b) => a.rank - b.rank)
      .map(({ line, before }) => moved.get(line)?.after ?? [before]);
    const placed = rules.map(({ line, before }, index) => ({ file, line, before, after: after[index]! }));
    for (const edit of placed) moved.set(edit.line, edit);
  }
  const changed = [...moved.values()].filter(
    ({ before, after }) => after.length !== 1 || after[0] !== before,
  );
  return [[...edits.filter((one) => one.file !== file), ...changed]];
}

function isHeader(line: string): boolean {
  return SECTION_KEYWORDS.includes(firstWord(line));
}

function firstWord(line: string): string {
  return /^\s*(\S*)/.exec(line)![1]!;
}

/** In the order of the lines. A line of two fixes becomes what the first says, with all that both add. */
function withoutRepeated(edits: readonly LineEdit[]): readonly LineEdit[] {
  const byLine = new Map<string, LineEdit>();
  for (const edit of edits) {
    const key = `${edit.file}:${edit.line}`;
    const other = byLine.get(key);
    byLine.set(key, other === undefined ? edit : merged(other, edit));
  }
  return [...byLine.values()].sort((a, b) => a.line - b.line);
}

function merged(one: LineEdit, other: LineEdit): LineEdit {
  const [first, second] = one.after[0] === one.before ? [other, one] : [one, other];
  const added = second.after.slice(1).filter((line) => !first.after.includes(line));
  return { ...first, after: [...first.after, ...added] };
}

class Prover {
  readonly #files: readonly SourceFile[];
  readonly #environment: ReaderEnvironment;
  readonly #before: ProxyConfiguration | null;
  #charactersLeft = PROVED_CHARACTERS_MAX;

  constructor(files: readonly SourceFile[], environment: ReaderEnvironment) {
    this.#files = files;
    this.#environment = environment;
    this.#before = readConfiguration(files, environment).configuration;
  }

  /**
   * False for what cannot be proved as well: files with errors mean nothing, and of very long ones some is
   * tried.
   */
  isSafe(edits: readonly LineEdit[]): boolean {
    this.#charactersLeft -= this.#files.reduce((sum, { text }) => sum + text.length, 0);
    if (this.#before === null || this.#charactersLeft < 0) return false;
    const files = this.#files.map(({ name, text }) => ({
      name,
      text: applyLineEdits(
        text,
        withoutRepeated(edits).filter(({ file }) => file === name),
      ),
    }));
    const isWhole = (file: { readonly name: string; readonly text: string | null }): file is SourceFile =>
      file.text !== null;
    if (!files.every(isWhole)) return false;
    const { configuration } = readConfiguration(files, this.#environment);
    return configuration !== null && isSameMeaning(this.#before, configuration);
  }
}
