// `set-var proc.NAME` of the global section: evaluated once for each configuration, before there is a stream.
// `set var` of the runtime API is evaluated likewise, when it is given.
import type { ProxyConfiguration } from "../../model/proxy.ts";
import type { LogFormat, SampleExpression } from "../../model/sample.ts";
import type { Stream } from "../stream.ts";
import type { RuleEnvironment } from "./environment.ts";
import { compileFormat } from "./format.ts";
import { compileSample } from "./sample.ts";
import type { SampleValue } from "./sample-value.ts";

/** The reader lets through only what asks nothing of a stream but its variables; this one has none. */
const NO_STREAM = { variables: null, session: { variables: null } } as unknown as Stream;

/** In the order of the file, so that one may be made of another. */
export function setProcessVariables(
  variables: ProxyConfiguration["global"]["variables"],
  environment: RuleEnvironment,
): void {
  for (const { name, value } of variables) {
    const sample = evaluateWithoutStream(value, environment);
    // Each process works them out for itself.
    if (sample !== undefined) environment.variables.set(name, sample);
  }
}

export function evaluateWithoutStream(
  value: SampleExpression | LogFormat,
  environment: RuleEnvironment,
): SampleValue | undefined {
  const read =
    "fetch" in value ? compileSample(value, environment).read : compileFormat(value, environment, "http");
  return read(NO_STREAM);
}
