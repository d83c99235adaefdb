// A change of a line-oriented text such as haproxy.cfg: one line becomes others. It says what it expects to
// find, so that a file that somebody has changed meanwhile is left alone.

export interface LineEdit {
  readonly file: string;
  /** The first line is 1. */
  readonly line: number;
  /** Without its line end. */
  readonly before: string;
  /** Empty: the line is taken out. */
  readonly after: readonly string[];
}
