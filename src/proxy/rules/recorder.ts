// The seam through which an explanation sees what rules do. It wraps the closures while they are compiled, so
// that a worker, which has no recorder, runs the same code as if there were no such thing.
import type { Action } from "../../model/rule.ts";
import type { AclTest, Condition } from "../../model/sample.ts";
import type { Stream } from "../stream.ts";
import type { RunAction } from "./actions/action.ts";
import type { Answer, CompiledCondition } from "./condition.ts";
import type { PatternMatcher } from "./patterns/pattern-matcher.ts";
import type { CompiledSample } from "./sample.ts";

/** Each call gets what was compiled of a piece of the model and returns what is to run in its place. */
export interface RuleRecorder {
  condition(condition: Condition, compiled: CompiledCondition): CompiledCondition;
  contentCondition(condition: Condition, compiled: (stream: Stream) => Answer): (stream: Stream) => Answer;
  test(test: AclTest, compiled: CompiledCondition): CompiledCondition;
  /** What `test` reads, and compares with. */
  sample(test: AclTest, compiled: CompiledSample, matchers: readonly PatternMatcher[]): CompiledSample;
  action(action: Action, compiled: RunAction): RunAction;
}
