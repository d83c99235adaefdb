// Lines of HAProxy 1.5 as lines of today, words to words: pure text, so that the reader and the converter
// agree.
import type { LegacyAction } from "../../model/rule.ts";

export type LegacyResult =
  /** `sources[i]` is the index of the old word that the new word `i` comes from. */
  | { readonly kind: "modern"; readonly words: readonly string[]; readonly sources: readonly number[] }
  | { readonly kind: "legacy"; readonly action: LegacyAction; readonly conditionIndex: number | null }
  | { readonly kind: "error"; readonly wordIndex: number; readonly message: string; readonly help: string };

/** `words` are those of one line, the first of them a keyword of the legacy table. */
export function modernizeLegacyWords(words: readonly string[]): LegacyResult {
  const [keyword = ""] = words;
  const renamed = RENAMED[keyword];
  if (renamed !== undefined)
    return modern(
      [...renamed, ...words.slice(1)],
      [...renamed.map(() => 0), ...words.slice(1).map((_, i) => i + 1)],
    );
  if (keyword === "block") return rewriteBlock(words);
  const match = /^(req|rsp)(i?)(add|allow|del|deny|pass|rep|tarpit)$/.exec(keyword)!;
  const rule: LegacyRule = {
    words,
    verb: match[1] === "req" ? "http-request" : "http-response",
    isRequest: match[1] === "req",
    ignoreCase: match[2] === "i",
    conditionIndex: findCondition(words, match[3] === "rep" ? 3 : 2),
  };
  const missing = checkArguments(rule, match[3]!);
  if (missing !== null) return missing;
  switch (match[3]) {
    case "add":
      return rewriteAdd(rule);
    case "del":
      return rewriteDelete(rule);
    case "rep":
      return rewriteReplace(rule);
    case "pass":
      return error(
        0,
        `\`${keyword}\` has no rule of today`,
        "Give the rules behind it a condition: `… unless { … }`.",
      );
    default:
      return rewriteVerdict(rule, match[3]!);
  }
}

const RENAMED: Readonly<Record<string, readonly string[]>> = {
  contimeout: ["timeout", "connect"],
  clitimeout: ["timeout", "client"],
  srvtimeout: ["timeout", "server"],
  redispatch: ["option", "redispatch"],
  nbproc: ["nbthread"],
};

interface LegacyRule {
  readonly words: readonly string[];
  readonly verb: "http-request" | "http-response";
  readonly isRequest: boolean;
  readonly ignoreCase: boolean;
  /** Where `if` or `unless` stands; null without a condition. */
  readonly conditionIndex: number | null;
}

function modern(words: readonly string[], sources: readonly number[]): LegacyResult {
  return { kind: "modern", words, sources };
}

function error(wordIndex: number, message: string, help: string): LegacyResult {
  return { kind: "error", wordIndex, message, help };
}

function findCondition(words: readonly string[], start: number): number | null {
  return words[start] === "if" || words[start] === "unless" ? start : null;
}

function checkArguments(rule: LegacyRule, action: string): LegacyResult | null {
  const count = action === "rep" ? 2 : 1;
  const keyword = rule.words[0]!;
  if (rule.words.length <= count) {
    const help =
      action === "add"
        ? `Write \`${keyword} Name:\\ value\`.`
        : `Write \`${keyword} REGEX${count === 2 ? " TEXT" : ""}\`.`;
    return error(rule.words.length - 1, `something is missing behind \`${keyword}\``, help);
  }
  if (rule.words.length > count + 1 && rule.conditionIndex === null) {
    return error(
      count + 1,
      "a condition beginning with `if` or `unless` is expected here",
      "Is a backslash missing before a space?",
    );
  }
  return null;
}

/** The new words with the rule's own condition behind them. All new words come from the old word 1. */
function withCondition(rule: LegacyRule, words: readonly string[], source = 1): LegacyResult {
  const tail = rule.conditionIndex === null ? [] : rule.words.slice(rule.conditionIndex);
  const tailSources = tail.map((_, i) => rule.conditionIndex! + i);
  return modern([...words, ...tail], [0, ...words.slice(1).map(() => source), ...tailSources]);
}

