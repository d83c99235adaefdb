// Fetches on constants, variables and the process (HAProxy manual 7.3.1 and 7.3.2).
import { parseIpAddress } from "../../../base/address.ts";
import type { RuleEnvironment } from "../environment.ts";
import { type FetchCompiler, integerParameter, type ReadSample, textParameter } from "../fetch.ts";
import type { SampleValue } from "../sample-value.ts";
import { compileVariableRead } from "../variables.ts";

type Names =
  | "always_false"
  | "always_true"
  | "bool"
  | "int"
  | "str"
  | "bin"
  | "ipv4"
  | "ipv6"
  | "meth"
  | "var"
  | "env"
  | "hostname"
  | "date"
  | "date_us"
  | "rand"
  | "uuid"
  | "nbproc"
  | "nbthread"
  | "proc"
  | "thread";

export const CONSTANT_FETCHES: Readonly<Record<Names, FetchCompiler>> = {
  always_false: () => constant(false),
  always_true: () => constant(true),
  bool: (parameters) => constant(/^(1|true|yes|on)$/i.test(textParameter(parameters, 0))),
  int: (parameters) => constant(Number(parameters[0] ?? 0)),
  str: (parameters) => constant(textParameter(parameters, 0)),
  bin: (parameters) => constant(fromHexadecimal(textParameter(parameters, 0))),
  ipv4: (parameters) => constant(parseIpAddress(textParameter(parameters, 0)) ?? undefined),
  ipv6: (parameters) => constant(parseIpAddress(textParameter(parameters, 0)) ?? undefined),
  meth: (parameters) => constant(textParameter(parameters, 0)),
  var: compileVariable,
  env: (parameters, environment) => constant(environment.processVariables[textParameter(parameters, 0)]),
  hostname: (_parameters, environment) => constant(environment.hostname),
  date: compileDate,
  date_us:
    (_parameters, { clock }) =>
    () =>
      Math.floor((clock.wallClockMs % 1000) * 1000),
  rand: compileRandom,
  uuid:
    (_parameters, { clock }) =>
    () =>
      makeUuid(() => clock.random()),
  nbproc: () => constant(1),
  nbthread: (_parameters, environment) => constant(environment.workerCount),
  proc: () => constant(1),
  thread: (_parameters, environment) => constant(Math.max(0, environment.workerIndex - 1)),
};

function constant(value: SampleValue | undefined): ReadSample {
  return () => value;
}

function fromHexadecimal(text: string): string {
  return /^([0-9a-fA-F]{2})*$/.test(text) ? Buffer.from(text, "hex").toString("latin1") : text;
}

/** The second parameter is the value of an unset variable. */
function compileVariable(parameters: Parameters<FetchCompiler>[0], environment: RuleEnvironment): ReadSample {
  const read = compileVariableRead(textParameter(parameters, 0), environment);
  const fallback = parameters[1];
  return fallback === undefined ? read : (stream) => read(stream) ?? fallback;
}

/** Seconds since 1970, or ms or us, plus an offset in the same unit. */
function compileDate(parameters: Parameters<FetchCompiler>[0], { clock }: RuleEnvironment): ReadSample {
  const offset = integerParameter(parameters, 0) ?? 0;
  const unit = textParameter(parameters, 1);
  if (unit === "ms") return () => Math.floor(clock.wallClockMs) + offset;
  if (unit === "us") return () => Math.floor(clock.wallClockMs * 1000) + offset;
  return () => Math.floor(clock.wallClockMs / 1000) + offset;
}

function compileRandom(parameters: Parameters<FetchCompiler>[0], { clock }: RuleEnvironment): ReadSample {
  const range = integerParameter(parameters, 0) ?? 2 ** 32;
  return () => Math.floor(clock.random() * range);
}

/** RFC 9562 version 4 from a source of numbers in [0, 1). */
function makeUuid(random: () => number): string {
  let text = "";
  for (let i = 0; i < 32; i++) {
    if (i === 8 || i === 12 || i === 16 || i === 20) text += "-";
    if (i === 12) text += "4";
    else text += (i === 16 ? 8 + Math.floor(random() * 4) : Math.floor(random() * 16)).toString(16);
  }
  return text;
}
