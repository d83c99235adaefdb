// Patterns as text, for the ways of matching that compare something else: numbers, addresses, bytes, regular
// expressions (HAProxy manual, 7.1). Those of the configuration have been checked by its reader; those that
// come at run time are refused here, in HAProxy's words.
import {
  formatIpAddress,
  type IpAddress,
  type IpNetwork,
  parseIpAddress,
  parseIpNetwork,
} from "../../../base/address.ts";
import { compileRegex } from "../../../base/regex.ts";
import type { MatchMethod } from "../../../model/sample.ts";

export interface NumberRange {
  readonly minimum: number;
  readonly maximum: number;
}

/** Why `text` is no pattern for this way of matching; null when it is one. */
export function describeBadPattern(method: MatchMethod, text: string): string | null {
  switch (method) {
    case "int":
    case "len":
      return parseRange(text) === null ? `'${text}' is not a number` : null;
    case "ip":
      return parseNetwork(text) === null ? `'${text}' is not a valid IPv4 or IPv6 address` : null;
    case "bin":
      return /^([0-9a-fA-F]{2})*$/.test(text) ? null : `an hex digit is expected in '${text}'`;
    case "reg": {
      const compiled = compileRegex(text, false);
      return compiled.ok ? null : `regex '${text}' is invalid (error=${compiled.error})`;
    }
    default:
      return null;
  }
}

/** "5", "1:10", ":10", "1024:", and versions such as "3.1". Null for anything else. */
export function parseRange(text: string): NumberRange | null {
  const separator = /[:-]/.exec(text.slice(1));
  if (separator === null && !/^[:-]/.test(text)) {
    const value = parseBound(text);
    return value === null ? null : { minimum: value, maximum: value };
  }
  // A minus in front is a sign, unless a second one makes it a range.
  if (separator === null && text.startsWith("-")) {
    const value = parseBound(text);
    return value === null ? null : { minimum: value, maximum: value };
  }
  const at = text.startsWith(":") ? 0 : separator!.index + 1;
  const [low, high] = [text.slice(0, at), text.slice(at + 1)];
  const minimum = low === "" ? -Infinity : parseBound(low);
  const maximum = high === "" ? Infinity : parseBound(high);
  if (minimum === null || maximum === null || (low === "" && high === "")) return null;
  return minimum > maximum ? null : { minimum, maximum };
}

/** A dotted version "3.1" is 3 << 16 | 1, as the fetches on TLS versions give it. */
function parseBound(text: string): number | null {
  const match = /^(-?\d{1,19})(?:\.(\d{1,5}))?$/.exec(text);
  if (match === null) return null;
  return match[2] === undefined ? Number(match[1]) : Number(match[1]) * 65536 + Number(match[2]);
}

/** "10.0.0.0/8", "10.0.0.0/255.0.0.0", "::1", and short forms: "127.1" is 127.0.0.1. */
export function parseNetwork(text: string): IpNetwork | null {
  const usual = parseIpNetwork(text);
  if (usual !== null) return usual;
  const slash = text.indexOf("/");
  const host = slash < 0 ? text : text.slice(0, slash);
  const address = parseIpAddress(host) ?? expandShortIpv4(host);
  if (address === null) return null;
  const mask = slash < 0 ? "" : `/${prefixOf(text.slice(slash + 1))}`;
  return parseIpNetwork(`${formatIpAddress(address)}${mask}`);
}

function prefixOf(mask: string): string {
  const address = mask.includes(".") ? parseIpAddress(mask) : null;
  if (address?.family !== 4) return mask;
  const bits = [...address.bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return /^1*0*$/.test(bits) ? `${bits.lastIndexOf("1") + 1}` : mask;
}

function expandShortIpv4(text: string): IpAddress | null {
  const parts = text.split(".");
  if (parts.length > 3 || parts.length < 2 || !parts.every((part) => /^\d{1,3}$/.test(part))) return null;
  const zeros = new Array<string>(4 - parts.length).fill("0");
  return parseIpAddress([...parts.slice(0, -1), ...zeros, parts.at(-1)!].join("."));
}
