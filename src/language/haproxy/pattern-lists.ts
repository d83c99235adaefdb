// The lists of patterns that a configuration names while it is read: each file once, whoever uses it, and one
// list for the patterns on the line of each acl. Their order gives the numbers by which the runtime API knows
// them, as in HAProxy.
import type { PatternDefinition, PatternListDefinition, PatternUse } from "../../model/pattern-list.ts";

export type PatternFileProblem = "unreadable" | "one-column" | "two-columns";

interface Draft {
  readonly path: string | null;
  readonly criterion: string;
  readonly hasValues: boolean;
  readonly entries: readonly PatternDefinition[];
  readonly uses: PatternUse[];
  readonly id: number | null;
}

export class PatternListDrafts {
  readonly #drafts: Draft[] = [];
  readonly #files: Map<string, number> = new Map();

  /**
   * Index of a file's list, which is read at its first use; or why it cannot be used like that: its lines are
   * either patterns (one column) or keys with values.
   */
  useFile(
    path: string,
    hasValues: boolean,
    use: PatternUse,
    readFile: (path: string) => Uint8Array | null,
  ): number | PatternFileProblem {
    const known = this.#files.get(path);
    if (known !== undefined) return this.#useAgain(known, hasValues, use);
    const bytes = readFile(path);
    if (bytes === null) return "unreadable";
    const lines = Buffer.from(bytes).toString("latin1").split("\n");
    const entries = hasValues ? keysAndValues(lines) : patternsOf(lines);
    const index = this.#drafts.push({ path, criterion: "", hasValues, entries, uses: [use], id: null }) - 1;
    this.#files.set(path, index);
    return index;
  }

  /** Index of a list for the patterns on a line. `id`: `-u`. */
  addOwn(criterion: string, patterns: readonly string[], use: PatternUse, id: number | null): number {
    const entries = patterns.map((key) => ({ key, value: null }));
    return this.#drafts.push({ path: null, criterion, hasValues: false, entries, uses: [use], id }) - 1;
  }

  entriesOf(index: number): readonly PatternDefinition[] {
    return this.#drafts[index]!.entries;
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  /** Numbers them: those that have asked for a number have it, the others what is free, from 0. */
  finish(): readonly PatternListDefinition[] {
    const taken = new Set(this.#drafts.map(({ id }) => id));
    let next = 0;
    return this.#drafts.map((draft) => {
      if (draft.id !== null) return { ...draft, id: draft.id };
      while (taken.has(next)) next++;
      return { ...draft, id: next++ };
    });
  }

  #useAgain(index: number, hasValues: boolean, use: PatternUse): number | PatternFileProblem {
    const draft = this.#drafts[index]!;
    if (draft.hasValues !== hasValues) return draft.hasValues ? "two-columns" : "one-column";
    draft.uses.push(use);
    return index;
  }
}

/** Leading blanks do not count, empty lines and those that begin with `#` neither. */
function patternsOf(lines: readonly string[]): PatternDefinition[] {
  return lines
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.replace(/^[ \t]+/, "").replace(/\r$/, ""))
    .filter((key) => key !== "")
    .map((key) => ({ key, value: null }));
}

/** "KEY VALUE" (manual, 7.3.1 `map`). */
function keysAndValues(lines: readonly string[]): PatternDefinition[] {
  const entries: PatternDefinition[] = [];
  for (const line of lines) {
    const match = /^[ \t]*([^#\s]\S*)[ \t]*(.*?)[ \t\r]*$/.exec(line);
    if (match !== null) entries.push({ key: match[1]!, value: match[2]! });
  }
  return entries;
}
