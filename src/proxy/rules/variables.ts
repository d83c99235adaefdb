// Variables: `proc.` belongs to the process, `sess.` to the connection, `txn.`, `req.` and `res.` to the
// stream. The full name with its scope is the key. `check.` is for health checks and never set here.
import type { VariableCondition } from "../../model/rule.ts";
import type { Stream } from "../stream.ts";
import type { RuleEnvironment } from "./environment.ts";
import type { SampleValue } from "./sample-value.ts";

export type ReadVariable = (stream: Stream) => SampleValue | undefined;
/** `undefined` unsets. */
export type WriteVariable = (stream: Stream, value: SampleValue | undefined) => void;

/** True for "txn.name": where HAProxy takes a value or a variable, this tells which. */
export function isVariableName(text: string): boolean {
  return /^(proc|sess|txn|req|res)\./.test(text);
}

export function compileVariableRead(name: string, environment: RuleEnvironment): ReadVariable {
  switch (scopeOf(name)) {
    case "proc":
      return () => environment.variables.get(name);
    case "sess":
      return (stream) => stream.session.variables?.get(name);
    default:
      return (stream) => stream.variables?.get(name);
  }
}

export function compileVariableWrite(name: string, environment: RuleEnvironment): WriteVariable {
  switch (scopeOf(name)) {
    case "proc":
      return (_stream, value) => writeProcessVariable(environment, name, value);
    case "sess":
      return ({ session }, value) => write((session.variables ??= new Map()), name, value);
    default:
      return (stream, value) => write((stream.variables ??= new Map()), name, value);
  }
}

/** As `set-var(NAME,ifset,…)`: writes when all conditions hold. */
export function compileConditionalWrite(
  name: string,
  conditions: readonly VariableCondition[],
  environment: RuleEnvironment,
): WriteVariable {
  const set = compileVariableWrite(name, environment);
  if (conditions.length === 0) return set;
  const read = compileVariableRead(name, environment);
  // HAProxy makes those of the process while it reads the configuration, so that they exist without a value.
  const isEternal = scopeOf(name) === "proc";
  const tests = conditions.map((condition) => VARIABLE_TESTS[condition]);
  return (stream, value) => {
    const present = read(stream);
    if (tests.every((test) => test(present, value, isEternal))) set(stream, value);
  };
}

type VariableTest = (
  present: SampleValue | undefined,
  value: SampleValue | undefined,
  isEternal: boolean,
) => boolean;

const VARIABLE_TESTS: Readonly<Record<VariableCondition, VariableTest>> = {
  ifexists: (present, _value, isEternal) => isEternal || present !== undefined,
  ifnotexists: (present, _value, isEternal) => !isEternal && present === undefined,
  ifempty: (_present, value) => value === "",
  ifnotempty: (_present, value) => value !== "",
  ifset: (present) => present !== undefined,
  ifnotset: (present) => present === undefined,
  // What are no numbers is not compared.
  ifgt: (present, value) => !isInteger(present) || !isInteger(value) || present > value,
  iflt: (present, value) => !isInteger(present) || !isInteger(value) || present < value,
};

/** All processes have it, and each that changes it tells the others. */
function writeProcessVariable(
  { variables, share }: RuleEnvironment,
  name: string,
  value: SampleValue | undefined,
): void {
  if (variables.get(name) === value) return;
  write(variables, name, value);
  share?.({ kind: "variable", name, value });
}

function write(variables: Map<string, SampleValue>, name: string, value: SampleValue | undefined): void {
  if (value === undefined) variables.delete(name);
  else variables.set(name, value);
}

function scopeOf(name: string): string {
  return name.slice(0, name.indexOf("."));
}

function isInteger(value: SampleValue | undefined): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}
