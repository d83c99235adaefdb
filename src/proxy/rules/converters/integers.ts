// Converters on integers and booleans. Arithmetic saturates at ±2^63 as HAProxy's does.
import type { SampleArgument } from "../../../model/sample.ts";
import type { Stream } from "../../stream.ts";
import { type ConverterCompiler, typed } from "../converter.ts";
import type { RuleEnvironment } from "../environment.ts";
import { INTEGER_MAX, toInteger } from "../sample-cast.ts";
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

export const INTEGER_CONVERTERS: Readonly<Record<Names, ConverterCompiler>> = {
  bool: typed<number>(() => (value) => value !== 0),
  not: typed<number>(() => (value) => value === 0),
  even: typed<number>(() => (value) => value % 2 === 0),
  odd: typed<number>(() => (value) => value % 2 !== 0),
  neg: typed<number>(() => (value) => 0 - value),
  cpl: typed<number>(() => (value) => -value - 1),
  add: withOperand((value, operand) => saturate(value + operand)),
  sub: withOperand((value, operand) => saturate(value - operand)),
  mul: withOperand((value, operand) => saturate(value * operand)),
  div: withOperand((value, operand) => (operand === 0 ? INTEGER_MAX : Math.trunc(value / operand) + 0)),
  mod: withOperand((value, operand) => (operand === 0 ? 0 : (value % operand) + 0)),
  and: withOperand((value, operand) => bitwise(value, operand, (a, b) => a & b)),
  or: withOperand((value, operand) => bitwise(value, operand, (a, b) => a | b)),
  xor: withOperand((value, operand) => bitwise(value, operand, (a, b) => a ^ b)),
  htonl: typed<number>(() => (value) => {
    const bits = value >>> 0;
    return String.fromCharCode(bits >>> 24, (bits >>> 16) & 0xff, (bits >>> 8) & 0xff, bits & 0xff);
  }),
  iif: typed<boolean>((parameters) => {
    const [whenTrue = "", whenFalse = ""] = parameters.map(String);
    return (value) => (value ? whenTrue : whenFalse);
  }),
};

function withOperand(operate: (value: number, operand: number) => number): ConverterCompiler {
  return typed<number>((parameters, environment) => {
    const operand = compileOperand(parameters[0], environment);
    if (typeof operand === "number") return (value) => operate(value, operand);
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
): number | ((stream: Stream) => number | undefined) {
  if (typeof parameter === "number") return parameter;
  const text = parameter ?? "0";
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  const read = compileVariableRead(text, environment);
  return (stream) => {
    const value = read(stream);
    return value === undefined ? undefined : toInteger(value);
  };
}

function saturate(value: number): number {
  return Math.max(-INTEGER_MAX, Math.min(INTEGER_MAX, value));
}

function bitwise(a: number, b: number, operate: (a: bigint, b: bigint) => bigint): number {
  return Number(BigInt.asIntN(64, operate(BigInt(a), BigInt(b))));
}
