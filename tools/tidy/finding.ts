// What a check of the tree has found, and what it is given to look at: all files as text, so that a test can
// make up a tree.

export interface Finding {
  /** Relative to the top of the tree, with "/". */
  readonly file: string;
  readonly line: number;
  readonly severity: "error" | "note";
  /** One sentence without a full stop. */
  readonly message: string;
}

/** Path relative to the top, with "/" -> text. */
export type Tree = ReadonlyMap<string, string>;

export function errorAt(file: string, line: number, message: string): Finding {
  return { file, line, severity: "error", message };
}

export function noteAt(file: string, line: number, message: string): Finding {
  return { file, line, severity: "note", message };
}

export function isTypeScript(path: string): boolean {
  return path.endsWith(".ts");
}

export function isTest(path: string): boolean {
  return path.endsWith(".test.ts");
}

/** What several tests share, beside them: `x.fixture.ts`. */
export function isFixture(path: string): boolean {
  return path.endsWith(".fixture.ts");
}

/** The line, from 1, of a position in a text. */
export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < position; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
