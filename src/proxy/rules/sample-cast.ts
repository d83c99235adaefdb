// Implicit conversions between sample types, as HAProxy's: a fetch gives one type and the converter, match
// or format behind it wants another. `undefined` means that the value cannot be converted, which ends the
// expression.
import { formatIpAddress, type IpAddress, parseIpAddress } from "../../base/address.ts";
import type { SampleType } from "../../model/sample.ts";
import type { SampleValue } from "./sample-value.ts";

/** Text of any value. Binary data, which may be in a variable, ends at its first NUL when it becomes text. */
export function toText(value: SampleValue, type: SampleType): string {
  if (typeof value === "string") {
    if (type !== "bin" && type !== "any") return value;
    const end = value.indexOf("\0");
    return end < 0 ? value : value.slice(0, end);
  }
  if (typeof value === "number") return formatInteger(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "boolean") return value ? "1" : "0";
  return formatIpAddress(value);
}

export function toInteger(value: SampleValue): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "string") return value === "" ? undefined : parseLeadingInteger(value);
  return value.family === 4
    ? new DataView(value.bytes.buffer, value.bytes.byteOffset, 4).getUint32(0)
    : undefined;
}

export function toBoolean(value: SampleValue): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value !== 0;
  const integer = toInteger(value);
  return integer === undefined ? undefined : integer !== 0;
}

export function toAddress(value: SampleValue): IpAddress | undefined {
  if (typeof value === "object") return value;
  if (typeof value === "string") return parseIpAddress(value) ?? undefined;
  if (typeof value !== "number") return undefined;
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0);
  return { kind: "ip", family: 4, bytes };
}

/** Integers and booleans become 8 bytes in network order. */
export function toBinary(value: SampleValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "object") return latin1(value.bytes);
  const bytes = new Uint8Array(8);
  const integer = typeof value === "boolean" ? BigInt(value) : toBigInteger(value);
  new DataView(bytes.buffer).setBigInt64(0, integer);
  return latin1(bytes);
}

/** The 64 lowest bits as HAProxy's signed integer. */
export function integerSample(value: bigint): number | bigint {
  const signed = BigInt.asIntN(64, value);
  const number = Number(signed);
  return Number.isSafeInteger(number) ? number : signed;
}

/** The nearest that HAProxy's integers of 64 bits can be. */
export function toBigInteger(value: number | bigint): bigint {
  if (typeof value === "bigint") return value;
  if (value >= INTEGER_MAX) return BIG_INTEGER_MAX;
  if (value <= -INTEGER_MAX) return -BIG_INTEGER_MAX - 1n;
  return BigInt(Math.trunc(value));
}

/** HAProxy's arithmetic ends at its largest and smallest number. */
export function saturated(value: bigint): bigint {
  if (value > BIG_INTEGER_MAX) return BIG_INTEGER_MAX;
  return value < -BIG_INTEGER_MAX - 1n ? -BIG_INTEGER_MAX - 1n : value;
}

/** `value` as the type that follows in an expression. */
export function castTo(value: SampleValue, from: SampleType, to: SampleType): SampleValue | undefined {
  switch (to) {
    case "str":
    case "meth":
      return toText(value, from);
    case "sint":
      if (typeof value === "bigint") return value;
      return typeof value === "string" && value.length > 15 ? parseLongInteger(value) : toInteger(value);
    case "bool":
      return toBoolean(value);
    case "addr":
      return toAddress(value);
    case "bin":
      return toBinary(value);
    case "any":
      return value;
  }
}

/** As `parseLeadingInteger`, exact beyond 2^53 too. */
function parseLongInteger(text: string): number | bigint {
  const digits = /^[+-]?\d+/.exec(text)?.[0];
  return digits === undefined ? 0 : integerSample(saturated(BigInt(digits)));
}

/** HAProxy's read_int64: an optional sign and digits, up to the largest of 64 bits; 0 when there are none. */
export function parseLeadingInteger(text: string): number {
  let at = 0;
  const first = text.charCodeAt(0);
  const isNegative = first === 45;
  if (isNegative || first === 43) at = 1;
  let value = 0;
  for (; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    value = Math.min(value * 10 + digit, INTEGER_MAX);
  }
  return isNegative ? -value : value;
}

/**
 * HAProxy's strl2ic, behind `hdr_val`, `cook_val` and `urlp_val`: 32 bits, ends at the first character
 * above "9", and takes those below "0" for negative digits, so that "12.5" is 1185.
 */
export function parseHeaderInteger(text: string): number {
  const isNegative = text.charCodeAt(0) === 45;
  let value = 0;
  for (let at = isNegative ? 1 : 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const digit = (code > 127 ? code - 256 : code) - 48;
    if (digit > 9) break;
    value = (Math.imul(value, 10) + (isNegative ? -digit : digit)) | 0;
  }
  return value;
}

/** 2^63-1, to which HAProxy's arithmetic saturates; the nearest number above it. */
export const INTEGER_MAX: number = 2 ** 63;
export const BIG_INTEGER_MAX: bigint = 2n ** 63n - 1n;

export function formatInteger(value: number): string {
  if (Number.isSafeInteger(value)) return `${value}`;
  if (value >= INTEGER_MAX) return "9223372036854775807";
  if (value <= -INTEGER_MAX) return "-9223372036854775808";
  return BigInt(Math.trunc(value)).toString();
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
