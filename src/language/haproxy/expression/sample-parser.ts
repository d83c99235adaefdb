// Reads sample expressions: `req.hdr(host),field(1,:),lower`. Names are resolved to those of FETCHES and
// CONVERTERS, arguments are checked by their tables, and each converter must be able to take what stands
// before it. HAProxy 2.6 configuration manual, section 7.3.

import { suggestWord } from "../../../diagnostic/nearest-word.ts";
import {
  CONVERTERS,
  type ConverterCall,
  type ConverterName,
  FETCHES,
  type FetchCall,
  type FetchName,
  type SampleExpression,
  type SampleType,
} from "../../../model/sample.ts";
import type { ExpressionContext } from "../context.ts";
import { spanInside, spanOfWords, type Word } from "../word.ts";
import { readArguments } from "./argument-parser.ts";
import { readArgumentValues } from "./argument-values.ts";
import { type Stage, unavailableReason } from "./availability.ts";
import { FETCH_ALIAS_NAMES, resolveFetchAlias, unsupportedFetchReason } from "./known-names.ts";
import { quote, reportError } from "./report.ts";

/** An expression, and the offset in its word behind it. */
interface SampleAt {
  readonly sample: SampleExpression;
  readonly end: number;
}

/**
 * Reads a word that is nothing but an expression. Reports and returns null on anything wrong, also when the
 * facts it asks for are not there at `stage` (the context's direction unless given).
 */
export function parseSampleExpression(
  word: Word,
  context: ExpressionContext,
  stage: Stage = context.direction,
): SampleExpression | null {
  const read = readSample(word, 0, context, false);
  return read === null || !checkAvailable(read.sample, stage, context) ? null : read.sample;
}

/**
 * Reads the expression that begins at `words[index]`. As in HAProxy, following words that are converters
 * belong to it. `next` is the index of the first word that does not.
 */
export function parseSampleWords(
  words: readonly Word[],
  index: number,
  context: ExpressionContext,
  stage: Stage,
): { readonly sample: SampleExpression; readonly next: number } | null {
  const read = readSample(words[index]!, 0, context, false);
  if (read === null) return null;
  const converters = [...read.sample.converters];
  let type = sampleType(read.sample);
  let next = index + 1;
  for (; next < words.length && isConverterName(leadingName(words[next]!.text, 0)); next++) {
    const chain = readConverters(words[next]!, 0, type, context, false);
    if (chain === null) return null;
    converters.push(...chain.converters);
    type = chain.type;
  }
  const used = words.slice(index, next);
  const text = used.map((word) => word.text).join(" ");
  const sample: SampleExpression = { fetch: read.sample.fetch, converters, text, span: spanOfWords(used) };
  return checkAvailable(sample, stage, context) ? { sample, next } : null;
}

/**
 * Reads an expression that begins inside a word and ends before the first character that cannot belong to it.
 */
export function parseSampleInside(
  word: Word,
  start: number,
  context: ExpressionContext,
  stage: Stage,
): SampleAt | null {
  const read = readSample(word, start, context, true);
  return read === null || !checkAvailable(read.sample, stage, context) ? null : read;
}

/** The type of an expression's result. */
export function sampleType(sample: SampleExpression): SampleType {
  let type: SampleType = FETCHES[sample.fetch.name].type;
  for (const { name } of sample.converters) type = resultType(name, type);
  return type;
}

/** True if a value of one type can be used as another (HAProxy's automatic conversions). */
export function canCast(from: SampleType, to: SampleType): boolean {
  return from === to || to === "any" || CASTS[from].includes(to);
}

const CASTS: Readonly<Record<SampleType, readonly SampleType[]>> = {
  any: ["bool", "sint", "addr", "str", "bin", "meth"],
  bool: ["sint", "str", "bin"],
  sint: ["bool", "addr", "str", "bin"],
  addr: ["sint", "str", "bin"],
  str: ["bool", "sint", "addr", "bin", "meth"],
  bin: ["str", "meth"],
  meth: ["str", "bin"],
};

/** Converters such as `debug` hand on what they got. */
function resultType(name: ConverterName, input: SampleType): SampleType {
  const converter = CONVERTERS[name];
  return converter.input === "any" && converter.output === "any" ? input : converter.output;
}

function checkAvailable(sample: SampleExpression, stage: Stage, context: ExpressionContext): boolean {
  const reason = unavailableReason(sample.fetch.name, stage, context);
  if (reason === null) return true;
  reportError(
    context,
    "unavailable-sample",
    sample.span,
    `${quote(sample.fetch.name)} ${reason}`,
    laterHelp(sample, stage),
  );
  return false;
}

function laterHelp(sample: SampleExpression, stage: Stage): string | null {
  const isRequestFact = FETCHES[sample.fetch.name].scope === "request";
  if (!isRequestFact || (stage !== "response" && stage !== "log")) return null;
  return "Keep it while the request is there: `http-request set-var(txn.NAME) …`, then use `var(txn.NAME)`.";
}

