// Diagnostics on a terminal: with their lines and carets, in colour where that is wanted.
import type { Diagnostic } from "../diagnostic/diagnostic.ts";
import { renderDiagnostics } from "../diagnostic/render.ts";

export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** All of them as text, ending in a line feed; "" when there are none. */
export function diagnosticsText(
  diagnostics: readonly Diagnostic[],
  sources: readonly NamedText[],
  isColour: boolean,
): string {
  return renderDiagnostics(diagnostics, {
    colour: isColour,
    source: (file) => sources.find(({ name }) => name === file)?.text ?? null,
  });
}

/**
 * One diagnostic as it is printed with --json. Lines and columns count from 1; 0 when it concerns a whole
 * file.
 */
export function diagnosticRecord(diagnostic: Diagnostic): Record<string, unknown> {
  const { severity, code, message, help, span, related } = diagnostic;
  const place = ({ file, line, column, endColumn }: Diagnostic["span"]) => ({
    file,
    line,
    column,
    endColumn,
  });
  return {
    severity,
    code,
    ...place(span),
    message,
    help,
    related: related.map((other) => ({ ...place(other.span), message: other.message })),
  };
}
