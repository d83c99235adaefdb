// What one process changes for all: variables of the process and lists of patterns. HAProxy has one process;
// we have several, and they tell each other.
import type { PatternChange } from "./patterns/pattern-change.ts";
import type { SampleValue } from "./sample-value.ts";

export type SharedChange =
  /** No value unsets it. */
  | { readonly kind: "variable"; readonly name: string; readonly value: SampleValue | undefined }
  /** `list`: its place in the configuration's `patternLists`. */
  | { readonly kind: "pattern"; readonly list: number; readonly change: PatternChange };
