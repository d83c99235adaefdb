// Converters that encode and decode for URLs, JSON and dates.
import { type ConverterCompiler, typed } from "../converter.ts";
import { integerParameter, textParameter } from "../fetch.ts";
import { formatTime } from "./strftime.ts";

type Names = "json" | "url_dec" | "url_enc" | "http_date" | "ltime" | "utime" | "language";

export const WEB_CONVERTERS: Readonly<Record<Names, ConverterCompiler>> = {
  json: typed<string>((parameters) => {
    const input = textParameter(parameters, 0) || "ascii";
    return (value) => encodeJson(value, input);
  }),
  url_dec: typed<string>((parameters) => {
    const isForm = (integerParameter(parameters, 0) ?? 0) !== 0;
    return (value) => decodeUrl(value, isForm);
  }),
  url_enc: typed<string>(() => (value) => value.replace(/[^A-Za-z0-9._~-]/g, percentEncode)),
  language: typed<string>((parameters) => {
    const offered = textParameter(parameters, 0).split(";");
    const fallback = parameters[1] === undefined ? undefined : textParameter(parameters, 1);
    return (value) => chooseLanguage(value, offered) ?? fallback;
  }),
  http_date: typed<number>((parameters) => {
    const offset = integerParameter(parameters, 0) ?? 0;
    const unit = textParameter(parameters, 1);
    return (value) => formatHttpDate(value + offset, unit);
  }),
  ltime: typed<number>((parameters) => {
    const format = textParameter(parameters, 0);
    const offset = integerParameter(parameters, 1) ?? 0;
    return (value) => formatTime(format, value + offset, false);
  }),
  utime: typed<number>((parameters) => {
    const format = textParameter(parameters, 0);
    const offset = integerParameter(parameters, 1) ?? 0;
    return (value) => formatTime(format, value + offset, true);
  }),
};

/**
 * The offered language that the list prefers, by weight, then by order; "fr" also serves who asks for
 * "fr-CH".
 */
function chooseLanguage(list: string, offered: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestWeight = 0;
  for (const entry of list.split(",")) {
    const [, language, weightText] = /^\s*([^\s;]+)\s*(?:;\s*q=([0-9.]+))?/.exec(entry) ?? [];
    const weight = weightText === undefined ? 1 : Number(weightText);
    if (language === undefined || !(weight > bestWeight)) continue;
    const found = [language, language.split("-")[0]!].find((one) => offered.includes(one));
    if (found === undefined) continue;
    best = found;
    bestWeight = weight;
  }
  return best;
}

function percentEncode(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/** `+` is a blank in forms, and behind a question mark. Undefined for a bad escape; ends at a NUL. */
function decodeUrl(text: string, isForm: boolean): string | undefined {
  let decoded = "";
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === "\0") break;
    if (character === "?") isForm = true;
    if (character === "%") {
      const digits = text.slice(i + 1, i + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(digits)) return undefined;
      decoded += String.fromCharCode(Number.parseInt(digits, 16));
      i += 2;
    } else decoded += character === "+" && isForm ? " " : character;
  }
  return decoded;
}

const JSON_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "/": "\\/",
  "\b": "\\b",
  "\f": "\\f",
  "\r": "\\r",
  "\n": "\\n",
  "\t": "\\t",
};

/**
 * ascii; utf8 (bad input ends the expression), utf8s (bad input is skipped), utf8p and utf8ps (the same,
 * permissive).
 */
function encodeJson(text: string, input: string): string | undefined {
  if (input === "ascii") return escapeJson(text);
  const isStrict = input === "utf8" || input === "utf8p";
  const bytes = Buffer.from(text, "latin1");
  let decoded: string;
  try {
    decoded = new TextDecoder("utf-8", { fatal: isStrict, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
  if (!isStrict) decoded = decoded.replaceAll("\ufffd", "").replace(/[\ud800-\udfff]/g, "");
  else if (/[\ud800-\udfff]/.test(decoded)) return undefined;
  return escapeJson(decoded);
}

function escapeJson(text: string): string {
  return text.replace(
    /["\\/]|[^ -~]/g,
    (character) => JSON_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * RFC 9110 date; with unit "ms" or "us" the value is in it and the fraction is printed behind the seconds.
 */
/** No value for what no calendar has. */
function formatHttpDate(value: number, unit: string): string | undefined {
  const perSecond = unit === "ms" ? 1000 : unit === "us" ? 1_000_000 : 1;
  const moment = new Date(Math.trunc(value / perSecond) * 1000);
  if (Number.isNaN(moment.getTime())) return undefined;
  const date = moment.toUTCString();
  return perSecond === 1 ? date : date.replace(" GMT", `.${Math.trunc(value % perSecond)} GMT`);
}
