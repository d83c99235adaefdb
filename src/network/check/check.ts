// All checks of a datacentre, in the order of the registry. Pure: the simulation that some of them ask comes
// as a function.
import { compatibleFixes } from "./compatible-fixes.ts";
import { type CheckInput, makeContext } from "./context.ts";
import type { Finding } from "./rule.ts";
import { CHECK_RULES } from "./rules.ts";

export type { Finding } from "./rule.ts";

/**
 * What is wrong, or looks so; empty when all is well. Never throws on what a file can say. All fixes of one
 * call can be carried out together.
 */
export function checkDatacenter(input: CheckInput): Finding[] {
  const context = makeContext(input);
  const findings: Finding[] = [];
  for (const { code, severity, run } of CHECK_RULES) {
    for (const { span, message, help = null, related = [], fix = null } of run(context))
      findings.push({ code, severity, span, message, help, related, fix });
  }
  return compatibleFixes(findings);
}
