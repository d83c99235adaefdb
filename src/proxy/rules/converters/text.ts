// Converters on text and bytes.
import { timingSafeEqual } from "node:crypto";
import { expandReplacement, parseReplacement } from "../../../base/regex.ts";
import { type ConverterCompiler, typed } from "../converter.ts";
import { integerParameter, textParameter } from "../fetch.ts";
import { requireRegex } from "../regex.ts";
import { toBinary, toText } from "../sample-cast.ts";
import { compileVariableRead } from "../variables.ts";

type Names =
  | "lower"
  | "upper"
  | "length"
  | "hex"
  | "hex2i"
  | "base64"
  | "ub64enc"
  | "b64dec"
  | "ub64dec"
  | "bytes"
  | "be2dec"
  | "be2hex"
  | "cut_crlf"
  | "host_only"
  | "port_only"
  | "secure_memcmp"
  | "add_item"
  | "concat"
  | "strcmp"
  | "field"
  | "word"
  | "regsub"
  | "ltrim"
  | "rtrim";

export const TEXT_CONVERTERS: Readonly<Record<Names, ConverterCompiler>> = {
  lower: typed<string>(() => lowerAscii),
  upper: typed<string>(() => (value) => value.replace(/[a-z]+/g, (letters) => letters.toUpperCase())),
  length: typed<string>(() => (value) => value.length),
  hex: typed<string>(() => hexOf),
  hex2i: typed<string>(() => (value) => (/^[0-9a-fA-F]*$/.test(value) ? hexToInteger(value) : undefined)),
  base64: typed<string>(() => (value) => Buffer.from(value, "latin1").toString("base64")),
  ub64enc: typed<string>(() => (value) => Buffer.from(value, "latin1").toString("base64url")),
  b64dec: typed<string>(
    () => (value) => decodeBase64(value, /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/),
  ),
  ub64dec: typed<string>(() => (value) => decodeBase64(value, /^[A-Za-z0-9_-]*={0,2}$/)),
  bytes: typed<string>((parameters) => {
    const offset = integerParameter(parameters, 0) ?? 0;
    const length = integerParameter(parameters, 1) ?? Number.MAX_SAFE_INTEGER;
    return (value) => value.slice(offset, offset + length);
  }),
  be2dec: typed<string>((parameters) => {
    const size = integerParameter(parameters, 1) ?? 1;
    const isCut = (integerParameter(parameters, 2) ?? 0) !== 0;
    const separator = textParameter(parameters, 0);
    return (value) => chunksOf(value, size, isCut).map(bigEndian).join(separator);
  }),
  be2hex: typed<string>((parameters) => {
    const size = integerParameter(parameters, 1) ?? 0;
    const isCut = (integerParameter(parameters, 2) ?? 0) !== 0;
    const separator = textParameter(parameters, 0);
    return (value) => chunksOf(value, size, isCut).map(hexOf).join(separator);
  }),
  cut_crlf: typed<string>(() => (value) => value.replace(/[\r\n].*$/s, "")),
  host_only: typed<string>(() => (value) => lowerAscii(value.replace(PORT, ""))),
  port_only: typed<string>(() => (value) => Number(PORT.exec(value)?.[1] || 0)),
  secure_memcmp: typed<string>((parameters, environment) => {
    const read = compileVariableRead(textParameter(parameters, 0), environment);
    return (value, stream) => {
      const other = read(stream);
      if (other === undefined) return undefined;
      const [a, b] = [Buffer.from(value, "latin1"), Buffer.from(toBinary(other), "latin1")];
      return a.length === b.length && timingSafeEqual(a, b);
    };
  }),
  add_item: typed<string>((parameters, environment) => {
    const delimiter = textParameter(parameters, 0);
    const name = textParameter(parameters, 1);
    const suffix = textParameter(parameters, 2);
    const read = name === "" ? () => undefined : compileVariableRead(name, environment);
    return (value, stream) => {
      const variable = read(stream);
      const item = variable === undefined ? "" : toText(variable, "str");
      return value + (value !== "" && item + suffix !== "" ? delimiter : "") + item + suffix;
    };
  }),
  concat: typed<string>((parameters, environment) => {
    const before = textParameter(parameters, 0);
    const name = textParameter(parameters, 1);
    const after = textParameter(parameters, 2);
    if (name === "") return (value) => value + before + after;
    const read = compileVariableRead(name, environment);
    return (value, stream) => {
      const variable = read(stream);
      return value + before + (variable === undefined ? "" : toText(variable, "str")) + after;
    };
  }),
  strcmp: typed<string>((parameters, environment) => {
    const read = compileVariableRead(textParameter(parameters, 0), environment);
    return (value, stream) => {
      const other = read(stream);
      return other === undefined ? undefined : compareBytes(value, toText(other, "str"));
    };
  }),
  field: typed<string>((parameters) => {
    const index = integerParameter(parameters, 0) ?? 0;
    const isDelimiter = anyOf(textParameter(parameters, 1));
    const count = integerParameter(parameters, 2) ?? 1;
    return (value) => findField(value, index, isDelimiter, count);
  }),
  word: typed<string>((parameters) => {
    const index = integerParameter(parameters, 0) ?? 0;
    const isDelimiter = anyOf(textParameter(parameters, 1));
    const count = integerParameter(parameters, 2) ?? 1;
    return (value) => findWord(value, index, isDelimiter, count);
  }),
  regsub: typed<string>((parameters) => {
    const flags = textParameter(parameters, 2);
    const regex = requireRegex(textParameter(parameters, 0), flags.includes("i"));
    const search = flags.includes("g") ? new RegExp(regex.source, `${regex.flags}g`) : regex;
    const replacement = parseReplacement(textParameter(parameters, 1)) ?? [];
    return (value) =>
      value.replace(search, (...match) =>
        expandReplacement(replacement, match as unknown as RegExpMatchArray),
      );
  }),
  ltrim: typed<string>((parameters) => {
    const isTrimmed = anyOf(textParameter(parameters, 0));
    return (value) => {
      let start = 0;
      while (start < value.length && isTrimmed(value[start]!)) start++;
      return value.slice(start);
    };
  }),
  rtrim: typed<string>((parameters) => {
    const isTrimmed = anyOf(textParameter(parameters, 0));
    return (value) => {
      let end = value.length;
      while (end > 0 && isTrimmed(value[end - 1]!)) end--;
      return value.slice(0, end);
    };
  }),
};

