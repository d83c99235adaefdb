// Converters on addresses, variables and maps.
import { formatIpAddress, type IpAddress, parseIpAddress, parseIpNetwork } from "../../../base/address.ts";
import { expandReplacement, parseReplacement } from "../../../base/regex.ts";
import type { VariableCondition } from "../../../model/rule.ts";
import type { MatchMethod, SampleArgument } from "../../../model/sample.ts";
import { type ConverterCompiler, typed } from "../converter.ts";
import type { RuleEnvironment } from "../environment.ts";
import { textParameter } from "../fetch.ts";
import { compileMatcher, matchInputType } from "../matching.ts";
import { requireRegex } from "../regex.ts";
import { castTo } from "../sample-cast.ts";
import { compileConditionalWrite, compileVariableWrite } from "../variables.ts";

type Names =
  | "ipmask"
  | "debug"
  | "set-var"
  | "unset-var"
  | "map"
  | "map_str"
  | "map_beg"
  | "map_end"
  | "map_sub"
  | "map_dom"
  | "map_dir"
  | "map_reg"
  | "map_regm"
  | "map_ip"
  | "map_int";

export const OTHER_CONVERTERS: Readonly<Record<Names, ConverterCompiler>> = {
  ipmask: typed<IpAddress>((parameters) => {
    const mask4 = maskBytes(textParameter(parameters, 0), 4);
    const mask6 = parameters[1] === undefined ? null : maskBytes(textParameter(parameters, 1), 6);
    return (value) => {
      const address = mappedIpv4(value) ?? value;
      const mask = address.family === 4 ? mask4 : mask6;
      if (mask === null) return undefined;
      return { kind: "ip", family: address.family, bytes: address.bytes.map((byte, i) => byte & mask[i]!) };
    };
  }),
  debug: () => (value) => value,
  "set-var": (parameters, environment) => {
    const conditions = parameters.slice(1) as VariableCondition[];
    const write = compileConditionalWrite(textParameter(parameters, 0), conditions, environment);
    return (value, stream) => {
      write(stream, value);
      return value;
    };
  },
  "unset-var": (parameters, environment) => {
    const write = compileVariableWrite(textParameter(parameters, 0), environment);
    return (value, stream) => {
      write(stream, undefined);
      return value;
    };
  },
  map: mapConverter("str"),
  map_str: mapConverter("str"),
  map_beg: mapConverter("beg"),
  map_end: mapConverter("end"),
  map_sub: mapConverter("sub"),
  map_dom: mapConverter("dom"),
  map_dir: mapConverter("dir"),
  map_reg: mapConverter("reg"),
  map_regm: typed<string>(compileRegexMap),
  map_ip: mapConverter("ip"),
  map_int: mapConverter("int"),
};

function mapConverter(method: MatchMethod): ConverterCompiler {
  return (parameters, environment) => {
    const { keys, values, fallback } = readMap(parameters, environment);
    const match = compileMatcher(method, false, keys);
    const input = matchInputType(method);
    return (value) => {
      const key = castTo(value, "str", input);
      const index = key === undefined ? -1 : match(key);
      return index < 0 ? fallback : values[index];
    };
  };
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

/** A prefix length, or an address whose bits are the mask. */
function maskBytes(text: string, family: 4 | 6): Uint8Array | null {
  const length = family === 4 ? 4 : 16;
  if (!/^\d{1,3}$/.test(text)) {
    const address = parseIpAddress(text);
    return address !== null && address.family === family ? address.bytes : null;
  }
  const network = parseIpNetwork(
    `${formatIpAddress({ kind: "ip", family, bytes: new Uint8Array(length) })}/${text}`,
  );
  if (network === null) return null;
  return Uint8Array.from(
    { length },
    (_, i) => (0xff00 >> Math.max(0, Math.min(8, network.prefix - i * 8))) & 0xff,
  );
}

/** The IPv4 address inside ::ffff:a.b.c.d, ::a.b.c.d or 2002:ab:cd::. */
export function mappedIpv4(address: IpAddress): IpAddress | null {
  const { bytes, family } = address;
  if (family === 4) return null;
  const startsWithZeros = bytes.subarray(0, 10).every((byte) => byte === 0);
  const isMapped =
    startsWithZeros && ((bytes[10] === 0xff && bytes[11] === 0xff) || (bytes[10] === 0 && bytes[11] === 0));
  if (isMapped) return { kind: "ip", family: 4, bytes: bytes.slice(12) };
  if (bytes[0] === 0x20 && bytes[1] === 0x02) return { kind: "ip", family: 4, bytes: bytes.slice(2, 6) };
  return null;
}
