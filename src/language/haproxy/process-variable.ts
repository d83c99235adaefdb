// Values of variables of the process (`set-var proc.NAME` of `global`, `set var` of the runtime API): there
// is no stream then, so only what is known without one may stand in them.
import type { FetchName, LogFormat, SampleExpression } from "../../model/sample.ts";
import type { ExpressionContext } from "./context.ts";
import { parseLogFormat } from "./expression/log-format-parser.ts";
import { reportError } from "./expression/report.ts";
import { parseSampleExpression } from "./expression/sample-parser.ts";
import type { Word } from "./word.ts";

/** What is known before there is a connection. */
const KNOWN_FETCHES: ReadonlySet<FetchName> = new Set([
  "always_false", "always_true", "bool", "int", "str", "bin", "ipv4", "ipv6", "meth", "var", "env", "hostname",
  "date", "date_us", "rand", "uuid",
]); // biome-ignore format: a list

/** Null when anything was wrong; all of it is reported. */
export function parseProcessValue(
  word: Word,
  isFormat: boolean,
  context: ExpressionContext,
): SampleExpression | LogFormat | null {
  const parsed = isFormat
    ? parseLogFormat(word, context, "any")
    : parseSampleExpression(word, context, "any");
  if (parsed === null) return null;
  const parts = "parts" in parsed ? parsed.parts : [];
  const samples =
    "fetch" in parsed ? [parsed] : parts.flatMap((part) => (part.kind === "sample" ? [part.sample] : []));
  const late = samples.find(({ fetch }) => !KNOWN_FETCHES.has(fetch.name));
  if (late === undefined && !parts.some(({ kind }) => kind === "alias")) return parsed;
  return reportError(
    context,
    "unavailable-sample",
    late?.span ?? word.span,
    "this is not known without a connection",
    `Set it by a rule, or use one of ${[...KNOWN_FETCHES].join(", ")}.`,
  );
}
