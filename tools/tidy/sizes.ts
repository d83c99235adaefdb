// How long files and lines are. A long file usually holds two ideas; a table is one idea however long it is.
import { errorAt, type Finding, isTypeScript, noteAt, type Tree } from "./finding.ts";
import { takeApart } from "./source.ts";

const FILE_LINES_MAX = 600;
const FILE_LINES_NOTED = 400;
const LINE_WIDTH_MAX = 110;

/** Files that are nothing but a table, and of what. */
export const PURE_TABLES: Readonly<Record<string, string>> = {};

export function checkSizes(
  tree: Tree,
  pureTables: Readonly<Record<string, string>> = PURE_TABLES,
): Finding[] {
  const findings: Finding[] = [];
  for (const [file, text] of tree) {
    if (isTypeScript(file)) findings.push(...checkLength(file, text, pureTables), ...checkWidths(file, text));
  }
  return findings;
}

function checkLength(file: string, text: string, pureTables: Readonly<Record<string, string>>): Finding[] {
  const count = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  const isTable = Object.hasOwn(pureTables, file);
  if (count > FILE_LINES_MAX && !isTable) {
    return [errorAt(file, FILE_LINES_MAX + 1, `${count} lines: split it by idea (most: ${FILE_LINES_MAX})`)];
  }
  return count > FILE_LINES_NOTED && !isTable
    ? [noteAt(file, FILE_LINES_NOTED + 1, `${count} lines: is this one idea?`)]
    : [];
}

/** The formatter breaks code but no strings, so what is in a string does not count; nor does an address. */
function checkWidths(file: string, text: string): Finding[] {
  const lines = text.split("\n");
  if (!lines.some((line) => line.length > LINE_WIDTH_MAX)) return [];
  const source = takeApart(text);
  const [code, comments] = [source.code.split("\n"), source.comments.split("\n")];
  return lines.flatMap((line, i) => {
    if (comments[i]!.includes("://")) return [];
    const width = Math.max(comments[i]!.trimEnd().length, code[i]!.trimEnd().replaceAll("\0", "").length);
    if (width <= LINE_WIDTH_MAX) return [];
    return [errorAt(file, i + 1, `${line.length} characters wide (most: ${LINE_WIDTH_MAX})`)];
  });
}
