// Actions that edit headers: add, set, delete and replace.
import { expandReplacement, parseReplacement, type Replacement } from "../../../base/regex.ts";
import type { EditAction } from "../../../model/rule.ts";
import type { LogFormat, MatchMethod } from "../../../model/sample.ts";
import {
  type MessageHead,
  type PreparedHeader,
  prepareHeader,
} from "../../../protocol/http1/message-head.ts";
import type { Stream } from "../../stream.ts";
import type { RuleEnvironment } from "../environment.ts";
import { compileFormat, constantFormat } from "../format.ts";
import { nextHeader } from "../header-values.ts";
import { fixedMatcher } from "../patterns/pattern-lists.ts";
import { requireRegex } from "../regex.ts";
import { type MessageSide, messageOf, type RunAction } from "./action.ts";

export function compileEdit(action: EditAction, side: MessageSide, environment: RuleEnvironment): RunAction {
  switch (action.kind) {
    case "add-header":
    case "set-header":
      return setOrAdd(action, side, environment);
    case "del-header":
      return deleteHeaders(action.name, action.method, side);
    case "replace-header": {
      const regex = requireRegex(action.pattern, action.ignoreCase);
      const replacement = compileReplacement(action.value, environment);
      return replaceValues(action.name, side, (value, stream) =>
        replaceMatch(value, regex, replacement(stream)),
      );
    }
    case "replace-value": {
      const regex = requireRegex(action.pattern, action.ignoreCase);
      const replacement = compileReplacement(action.value, environment);
      return replaceValues(action.name, side, (value, stream) =>
        replaceInList(value, regex, replacement(stream)),
      );
    }
  }
}

function setOrAdd(
  action: Extract<EditAction, { kind: "add-header" | "set-header" }>,
  side: MessageSide,
  environment: RuleEnvironment,
): RunAction {
  const name = action.name.toLowerCase();
  const isSet = action.kind === "set-header";
  const constant = constantFormat(action.value);
  const prepared = constant === null ? null : prepareHeader(name, constant);
  if (prepared !== null) return editPrepared(prepared, isSet, side);
  const value = compileFormat(action.value, environment, "http");
  return (stream) => {
    const head = messageOf(stream, side);
    if (head === null) return null;
    // The value may be made of the header that is about to be replaced.
    const text = value(stream);
    if (isSet) head.setHeader(name, text);
    else head.addHeader(name, text);
    return null;
  };
}

function editPrepared(header: PreparedHeader, isSet: boolean, side: MessageSide): RunAction {
  return (stream) => {
    const head = messageOf(stream, side);
    if (isSet) head?.setPrepared(header);
    else head?.addPrepared(header);
    return null;
  };
}

function deleteHeaders(name: string, method: MatchMethod, side: MessageSide): RunAction {
  const lowerCaseName = name.toLowerCase();
  if (method === "str") {
    return (stream) => {
      messageOf(stream, side)?.removeHeader(lowerCaseName);
      return null;
    };
  }
  // Names are in lower case already; only a regular expression may hold capitals of its own.
  const pattern = method === "reg" ? name : lowerCaseName;
  const { find } = fixedMatcher(method, method === "reg", [pattern]);
  return (stream) => {
    const head = messageOf(stream, side);
    if (head === null) return null;
    for (let i = nextHeader(head, "", 0); i >= 0; i = nextHeader(head, "", i + 1)) {
      if (find(head.nameAt(i)) !== undefined) head.removeAt(i);
    }
    return null;
  };
}

function replaceValues(
  name: string,
  side: MessageSide,
  replace: (value: string, stream: Stream) => string | null,
): RunAction {
  const lowerCaseName = name.toLowerCase();
  return (stream) => {
    const head: MessageHead | null = messageOf(stream, side);
    if (head === null) return null;
    for (let i = head.indexOf(lowerCaseName, 0); i >= 0; i = head.indexOf(lowerCaseName, i + 1)) {
      const replaced = replace(head.valueAt(i), stream);
      if (replaced !== null) head.setValueAt(i, replaced);
    }
    return null;
  };
}

/** A replacement whose text is known beforehand is parsed once. */
export function compileReplacement(
  format: LogFormat,
  environment: RuleEnvironment,
): (stream: Stream) => Replacement {
  const constant = constantFormat(format);
  if (constant !== null) {
    const replacement = parseReplacement(constant) ?? [];
    return () => replacement;
  }
  const write = compileFormat(format, environment, "http");
  return (stream) => parseReplacement(write(stream)) ?? [];
}

/** The whole value becomes the replacement if the pattern is found in it; null when it is not. */
export function replaceMatch(value: string, regex: RegExp, replacement: Replacement): string | null {
  const match = regex.exec(value);
  return match === null ? null : expandReplacement(replacement, match);
}

/** As `replaceMatch` for each of the values between commas. */
function replaceInList(value: string, regex: RegExp, replacement: Replacement): string | null {
  let isChanged = false;
  const pieces = splitList(value).map((piece) => {
    const replaced = replaceMatch(piece.replace(/^[ \t]+|[ \t]+$/g, ""), regex, replacement);
    if (replaced === null) return piece;
    isChanged = true;
    // The blanks around a replaced value go, as in HAProxy.
    return replaced;
  });
  return isChanged ? pieces.join(",") : null;
}

function splitList(value: string): string[] {
  return value.match(/(?:[^",]|"(?:[^"\\]|\\.)*(?:"|$))+|(?<=,|^)(?=,|$)/g) ?? [value];
}
