// `set var proc.NAME [expr|fmt] VALUE` of the runtime API: a line such as the file could have it.
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { LogFormat, SampleExpression } from "../../model/sample.ts";
import type { ReaderEnvironment } from "./environment.ts";
import { newGlobal } from "./global-section.ts";
import { parseProcessValue } from "./process-variable.ts";
import { Reading } from "./reading.ts";
import { Report } from "./report.ts";
import { wordAt } from "./word.ts";

/** A sentence when it cannot be read. */
export function readRunTimeValue(
  text: string,
  isFormat: boolean,
  environment: ReaderEnvironment,
): SampleExpression | LogFormat | string {
  const report = new Report();
  const reading = new Reading(environment, report, newGlobal());
  const value = parseProcessValue(wordAt(text, NO_SPAN), isFormat, reading.contextFor(null, "request"));
  const wrong = report.diagnostics.find(({ severity }) => severity === "error");
  return wrong?.message ?? value ?? "no value";
}
