// Reads what stands behind `acl NAME` and between `{ }`: a criterion, flags, and patterns. HAProxy 2.6
// manual, section 7.1. Not here: acls by name, which the reader collects.
import { nearestWord, suggestWord } from "../../../diagnostic/nearest-word.ts";
import type { Span } from "../../../diagnostic/span.ts";
import type { PatternUse } from "../../../model/pattern-list.ts";
import {
  type AclTest,
  FETCHES,
  type MatchMethod,
  type SampleExpression,
  type SampleType,
} from "../../../model/sample.ts";
import type { ExpressionContext } from "../context.ts";
import { spanInside, spanOfWords, type Word, wordAt } from "../word.ts";
import { ACL_KEYWORDS, type AclKeyword } from "./acl-keywords.ts";
import { normalizePatterns } from "./acl-patterns.ts";
import { resolveFetchAlias, unsupportedFetchReason } from "./known-names.ts";
import { quote, reportError, reportWarning } from "./report.ts";
import { canCast, leadingName, parseSampleExpression, sampleType } from "./sample-parser.ts";

/** Methods by the type that they compare. */
const METHOD_INPUTS: Readonly<Record<MatchMethod, SampleType>> = {
  found: "any",
  bool: "sint",
  int: "sint",
  ip: "addr",
  bin: "bin",
  len: "str",
  str: "str",
  sub: "str",
  reg: "str",
  beg: "str",
  end: "str",
  dir: "str",
  dom: "str",
};
const DEFAULT_METHODS: Readonly<Partial<Record<SampleType, MatchMethod>>> = {
  bool: "bool",
  sint: "int",
  addr: "ip",
  str: "str",
};

/**
 * One `acl` line: `name` is the word behind `acl`, `words` what follows. Null when anything was wrong; all of
 * it is reported. Patterns of `int` and `len` come out as "5", "5:9", "5:" or ":9", networks with a prefix
 * length.
 */
export function parseAclLine(name: Word, words: readonly Word[], context: ExpressionContext): AclTest | null {
  const bad = /[^A-Za-z0-9_.:-]/.exec(name.text);
  if (bad !== null) {
    const span = spanInside(name, bad.index, bad.index + 1);
    return reportError(
      context,
      "bad-acl-name",
      span,
      `${quote(bad[0])} cannot stand in the name of an acl`,
      "Letters, digits, `-`, `_`, `.` and `:` can.",
    );
  }
  if (name.text.toLowerCase() === "or") {
    return reportError(
      context,
      "bad-acl-name",
      name.span,
      "an acl cannot be called `or`: that word joins conditions",
    );
  }
  return parseAclTest(words, name.span, context);
}

/** A criterion with its flags and patterns. `place` is where to complain when there are no words. */
export function parseAclTest(
  words: readonly Word[],
  place: Span,
  context: ExpressionContext,
): AclTest | null {
  const criterion = words[0];
  if (criterion === undefined || criterion.text === "") {
    return reportError(
      context,
      "missing-argument",
      criterion?.span ?? place,
      "an acl needs something to test, such as `path_beg /images/`",
    );
  }
  const subject = readSubject(criterion, context);
  if (subject === null) return null;
  const flags = readFlags(words, subject, context);
  if (flags === null) return null;
  const { method } = flags;
  if (method === null) return reportNoMethod(criterion, subject.sample, context);
  warnAboutPatterns(words, method, subject, context);
  // Boolean matching and mere presence take no patterns; HAProxy ignores them.
  const isPlain = method === "found" || method === "bool";
  const normalize = (all: readonly Word[]) =>
    isPlain
      ? all.map((word) => word.text)
      : normalizePatterns(all, method, subject.isDotted && !flags.isExplicit, context);
  const patterns = normalize(words.slice(flags.next));
  if (patterns === null || normalize(flags.filePatterns) === null) return null;
  const span = spanOfWords(words);
  const use = { kind: "acl", method, ignoreCase: flags.ignoreCase, span } as const;
  const own = context.addPatterns(criterionOf(criterion.text), patterns, use, flags.id);
  const { sample } = subject;
  const { ignoreCase, files } = flags;
  const lists = own === null ? [] : [...flags.lists, own];
  return { sample, method, ignoreCase, patterns, files, lists, span };
}

