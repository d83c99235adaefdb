// The 1.5 actions that worked on whole lines: `reqrep`, `reqidel`, `rsprep`, …. A header line reads "Name:
// value". Heads keep names in lower case, so a pattern is tried on the line with the name in lower case
// and, because 1.5 saw what the client had typed, on the usual capitalised form as well.
import { expandReplacement, parseReplacement } from "../../../base/regex.ts";
import type { LegacyAction } from "../../../model/rule.ts";
import { isToken, type MessageHead } from "../../../protocol/http1/message-head.ts";
import type { Stream } from "../../stream.ts";
import { nextHeader } from "../header-values.ts";
import { requireRegex } from "../regex.ts";
import { type MessageSide, messageOf, type RunAction } from "./action.ts";
import { keepOriginal } from "./request-line.ts";

export function compileLegacy(action: LegacyAction, side: MessageSide): RunAction {
  const regex = requireRegex(action.pattern, action.ignoreCase);
  const change = action.kind === "delete-line" ? () => "" : lineReplacer(regex, action.value);
  return (stream) => {
    const head = messageOf(stream, side);
    if (head === null) return null;
    if (action.kind === "replace-line") changeStartLine(stream, head, side, regex, change);
    for (
      let i = nextHeader(head, "", 0), end = head.headerCount;
      i >= 0 && i < end;
      i = nextHeader(head, "", i + 1)
    ) {
      const match = matchHeader(head, i, regex);
      if (match !== null) changeHeader(head, i, change(match));
    }
    return null;
  };
}

function lineReplacer(regex: RegExp, value: string): (match: RegExpExecArray) => string {
  const replacement = parseReplacement(value) ?? [];
  // As in 1.5, the rest of the line stays around what matched.
  return (match) => match.input.replace(regex, () => expandReplacement(replacement, match));
}

function matchHeader(head: MessageHead, i: number, regex: RegExp): RegExpExecArray | null {
  const name = head.nameAt(i);
  const value = head.valueAt(i);
  return regex.exec(`${capitalise(name)}: ${value}`) ?? regex.exec(`${name}: ${value}`);
}

/** "x-forwarded-for" as "X-Forwarded-For". */
function capitalise(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (text) => text.toUpperCase());
}

/** A line that is no header any more is dropped. */
function changeHeader(head: MessageHead, i: number, line: string): void {
  const colon = line.indexOf(":");
  const name = colon < 0 ? "" : line.slice(0, colon).trim().toLowerCase();
  const value = line.slice(colon + 1).trim();
  if (name === head.nameAt(i)) head.setValueAt(i, value);
  else {
    head.removeAt(i);
    if (isToken(name)) head.addHeader(name, value);
  }
}

function changeStartLine(
  stream: Stream,
  head: MessageHead,
  side: MessageSide,
  regex: RegExp,
  change: (match: RegExpExecArray) => string,
): void {
  const version = `HTTP/1.${head.versionMinor}`;
  const isRequest = side === "request";
  const line = isRequest
    ? `${head.method} ${head.target} ${version}`
    : `${version} ${head.status} ${head.reason}`;
  const match = regex.exec(line);
  if (match === null) return;
  const words = (isRequest ? /^(\S+) (\S+)/ : /^HTTP\/\d\.\d (\d{3}) ?(.*)$/).exec(change(match));
  if (words === null) return;
  if (isRequest) {
    keepOriginal(stream, head);
    head.method = words[1]!;
    head.target = words[2]!;
  } else {
    head.status = Number(words[1]);
    head.reason = words[2]!;
  }
}
