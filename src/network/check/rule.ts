// What one check is, and what it says. Each has a file under `rules/` and a page under `docs/checks/`.
import type { Diagnostic, Severity } from "../../diagnostic/diagnostic.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { DocumentEdit, DocumentPath, DocumentValue } from "../../model/document-edit.ts";
import type { CheckContext } from "./context.ts";

export interface CheckRule {
  /** Stable, kebab-case; the name of its page. */
  readonly code: string;
  readonly severity: Severity;
  /** One line for the index of the pages, small first letter, no full stop. */
  readonly title: string;
  run(context: CheckContext): Iterable<Fault>;
}

/** One place where a rule does not hold. */
export interface Fault {
  readonly span: Span;
  readonly message: string;
  readonly help?: string | null;
  readonly related?: Diagnostic["related"];
  /** Edits that mend it and can do no harm; `check --fix` carries them out. */
  readonly fix?: readonly DocumentEdit[] | null;
}

export type Finding = Diagnostic & { readonly fix: readonly DocumentEdit[] | null };

/** An edit of the file that `span` is in: the value of one key. */
export function setValue(span: Span, path: DocumentPath, value: DocumentValue): DocumentEdit {
  return { kind: "set", file: span.file, path, value };
}
