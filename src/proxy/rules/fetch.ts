// What a compiled fetch is. Most give one value; some (headers, cookies, parameters) give several, which
// ACLs try one by one, while other places take the last.
import type { SampleArgument } from "../../model/sample.ts";
import type { Stream } from "../stream.ts";
import type { RuleEnvironment } from "./environment.ts";
import type { SampleValue } from "./sample-value.ts";

export type ReadSample = (stream: Stream) => SampleValue | undefined;
export type TestSample = (value: SampleValue) => boolean;

export interface ManyValued {
  readonly read: ReadSample;
  /** Tries the values in order until `test` is true. */
  some(stream: Stream, test: TestSample): boolean;
}

/** A fetch whose text is at hand without making its value first. */
export interface WithText {
  readonly read: ReadSample;
  readText(stream: Stream): string | undefined;
}

export type CompiledFetch = ReadSample | ManyValued | WithText;
export type FetchCompiler = (
  parameters: readonly SampleArgument[],
  environment: RuleEnvironment,
) => CompiledFetch;

/** A parameter as text; "" when it is not given. */
export function textParameter(parameters: readonly SampleArgument[], index: number): string {
  const value = parameters[index];
  return value === undefined ? "" : `${value}`;
}

/** A parameter as integer; null when it is not given. */
export function integerParameter(parameters: readonly SampleArgument[], index: number): number | null {
  const value = parameters[index];
  if (value === undefined || value === "") return null;
  return Number(value);
}
