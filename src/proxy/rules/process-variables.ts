// `set-var proc.NAME` of the global section: evaluated once for each configuration, before there is a stream.
import type { ProxyConfiguration } from "../../model/proxy.ts";
import type { Stream } from "../stream.ts";
import type { RuleEnvironment } from "./environment.ts";
import { compileFormat } from "./format.ts";
import { compileSample } from "./sample.ts";

/** The reader lets through only what asks nothing of a stream but its variables; this one has none. */
const NO_STREAM = { variables: null, session: { variables: null } } as unknown as Stream;

/** In the order of the file, so that one may be made of another. */
export function setProcessVariables(
  variables: ProxyConfiguration["global"]["variables"],
  environment: RuleEnvironment,
): void {
  for (const { name, value } of variables) {
    const read =
      "fetch" in value ? compileSample(value, environment).read : compileFormat(value, environment, "http");
    const sample = read(NO_STREAM);
    // Each process works them out for itself.
    if (sample !== undefined) environment.variables.set(name, sample);
  }
}
