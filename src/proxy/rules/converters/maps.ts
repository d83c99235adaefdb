// Converters that look a value up in a map, by any of the ways in which ACLs match. A map's values are text,
// numbers (`_int`) or addresses (`_ip`); a value that is no such thing is none.
import { parseIpAddress } from "../../../base/address.ts";
import { expandReplacement, parseReplacement } from "../../../base/regex.ts";
import type { MatchMethod, SampleArgument } from "../../../model/sample.ts";
import { type ConverterCompiler, typed } from "../converter.ts";
import type { RuleEnvironment } from "../environment.ts";
import { textParameter } from "../fetch.ts";
import type { PatternEntry, ReadValue } from "../patterns/pattern-entry.ts";
import { matchInputType, type PatternMatcher } from "../patterns/pattern-matcher.ts";
import { requireRegex } from "../regex.ts";
import { castTo } from "../sample-cast.ts";

type MatchedBy = "str" | "beg" | "end" | "sub" | "dom" | "dir" | "reg" | "ip" | "int";
type Names = "map" | "map_regm" | `map_${MatchedBy}` | `map_${MatchedBy}_int` | `map_${MatchedBy}_ip`;

export const MAP_CONVERTERS: Readonly<Record<Names, ConverterCompiler>> = {
  map: mapConverter("str", asText),
  map_regm: typed<string>(compileRegexMap),
  map_str: mapConverter("str", asText),
  map_beg: mapConverter("beg", asText),
  map_end: mapConverter("end", asText),
  map_sub: mapConverter("sub", asText),
  map_dom: mapConverter("dom", asText),
  map_dir: mapConverter("dir", asText),
  map_reg: mapConverter("reg", asText),
  map_ip: mapConverter("ip", asText),
  map_int: mapConverter("int", asText),
  map_str_int: mapConverter("str", numberOf),
  map_str_ip: mapConverter("str", parseIpAddress),
  map_beg_int: mapConverter("beg", numberOf),
  map_beg_ip: mapConverter("beg", parseIpAddress),
  map_end_int: mapConverter("end", numberOf),
  map_end_ip: mapConverter("end", parseIpAddress),
  map_sub_int: mapConverter("sub", numberOf),
  map_sub_ip: mapConverter("sub", parseIpAddress),
  map_dom_int: mapConverter("dom", numberOf),
  map_dom_ip: mapConverter("dom", parseIpAddress),
  map_dir_int: mapConverter("dir", numberOf),
  map_dir_ip: mapConverter("dir", parseIpAddress),
  map_reg_int: mapConverter("reg", numberOf),
  map_reg_ip: mapConverter("reg", parseIpAddress),
  map_ip_int: mapConverter("ip", numberOf),
  map_ip_ip: mapConverter("ip", parseIpAddress),
  map_int_int: mapConverter("int", numberOf),
  map_int_ip: mapConverter("int", parseIpAddress),
};

function asText(text: string): string {
  return text;
}

function mapConverter(method: MatchMethod, read: ReadValue): ConverterCompiler {
  return (parameters, environment) => {
    const matcher = matcherOf(parameters, method, environment);
    const text = fallbackOf(parameters);
    const fallback = text === undefined ? undefined : (read(text) ?? undefined);
    if (matcher === null) return () => fallback;
    const input = matchInputType(method);
    return (value) => {
      const key = castTo(value, "str", input);
      const entry = key === undefined ? undefined : matcher.find(key);
      return entry === undefined ? fallback : entry.sample(read);
    };
  };
}

function numberOf(text: string): number | null {
  return /^-?\d+$/.test(text) ? Number(text) : null;
}

/** The value of the first expression that matches, with `\1` … filled in from the match. */
function compileRegexMap(
  parameters: readonly SampleArgument[],
  environment: RuleEnvironment,
): (value: string) => string | undefined {
  const matcher = matcherOf(parameters, "reg", environment);
  const fallback = fallbackOf(parameters);
  const rules: WeakMap<PatternEntry, RegexRule> = new WeakMap();
  return (value) => {
    const entry = matcher?.find(value);
    if (entry === undefined) return fallback;
    const rule = ruleOf(entry, rules.get(entry));
    rules.set(entry, rule);
    const match = rule.regex.exec(value);
    return match === null ? fallback : expandReplacement(rule.replacement, match);
  };
}

interface RegexRule {
  readonly text: string | null;
  readonly regex: RegExp;
  readonly replacement: NonNullable<ReturnType<typeof parseReplacement>>;
}

/** `known`, unless the value is another one by now. */
function ruleOf({ key, value }: PatternEntry, known: RegexRule | undefined): RegexRule {
  if (known !== undefined && known.text === value) return known;
  return { text: value, regex: requireRegex(key, false), replacement: parseReplacement(value ?? "") ?? [] };
}

/** Null for a file that the configuration does not know: that of a server that came later. */
function matcherOf(
  parameters: readonly SampleArgument[],
  method: MatchMethod,
  { patterns }: RuleEnvironment,
): PatternMatcher | null {
  return patterns.ofFile(textParameter(parameters, 0))?.matcherFor("map", method, false) ?? null;
}

function fallbackOf(parameters: readonly SampleArgument[]): string | undefined {
  return parameters[1] === undefined ? undefined : textParameter(parameters, 1);
}
