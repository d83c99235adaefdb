// A word of an haproxy.cfg line as the lexer hands it on: quotes removed, escapes and variables resolved,
// and still able to say in which column each of its characters stood.
import type { Span } from "../../diagnostic/span.ts";

export interface Word {
  /** One UTF-16 unit per byte (0..255): characters beyond ASCII are their UTF-8 bytes. */
  readonly text: string;
  /** The word as it stands in the line, quotes included. */
  readonly span: Span;
  /**
   * True if any part of it was quoted. A quoted word is never a keyword such as `{` or `if` by accident
   * only.
   */
  readonly isQuoted: boolean;
  /**
   * Column of each unit of `text`, with one more entry for its end. Null: they follow from `span.column`
   * one by one.
   */
  readonly columns: readonly number[] | null;
}

/** The place of `word.text[start, end)` in the file. Bad ranges are clipped to the word. */
export function spanInside(word: Word, start: number, end: number): Span {
  const { span, columns, text } = word;
  const from = Math.max(0, Math.min(start, text.length));
  const to = Math.max(from, Math.min(end, text.length));
  if (columns === null) return { ...span, column: span.column + from, endColumn: span.column + to };
  return { ...span, column: columns[from] ?? span.column, endColumn: columns[to] ?? span.endColumn };
}

/** The word that `word.text[start, end)` would be if it stood alone. */
export function partOfWord(word: Word, start: number, end: number): Word {
  const text = word.text.slice(start, end);
  const columns = word.columns === null ? null : word.columns.slice(start, start + text.length + 1);
  return { text, span: spanInside(word, start, end), isQuoted: word.isQuoted, columns };
}

/** From the first word's beginning to the last word's end; both must stand in the same line. */
export function spanOfWords(words: readonly Word[]): Span {
  const first = words[0]!.span;
  return { ...first, endColumn: words[words.length - 1]!.span.endColumn };
}

/** A word that no file contains, such as one of a predefined ACL. */
export function wordAt(text: string, span: Span): Word {
  const columns = new Array<number>(text.length + 1).fill(span.column);
  columns[text.length] = span.endColumn;
  return { text, span, isQuoted: false, columns };
}