/** Behind a host; what stands between brackets is none. */
const PORT = /:([0-9]*)$/;

/** Pieces of `size` bytes; a last one that is shorter is left out when `isCut`. 0: all in one. */
function chunksOf(text: string, size: number, isCut: boolean): string[] {
  if (size <= 0) return [text];
  const chunks: string[] = [];
  for (let at = 0; at < text.length; at += size) {
    if (!isCut || at + size <= text.length) chunks.push(text.slice(at, at + size));
  }
  return chunks;
}

function bigEndian(bytes: string): string {
  return BigInt(`0x${hexOf(bytes)}`).toString();
}

function hexOf(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("hex").toUpperCase();
}

/** Only ASCII letters, as HAProxy; `toLowerCase` would also fold letters above 0x7f. */
export function lowerAscii(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  }
  return text.toLowerCase();
}

function hexToInteger(text: string): number {
  return text === "" ? 0 : Number(BigInt.asIntN(64, BigInt(`0x${text}`)));
}

function decodeBase64(text: string, form: RegExp): string | undefined {
  return form.test(text) ? Buffer.from(text, "base64").toString("latin1") : undefined;
}

/** As strncmp: the difference of the first bytes that differ, else which one is longer. */
function compareBytes(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const difference = a.charCodeAt(i) - b.charCodeAt(i);
    if (difference !== 0) return difference;
  }
  return Math.sign(a.length - b.length);
}

function anyOf(characters: string): (character: string) => boolean {
  return (character) => characters.includes(character);
}

/**
 * Fields count from 1, or from the end with negative numbers. `count` fields are taken, all that follow if
 * it is 0.
 */
function findField(
  text: string,
  index: number,
  isDelimiter: (c: string) => boolean,
  count: number,
): string | undefined {
  if (index === 0) return undefined;
  const starts = [0];
  const ends: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (!isDelimiter(text[i]!)) continue;
    ends.push(i);
    starts.push(i + 1);
  }
  ends.push(text.length);
  return selectRun(text, starts, ends, index, count);
}

/** As fields, but runs of delimiters separate only once and there are no empty words. */
function findWord(
  text: string,
  index: number,
  isDelimiter: (c: string) => boolean,
  count: number,
): string | undefined {
  if (index === 0) return undefined;
  const starts: number[] = [];
  const ends: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (isDelimiter(text[i]!)) continue;
    starts.push(i);
    while (i < text.length && !isDelimiter(text[i]!)) i++;
    ends.push(i);
  }
  // Taking all that is left keeps the delimiters at that edge, as HAProxy does.
  if (count === 0 && ends.length > 0) {
    if (index > 0) ends[ends.length - 1] = text.length;
    else starts[0] = 0;
  }
  return selectRun(text, starts, ends, index, count) ?? "";
}

function selectRun(
  text: string,
  starts: number[],
  ends: number[],
  index: number,
  count: number,
): string | undefined {
  const total = starts.length;
  const chosen = index > 0 ? index - 1 : total + index;
  if (chosen < 0 || chosen >= total) return undefined;
  if (index > 0) {
    const last = count === 0 ? total - 1 : Math.min(total - 1, chosen + count - 1);
    return text.slice(starts[chosen], ends[last]);
  }
  const first = count === 0 ? 0 : Math.max(0, chosen - count + 1);
  return text.slice(starts[first], ends[chosen]);
}
