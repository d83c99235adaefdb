// Dates as logs print them. Text up to the second is kept until the second changes: a busy proxy formats
// one date per second, not one per line.

import { EncodedText, type LineBuffer, putEncoded } from "./line-buffer.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const THREE_DIGITS: readonly string[] = Array.from({ length: 1000 }, (_, i) => `${i}`.padStart(3, "0"));

/** Milliseconds of the second, three digits. */
export function formatMilliseconds(dateMs: number): string {
  return THREE_DIGITS[Math.floor(dateMs) % 1000] ?? "000";
}

/** "23/Nov/2026:03:13:09.123", local time. */
export function formatLogDate(dateMs: number): string {
  return `${localSecond(Math.floor(dateMs / 1000))}.${formatMilliseconds(dateMs)}`;
}

/** As `formatLogDate`, written to `line` from `at` on; returns its end. Takes 24 bytes. */
export function putLogDate(dateMs: number, line: LineBuffer, at: number): number {
  const second = Math.floor(dateMs / 1000);
  if (second !== encodedSecond) {
    encodedSecond = second;
    encoded = new EncodedText(`${localSecond(second)}.`);
  }
  at = putEncoded(encoded, line, at, line.bytes.length);
  const { bytes } = line;
  const ms = (dateMs - second * 1000) | 0;
  bytes[at] = 48 + ((ms / 100) | 0);
  bytes[at + 1] = 48 + (((ms / 10) | 0) % 10);
  bytes[at + 2] = 48 + (ms % 10);
  return at + 3;
}

let encodedSecond = Number.NaN;
let encoded = new EncodedText("");

/** "23/Nov/2026:03:13:09 +0000". */
export function formatGmtDate(dateMs: number): string {
  return `${gmtSecond(Math.floor(dateMs / 1000))} +0000`;
}

/** "23/Nov/2026:04:13:09 +0100". */
export function formatLocalDate(dateMs: number): string {
  const second = Math.floor(dateMs / 1000);
  return `${localSecond(second)} ${offsetAt(second)}`;
}

/** "Nov 23 03:13:09" of RFC 3164, local time. */
export const formatLegacyDate: (dateMs: number) => string = perSecond((second) => {
  const date = new Date(second * 1000);
  const day = `${date.getDate()}`.padStart(2, " ");
  const time = clockTime(date.getHours(), date.getMinutes(), date.getSeconds());
  return `${MONTHS[date.getMonth()]} ${day} ${time}`;
});

/** "2026-11-23T03:13:09.123456+00:00" of RFC 5424, local time with its offset. */
export function formatIsoDate(dateMs: number): string {
  const microseconds = Math.floor((dateMs % 1000) * 1000);
  return `${isoSecond(dateMs)}.${`${microseconds}`.padStart(6, "0")}${isoOffset(dateMs)}`;
}

const localSecond = bySecond((second) => {
  const date = new Date(second * 1000);
  const day = `${twoDigits(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  return `${day}:${clockTime(date.getHours(), date.getMinutes(), date.getSeconds())}`;
});

const gmtSecond = bySecond((second) => {
  const date = new Date(second * 1000);
  const day = `${twoDigits(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  return `${day}:${clockTime(date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds())}`;
});

const isoSecond = perSecond((second) => {
  const date = new Date(second * 1000);
  const day = `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`;
  return `${day}T${clockTime(date.getHours(), date.getMinutes(), date.getSeconds())}`;
});

const isoOffset = perSecond((second) => {
  const offset = offsetAt(second);
  return `${offset.slice(0, 3)}:${offset.slice(3)}`;
});

function offsetAt(second: number): string {
  const minutes = -new Date(second * 1000).getTimezoneOffset();
  const absolute = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${twoDigits(Math.trunc(absolute / 60))}${twoDigits(absolute % 60)}`;
}

function clockTime(hours: number, minutes: number, seconds: number): string {
  return `${twoDigits(hours)}:${twoDigits(minutes)}:${twoDigits(seconds)}`;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}

/** Remembers the texts of two seconds: lines of long requests alternate between their beginning and now. */
function bySecond(format: (second: number) => string): (second: number) => string {
  let second = Number.NaN;
  let text = "";
  let previousSecond = Number.NaN;
  let previousText = "";
  return (wanted) => {
    if (wanted === second) return text;
    if (wanted === previousSecond) return previousText;
    previousSecond = second;
    previousText = text;
    second = wanted;
    text = format(wanted);
    return text;
  };
}

function perSecond(format: (second: number) => string): (dateMs: number) => string {
  const bySeconds = bySecond(format);
  return (dateMs) => bySeconds(Math.floor(dateMs / 1000));
}
