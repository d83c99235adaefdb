import assert from "node:assert/strict";
import { test } from "node:test";
import { stageOf } from "../../test/proxy-stage.ts";
import type { Engine } from "../transport/contract.ts";
import { Admission, type Admitting } from "./admission.ts";
import type { ListenerRuntime } from "./runtime.ts";
import { CELL, COUNTER, countRate, HEADER } from "./state.ts";

/** Slots of bind lines, beside those of the configuration. */
const [CLEAR, SECURE] = [100, 101];

class World {
  readonly engine = { wallClockMs: 1_000_000_000_000 };
  readonly admitting: Admitting & { sessionCount: number };
  readonly #listeners: readonly ListenerRuntime[];
  readonly #admission: Admission;

  constructor(globals: string, lines: string, maxconn: number | null = null) {
    const { runtime } = stageOf(
      `global\n${globals}\ndefaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n` +
        `frontend f\n bind :80\n${lines}\n http-request return status 200\n`,
    );
    const frontend = runtime.frontends[0]!;
    const [definition] = frontend.definition.frontend!.binds;
    this.#listeners = [
      { slot: CLEAR, frontend, definition: { ...definition!, maxconn } },
      // What there is of TLS does not matter here.
      { slot: SECURE, frontend, definition: { ...definition!, tls: {} } },
    ] as unknown as ListenerRuntime[];
    this.admitting = {
      engine: this.engine as unknown as Engine,
      state: runtime.state,
      runtime: { ...runtime, listeners: this.#listeners },
      sessionCount: 0,
      sessionCountMax: 1000,
      workerCount: 1,
    };
    this.#admission = new Admission(this.admitting);
  }

  get frontendSlot(): number {
    return this.#listeners[0]!.frontend.slot;
  }

  /** What holds the bind lines in clear and with TLS. */
  get holds(): string[][] {
    return this.#listeners.map((listener) =>
      this.#admission
        .limitsOf(listener)
        .filter((limit) => limit.isReached())
        .map(({ reason }) => reason),
    );
  }

  /** Sessions begin in this second. */
  begin(count: number, slot: number, second: number = COUNTER.sessRateSecond): void {
    countRate(this.admitting.state, slot, second, this.engine.wallClockMs, count);
  }
}

test("rate-limit sessions holds a frontend until fewer than so many began in the last second", () => {
  const world = new World("", " rate-limit sessions 10");
  world.begin(9, world.frontendSlot);
  assert.deepEqual(world.holds, [[], []]);
  world.begin(1, world.frontendSlot);
  assert.deepEqual(world.holds, [["frontend-rate"], ["frontend-rate"]]);
  world.engine.wallClockMs += 1000;
  assert.deepEqual(world.holds[0], ["frontend-rate"], "the last second counts whole when the next begins");
  world.engine.wallClockMs += 100;
  assert.deepEqual(world.holds[0], [], "and a tenth less when a tenth has passed: there is room for one");
  world.begin(1, world.frontendSlot);
  assert.deepEqual(world.holds[0], ["frontend-rate"]);
});

test("what the process and TLS may take in a second is told apart", () => {
  const world = new World(" maxconnrate 5\n maxsessrate 4\n maxsslrate 3\n maxsslconn 2", "");
  world.begin(5, world.frontendSlot, COUNTER.connRateSecond);
  assert.deepEqual(world.holds, [["process-connection-rate"], ["process-connection-rate"]]);
  world.begin(4, world.frontendSlot);
  assert.deepEqual(world.holds[0], ["process-connection-rate", "process-session-rate"]);
  world.engine.wallClockMs += 2000;
  assert.deepEqual(world.holds, [[], []]);
  world.begin(3, SECURE);
  assert.deepEqual(world.holds, [[], ["tls-rate"]]);
  const { state } = world.admitting;
  state.enter(SECURE, COUNTER.scur, COUNTER.smax);
  assert.deepEqual(world.holds, [[], ["tls-rate"]]);
  state.enter(SECURE, COUNTER.scur, COUNTER.smax);
  assert.deepEqual(world.holds, [[], ["tls-full", "tls-rate"]]);
});

test("the runtime API changes a rate, takes it away, and may set one where there was none", () => {
  const world = new World(" maxsessrate 4", "");
  const { header } = world.admitting.state;
  world.begin(4, world.frontendSlot);
  world.begin(7, world.frontendSlot, COUNTER.connRateSecond);
  assert.deepEqual(world.holds[0], ["process-session-rate"]);
  Atomics.store(header, HEADER.sessionRateMax, 5);
  assert.deepEqual(world.holds[0], []);
  Atomics.store(header, HEADER.sessionRateMax, -1);
  Atomics.store(header, HEADER.connectionRateMax, 7);
  assert.deepEqual(world.holds[0], ["process-connection-rate"]);
});

test("maxconn of a bind line holds that line, of a frontend both, and of the process by its share", () => {
  const world = new World(" maxconn 8", " maxconn 3", 2);
  const { state } = world.admitting;
  for (let count = 1; count <= 2; count++)
    for (const slot of [CLEAR, world.frontendSlot]) state.enter(slot, COUNTER.scur, COUNTER.smax);
  assert.deepEqual(world.holds, [["listener-full"], []]);
  state.enter(world.frontendSlot, COUNTER.scur, COUNTER.smax);
  assert.deepEqual(world.holds, [["frontend-full", "listener-full"], ["frontend-full"]]);
  state.write(world.frontendSlot, CELL.maxconn, 4);
  assert.deepEqual(world.holds, [["listener-full"], []]);
  world.admitting.sessionCount = 8;
  assert.deepEqual(world.holds[1], ["process-full"]);
});