/** The new words under `test` and the rule's own condition; null when that cannot be said in one line. */
function withTest(rule: LegacyRule, words: readonly string[], test: readonly string[]): LegacyResult | null {
  if (rule.conditionIndex === null)
    return modern([...words, "if", ...test], [0, ...words.slice(1).map(() => 1), 1, ...test.map(() => 1)]);
  const own = rule.words.slice(rule.conditionIndex + 1);
  if (rule.words[rule.conditionIndex] !== "if" || own.includes("or") || own.includes("||")) return null;
  const sources = [
    0,
    ...words.slice(1).map(() => 1),
    rule.conditionIndex,
    ...test.map(() => 1),
    ...own.map((_, i) => rule.conditionIndex! + 1 + i),
  ];
  return modern([...words, "if", ...test, ...own], sources);
}

function rewriteBlock(words: readonly string[]): LegacyResult {
  return modern(["http-request", "deny", ...words.slice(1)], [0, 0, ...words.slice(1).map((_, i) => i + 1)]);
}

/** Values of headers are formats today: a percent sign has to be doubled. */
function asFormat(text: string): string {
  return text.replaceAll("%", "%%");
}

function rewriteAdd(rule: LegacyRule): LegacyResult {
  const text = rule.words[1]!;
  const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*)$/s.exec(text);
  if (match === null)
    return error(
      1,
      "this is no header of the form `Name: value`",
      `Write \`${rule.words[0]} Name:\\ value\`.`,
    );
  return withCondition(rule, [rule.verb, "add-header", match[1]!, asFormat(match[2]!)]);
}

/** A search that names one header and nothing else before the colon. */
function parseHeaderPattern(pattern: string): { name: string; value: string } | null {
  const match = /^\^((?:[\w]|-|\\-)+)\\?:(.*)$/s.exec(pattern);
  if (match === null) return null;
  const value = match[2]!.replace(/^(?:\\s|\[ \\t\]|\[ \]|\\ | )[*+]?/, "");
  return { name: match[1]!.replaceAll("\\", ""), value };
}

function rewriteDelete(rule: LegacyRule): LegacyResult {
  const pattern = rule.words[1]!;
  const header = parseHeaderPattern(pattern);
  if (header !== null && /^(?:\.\*)?\$?$/.test(header.value))
    return withCondition(rule, [rule.verb, "del-header", header.name]);
  return {
    kind: "legacy",
    action: { kind: "delete-line", pattern, ignoreCase: rule.ignoreCase },
    conditionIndex: rule.conditionIndex,
  };
}

function rewriteReplace(rule: LegacyRule): LegacyResult {
  const pattern = rule.words[1]!;
  const replacement = rule.words[2]!;
  return (
    rewriteHeader(rule, pattern, replacement) ??
    (rule.isRequest ? rewriteRequestLine(rule, pattern, replacement) : null) ?? {
      kind: "legacy",
      action: { kind: "replace-line", pattern, ignoreCase: rule.ignoreCase, value: replacement },
      conditionIndex: rule.conditionIndex,
    }
  );
}

function rewriteHeader(rule: LegacyRule, pattern: string, replacement: string): LegacyResult | null {
  const header = parseHeaderPattern(pattern);
  const target = /^([\w-]+):[ \t]*(.*)$/s.exec(replacement);
  if (header === null || target === null || header.name.toLowerCase() !== target[1]!.toLowerCase())
    return null;
  const search = anchored(header.value === "" ? ".*" : header.value, rule.ignoreCase);
  return withCondition(rule, [rule.verb, "replace-header", header.name, search, asFormat(target[2]!)]);
}

function anchored(pattern: string, ignoreCase: boolean): string {
  return `${ignoreCase ? "(?i)" : ""}^${pattern.replace(/^\^/, "")}`;
}

/** How a search for a request line begins: a group for the method, or a method by its name. */
const METHOD_GROUP =
  /^\^(\((?:\[\^(?: |:| :|: )\][*+]|\.[*+]|\[A-Z\][*+]|\\S[*+]|\\w[*+]|\[\^\\s\][*+])\)) (.*)$/s;
const METHOD_NAME = /^\^([A-Z]{3,7}) (.*)$/s;
const VERSION_GROUP = / \(?(?:HTTP\/[^ )]*|\.\*|HTTP\.\*)\)?\$?$/;

