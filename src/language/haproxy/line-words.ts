// What happens to a word of a `bind` or `server` line that is not read: refused with its reason, skipped with a notice,
// or unknown with the nearest known word.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { Cursor } from "./cursor.ts";
import type { KeywordTable } from "./keyword-table.ts";
import { displayText } from "./lexer.ts";
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
    return;
  }
  for (let i = 0; i < keyword.valueCount; i++) cursor.expect("a value");
  if (keyword.support === "refused") {
    cursor.report.error(
      "refused-keyword",
      word.span,
      `\`${keyword.name}\` is not supported`,
      capitalize(keyword.note),
    );
  }
}

/** A note of a table as a sentence. */
export function capitalize(note: string): string {
  return note === "" ? "" : `${note[0]!.toUpperCase()}${note.slice(1)}.`;
}
