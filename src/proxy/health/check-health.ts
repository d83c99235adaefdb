// How well one check (health or agent) of one server stands: HAProxy's health counter. It goes from 0 to rise
// + fall - 1; below `rise` the server is down. A success counts one up, or all the way once `rise` is
// reached; a failure counts one down, or all the way to 0 once below `rise`.
import { type CheckResult, type CheckStatusName, STATUS_FACTS, truncateDescription } from "./check-result.ts";

export class CheckHealth {
  readonly rise: number;
  readonly fall: number;
  /** 0..rise + fall - 1. Begins so that the first failure brings the server down. */
  health: number;
  /** Maintenance stops health checks. */
  isPaused = false;
  last: CheckResult = { status: "INI", code: 0, description: "", durationMs: -1 };

  constructor(rise: number, fall: number) {
    this.rise = rise;
    this.fall = fall;
    this.health = rise;
  }

  get healthMax(): number {
    return this.rise + this.fall - 1;
  }

  get isUp(): boolean {
    return this.health >= this.rise;
  }

  /** Counts a result. True if it is news: the counter moved or the status is another one. */
  count(result: CheckResult, isAgent: boolean): { readonly isNews: boolean; readonly hasFailed: boolean } {
    const before: CheckStatusName = this.last.status;
    this.last = { ...result, description: truncateDescription(result.description) };
    const facts = STATUS_FACTS[result.status];
    let moved = false;
    if (facts.verdict === "failed") {
      // An agent that cannot be reached says nothing about its server.
      if (this.health > 0 && (!isAgent || facts.hasCode)) {
        this.health = this.health - 1 < this.rise ? 0 : this.health - 1;
        moved = true;
      }
    } else if (facts.verdict === "passed" || facts.verdict === "conditional") {
      if (this.health < this.healthMax) {
        this.health = this.health + 1 >= this.rise ? this.healthMax : this.health + 1;
        moved = true;
      }
    }
    return { isNews: moved || before !== result.status, hasFailed: moved && facts.verdict === "failed" };
  }

  /** "2/3 UP": what is left until down, or done until up. */
  describe(isDraining: boolean): string {
    if (!this.isUp) return `${this.health}/${this.rise} DOWN`;
    return `${this.health - this.rise + 1}/${this.fall} ${isDraining ? "DRAIN" : "UP"}`;
  }
}
