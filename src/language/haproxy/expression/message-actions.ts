// Reads the actions that edit a message: headers, and the request line. HAProxy 2.6 manual, section 4.2.
import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import {
  type Action,
  type EditAction,
  type RequestLineAction,
  URI_NORMALIZERS,
} from "../../../model/rule.ts";
import type { MatchMethod } from "../../../model/sample.ts";
import { checkRegex } from "./regex.ts";
import { quote } from "./report.ts";
import type { ActionReader, RuleLine } from "./rule-line.ts";

const HEADER_MATCHES: readonly MatchMethod[] = ["str", "beg", "end", "sub", "reg"];

export const HEADER_ACTIONS: Readonly<Record<EditAction["kind"], ActionReader>> = {
  "add-header": (line) => readHeader(line, "add-header"),
  "set-header": (line) => readHeader(line, "set-header"),
  "del-header": readDeleteHeader,
  "replace-header": (line) => readReplaceHeader(line, "replace-header"),
  "replace-value": (line) => readReplaceHeader(line, "replace-value"),
};

export const REQUEST_LINE_ACTIONS: Readonly<Record<RequestLineAction["kind"], ActionReader>> = {
  "set-method": (line) => readSet(line, "set-method"),
  "set-path": (line) => readSet(line, "set-path"),
  "set-pathq": (line) => readSet(line, "set-pathq"),
  "set-query": (line) => readSet(line, "set-query"),
  "set-uri": (line) => readSet(line, "set-uri"),
  "replace-path": (line) => readReplace(line, "replace-path"),
  "replace-pathq": (line) => readReplace(line, "replace-pathq"),
  "replace-uri": (line) => {
    const parts = readReplaceParts(line);
    return parts === null ? null : { kind: "replace-uri", ignoreCase: false, ...parts };
  },
  "normalize-uri": readNormalizeUri,
};

function readHeader(line: RuleLine, kind: "add-header" | "set-header"): Action | null {
  const name = line.expectHeaderName();
  const value = name === null ? null : line.expectFormat("the value of the header");
  return name === null || value === null ? null : { kind, name, value };
}

function readDeleteHeader(line: RuleLine): Action | null {
  const word = line.peek();
  const name = line.expectHeaderName();
  if (name === null || word === null) return null;
  if (line.take("-m") === null) return { kind: "del-header", name, method: "str" };
  const method = line.expect("a match method");
  if (method === null) return null;
  const known = HEADER_MATCHES.find((one) => one === method.text);
  if (known === undefined) {
    const message = `names of headers cannot be matched by ${quote(method.text)}`;
    return line.error("bad-match", method.span, message, `Possible: ${HEADER_MATCHES.join(", ")}.`);
  }
  if (known === "reg" && !checkRegex(name, word.span, line.context)) return null;
  return { kind: "del-header", name, method: known };
}

function readReplaceHeader(line: RuleLine, kind: "replace-header" | "replace-value"): Action | null {
  const name = line.expectHeaderName();
  const parts = name === null ? null : readReplaceParts(line);
  return name === null || parts === null ? null : { kind, name, ignoreCase: false, ...parts };
}

function readReplaceParts(
  line: RuleLine,
): Pick<RequestLineAction & { kind: "replace-path" }, "pattern" | "value"> | null {
  const pattern = line.expectRegex();
  const value = pattern === null ? null : line.expectFormat("the replacement");
  return pattern === null || value === null ? null : { pattern, value };
}

function readReplace(line: RuleLine, kind: "replace-path" | "replace-pathq"): Action | null {
  const parts = readReplaceParts(line);
  return parts === null ? null : { kind, ...parts };
}

function readNormalizeUri(line: RuleLine): Action | null {
  const word = line.expect("a normalizer");
  if (word === null) return null;
  const name = URI_NORMALIZERS.find((one) => one === word.text);
  if (name === undefined) {
    const help = suggestWord(word.text, URI_NORMALIZERS) ?? `Possible: ${URI_NORMALIZERS.join(", ")}.`;
    return line.error("unknown-word", word.span, `there is no normalizer ${quote(word.text)}`, help);
  }
  const isStrict = name.startsWith("percent-") && line.take("strict") !== null;
  const isFull = name === "path-strip-dotdot" && line.take("full") !== null;
  return { kind: "normalize-uri", normalizer: { name, isStrict, isFull } };
}

function readSet(
  line: RuleLine,
  kind: "set-method" | "set-path" | "set-pathq" | "set-query" | "set-uri",
): Action | null {
  const value = line.expectFormat("a format");
  return value === null ? null : { kind, value };
}
