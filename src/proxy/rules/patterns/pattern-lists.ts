// All lists of patterns of a configuration, as they are now. They live as long as the files that they were
// read from: generations that the runtime API makes share them, a reload begins with those of the files
// again.
import type { PatternDefinition, PatternListDefinition } from "../../../model/pattern-list.ts";
import type { AclTest, MatchMethod } from "../../../model/sample.ts";
import { PatternList } from "./pattern-list.ts";
import type { PatternMatcher } from "./pattern-matcher.ts";

/** Lists that are not as in the files, by their place in the configuration. */
export type ChangedLists = Readonly<Record<number, readonly PatternDefinition[]>>;

export class PatternLists {
  readonly all: readonly PatternList[];
  readonly #byPath: Map<string, PatternList> = new Map();

  constructor(definitions: readonly PatternListDefinition[], changed: ChangedLists = {}) {
    this.all = definitions.map((definition) => new PatternList(definition));
    for (const list of this.all) {
      const { path, uses } = list.definition;
      // Those that no rule uses are looked at by the runtime API all the same.
      for (const { kind, method, ignoreCase } of uses) list.matcherFor(kind, method, ignoreCase);
      if (path !== null) this.#byPath.set(path, list);
    }
    for (const [index, entries] of Object.entries(changed))
      this.all[Number(index)]?.apply({ kind: "replace", entries });
  }

  get changed(): ChangedLists {
    const changed: Record<number, readonly PatternDefinition[]> = {};
    for (const [index, { changedEntries }] of this.all.entries())
      if (changedEntries !== null) changed[index] = changedEntries;
    return changed;
  }

  ofFile(path: string): PatternList | null {
    return this.#byPath.get(path) ?? null;
  }

  indexOf(list: PatternList): number {
    return this.all.indexOf(list);
  }

  /** What a value of the test is compared with; one after the other. */
  matchersOf({ lists, method, ignoreCase, patterns }: AclTest): readonly PatternMatcher[] {
    const found = lists.map((index) => this.all[index]).filter((list) => list !== undefined);
    const all = found.length > 0 ? found : [listOf(patterns)];
    return all.map((list) => list.matcherFor("acl", method, ignoreCase));
  }
}

/** A matcher of patterns that nobody changes. */
export function fixedMatcher(
  method: MatchMethod,
  ignoreCase: boolean,
  patterns: readonly string[],
): PatternMatcher {
  return listOf(patterns).matcherFor("acl", method, ignoreCase);
}

function listOf(patterns: readonly string[]): PatternList {
  const entries = patterns.map((key) => ({ key, value: null }));
  return new PatternList({ id: 0, path: null, criterion: "", hasValues: false, entries, uses: [] });
}
