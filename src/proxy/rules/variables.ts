// Variables: `proc.` belongs to the process, `sess.` to the connection, `txn.`, `req.` and `res.` to the
// stream. The full name with its scope is the key. `check.` is for health checks and never set here.
import type { Stream } from "../stream.ts";
import type { RuleEnvironment } from "./environment.ts";
import type { SampleValue } from "./sample-value.ts";

export type ReadVariable = (stream: Stream) => SampleValue | undefined;
/** `undefined` unsets. */
export type WriteVariable = (stream: Stream, value: SampleValue | undefined) => void;

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
      return (_stream, value) => write(environment.variables, name, value);
    case "sess":
      return ({ session }, value) => write((session.variables ??= new Map()), name, value);
    default:
      return (stream, value) => write((stream.variables ??= new Map()), name, value);
  }
}

function write(variables: Map<string, SampleValue>, name: string, value: SampleValue | undefined): void {
  if (value === undefined) variables.delete(name);
  else variables.set(name, value);
}

function scopeOf(name: string): string {
  return name.slice(0, name.indexOf("."));
}