/** What is tested, without arguments and converters. */
export function criterionOf(text: string): string {
  return /^[^,(]*/.exec(text)![0];
}

interface Subject {
  readonly sample: SampleExpression;
  /** Null: the result's type has no usual match. */
  readonly method: MatchMethod | null;
  readonly isDotted: boolean;
}

function readSubject(criterion: Word, context: ExpressionContext): Subject | null {
  const name = leadingName(criterion.text, 0);
  const keyword = ACL_KEYWORDS.get(name);
  if (keyword === undefined && !isFetch(name, context)) {
    const known = nearestWord(name, [...ACL_KEYWORDS.keys(), ...Object.keys(FETCHES)]);
    if (known !== null && ACL_KEYWORDS.has(known)) {
      const span = spanInside(criterion, 0, name.length);
      return reportError(
        context,
        "unknown-fetch",
        span,
        `unknown sample fetch ${quote(name)}`,
        suggestWord(name, [known]),
      );
    }
  }
  // Whether the facts are there is said where the acl is used; here it may be used anywhere.
  const sample = parseSampleExpression(
    keyword === undefined ? criterion : asFetch(criterion, name, keyword),
    context,
    "any",
  );
  if (sample === null) return null;
  const written = keyword === undefined ? sample : { ...sample, text: criterion.text };
  if (keyword !== undefined && sample.converters.length === 0) {
    return { sample: written, method: keyword.method, isDotted: keyword.isDotted };
  }
  return { sample: written, method: DEFAULT_METHODS[sampleType(sample)] ?? null, isDotted: false };
}

/** True for every name that HAProxy has, ours or not. */
function isFetch(name: string, context: ExpressionContext): boolean {
  if (Object.hasOwn(FETCHES, name) || unsupportedFetchReason(name) !== null) return true;
  return resolveFetchAlias(name, context.direction) !== null;
}

/** The criterion with the acl keyword replaced by its fetch, every character still knowing its column. */
function asFetch(criterion: Word, name: string, keyword: AclKeyword): Word {
  const head = wordAt(keyword.fetch, spanInside(criterion, 0, name.length));
  const rest = criterion.text.slice(name.length);
  const restColumns = Array.from(
    { length: rest.length + 1 },
    (_, i) => spanInside(criterion, name.length + i, name.length + i).column,
  );
  const columns = [...head.columns!.slice(0, keyword.fetch.length), ...restColumns];
  return { ...criterion, text: keyword.fetch + rest, columns };
}

interface Flags {
  readonly ignoreCase: boolean;
  readonly method: MatchMethod | null;
  /** True if `-m` named the method. */
  readonly isExplicit: boolean;
  readonly files: readonly string[];
  readonly filePatterns: readonly Word[];
  /** Of the files. */
  readonly lists: readonly number[];
  /** `-u`. */
  readonly id: number | null;
  /** Index of the first pattern. */
  readonly next: number;
}

function readFlags(words: readonly Word[], subject: Subject, context: ExpressionContext): Flags | null {
  let { method } = subject;
  let ignoreCase = false;
  let isExplicit = false;
  let isMap = false;
  const files: string[] = [];
  const filePatterns: Word[] = [];
  const lists: number[] = [];
  let id: number | null = null;
  let index = 1;
  for (; words[index]?.text.startsWith("-") === true; index++) {
    const flag = words[index]!;
    const argument = words[index + 1];
    if (flag.text === "--") {
      index++;
      break;
    }
    switch (flag.text) {
      case "-i":
        if (files.length > 0)
          return reportError(
            context,
            "bad-acl-flag",
            flag.span,
            "`-i` behind `-f` would count for the later patterns only, which is not supported",
            "Put `-i` first, or use two acl lines of the same name.",
          );
        ignoreCase = true;
        continue;
      case "-n":
        continue;
      case "-M":
        isMap = true;
        continue;
    }
    if (!["-f", "-m", "-u"].includes(flag.text)) return reportUnknownFlag(flag, context);
    if (argument === undefined)
      return reportError(context, "missing-argument", flag.span, `${quote(flag.text)} needs an argument`);
    index++;
    if (flag.text === "-m") {
      if (files.length > 0)
        return reportError(context, "bad-acl-flag", flag.span, "`-m` must stand before `-f`");
      method = readMethod(argument, subject.sample, context);
      if (method === null) return null;
      isExplicit = true;
    } else if (flag.text === "-f") {
      const use = { kind: "acl", method: method ?? "found", ignoreCase, span: argument.span } as const;
      const list = readPatternFile(argument, isMap, use, context);
      if (list === null) return null;
      files.push(argument.text);
      lists.push(list);
      for (const { key } of context.patternsOf(list)) filePatterns.push(wordAt(key, argument.span));
    } else {
      if (!/^[+-]?\d+$/.test(argument.text))
        return reportError(context, "bad-acl-flag", argument.span, "`-u` needs a number");
      id = Number(argument.text);
    }
  }
  return { ignoreCase, method, isExplicit, files, filePatterns, lists, id, next: index };
}

function reportUnknownFlag(flag: Word, context: ExpressionContext): null {
  return reportError(
    context,
    "bad-acl-flag",
    flag.span,
    `${quote(flag.text)} is no flag of an acl`,
    `Put \`--\` before a pattern that begins with \`-\`.`,
  );
}

function readMethod(word: Word, sample: SampleExpression, context: ExpressionContext): MatchMethod | null {
  if (word.text === "regm")
    return reportError(context, "unsupported-match", word.span, "the match `regm` is not supported yet");
  if (!Object.hasOwn(METHOD_INPUTS, word.text)) {
    const help =
      suggestWord(word.text, Object.keys(METHOD_INPUTS)) ??
      `Possible: ${Object.keys(METHOD_INPUTS).join(", ")}.`;
    return reportError(context, "unknown-match", word.span, `unknown match method ${quote(word.text)}`, help);
  }
  const method = word.text as MatchMethod;
  if (canCast(sampleType(sample), METHOD_INPUTS[method])) return method;
  return reportError(
    context,
    "bad-match",
    word.span,
    `${quote(sample.text)} cannot be matched by ${quote(method)}`,
  );
}

function reportNoMethod(criterion: Word, sample: SampleExpression, context: ExpressionContext): null {
  const message = `${quote(sample.text)} has no usual match`;
  return reportError(
    context,
    "missing-match",
    criterion.span,
    message,
    "Say how to compare: `-m str`, `-m found`, `-m bin`, …",
  );
}

/** Index of the file's list. */
function readPatternFile(
  word: Word,
  isMap: boolean,
  use: PatternUse,
  context: ExpressionContext,
): number | null {
  const used = context.usePatternFile(word.text, isMap, use);
  if (typeof used === "number") return used;
  const file = `pattern file ${quote(word.text)}`;
  if (used === "unreadable")
    return reportError(context, "unreadable-file", word.span, `${file} cannot be read`);
  return used === "two-columns"
    ? reportError(context, "conflict", word.span, `${file} has been read as a map`, "Put `-M` before `-f`.")
    : reportError(context, "conflict", word.span, `${file} has been read without values`, "Remove `-M`.");
}

function warnAboutPatterns(
  words: readonly Word[],
  method: MatchMethod,
  subject: Subject,
  context: ExpressionContext,
): void {
  const criterion = words[0]!;
  const isBoolean = sampleType(subject.sample) === "bool" || method === "found" || method === "bool";
  if (words.length === 1 && !isBoolean) {
    const help =
      "Use `-m found` to test that it is there, `-m bool` to test a number for not being 0, or `--` if this is meant.";
    reportWarning(
      context,
      "no-patterns",
      criterion.span,
      `${quote(criterion.text)} is compared with nothing, so it never matches`,
      help,
    );
  }
  const second = words[1];
  if (second?.text.startsWith("(") && !criterion.text.includes("(")) {
    reportWarning(
      context,
      "odd-pattern",
      second.span,
      `${quote(second.text)} is taken for a pattern`,
      "Remove the space before `(`, or put `--` between them.",
    );
  }
}
