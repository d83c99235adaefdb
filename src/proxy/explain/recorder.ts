// Wraps compiled rules so that each condition tells what it tested and what came of it, and each action what
// it is about to do and has done. Decides nothing: answers are passed on as they are.
import type { Action } from "../../model/rule.ts";
import type { AclTest, Condition } from "../../model/sample.ts";
import type { RunAction } from "../rules/actions/action.ts";
import type { Answer, CompiledCondition } from "../rules/condition.ts";
import { matchInputType, type PatternMatcher } from "../rules/patterns/pattern-matcher.ts";
import type { Verdict } from "../rules/programs.ts";
import type { RuleRecorder } from "../rules/recorder.ts";
import type { CompiledSample } from "../rules/sample.ts";
import { castTo, toText } from "../rules/sample-cast.ts";
import type { SampleValue } from "../rules/sample-value.ts";
import type { Stream } from "../stream.ts";

export interface RecordedTest {
  readonly test: AclTest;
  readonly values: string[];
  /** The pattern that matched. */
  pattern: string | null;
  matched: boolean;
}

export interface RuleListener {
  conditionAnswered(
    condition: Condition,
    answer: Answer,
    tests: readonly RecordedTest[],
    stream: Stream,
  ): void;
  actionBegins(action: Action, stream: Stream): void;
  actionEnded(action: Action, verdict: Verdict | null, stream: Stream): void;
}

export class Recorder implements RuleRecorder {
  readonly #listener: RuleListener;
  /** Of the condition that is being answered. */
  #tests: RecordedTest[] = [];

  constructor(listener: RuleListener) {
    this.#listener = listener;
  }

  condition(condition: Condition, compiled: CompiledCondition): CompiledCondition {
    return (stream) => {
      this.#tests = [];
      const answer = compiled(stream);
      this.#listener.conditionAnswered(condition, answer ? "yes" : "no", this.#tests, stream);
      return answer;
    };
  }

  contentCondition(condition: Condition, compiled: (stream: Stream) => Answer): (stream: Stream) => Answer {
    return (stream) => {
      this.#tests = [];
      const answer = compiled(stream);
      this.#listener.conditionAnswered(condition, answer, this.#tests, stream);
      return answer;
    };
  }

  test(test: AclTest, compiled: CompiledCondition): CompiledCondition {
    return (stream) => {
      const recorded: RecordedTest = { test, values: [], pattern: null, matched: false };
      this.#tests.push(recorded);
      recorded.matched = compiled(stream);
      return recorded.matched;
    };
  }

  sample(test: AclTest, compiled: CompiledSample, matchers: readonly PatternMatcher[]): CompiledSample {
    const input = matchInputType(test.method);
    const type = input === "any" ? compiled.type : input;
    const note = (value: SampleValue | undefined): void => {
      const recorded = this.#tests.at(-1);
      if (value === undefined || recorded === undefined) return;
      recorded.values.push(toText(value, type));
      for (const { find } of matchers) recorded.pattern ??= find(value)?.key ?? null;
    };
    return {
      ...compiled,
      readText: (stream) => {
        const text = compiled.readText(stream);
        note(text);
        return text;
      },
      some: (stream, matches) =>
        compiled.some(stream, (value) => {
          note(castTo(value, compiled.type, type));
          return matches(value);
        }),
    };
  }

  action(action: Action, compiled: RunAction): RunAction {
    return (stream) => {
      this.#listener.actionBegins(action, stream);
      const verdict = compiled(stream);
      this.#listener.actionEnded(action, verdict, stream);
      return verdict;
    };
  }
}
