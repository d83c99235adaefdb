// What a compiled converter is: it gets a value already cast to its input type, and the stream for those
// that read variables. `undefined` ends the expression without a value.
import type { SampleArgument } from "../../model/sample.ts";
import type { Stream } from "../stream.ts";
import type { RuleEnvironment } from "./environment.ts";
import type { SampleValue } from "./sample-value.ts";

export type ConvertSample<T extends SampleValue = SampleValue> = (
  value: T,
  stream: Stream,
) => SampleValue | undefined;

export type ConverterCompiler = (
  parameters: readonly SampleArgument[],
  environment: RuleEnvironment,
) => ConvertSample;

/**
 * Converters say which JavaScript type their input has; the table of the model guarantees it, because
 * values are cast to the definition's input type first.
 */
export function typed<T extends SampleValue>(
  compile: (parameters: readonly SampleArgument[], environment: RuleEnvironment) => ConvertSample<T>,
): ConverterCompiler {
  return compile as unknown as ConverterCompiler;
}
