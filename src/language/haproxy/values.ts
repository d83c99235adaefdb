// Times (manual 2.5), sizes and whole numbers as arguments of keywords.
import type { Cursor } from "./cursor.ts";
import { displayText } from "./lexer.ts";
import type { Report } from "./report.ts";
import type { Word } from "./word.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** HAProxy's timers are 31 bits of milliseconds. */
const DURATION_MAX_MS = 0x7fffffff;

/** A time in milliseconds, rounded up; a number without a unit counts in `unit`. Null after an error. */
export function parseDurationMs(word: Word, report: Report, unit: "ms" | "s" = "ms"): number | null {
  const match = /^(\d+)([a-z]*)$/i.exec(word.text);
  const factor = match === null ? undefined : UNIT_MS[match[2] === "" ? unit : match[2]!];
  if (match === null || factor === undefined) {
    const bad = match === null ? null : match[2]!;
    const help =
      bad?.toLowerCase() === "min"
        ? `A minute is \`m\`: \`${match![1]}m\`.`
        : "Write a number and a unit: us, ms, s, m, h or d.";
    report.error("bad-time", word.span, `\`${displayText(word.text)}\` is no time`, help);
    return null;
  }
  const value = Math.ceil(Number(match[1]) * factor);
  if (value <= DURATION_MAX_MS) return value;
  report.error(
    "bad-time",
    word.span,
    `\`${word.text}\` is too long a time`,
    "The longest is 2147483647ms, a little less than 25 days.",
  );
  return null;
}

/** Bytes: a number with k, m or g (powers of 1024). Null after an error. */
export function parseSizeBytes(word: Word, report: Report): number | null {
  const match = /^(\d+)([kmg]?)$/i.exec(word.text);
  if (match === null) {
    report.error(
      "bad-size",
      word.span,
      `\`${displayText(word.text)}\` is no size`,
      "Write a number of bytes, or one with k, m or g.",
    );
    return null;
  }
  const shift = { "": 0, k: 10, m: 20, g: 30 }[match[2]!.toLowerCase()] ?? 0;
  return Number(match[1]) * 2 ** shift;
}

/** A whole number within the limits, both included. Null after an error. */
export function parseInteger(word: Word, report: Report, minimum = 0, maximum = 0x7fffffff): number | null {
  const value = /^[+-]?\d+$/.test(word.text) ? Number(word.text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  const what = Number.isNaN(value) ? "is no whole number" : `is not between ${minimum} and ${maximum}`;
  report.error("bad-number", word.span, `\`${displayText(word.text)}\` ${what}`);
  return null;
}

export function expectDurationMs(cursor: Cursor, what: string, unit: "ms" | "s" = "ms"): number | null {
  const word = cursor.expect(what);
  return word === null ? null : parseDurationMs(word, cursor.report, unit);
}

export function expectInteger(
  cursor: Cursor,
  what: string,
  minimum = 0,
  maximum = 0x7fffffff,
): number | null {
  const word = cursor.expect(what);
  return word === null ? null : parseInteger(word, cursor.report, minimum, maximum);
}
