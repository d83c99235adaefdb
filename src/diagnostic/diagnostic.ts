// One thing that a reader of a configuration found: what, where, and what to do about it. Always a value,
// never thrown.
import type { Span } from "./span.ts";

export type Severity = "error" | "warning" | "notice";

export interface Diagnostic {
  /** Stable identifier, kebab-case, documented in docs/errors.md, such as "unknown-keyword". */
  readonly code: string;
  readonly severity: Severity;
  readonly span: Span;
  /** One sentence, small first letter, no full stop, in the words of the file's language. */
  readonly message: string;
  /** The likely fix, as a sentence or as the line to write; null when there is none worth saying. */
  readonly help: string | null;
  /** Other places that matter, such as the first definition of a name defined twice. */
  readonly related: readonly { readonly span: Span; readonly message: string }[];
}
