// Converters that look a value up in a map, by any of the ways in which ACLs match. A map's values are text,
// numbers (`_int`) or addresses (`_ip`); a value that is no such thing is none.
import { parseIpAddress } from "../../../base/address.ts";
import { expandReplacement, parseReplacement } from "../../../base/regex.ts";
import type { MatchMethod, SampleArgument } from "../../../model/sample.ts";
import { type ConverterCompiler, typed } from "../converter.ts";
import type { RuleEnvironment } from "../environment.ts";
import { textParameter } from "../fetch.ts";
import { compileMatcher, matchInputType } from "../matching.ts";
import { requireRegex } from "../regex.ts";
import { castTo } from "../sample-cast.ts";
import type { SampleValue } from "../sample-value.ts";

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

type ReadValue = (text: string) => SampleValue | null;

function asText(text: string): string {
  return text;
}

function mapConverter(method: MatchMethod, read: ReadValue): ConverterCompiler {
  return (parameters, environment) => {
    const map = readMap(parameters, environment);
    const values = map.values.map((text) => read(text) ?? undefined);
    const fallback = map.fallback === undefined ? undefined : (read(map.fallback) ?? undefined);
    const match = compileMatcher(method, false, map.keys);
    const input = matchInputType(method);
    return (value) => {
      const key = castTo(value, "str", input);
      const index = key === undefined ? -1 : match(key);
      return index < 0 ? fallback : values[index];
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
  const { keys, values, fallback } = readMap(parameters, environment);
  const entries = keys.map((key, i) => ({
    regex: requireRegex(key, false),
    replacement: parseReplacement(values[i]!) ?? [],
  }));
  return (value) => {
    for (const { regex, replacement } of entries) {
      const match = regex.exec(value);
      if (match !== null) return expandReplacement(replacement, match);
    }
    return fallback;
  };
}

function readMap(
  parameters: readonly SampleArgument[],
  { configuration }: RuleEnvironment,
): { keys: string[]; values: string[]; fallback: string | undefined } {
  const path = textParameter(parameters, 0);
  const entries = configuration.maps.find((map) => map.path === path)?.entries ?? [];
  return {
    keys: entries.map(({ key }) => key),
    values: entries.map(({ value }) => value),
    fallback: parameters[1] === undefined ? undefined : textParameter(parameters, 1),
  };
}
