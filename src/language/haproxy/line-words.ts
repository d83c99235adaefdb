// What happens to a word of a `bind` or `server` line that is not read: refused with its reason, skipped
// with a notice, or unknown with the nearest known word.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { Cursor } from "./cursor.ts";
import type { Keyword, KeywordTable } from "./keyword-table.ts";
import { displayText } from "./lexer.ts";
import type { Report } from "./report.ts";
import type { Word } from "./word.ts";

export function skipTableWord(
  table: KeywordTable,
  word: Word,
  cursor: Cursor,
  lineName: "bind" | "server",
): void {
  const keyword = table.get(word.text);
  if (keyword === undefined) {
    const help = suggestWord(word.text, table.keys());
    cursor.report.error(
      "unknown-keyword",
      word.span,
      `unknown word \`${displayText(word.text)}\` in a \`${lineName}\` line`,
      help,
    );
    // What follows is probably its value, not another mistake.
    while (!cursor.isAtEnd && !table.has(cursor.peek()!.text)) cursor.next();
    return;
  }
  for (let i = 0; i < keyword.valueCount; i++) cursor.expect("a value");
  if (keyword.support === "no-effect") reportNoEffect(cursor.report, word.span, keyword);
  if (keyword.support === "refused") {
    cursor.report.error(
      "refused-keyword",
      word.span,
      `\`${keyword.name}\` is not supported`,
      capitalize(keyword.note),
    );
  }
}

/** Nothing is ignored silently, not even what only tunes. */
export function reportNoEffect(report: Report, span: Span, keyword: Keyword): void {
  report.notice("no-effect", span, `\`${keyword.name}\` has no effect here`, capitalize(keyword.note));
}

/** A note of a table as a sentence. */
export function capitalize(note: string): string {
  return note === "" ? "" : `${note[0]!.toUpperCase()}${note.slice(1)}.`;
}
