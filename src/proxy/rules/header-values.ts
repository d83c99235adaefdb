// Values inside headers: comma-separated lists, cookies, and parameters of a query. Everything walks the
// text in place and hands out slices.
import type { MessageHead } from "../../protocol/http1/message-head.ts";

/** Returns true to stop. */
export type TestText = (value: string) => boolean;

const COMMA = 44;
const QUOTE = 34;
const BACKSLASH = 92;

/**
 * Calls `test` with each comma-separated value of each header `name` (lower case; "" takes all headers)
 * until it returns true.
 */
export function someValue(head: MessageHead, name: string, test: TestText): boolean {
  for (let i = nextHeader(head, name, 0); i >= 0; i = nextHeader(head, name, i + 1)) {
    const text = head.valueAt(i);
    if (!text.includes(",")) {
      if (test(trim(text, 0, text.length))) return true;
      continue;
    }
    let start = 0;
    for (;;) {
      const end = valueEnd(text, start);
      if (test(trim(text, start, end))) return true;
      if (end >= text.length) break;
      start = end + 1;
      if (start >= text.length) {
        if (test("")) return true;
        break;
      }
    }
  }
  return false;
}

/** Calls `test` with the whole value of each header `name`. Rules may have put blanks around it. */
export function someWholeValue(head: MessageHead, name: string, test: TestText): boolean {
  for (let i = nextHeader(head, name, 0); i >= 0; i = nextHeader(head, name, i + 1)) {
    if (test(head.valueAt(i).trim())) return true;
  }
  return false;
}

export type SomeText = (head: MessageHead, name: string, test: TestText) => boolean;

/** HAProxy keeps only this many values when it counts from the end. */
const HISTORY_MAX = 10;

/** The value at `occurrence`: 1 is the first, -1 the last, 0 the first too. */
export function valueAtOccurrence(
  some: SomeText,
  head: MessageHead,
  name: string,
  occurrence: number,
): string | undefined {
  let found: string | undefined;
  if (occurrence >= 0) {
    let left = occurrence;
    some(head, name, (value) => {
      if (--left > 0) return false;
      found = value;
      return true;
    });
    return found;
  }
  if (-occurrence > HISTORY_MAX) return undefined;
  const values: string[] = [];
  some(head, name, (value) => {
    values.push(value);
    return false;
  });
  return values.at(occurrence);
}

/** The last value; a header that stands once and without a comma costs no allocation. */
export function lastValue(head: MessageHead, name: string): string | undefined {
  let last = -1;
  for (let i = nextHeader(head, name, 0); i >= 0; i = nextHeader(head, name, i + 1)) last = i;
  if (last < 0) return undefined;
  const text = head.valueAt(last);
  if (!text.includes(",")) return trim(text, 0, text.length);
  return valueAtOccurrence(someValue, head, name, -1);
}

export function countValues(some: SomeText, head: MessageHead, name: string): number {
  let count = 0;
  some(head, name, () => {
    count++;
    return false;
  });
  return count;
}

/** Index of the next header `name` that is not removed, or -1. "" takes any. */
export function nextHeader(head: MessageHead, name: string, from: number): number {
  if (name !== "") return head.indexOf(name, from);
  for (let i = from; i < head.headerCount; i++) if (!head.isRemovedAt(i)) return i;
  return -1;
}

/** First comma outside of quotes, or the end. */
function valueEnd(text: string, start: number): number {
  let isQuoted = false;
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (isQuoted) {
      if (code === BACKSLASH) i++;
      else if (code === QUOTE) isQuoted = false;
    } else if (code === QUOTE) isQuoted = true;
    else if (code === COMMA) return i;
  }
  return text.length;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

function trim(text: string, start: number, end: number): string {
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/**
 * Calls `test` with the value of each cookie `name` ("": any) in `Cookie` headers, or in `Set-Cookie` ones,
 * of which only the first pair counts.
 */
export function someCookie(head: MessageHead, name: string, isResponse: boolean, test: TestText): boolean {
  return someValue(head, isResponse ? "set-cookie" : "cookie", (text) => {
    if (text.length < name.length + 1) return false;
    return someCookieIn(text, name, !isResponse, test);
  });
}

function someCookieIn(text: string, name: string, isList: boolean, test: TestText): boolean {
  const end = text.length;
  let next: number;
  for (let begin = 0; begin + name.length + 1 < end; begin = next + 1) {
    while (begin < end && isBlank(text.charCodeAt(begin))) begin++;
    let nameEnd = begin;
    let equal = begin;
    for (; equal < end; equal++) {
      const character = text[equal];
      if (character === "=" || character === ";" || (isList && character === ",")) break;
      if (character !== " " && character !== "\t") nameEnd = equal + 1;
    }
    if (text[equal] !== "=") {
      next = equal;
      continue;
    }
    let valueStart = equal + 1;
    while (valueStart < end && isBlank(text.charCodeAt(valueStart))) valueStart++;
    next = cookieValueEnd(text, valueStart);
    if (text[begin] === "$") continue;
    const isNamed = name === "" || (nameEnd - begin === name.length && text.startsWith(name, begin));
    if (isNamed && test(trim(text, valueStart, next))) return true;
    if (!isList) break;
  }
  return false;
}

function cookieValueEnd(text: string, start: number): number {
  let isQuoted = false;
  for (let i = start; i < text.length; i++) {
    const character = text[i];
    if (isQuoted) {
      if (character === "\\") i++;
      else if (character === '"') isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if (character === ";" || character === ",") return i;
  }
  return text.length;
}

/** Calls `test` with each value of parameter `name` ("": any) in `text`, a list such as "a=1&b=2". */
export function someParameter(text: string, name: string, delimiter: string, test: TestText): boolean {
  let at = 0;
  while (at < text.length) {
    const end = parameterEnd(text, at, delimiter);
    if (name === "") {
      // Without a name HAProxy takes what follows the next equal sign, wherever it stands.
      const equal = text.indexOf("=", at);
      if (equal < 0) return false;
      const valueEndAt = parameterEnd(text, equal + 1, delimiter);
      if (test(text.slice(equal + 1, valueEndAt))) return true;
      at = valueEndAt;
      continue;
    }
    if (
      text[at + name.length] === "=" &&
      text.startsWith(name, at) &&
      test(text.slice(at + name.length + 1, end))
    )
      return true;
    at = end + 1;
  }
  return false;
}

function parameterEnd(text: string, from: number, delimiter: string): number {
  for (let i = from; i < text.length; i++) {
    const character = text[i];
    if (character === "&" || character === ";" || character === delimiter) return i;
  }
  return text.length;
}
