// Compiles conditions of rules: ACL tests, their negations, conjunctions and alternatives. In tcp content
// rules a test that lacked data is neither true nor false; `compileContentCondition` keeps that third
// answer.
import type { AclTest, Condition, ConditionTerm } from "../../model/sample.ts";
import type { Stream } from "../stream.ts";
import { clearLacking, wasLacking } from "./content-state.ts";
import type { RuleEnvironment } from "./environment.ts";
import { matchInputType, type PatternMatcher } from "./patterns/pattern-matcher.ts";
import { type CompiledSample, compileSample } from "./sample.ts";
import { castTo } from "./sample-cast.ts";
import type { SampleValue } from "./sample-value.ts";

export type CompiledCondition = (stream: Stream) => boolean;
/** "lacking": more content may change the answer. */
export type Answer = "yes" | "no" | "lacking";

/** A null condition is always true. */
export function compileCondition(
  condition: Condition | null,
  environment: RuleEnvironment,
): CompiledCondition {
  if (condition === null) return () => true;
  const alternatives = condition.anyOf.map((terms) =>
    allOf(terms.map((term) => compileTerm(term, environment))),
  );
  const matches = anyOf(alternatives);
  const compiled: CompiledCondition = condition.keyword === "unless" ? (stream) => !matches(stream) : matches;
  return environment.recorder?.condition(condition, compiled) ?? compiled;
}

/**
 * As `compileCondition`, with HAProxy's three-valued logic: and is the least, or the greatest of no <
 * lacking < yes.
 */
export function compileContentCondition(
  condition: Condition | null,
  environment: RuleEnvironment,
): (stream: Stream) => Answer {
  if (condition === null) return () => "yes";
  const alternatives = condition.anyOf.map((terms) =>
    terms.map((term) => compileContentTerm(term, environment)),
  );
  const isInverted = condition.keyword === "unless";
  const compiled = (stream: Stream): Answer => {
    let best: Answer = "no";
    for (const terms of alternatives) {
      best = greatest(best, conjunction(terms, stream));
      if (best === "yes") break;
    }
    return isInverted ? invert(best) : best;
  };
  return environment.recorder?.contentCondition(condition, compiled) ?? compiled;
}

/** One acl line or one anonymous test. */
export function compileTest(test: AclTest, environment: RuleEnvironment): CompiledCondition {
  const { recorder } = environment;
  const sample = compileSample(test.sample, environment);
  const matchers = environment.patterns.matchersOf(test);
  if (recorder === undefined) return compileMatch(test, sample, matchers);
  return recorder.test(test, compileMatch(test, recorder.sample(test, sample, matchers), matchers));
}

function compileMatch(
  test: AclTest,
  sample: CompiledSample,
  matchers: readonly PatternMatcher[],
): CompiledCondition {
  const match = matchAny(matchers);
  const input = matchInputType(test.method);
  const { type } = sample;
  if (!sample.isManyValued && input === "str") {
    return (stream) => {
      const text = sample.readText(stream);
      return text !== undefined && match(text);
    };
  }
  if (type === input || input === "any") {
    return (stream) => sample.some(stream, match);
  }
  const matches = (value: SampleValue) => {
    const converted = castTo(value, type, input);
    return converted !== undefined && match(converted);
  };
  return (stream) => sample.some(stream, matches);
}

/** Matchers find by another closure whenever their list changes, so it is looked up for each value. */
function matchAny(matchers: readonly PatternMatcher[]): (value: SampleValue) => boolean {
  const [only, second] = matchers;
  if (only !== undefined && second === undefined) return (value) => only.find(value) !== undefined;
  return (value) => {
    for (let i = 0; i < matchers.length; i++) if (matchers[i]!.find(value) !== undefined) return true;
    return false;
  };
}

function compileTerm({ negated, acl }: ConditionTerm, environment: RuleEnvironment): CompiledCondition {
  const matches = anyOf(acl.tests.map((test) => compileTest(test, environment)));
  return negated ? (stream) => !matches(stream) : matches;
}

function compileContentTerm(
  { negated, acl }: ConditionTerm,
  environment: RuleEnvironment,
): (stream: Stream) => Answer {
  const matches = anyOf(acl.tests.map((test) => compileTest(test, environment)));
  return (stream) => {
    clearLacking();
    const answer: Answer = matches(stream) ? "yes" : wasLacking() ? "lacking" : "no";
    return negated ? invert(answer) : answer;
  };
}

function anyOf(tests: readonly CompiledCondition[]): CompiledCondition {
  const [first, second] = tests;
  if (first === undefined) return () => false;
  if (second === undefined) return first;
  if (tests.length === 2) return (stream) => first(stream) || second(stream);
  return (stream) => {
    for (let i = 0; i < tests.length; i++) if (tests[i]!(stream)) return true;
    return false;
  };
}

function allOf(tests: readonly CompiledCondition[]): CompiledCondition {
  const [first, second] = tests;
  if (first === undefined) return () => true;
  if (second === undefined) return first;
  if (tests.length === 2) return (stream) => first(stream) && second(stream);
  return (stream) => {
    for (let i = 0; i < tests.length; i++) if (!tests[i]!(stream)) return false;
    return true;
  };
}

function conjunction(terms: readonly ((stream: Stream) => Answer)[], stream: Stream): Answer {
  let least: Answer = "yes";
  for (const term of terms) {
    const answer = term(stream);
    if (answer === "no") return "no";
    if (answer === "lacking") least = "lacking";
  }
  return least;
}

function greatest(a: Answer, b: Answer): Answer {
  if (a === "yes" || b === "yes") return "yes";
  return a === "lacking" || b === "lacking" ? "lacking" : "no";
}

function invert(answer: Answer): Answer {
  return answer === "lacking" ? "lacking" : answer === "yes" ? "no" : "yes";
}
