// Waiting for an answer of another process before the rules of a request go on (`do-resolve`).
import type { PendingAnswer } from "../rules/programs.ts";

export class AnswerWait {
  #pending: PendingAnswer | null = null;

  get isWaiting(): boolean {
    return this.#pending !== null;
  }

  /** `goOn` is called once, unless somebody stops waiting before. */
  await(pending: PendingAnswer, goOn: () => void): void {
    this.#pending = pending;
    pending.onArrival = () => {
      if (this.#pending !== pending) return;
      this.#pending = null;
      goOn();
    };
  }

  stop(): void {
    this.#pending = null;
  }
}
