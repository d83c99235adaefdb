// `capture …` and `declare capture …`: what a frontend keeps of messages for its log (manual 4.2).

import type { Cursor } from "./cursor.ts";
import { cursorOf, type ProxyLine } from "./reading.ts";
import { expectInteger } from "./values.ts";

export function readCapture(line: ProxyLine): void {
  const cursor = cursorOf(line);
  const what = cursor.expectOneOf("thing to capture", ["cookie", "request", "response"]);
  if (what === "cookie") readCookieCapture(line, cursor);
  if (what !== "request" && what !== "response") return;
  if (cursor.expectOneOf("part of a message", ["header"]) === null) return;
  const header = cursor.expect("a header's name");
  const length = header === null ? null : expectLength(cursor, "error");
  if (header === null || length === null) return;
  const slots = what === "request" ? line.draft.requestCaptures : line.draft.responseCaptures;
  slots.push({ header: header.text, length });
  line.draft.httpOnly.push({ what: `capture ${what} header`, span: line.span });
}

function readCookieCapture(line: ProxyLine, cursor: Cursor): void {
  const name = cursor.expect("a cookie's name");
  const length = name === null ? null : expectLength(cursor, "warning");
  if (name === null || length === null) return;
  const isExact = name.text.endsWith("=");
  line.draft.cookieCapture = {
    name: isExact ? name.text.slice(0, -1) : name.text,
    isPrefix: !isExact,
    length,
  };
  line.draft.httpOnly.push({ what: "capture cookie", span: line.span });
}

export function readDeclareCapture(line: ProxyLine): void {
  const cursor = cursorOf(line);
  if (cursor.expectOneOf("thing to declare", ["capture"]) === null) return;
  const side = cursor.expectOneOf("side", ["request", "response"]);
  const length = side === null ? null : expectLength(cursor, "warning");
  if (side === null || length === null) return;
  const slots = side === "request" ? line.draft.requestCaptures : line.draft.responseCaptures;
  slots.push({ header: null, length });
}

function expectLength(cursor: Cursor, tail: "error" | "warning"): number | null {
  if (cursor.expectOneOf("word", ["len"]) === null) return null;
  const length = expectInteger(cursor, "a number of characters", 1, 65_535);
  cursor.expectEnd(tail);
  return length;
}
