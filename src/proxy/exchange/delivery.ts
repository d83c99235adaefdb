// Tells a slow receiver from a dead one, and one that we hold back from one that is silent: a timeout of
// HAProxy's begins anew with every byte that is taken, while our timers are armed only when we send. So
// whoever has a timer that expires asks here first whether that end is due: nothing goes on before it does
// something.
import type { Connection } from "../../transport/contract.ts";

/** A sender is held back while this much waits for its receiver. */
export const HIGH_WATER_BYTES: number = 512 * 1024;

/** What is sent to one end of an exchange. */
export class Delivery {
  #takenBytes = 0;

  reset(): void {
    this.#takenBytes = 0;
  }

  /** To be called after sending: `sentBytes` so far, all of the connection's pending bytes among them. */
  note(sentBytes: number, { pendingBytes }: Connection): void {
    this.#takenBytes = sentBytes - pendingBytes;
  }

  /**
   * It has taken nothing of what is pending, or, with nothing pending, it owes us bytes. It does not owe them
   * while `other` is slow to take them, since then we have paused it.
   */
  isDue(sentBytes: number, connection: Connection, other: Connection): boolean {
    if (connection.pendingBytes === 0) return other.pendingBytes === 0;
    const before = this.#takenBytes;
    this.note(sentBytes, connection);
    return this.#takenBytes <= before;
  }
}
