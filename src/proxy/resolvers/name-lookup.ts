// One resolution of a name: all nameservers are asked at once, and the first good answer ends it. When all
// have failed, the other address family is asked for; when that has failed too, or nobody has answered in
// time, it is tried again, as often as `resolve_retries` says (manual 5.3.2). Asks nobody by itself, and
// knows no clock.
import type { ResolversSection } from "../../model/resolvers.ts";
import type { QuestionType } from "../../protocol/dns/message.ts";
import type { Answer, AnswerFault } from "./answer.ts";

export type LookupOutcome =
  | {
      readonly kind: "found";
      readonly answer: Exclude<Answer, { kind: "fault" }>;
      readonly nameserver: number;
    }
  | { readonly kind: "failed"; readonly fault: AnswerFault | "timeout" };

export interface LookupQuestion {
  readonly name: string;
  readonly type: QuestionType;
}

export class NameLookup {
  readonly name: string;
  readonly #first: QuestionType;
  readonly #section: ResolversSection;
  #type: QuestionType;
  #attemptsLeft: number;
  #question: LookupQuestion | null;
  readonly #waiting: Set<number> = new Set();
  #fault: AnswerFault | null = null;
  /** Nobody is left who could answer, but the next attempt has to wait. */
  #isPausing = false;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #outcome: LookupOutcome | null = null;

  /** `type`: what is asked for first. */
  constructor(section: ResolversSection, name: string, type: QuestionType, nowMs: number) {
    this.name = name;
    this.#section = section;
    this.#first = type;
    this.#type = type;
    this.#attemptsLeft = section.attempts;
    this.#question = null;
    this.#ask(type, nowMs);
  }

  /** What all nameservers are to be asked now; null when nothing new. */
  takeQuestion(): LookupQuestion | null {
    const question = this.#question;
    this.#question = null;
    return question;
  }

  /** Null until it is over. */
  get outcome(): LookupOutcome | null {
    return this.#outcome;
  }

  get nextTimeout(): number {
    return this.#outcome === null ? this.#deadlineMs : Number.POSITIVE_INFINITY;
  }

  /** Numbers of the nameservers that have not answered the present question. */
  get waiting(): ReadonlySet<number> {
    return this.#waiting;
  }

  /** Whether an answer to a question of this type comes in time. */
  isAwaited(nameserver: number, type: QuestionType): boolean {
    return this.#outcome === null && this.#type === type && this.#waiting.has(nameserver);
  }

  receiveAnswer(nameserver: number, type: QuestionType, answer: Answer, nowMs: number): void {
    if (!this.isAwaited(nameserver, type)) return;
    if (answer.kind !== "fault") {
      this.#outcome = { kind: "found", answer, nameserver };
      return;
    }
    this.#fault = answer.fault;
    this.#settle(nameserver, nowMs);
  }

  /** It cannot be reached, so only the others are waited for; without others the time has to pass. */
  receiveNothing(nameserver: number, type: QuestionType, nowMs: number): void {
    if (this.isAwaited(nameserver, type)) this.#settle(nameserver, nowMs);
  }

  #settle(nameserver: number, nowMs: number): void {
    this.#waiting.delete(nameserver);
    if (this.#waiting.size > 0 || this.#fault === null) return;
    if (this.#mayTryOtherFamily()) this.#ask(this.#otherFamily, nowMs);
    else if (this.#attemptsLeft <= 1) this.#fail();
    else this.#isPausing = true;
  }

  handleTimeout(nowMs: number): void {
    if (this.#outcome !== null || nowMs < this.#deadlineMs) return;
    if (this.#fault !== null && !this.#isPausing && this.#mayTryOtherFamily()) {
      this.#ask(this.#otherFamily, nowMs);
      return;
    }
    if (--this.#attemptsLeft <= 0) this.#fail();
    else this.#ask(this.#fault === null ? this.#type : this.#first, nowMs);
  }

  #mayTryOtherFamily(): boolean {
    return this.#first !== "SRV" && this.#type === this.#first;
  }

  get #otherFamily(): QuestionType {
    return this.#first === "A" ? "AAAA" : "A";
  }

  #ask(type: QuestionType, nowMs: number): void {
    this.#type = type;
    this.#fault = null;
    this.#isPausing = false;
    this.#question = { name: this.name, type };
    this.#deadlineMs = nowMs + this.#section.retryMs;
    for (let i = 0; i < this.#section.nameservers.length; i++) this.#waiting.add(i);
  }

  #fail(): void {
    this.#outcome = { kind: "failed", fault: this.#fault ?? "timeout" };
  }
}
