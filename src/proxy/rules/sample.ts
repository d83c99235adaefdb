// Compiles sample expressions: a fetch, then converters, with the casts between them decided once.
import {
  CONVERTERS,
  type ConverterCall,
  FETCHES,
  type FetchCall,
  type SampleExpression,
  type SampleType,
} from "../../model/sample.ts";
import type { Stream } from "../stream.ts";
import { CONVERTER_COMPILERS } from "./converters/all.ts";
import { INTEGER_CONVERTERS } from "./converters/integers.ts";
import type { RuleEnvironment } from "./environment.ts";
import type { ReadSample, TestSample } from "./fetch.ts";
import { FETCH_COMPILERS } from "./fetches/all.ts";
import { castTo, toText } from "./sample-cast.ts";
import type { SampleValue } from "./sample-value.ts";

export interface CompiledSample {
  readonly type: SampleType;
  /** The value, or undefined when there is none. */
  readonly read: ReadSample;
  /** For ACLs: tries all values of fetches that have several, until `test` is true. */
  some(stream: Stream, test: TestSample): boolean;
  /** The value as text: what log lines, headers and string matching take. */
  readonly readText: (stream: Stream) => string | undefined;
  /** True if there may be more than one value. */
  readonly isManyValued: boolean;
}

export function compileSample(expression: SampleExpression, environment: RuleEnvironment): CompiledSample {
  const fetch = compileFetch(expression.fetch, environment);
  return expression.converters.reduce((sample, call) => convert(sample, call, environment), fetch);
}

/** The fetch alone. */
export function compileFetch(call: FetchCall, environment: RuleEnvironment): CompiledSample {
  const { type } = FETCHES[call.name];
  const compiled = FETCH_COMPILERS[call.name](call.arguments, environment);
  if (typeof compiled === "function") return singleValued(compiled, type);
  const single = singleValued(compiled.read, type);
  if ("some" in compiled)
    return { ...single, some: (stream, test) => compiled.some(stream, test), isManyValued: true };
  return { ...single, readText: (stream) => compiled.readText(stream) };
}

function singleValued(read: ReadSample, type: SampleType): CompiledSample {
  return {
    type,
    read,
    some: (stream, test) => {
      const value = read(stream);
      return value !== undefined && test(value);
    },
    readText: textReader(read, type),
    isManyValued: false,
  };
}

function textReader(read: ReadSample, type: SampleType): (stream: Stream) => string | undefined {
  return (stream) => {
    const value = read(stream);
    return value === undefined ? undefined : toText(value, type);
  };
}

function convert(sample: CompiledSample, call: ConverterCall, environment: RuleEnvironment): CompiledSample {
  const definition = CONVERTERS[call.name];
  const apply = CONVERTER_COMPILERS[call.name](call.arguments, environment);
  const from = sample.type;
  const needsCast = from !== definition.input && definition.input !== "any";
  // Only arithmetic knows what to do with integers that are no numbers.
  const needsNumber = definition.input === "sint" && !Object.hasOwn(INTEGER_CONVERTERS, call.name);
  const step = (value: SampleValue, stream: Stream): SampleValue | undefined => {
    const input = needsCast ? castTo(value, from, definition.input) : value;
    if (input === undefined) return undefined;
    return apply(needsNumber && typeof input === "bigint" ? Number(input) : input, stream);
  };
  // Those that take anything hand on what they got; of others a value tells its type itself.
  const isPassing = definition.output === "any" && definition.input === "any";
  const type = isPassing ? from : definition.output;
  const converted = singleValued((stream) => {
    const value = sample.read(stream);
    return value === undefined ? undefined : step(value, stream);
  }, type);
  if (!sample.isManyValued) return converted;
  return {
    ...converted,
    isManyValued: true,
    some: (stream, test) =>
      sample.some(stream, (value) => {
        const result = step(value, stream);
        return result !== undefined && test(result);
      }),
  };
}
