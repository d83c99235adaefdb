// Where in which file something stands. Every value of a model carries one, so that an explanation can name
// the line.

/** A piece of one line. Lines and columns count from 1; columns count UTF-16 units of the line as read. */
export interface Span {
  /** The file's name as the user gave it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The column after the last character; equals `column` for an empty span. */
  readonly endColumn: number;
}

/** For values that no file says: built-in defaults. */
export const NO_SPAN: Span = { file: "", line: 0, column: 0, endColumn: 0 };

export function formatPlace(span: Span): string {
  return span.line === 0 ? "built-in" : `${span.file}:${span.line}`;
}
