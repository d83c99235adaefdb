// How the parsers of this folder say what is wrong: one call per finding, always with a place and, where
// there is one, the likely fix.
import type { Span } from "../../../diagnostic/span.ts";
import type { ExpressionContext } from "../context.ts";
import { displayText } from "../lexer.ts";

/** Reports an error and returns null, so that a parser can end with `return reportError(…)`. */
export function reportError(
  context: ExpressionContext,
  code: string,
  span: Span,
  message: string,
  help: string | null = null,
): null {
  context.report({ code, severity: "error", span, message, help, related: [] });
  return null;
}

export function reportWarning(
  context: ExpressionContext,
  code: string,
  span: Span,
  message: string,
  help: string | null = null,
): void {
  context.report({ code, severity: "warning", span, message, help, related: [] });
}

/** Text of the file inside a message: as it was written, and marked. */
export function quote(text: string): string {
  return `\`${displayText(text)}\``;
}
