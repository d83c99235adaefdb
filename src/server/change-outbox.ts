// What rules of this worker have changed for all processes, on its way to the master, which puts the changes
// of all into one order and tells everybody. They are collected for a moment: a variable that each request
// sets is told with the value that it has then.
import { Timer, type TimerTarget } from "../base/timer-wheel.ts";
import type { SharedChange } from "../proxy/rules/shared-change.ts";
import type { Engine } from "../transport/contract.ts";

const COLLECT_MS = 2;

export class ChangeOutbox implements TimerTarget {
  readonly #engine: Engine;
  readonly #send: (load: number, changes: readonly SharedChange[]) => void;
  readonly #timer = new Timer(this);
  #load = 0;
  #changes: SharedChange[] = [];
  /** Where in the list a variable stands. */
  readonly #variables: Map<string, number> = new Map();

  constructor(engine: Engine, send: (load: number, changes: readonly SharedChange[]) => void) {
    this.#engine = engine;
    this.#send = send;
  }

  /** `load`: of the files that the rule stands in. */
  note(load: number, change: SharedChange): void {
    if (load !== this.#load) this.flush();
    this.#load = load;
    if (this.#changes.length === 0) this.#engine.timers.arm(this.#timer, this.#engine.nowMs + COLLECT_MS);
    const known = change.kind === "variable" ? this.#variables.get(change.name) : undefined;
    if (known !== undefined) {
      this.#changes[known] = change;
      return;
    }
    if (change.kind === "variable") this.#variables.set(change.name, this.#changes.length);
    this.#changes.push(change);
  }

  flush(): void {
    if (this.#changes.length === 0) return;
    const changes = this.#changes;
    this.#changes = [];
    this.#variables.clear();
    this.#send(this.#load, changes);
  }

  handleTimeout(): void {
    this.flush();
  }
}
