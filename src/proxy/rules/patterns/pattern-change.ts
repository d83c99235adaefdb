// What is done to a list of patterns at run time, as plain data: by the runtime API in the master, by rules
// in a worker, and told to all other processes. Rules use those that do no harm when they are done twice.
import type { PatternDefinition } from "../../../model/pattern-list.ts";

export type PatternChange =
  /** `add acl`, `add map`: whether there is one already or not. */
  | ({ readonly kind: "add" } & PatternDefinition)
  /** The rules `add-acl` and `set-map`: those of that key get the value, or there is a new one. */
  | ({ readonly kind: "ensure" } & PatternDefinition)
  /** All of that key, or the one that stands at `occurrence` among them, counted from 0. */
  | { readonly kind: "set"; readonly key: string; readonly value: string; readonly occurrence: number | null }
  | { readonly kind: "delete"; readonly key: string; readonly occurrence: number | null }
  | { readonly kind: "replace"; readonly entries: readonly PatternDefinition[] };
