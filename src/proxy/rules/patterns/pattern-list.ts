// One list of patterns as it is now, with everybody who matches by it. Versions that are being prepared are
// beside it until one is committed and takes its place at once.
import type { PatternDefinition, PatternListDefinition } from "../../../model/pattern-list.ts";
import type { MatchMethod } from "../../../model/sample.ts";
import { describeBadPattern } from "./parse-pattern.ts";
import type { PatternChange } from "./pattern-change.ts";
import { PatternEntry } from "./pattern-entry.ts";
import { PatternMatcher } from "./pattern-matcher.ts";

export class PatternList {
  readonly definition: PatternListDefinition;
  currentVersion = 0;
  nextVersion = 0;
  #entries: Set<PatternEntry> = new Set();
  /** By key; made when something changes for the first time. */
  #byKey: Map<string, PatternEntry[]> | null = null;
  readonly #pending: Map<number, Set<PatternEntry>> = new Map();
  readonly #matchers: Map<string, PatternMatcher> = new Map();
  #nextEntryId = 1;
  #isChanged = false;

  constructor(definition: PatternListDefinition) {
    this.definition = definition;
    this.#entries = this.#makeEntries(definition.entries);
  }

  get entries(): ReadonlySet<PatternEntry> {
    return this.#entries;
  }

  /** Entries as they are now, when they are not those of the file any more. */
  get changedEntries(): readonly PatternDefinition[] | null {
    return this.#isChanged ? [...this.#entries].map(({ key, value }) => ({ key, value })) : null;
  }

  /** For `get acl` and for counting: how the list is compared, once for each way. */
  get matchers(): readonly PatternMatcher[] {
    return [...this.#matchers.values()];
  }

  /** Whether it is an acl's, which has no use for values. */
  isAcl(matcher: PatternMatcher): boolean {
    return this.#matchers.get(matcherKey("acl", matcher.method, matcher.ignoreCase)) === matcher;
  }

  /** Who compares in the same way has the same one. `user`: acls and maps have one each, as in HAProxy. */
  matcherFor(user: "acl" | "map", method: MatchMethod, ignoreCase: boolean): PatternMatcher {
    const key = matcherKey(user, method, ignoreCase);
    const known = this.#matchers.get(key) ?? new PatternMatcher(method, ignoreCase, this.#entries);
    this.#matchers.set(key, known);
    return known;
  }

  isUsedBy(kind: "acl" | "map"): boolean {
    return this.definition.uses.some((use) => use.kind === kind);
  }

  /** Why a pattern cannot be added, in HAProxy's words; null when it can. */
  describeBadKey(key: string): string | null {
    for (const { method } of this.#matchers.values()) {
      const problem = describeBadPattern(method, key);
      if (problem !== null) return problem;
    }
    return null;
  }

  /** False when nothing is different now. Patterns have been checked. */
  apply(change: PatternChange): boolean {
    const isDone = this.#change(change);
    if (isDone) this.#isChanged = true;
    return isDone;
  }

  entriesOf(key: string): readonly PatternEntry[] {
    return this.#keys().get(key) ?? [];
  }

  /** The entries of a version; null when there is none of it. */
  versionOf(version: number): ReadonlySet<PatternEntry> | null {
    return version === this.currentVersion ? this.#entries : (this.#pending.get(version) ?? null);
  }

  /** The number of a new version, which is empty. */
  prepareVersion(): number {
    this.nextVersion++;
    this.#pending.set(this.nextVersion, new Set());
    return this.nextVersion;
  }

  /** Into a version that is being prepared; one that is past takes it in without effect. */
  addTo(version: number, { key, value }: PatternDefinition): void {
    this.#pending.get(version)?.add(new PatternEntry(this.#nextEntryId++, key, value));
  }

  clearVersion(version: number): void {
    this.#pending.get(version)?.clear();
  }

  /** What the list is to be from now on; null when that version is past, or was never prepared. */
  commitVersion(version: number): readonly PatternDefinition[] | null {
    if (version <= this.currentVersion || version > this.nextVersion) return null;
    const entries = [...this.#pending.get(version)!].map(({ key, value }) => ({ key, value }));
    for (const pending of this.#pending.keys()) if (pending <= version) this.#pending.delete(pending);
    this.currentVersion = version;
    return entries;
  }

  #change(change: PatternChange): boolean {
    switch (change.kind) {
      case "add":
        this.#add(change);
        return true;
      case "ensure":
        return this.#ensure(change);
      case "set": {
        const entries = this.#chosen(change);
        for (const entry of entries) entry.value = change.value;
        return entries.length > 0;
      }
      case "delete": {
        const entries = this.#chosen(change);
        for (const entry of entries) this.#remove(entry);
        return entries.length > 0;
      }
      case "replace":
        this.#entries = this.#makeEntries(change.entries);
        this.#byKey = null;
        for (const matcher of this.#matchers.values()) matcher.handleReplaced(this.#entries);
        return true;
    }
  }

  #ensure(change: PatternDefinition): boolean {
    const present = this.entriesOf(change.key);
    if (present.length === 0) {
      if (this.describeBadKey(change.key) !== null) return false;
      this.#add(change);
      return true;
    }
    const different = present.filter(({ value }) => value !== change.value);
    for (const entry of different) entry.value = change.value;
    return different.length > 0;
  }

  #chosen({ key, occurrence }: { key: string; occurrence: number | null }): readonly PatternEntry[] {
    const entries = this.entriesOf(key);
    return occurrence === null ? [...entries] : entries.slice(occurrence, occurrence + 1);
  }

  #add({ key, value }: PatternDefinition): void {
    const keys = this.#keys();
    const entry = new PatternEntry(this.#nextEntryId++, key, value);
    this.#entries.add(entry);
    noteKey(keys, entry);
    for (const matcher of this.#matchers.values()) matcher.handleAdded(entry);
  }

  #remove(entry: PatternEntry): void {
    this.#entries.delete(entry);
    const left = this.entriesOf(entry.key).filter((other) => other !== entry);
    if (left.length === 0) this.#keys().delete(entry.key);
    else this.#keys().set(entry.key, left);
    for (const matcher of this.#matchers.values()) matcher.handleRemoved(entry);
  }

  #keys(): Map<string, PatternEntry[]> {
    if (this.#byKey !== null) return this.#byKey;
    const keys: Map<string, PatternEntry[]> = new Map();
    for (const entry of this.#entries) noteKey(keys, entry);
    this.#byKey = keys;
    return keys;
  }

  #makeEntries(definitions: readonly PatternDefinition[]): Set<PatternEntry> {
    return new Set(definitions.map(({ key, value }) => new PatternEntry(this.#nextEntryId++, key, value)));
  }
}

function matcherKey(user: "acl" | "map", method: MatchMethod, ignoreCase: boolean): string {
  return `${user} ${method} ${ignoreCase}`;
}

function noteKey(keys: Map<string, PatternEntry[]>, entry: PatternEntry): void {
  const same = keys.get(entry.key);
  if (same === undefined) keys.set(entry.key, [entry]);
  else same.push(entry);
}