function readSample(
  word: Word,
  start: number,
  context: ExpressionContext,
  isInside: boolean,
): SampleAt | null {
  const called = readFetch(word, start, context);
  if (called === null) return null;
  const { fetch } = called;
  const chain = readConverters(word, called.end, FETCHES[fetch.name].type, context, isInside);
  if (chain === null) return null;
  const span = spanInside(word, start, chain.end);
  const sample: SampleExpression = {
    fetch,
    converters: chain.converters,
    text: word.text.slice(start, chain.end),
    span,
  };
  return { sample, end: chain.end };
}

function readFetch(
  word: Word,
  start: number,
  context: ExpressionContext,
): { readonly fetch: FetchCall; readonly end: number } | null {
  const written = leadingName(word.text, start);
  const span = spanInside(word, start, start + written.length);
  const name = resolveFetch(written, span, context);
  if (name === null) return null;
  const list = readArguments(word, start + written.length);
  const callee = { kind: "fetch", name: written, span } as const;
  const values = readArgumentValues(word, { ...callee, name }, list, FETCHES[name].parameters, context);
  return values === null ? null : { fetch: { name, arguments: values }, end: list.end };
}

function resolveFetch(written: string, span: Word["span"], context: ExpressionContext): FetchName | null {
  if (isFetchName(written)) return written;
  const alias = resolveFetchAlias(written, context.direction);
  if (alias !== null) return alias;
  if (written === "")
    return reportError(context, "missing-fetch", span, "the name of a sample fetch is missing");
  const reason = unsupportedFetchReason(written);
  if (reason !== null)
    return reportError(
      context,
      "unsupported-fetch",
      span,
      `${quote(written)} is not supported yet: ${reason}`,
    );
  const suggestion = suggestWord(written, [...Object.keys(FETCHES), ...FETCH_ALIAS_NAMES]);
  return reportError(context, "unknown-fetch", span, `unknown sample fetch ${quote(written)}`, suggestion);
}

interface Chain {
  readonly converters: readonly ConverterCall[];
  readonly type: SampleType;
  readonly end: number;
}

/**
 * Reads `,converter(…),…` from `offset` on (without the first comma when it stands at a word's beginning).
 */
function readConverters(
  word: Word,
  offset: number,
  type: SampleType,
  context: ExpressionContext,
  isInside: boolean,
): Chain | null {
  const { text } = word;
  const converters: ConverterCall[] = [];
  let previous = offset === 0 ? "" : text.slice(0, offset);
  while (offset < text.length) {
    if (offset > 0 && text[offset] !== ",") {
      if (isInside) break;
      const rest = spanInside(word, offset, text.length);
      return reportError(context, "bad-expression", rest, `a \`,\` is missing behind ${quote(previous)}`);
    }
    while (text[offset] === ",") offset++;
    if (offset === text.length) break;
    const read = readConverter(word, offset, type, context);
    if (read === null) return null;
    converters.push(read.call);
    previous = read.call.name;
    type = resultType(read.call.name, type);
    offset = read.end;
  }
  return { converters, type, end: offset };
}

function readConverter(
  word: Word,
  start: number,
  input: SampleType,
  context: ExpressionContext,
): { readonly call: ConverterCall; readonly end: number } | null {
  const written = leadingName(word.text, start);
  const span = spanInside(word, start, start + Math.max(1, written.length));
  if (!isConverterName(written)) return reportUnknownConverter(written, span, context);
  const definition = CONVERTERS[written];
  if (!canCast(input, definition.input)) {
    const message = `converter ${quote(written)} takes ${TYPE_NAMES[definition.input]}, but ${TYPE_NAMES[input]} stands before it`;
    return reportError(context, "bad-expression", span, message);
  }
  const list = readArguments(word, start + written.length);
  const values = readArgumentValues(
    word,
    { kind: "converter", name: written, span },
    list,
    definition.parameters,
    context,
  );
  return values === null ? null : { call: { name: written, arguments: values }, end: list.end };
}

const TYPE_NAMES: Readonly<Record<SampleType, string>> = {
  any: "anything",
  bool: "a boolean",
  sint: "a number",
  addr: "an address",
  str: "a text",
  bin: "binary data",
  meth: "a method",
};

function reportUnknownConverter(written: string, span: Word["span"], context: ExpressionContext): null {
  if (written === "")
    return reportError(context, "bad-expression", span, "the name of a converter is missing");
  return reportError(
    context,
    "unknown-converter",
    span,
    `unknown converter ${quote(written)}`,
    suggestWord(written, Object.keys(CONVERTERS)),
  );
}

function isFetchName(name: string): name is FetchName {
  return Object.hasOwn(FETCHES, name);
}

function isConverterName(name: string): name is ConverterName {
  return Object.hasOwn(CONVERTERS, name);
}

/** The longest run of characters that HAProxy lets names consist of. */
export function leadingName(text: string, start: number): string {
  let end = start;
  while (end < text.length && /[A-Za-z0-9._\-+:]/.test(text[end]!)) end++;
  return text.slice(start, end);
}
