// Regular expressions that the reader has already accepted.
import { compileRegex } from "../../base/regex.ts";

/** Throws on what the reader would have refused: that is a bug of ours. */
export function requireRegex(pattern: string, ignoreCase: boolean): RegExp {
  const compiled = compileRegex(pattern, ignoreCase);
  if (!compiled.ok) throw new Error(`regular expression '${pattern}': ${compiled.error}`);
  return compiled.value;
}
