// Edits of lines: several of them as one, and carried out on a text.
import type { LineEdit } from "../../model/line-edit.ts";

/** Null: the text is not the one that they were made for. */
export function applyLineEdits(text: string, edits: readonly LineEdit[]): string | null {
  const lines: (string | readonly string[])[] = text.split("\n");
  for (const { line, before, after } of edits) {
    if (lines[line - 1] !== before) return null;
    lines[line - 1] = after;
  }
  return lines.flat().join("\n");
}

/** In the order of the lines. A line of two fixes becomes what the first says, with all that both add. */
export function withoutRepeated(edits: readonly LineEdit[]): readonly LineEdit[] {
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
