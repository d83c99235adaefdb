// What a client may cost without getting anything done. Frames that are cheap to send and make work or memory
// here (resets of requests just made, CVE-2023-44487, pings, settings, priorities, empty frames) are paid
// from an account that fills up slowly; whoever empties it is told to calm down. What people do stays far
// below: a browser that leaves a page resets some dozens of requests at once.

const ACCOUNT_MAX = 1000;
const REFILL_PER_MS = 0.2;

/** What frames cost. */
export const COST = { frame: 1, reset: 5 } as const;

export class FloodGuard {
  #account = ACCOUNT_MAX;
  #refilledMs: number;

  constructor(nowMs: number) {
    this.#refilledMs = nowMs;
  }

  /** False: more than can be meant well. */
  mayGoOn(cost: number, nowMs: number): boolean {
    this.#account = Math.min(ACCOUNT_MAX, this.#account + (nowMs - this.#refilledMs) * REFILL_PER_MS);
    this.#refilledMs = nowMs;
    this.#account -= cost;
    return this.#account >= 0;
  }

  /** Something was done: the frames that go with it are not held against the client. */
  credit(): void {
    if (this.#account < ACCOUNT_MAX) this.#account += COST.frame;
  }
}
