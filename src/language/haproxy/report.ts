// Collects what a reader finds wrong. Nothing is thrown and nothing stops at the first fault.
import type { Diagnostic, Severity } from "../../diagnostic/diagnostic.ts";
import type { Span } from "../../diagnostic/span.ts";

export type Related = Diagnostic["related"];

export class Report {
  readonly diagnostics: Diagnostic[] = [];

  add(diagnostic: Diagnostic): void {
    this.diagnostics.push(diagnostic);
  }

  error(code: string, span: Span, message: string, help: string | null = null, related: Related = []): void {
    this.#push("error", code, span, message, help, related);
  }

  warning(
    code: string,
    span: Span,
    message: string,
    help: string | null = null,
    related: Related = [],
  ): void {
    this.#push("warning", code, span, message, help, related);
  }

  notice(code: string, span: Span, message: string, help: string | null = null, related: Related = []): void {
    this.#push("notice", code, span, message, help, related);
  }

  get hasErrors(): boolean {
    return this.diagnostics.some((diagnostic) => diagnostic.severity === "error");
  }

  /**
   * In the order of the files, then of the lines; what was found at the same place stays in the order of
   * finding.
   */
  inFileOrder(files: readonly string[]): Diagnostic[] {
    const rank = new Map(files.map((file, i) => [file, i]));
    const place = (diagnostic: Diagnostic): number => rank.get(diagnostic.span.file) ?? files.length;
    return this.diagnostics.toSorted(
      (a, b) => place(a) - place(b) || a.span.line - b.span.line || a.span.column - b.span.column,
    );
  }

  #push(
    severity: Severity,
    code: string,
    span: Span,
    message: string,
    help: string | null,
    related: Related,
  ): void {
    this.diagnostics.push({ code, severity, span, message, help, related });
  }
}
