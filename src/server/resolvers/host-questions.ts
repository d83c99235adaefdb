// Hosts that rules of a worker ask for, on their way to the master and back.
import type { ResolveHost } from "../../proxy/rules/environment.ts";
import type { FromWorker } from "../messages.ts";

/** Requests that wait for an answer at the same time; those beyond get none. */
const WAITING_MAX = 10_000;

export class HostQuestions {
  readonly #send: (message: FromWorker) => void;
  readonly #waiting: Map<number, (address: string | null) => void> = new Map();
  #nextRequestId = 1;

  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
  }

  readonly resolve: ResolveHost = (resolvers, host, family, done) => {
    if (this.#waiting.size >= WAITING_MAX) {
      done(null);
      return;
    }
    const requestId = this.#nextRequestId++;
    this.#waiting.set(requestId, done);
    this.#send({ kind: "resolve", requestId, resolvers, host, family });
  };

  receive(requestId: number, address: string | null): void {
    const done = this.#waiting.get(requestId);
    this.#waiting.delete(requestId);
    done?.(address);
  }
}