function rewriteRequestLine(rule: LegacyRule, pattern: string, replacement: string): LegacyResult | null {
  const group = METHOD_GROUP.exec(pattern);
  if (group !== null && replacement.startsWith("\\1 ")) {
    const uri = splitVersion(group[2]!, replacement.slice(3));
    const value = uri === null ? null : shiftGroups(uri.value);
    return value === null
      ? null
      : withCondition(rule, [
          rule.verb,
          "replace-uri",
          anchored(uri!.search, rule.ignoreCase),
          asFormat(value),
        ]);
  }
  const method = METHOD_NAME.exec(pattern);
  const target = /^([A-Z]{3,7}) (.*)$/s.exec(replacement);
  if (method === null || target === null) return null;
  const test = ["{", "method", method[1]!, "}"];
  if (/^\(\.\*\)\$?$/.test(method[2]!) && target[2] === "\\1")
    return withTest(rule, [rule.verb, "set-method", target[1]!], test);
  const uri = method[1] === target[1] ? splitVersion(method[2]!, target[2]!) : null;
  return uri === null
    ? null
    : withTest(
        rule,
        [rule.verb, "replace-uri", anchored(uri.search, rule.ignoreCase), asFormat(uri.value)],
        test,
      );
}

/** Takes ` HTTP/…` off both texts when both have it; null when only one has. */
function splitVersion(search: string, value: string): { search: string; value: string } | null {
  const searchVersion = VERSION_GROUP.exec(search);
  const valueVersion = / (?:\\\d|HTTP\/1\.[01])$/.exec(value);
  if (searchVersion === null || valueVersion === null)
    return searchVersion === valueVersion ? { search, value } : null;
  return { search: search.slice(0, searchVersion.index), value: value.slice(0, valueVersion.index) };
}

/** `\2` becomes `\1` and so on, because the method's group is gone; null when `\1` is used again. */
function shiftGroups(text: string): string | null {
  if (/\\1/.test(text)) return null;
  return text.replace(/\\([2-9])/g, (_, digit: string) => `\\${Number(digit) - 1}`);
}

const VERDICTS: Readonly<Record<string, string>> = { allow: "allow", deny: "deny", tarpit: "tarpit" };

/** `reqdeny REGEX` and its kin: any line that matches decides. */
function rewriteVerdict(rule: LegacyRule, action: string): LegacyResult {
  const pattern = rule.words[1]!;
  const words = [rule.verb, VERDICTS[action]!];
  const test = describeTest(rule, pattern);
  const result = test === null ? null : withTest(rule, words, test);
  const help = `Write \`${words.join(" ")} if { … }\` with what the request line or header has to match, such as \`path_reg\` or \`hdr(User-Agent) -m reg\`.`;
  return result ?? error(1, "this search cannot be turned into a rule of today", help);
}

function describeTest(rule: LegacyRule, pattern: string): readonly string[] | null {
  const flags = rule.ignoreCase ? ["-i"] : [];
  const header = parseHeaderPattern(pattern);
  const fetch = rule.isRequest ? "req.fhdr" : "res.fhdr";
  if (header !== null) {
    if (/^(?:\.\*)?\$?$/.test(header.value)) return ["{", `${fetch}(${header.name})`, "-m", "found", "}"];
    return ["{", `${fetch}(${header.name})`, "-m", "reg", ...flags, `^${header.value}`, "}"];
  }
  if (!rule.isRequest) {
    const status = /^\^HTTP\/[^ ]* ([1-5]\d\d)/.exec(pattern);
    return status === null ? null : ["{", "status", status[1]!, "}"];
  }
  const group = METHOD_GROUP.exec(pattern) ?? /^\^(\[\^(?: |:| :|: )\][*+]) (.*)$/s.exec(pattern);
  if (group !== null) return ["{", "url_reg", ...flags, `^${group[2]!.replace(VERSION_GROUP, "")}`, "}"];
  const method = METHOD_NAME.exec(pattern);
  if (method === null) return null;
  return [
    "{",
    "method",
    method[1]!,
    "}",
    "{",
    "url_reg",
    ...flags,
    `^${method[2]!.replace(VERSION_GROUP, "")}`,
    "}",
  ];
}
