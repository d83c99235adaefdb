// Says whether a regular expression of an haproxy.cfg can be used: HAProxy hands them to PCRE2, Sallyport
// compiles them with `compileRegex`. What that cannot express is refused here, while the file is read.
import { compileRegex } from "../../../base/regex.ts";
import type { Span } from "../../../diagnostic/span.ts";
import type { ExpressionContext } from "../context.ts";
import { quote, reportError } from "./report.ts";

/** Reports and returns false when `pattern` is no regular expression that can be used. */
export function checkRegex(pattern: string, span: Span, context: ExpressionContext): boolean {
  const compiled = compileRegex(pattern, false);
  if (compiled.ok) return true;
  reportError(
    context,
    "bad-regex",
    span,
    `the regular expression ${quote(pattern)} cannot be used: ${compiled.error}`,
  );
  return false;
}
