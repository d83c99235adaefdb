// Converters on integers and booleans. Arithmetic saturates at ±2^63 as HAProxy's does.
import type { SampleArgument } from "../../../model/sample.ts";
import type { Stream } from "../../stream.ts";
import { type ConverterCompiler, typed } from "../converter.ts";
import type { RuleEnvironment } from "../environment.ts";
import { BIG_INTEGER_MAX, integerSample, saturated, toBigInteger, toInteger } from "../sample-cast.ts";
import { compileVariableRead } from "../variables.ts";

type Names =
  | "bool"
  | "not"
  | "even"
  | "odd"
  | "neg"
  | "cpl"
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "mod"
  | "and"
  | "or"
  | "xor"
  | "htonl"
  | "iif";

type Integer = number | bigint;

export const INTEGER_CONVERTERS: Readonly<Record<Names, ConverterCompiler>> = {
  bool: typed<Integer>(() => (value) => value !== 0),
  not: typed<Integer>(() => (value) => value === 0),
  even: typed<Integer>(() => (value) => isEven(value)),
  odd: typed<Integer>(() => (value) => !isEven(value)),
  neg: typed<Integer>(() => (value) => (isExact(value) ? 0 - value : integerSample(-toBigInteger(value)))),
  cpl: typed<Integer>(() => (value) => (isExact(value) ? -value - 1 : integerSample(~toBigInteger(value)))),
  add: arithmetic(
    (value, operand) => value + operand,
    (value, operand) => saturated(value + operand),
  ),
  sub: arithmetic(
    (value, operand) => value - operand,
    (value, operand) => saturated(value - operand),
  ),
  mul: arithmetic(
    (value, operand) => value * operand,
    (value, operand) => saturated(value * operand),
  ),
  div: arithmetic(
    (value, operand) => (operand === 0 ? Infinity : Math.trunc(value / operand) + 0),
    (value, operand) => (operand === 0n ? BIG_INTEGER_MAX : saturated(value / operand)),
  ),
  mod: arithmetic(
    (value, operand) => (operand === 0 ? 0 : (value % operand) + 0),
    (value, operand) => (operand === 0n ? 0n : value % operand),
  ),
  and: bitwise((value, operand) => value & operand),
  or: bitwise((value, operand) => value | operand),
  xor: bitwise((value, operand) => value ^ operand),
  htonl: typed<Integer>(() => (value) => {
    const bits = Number(BigInt.asUintN(32, toBigInteger(value)));
    return String.fromCharCode(bits >>> 24, (bits >>> 16) & 0xff, (bits >>> 8) & 0xff, bits & 0xff);
  }),
  iif: typed<boolean>((parameters) => {
    const [whenTrue = "", whenFalse = ""] = parameters.map(String);
    return (value) => (value ? whenTrue : whenFalse);
  }),
};

function isExact(value: Integer): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}

function isEven(value: Integer): boolean {
  return typeof value === "number" ? value % 2 === 0 : (value & 1n) === 0n;
}

type Operate<T> = (value: T, operand: T) => T;

/**
 * In numbers as long as they are exact, else in 64 bits: a hash of 64 bits has to fall into its right part.
 */
function arithmetic(quick: Operate<number>, exact: Operate<bigint>): ConverterCompiler {
  return withOperand((value, operand) => {
    if (isExact(value) && isExact(operand)) {
      const result = quick(value, operand);
      if (Number.isSafeInteger(result)) return result;
    }
    return integerSample(exact(toBigInteger(value), toBigInteger(operand)));
  });
}

function bitwise(exact: Operate<bigint>): ConverterCompiler {
  return withOperand((value, operand) => integerSample(exact(toBigInteger(value), toBigInteger(operand))));
}

function withOperand(operate: (value: Integer, operand: Integer) => Integer): ConverterCompiler {
  return typed<Integer>((parameters, environment) => {
    const operand = compileOperand(parameters[0], environment);
    if (typeof operand !== "function") return (value) => operate(value, operand);
    return (value, stream) => {
      const read = operand(stream);
      return read === undefined ? undefined : operate(value, read);
    };
  });
}

/** A number, or the name of a variable. */
function compileOperand(
  parameter: SampleArgument | undefined,
  environment: RuleEnvironment,
): Integer | ((stream: Stream) => Integer | undefined) {
  if (typeof parameter === "number") return parameter;
  const text = parameter ?? "0";
  if (/^[+-]?\d+$/.test(text)) return integerSample(saturated(BigInt(text)));
  const read = compileVariableRead(text, environment);
  return (stream) => {
    const value = read(stream);
    return value === undefined || typeof value === "bigint" ? value : toInteger(value);
  };
}
