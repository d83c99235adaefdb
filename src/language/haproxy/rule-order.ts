// The rules of a section in the order in which HAProxy 1.5 did them: `block`, then those of today, then req…
// and rsp…, then what they add. Written as lines of today they are done in the order of the file, so that is
// where they have to stand.
import type { LineEdit } from "../../model/line-edit.ts";
import { SECTION_KEYWORDS } from "./lines.ts";

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

/** Whether the line is a rule of HAProxy 1.5, for which the order counts. */
export function isOldRule(line: string): boolean {
  const word = firstWord(line);
  return RANKS.some(([words, , rank]) => rank !== 1 && words.test(word));
}

/**
 * The same edits with the rules of the section at their places. `header`: the number of the section's first
 * line. Null where lines cannot change their places: a condition around them (`.if`) may be another
 * elsewhere.
 */
export function inOrder(
  edits: readonly LineEdit[],
  file: string,
  lines: readonly string[],
  header: number,
): readonly LineEdit[] | null {
  const others = lines.findIndex((line, index) => index >= header && isHeader(line));
  const end = others === -1 ? lines.length : others;
  const own = lines.slice(header, end).map((before, index) => ({ line: header + index + 1, before }));
  if (own.some(({ before }) => /^\s*\./.test(before))) return null;
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
  return [...edits.filter((one) => one.file !== file), ...changed];
}

/** The number of the line with which the section of a line begins. */
export function headerOf(lines: readonly string[], line: number): number {
  let header = line;
  while (header > 1 && !isHeader(lines[header - 1]!)) header--;
  return header;
}

function isHeader(line: string): boolean {
  return SECTION_KEYWORDS.includes(firstWord(line));
}

function firstWord(line: string): string {
  return /^\s*(\S*)/.exec(line)![1]!;
}
