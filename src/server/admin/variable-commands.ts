// `get var` and `set var` (management manual 9.3), in HAProxy's words: variables of the process, which all
// workers have.
import { formatIpAddress } from "../../base/address.ts";
import { readRunTimeValue } from "../../language/haproxy/run-time-variable.ts";
import type { SampleValue } from "../../proxy/rules/sample-value.ts";
import { isVariableName } from "../../proxy/rules/variables.ts";
import { proxyEnvironment } from "../proxy-files.ts";
import { type Command, type CommandContext, message } from "./command.ts";

export const VARIABLE_COMMANDS: readonly Command[] = [
  { name: "get var", usage: "<name>", help: "a variable of the process", level: "operator", run: get },
  {
    name: "set var",
    usage: "<name> [expr|fmt] {<expr>|<fmt>}",
    help: "set a variable of the process",
    level: "operator",
    isExperimental: true,
    run: set,
  },
];

async function get([name]: readonly string[], { actions }: CommandContext): Promise<string> {
  if (name === undefined) return message("Missing process-wide variable identifier.");
  await actions.share([]);
  const value = name.startsWith("proc.") ? actions.variables.get(name) : undefined;
  // HAProxy ends this one, and what is wrong with a value, without an empty line.
  return value === undefined ? message("Variable not found.") : `${name}: ${describe(value)}`;
}

function describe(value: SampleValue): string {
  switch (typeof value) {
    case "boolean":
      return `type=bool value=<${value ? 1 : 0}>`;
    case "number":
    case "bigint":
      return `type=sint value=<${value}>`;
    case "string":
      // It must not look like another line or drive a terminal.
      return `type=str value=<${value.replace(/[^ -~]/g, ".")}>`;
    default:
      return `type=ipv${value.family} value=<${formatIpAddress(value)}>`;
  }
}

async function set(words: readonly string[], { actions }: CommandContext): Promise<string> {
  const [name, kind] = words;
  if (name === undefined) return message("Missing process-wide variable identifier.");
  if (!isVariableName(name))
    return `invalid variable name '${name}'. A variable name must be start by its scope. The scope can be 'proc', 'sess', 'txn', 'req', 'res' or 'check'`;
  if (!name.startsWith("proc."))
    return `'set var': cannot set variable '${name}', only scope 'proc' is permitted here.`;
  if (kind === undefined) return message("Missing either 'expr', 'fmt' or expression.");
  const hasKind = words.length > 2;
  if (hasKind && kind !== "expr" && kind !== "fmt")
    return `'set var': arg type must be either 'expr' or 'fmt' but got '${kind}'.`;
  const text = hasKind ? words[2]! : kind;
  const read = readRunTimeValue(text, hasKind && kind === "fmt", proxyEnvironment(actions.environment));
  if (typeof read === "string") return read;
  const value = actions.evaluate(read);
  if (value !== undefined) await actions.share([{ kind: "variable", name, value }]);
  return "";
}
