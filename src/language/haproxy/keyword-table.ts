// The shape of the keyword tables: what HAProxy 2.6 knows, where, and what we make of it. The tables are
// the source of COMPATIBILITY.md and of the reader's answers to words that it does not read.

/**
 * `done`: means what it means in HAProxy. `partly`: the note says what is missing. `no-effect`: accepted,
 * it tunes something that works differently here. `refused`: an error with the note as its reason. What no
 * table has is unknown.
 */
export type Support = "done" | "partly" | "no-effect" | "refused";

/** d(efaults) f(rontend) l(isten) b(ackend) g(lobal) u(serlist) h(ttp-errors), bind = "B", server = "S". */
export type Places = string;

export interface Keyword {
  readonly name: string;
  readonly support: Support;
  readonly places: Places;
  /** Why, or how far; "" when there is nothing to add. */
  readonly note: string;
  /**
   * How many words of value follow: for those without effect on bind and server lines, which have to be
   * skipped.
   */
  readonly valueCount: number;
}

export type KeywordTable = ReadonlyMap<string, Keyword>;

/** Rows of "NAME PLACES", or "NAME PLACES N" with a number of value words, under their state and note. */
export interface KeywordGroup {
  readonly support: Support;
  readonly note?: string;
  readonly rows: readonly string[];
}

export function buildTable(groups: readonly KeywordGroup[]): KeywordTable {
  const table = new Map<string, Keyword>();
  for (const { support, note = "", rows } of groups) {
    for (const row of rows) {
      const match = /^(.+?)\s+([a-zBS]+)(?:\s+(\d+))?$/.exec(row)!;
      const name = match[1]!;
      table.set(name, { name, support, places: match[2]!, note, valueCount: Number(match[3] ?? 0) });
    }
  }
  return table;
}
