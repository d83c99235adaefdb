// How ACLs and maps compare a value with a list of patterns (HAProxy manual, 7.1.3). `find` is a closure that
// is made anew when the list changes: a single pattern costs one comparison, as most acls have one, and to be
// changeable costs the load of a field.
import type { MatchMethod, SampleType } from "../../../model/sample.ts";
import { lowerAscii } from "../converters/text.ts";
import type { SampleValue } from "../sample-value.ts";
import { PatternEntry } from "./pattern-entry.ts";
import { createPatternIndex, type FindPattern, type PatternIndex, testOf } from "./pattern-index.ts";

/** What "found" finds, and "bool" in an acl without patterns. */
const ANY = new PatternEntry(0, "", null);
const SINGLE: ReadonlySet<MatchMethod> = new Set(["str", "beg", "end", "sub", "reg"]);

/** The type that a value is cast to before it is matched. */
export function matchInputType(method: MatchMethod): SampleType {
  switch (method) {
    case "found":
      return "any";
    case "bool":
      return "bool";
    case "int":
      return "sint";
    case "ip":
      return "addr";
    case "bin":
      return "bin";
    default:
      return "str";
  }
}

export class PatternMatcher {
  readonly method: MatchMethod;
  readonly ignoreCase: boolean;
  /** The value has been cast to `matchInputType`. */
  find: FindPattern = () => undefined;
  #entries: ReadonlySet<PatternEntry>;
  #index: PatternIndex;

  /** Whoever changes `entries` says so. */
  constructor(method: MatchMethod, ignoreCase: boolean, entries: ReadonlySet<PatternEntry>) {
    this.method = method;
    this.ignoreCase = ignoreCase;
    this.#entries = entries;
    this.#index = createPatternIndex(method, ignoreCase);
    this.handleReplaced(entries);
  }

  handleAdded(entry: PatternEntry): void {
    this.#index.add(entry);
    this.find = this.#choose();
  }

  handleRemoved(entry: PatternEntry): void {
    this.#index.remove(entry);
    this.find = this.#choose();
  }

  /** The list has other entries altogether. */
  handleReplaced(entries: ReadonlySet<PatternEntry>): void {
    this.#entries = entries;
    this.#index = createPatternIndex(this.method, this.ignoreCase);
    for (const entry of entries) this.#index.add(entry);
    this.find = this.#choose();
  }

  #choose(): FindPattern {
    const { method, ignoreCase } = this;
    const [first] = this.#entries;
    if (method === "found") return () => ANY;
    if (method === "bool") {
      const wanted = !/^(0|false|no|off)$/i.test(first?.key ?? "");
      return (value) => ((value === true) === wanted ? (first ?? ANY) : undefined);
    }
    if (first === undefined) return () => undefined;
    const find = this.#entries.size === 1 && SINGLE.has(method) ? this.#single(first) : this.#indexed();
    const folds = ignoreCase && method !== "reg" && matchInputType(method) === "str";
    return folds ? (value) => find(lowerAscii(value as string)) : find;
  }

  #single(entry: PatternEntry): FindPattern {
    const key = this.ignoreCase ? lowerAscii(entry.key) : entry.key;
    if (this.method === "str") return (value) => (value === key ? entry : undefined);
    if (this.method === "beg") return (value) => ((value as string).startsWith(key) ? entry : undefined);
    const test = testOf(this.method, entry.key, this.ignoreCase);
    return (value: SampleValue) => (test(value) ? entry : undefined);
  }

  #indexed(): FindPattern {
    const index = this.#index;
    return (value) => index.find(value);
  }
}
