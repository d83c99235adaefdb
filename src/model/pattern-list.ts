// Lists of patterns that acls and maps compare with, as the files have them. Each can be changed at run time,
// by the runtime API and by rules, for everybody who uses it.
import type { Span } from "../diagnostic/span.ts";
import type { MatchMethod } from "./sample.ts";

export interface PatternListDefinition {
  /** `-u`, else numbered in the order of the files: `#id` of the runtime API. */
  readonly id: number;
  /** Of a file, whoever uses it; null for what stands on the line of one acl. */
  readonly path: string | null;
  /** What that acl tests, without arguments: "path_beg". "" for a file. */
  readonly criterion: string;
  /** Two columns: keys and values. */
  readonly hasValues: boolean;
  readonly entries: readonly PatternDefinition[];
  readonly uses: readonly PatternUse[];
}

export interface PatternDefinition {
  readonly key: string;
  /** Null in a list with one column. */
  readonly value: string | null;
}

export interface PatternUse {
  readonly kind: "acl" | "map";
  readonly method: MatchMethod;
  readonly ignoreCase: boolean;
  readonly span: Span;
}
