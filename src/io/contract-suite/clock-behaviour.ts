// Time and turns: timers, deferred tasks, the clock, randomness, datagrams.
import assert from "node:assert/strict";
import { Timer } from "../../base/timer-wheel.ts";
import { behaviour, type ContractHarness } from "./scenario.ts";

export function clockBehaviour(create: () => ContractHarness): void {
  behaviour(
    "fires timers in the order of their deadlines and never early",
    create,
    async ({ engine, harness }) => {
      const fired: number[] = [];
      const startMs = engine.nowMs;
      const timers = [90, 30, 60].map((afterMs) => {
        const timer = new Timer({
          handleTimeout(nowMs) {
            assert(nowMs >= startMs + afterMs);
            fired.push(afterMs);
          },
        });
        engine.timers.arm(timer, startMs + afterMs);
        return timer;
      });
      await harness.pump(() => fired.length === 3, 5000);
      assert.deepEqual(fired, [30, 60, 90]);
      assert(timers.every((timer) => timer.deadlineMs === Number.POSITIVE_INFINITY));
    },
  );

  behaviour(
    "fires a timer that was armed again only at its later deadline",
    create,
    async ({ engine, harness }) => {
      const firedAtMs: number[] = [];
      const timer = new Timer({ handleTimeout: (nowMs) => firedAtMs.push(nowMs) });
      const startMs = engine.nowMs;
      engine.timers.arm(timer, startMs + 20);
      engine.timers.arm(timer, startMs + 80);
      await harness.pump(() => firedAtMs.length > 0, 5000);
      await harness.settle();
      assert.equal(firedAtMs.length, 1);
      assert(firedAtMs[0]! >= startMs + 80);
    },
  );

  behaviour(
    "fires a timer that was armed again for an earlier deadline",
    create,
    async ({ engine, harness }) => {
      const fired: string[] = [];
      const moved = new Timer({ handleTimeout: () => fired.push("moved") });
      const fixed = new Timer({ handleTimeout: () => fired.push("fixed") });
      const startMs = engine.nowMs;
      engine.timers.arm(moved, startMs + 3_600_000);
      engine.timers.arm(fixed, startMs + 100);
      engine.timers.arm(moved, startMs + 30);
      await harness.pump(() => fired.length === 2, 5000);
      assert.deepEqual(fired, ["moved", "fixed"]);
    },
  );

  behaviour("does not fire a timer that was disarmed", create, async ({ engine, harness }) => {
    const fired: string[] = [];
    const disarmed = new Timer({ handleTimeout: () => fired.push("disarmed") });
    const other = new Timer({ handleTimeout: () => fired.push("other") });
    engine.timers.arm(disarmed, engine.nowMs + 20);
    engine.timers.arm(other, engine.nowMs + 60);
    engine.timers.disarm(disarmed);
    await harness.pump(() => fired.length > 0, 5000);
    assert.deepEqual(fired, ["other"]);
  });

  behaviour("lets a timer arm itself again", create, async ({ engine, harness }) => {
    let count = 0;
    const timer = new Timer({
      handleTimeout(nowMs, self) {
        count++;
        if (count < 5) engine.timers.arm(self, nowMs + 10);
      },
    });
    engine.timers.arm(timer, engine.nowMs + 10);
    await harness.pump(() => count === 5, 5000);
    assert.equal(timer.deadlineMs, Number.POSITIVE_INFINITY);
  });

  behaviour(
    "runs deferred tasks in order after the present handler, those deferred by them too",
    create,
    async (scenario) => {
      const { client, server } = await scenario.pair();
      const order: string[] = [];
      server.onData = () => {
        scenario.engine.defer(() => {
          order.push("first");
          scenario.engine.defer(() => order.push("third"));
        });
        scenario.engine.defer(() => order.push("second"));
        order.push("handler");
      };
      client.send("go");
      await scenario.pump(() => order.length === 4);
      assert.deepEqual(order, ["handler", "first", "second", "third"]);
    },
  );

  behaviour("runs a task that was deferred outside of any handler", create, async ({ engine, harness }) => {
    const order: string[] = [];
    engine.defer(() => order.push("deferred"));
    order.push("caller");
    await harness.pump(() => order.length === 2, 5000);
    assert.deepEqual(order, ["caller", "deferred"]);
  });

  behaviour(
    "ends each turn with the tasks registered for it, after the deferred ones",
    create,
    async (scenario) => {
      const { client, server } = await scenario.pair();
      let order: string[] = [];
      scenario.engine.onTurnEnd(() => order.push("end of turn"));
      for (const word of ["one", "two"]) {
        order = [];
        server.onData = () => {
          order.push(word);
          scenario.engine.defer(() => order.push("deferred"));
        };
        client.send("x");
        await scenario.pump(
          () => order.lastIndexOf("end of turn") > order.indexOf("deferred") && order.includes(word),
        );
        const present = order.slice(order.indexOf(word));
        assert.deepEqual(present.slice(0, 3), [word, "deferred", "end of turn"]);
      }
    },
  );

  behaviour(
    "stops the clock within a handler, and moves both clocks alike between turns",
    create,
    async (scenario) => {
      const { engine, harness } = scenario;
      const { client, server } = await scenario.pair();
      const seen: number[] = [];
      server.onData = () => {
        seen.push(engine.nowMs);
        for (const startedAtMs = performance.now(); performance.now() < startedAtMs + 2; );
        seen.push(engine.nowMs);
      };
      client.send("tick");
      await scenario.pump(() => seen.length >= 2);
      assert.equal(seen[0], seen[1]);
      const offsetMs = engine.wallClockMs - engine.nowMs;
      const fired: number[] = [];
      const timer = new Timer({ handleTimeout: (nowMs) => fired.push(nowMs) });
      engine.timers.arm(timer, engine.nowMs + 30);
      await harness.pump(() => fired.length > 0, 5000);
      assert(fired[0]! > seen[0]!);
      assert(Math.abs(engine.wallClockMs - engine.nowMs - offsetMs) < 1000);
      assert(engine.wallClockMs > 1_500_000_000_000);
    },
  );

  behaviour("gives random numbers from 0 up to 1 that differ", create, async ({ engine }) => {
    const numbers = Array.from({ length: 1000 }, () => engine.random());
    assert(numbers.every((number) => number >= 0 && number < 1));
    assert(new Set(numbers).size > 990);
  });

  behaviour("sends datagrams, copying what it is given", create, async (scenario) => {
    const receiver = await scenario.harness.openDatagramReceiver();
    const opened = scenario.engine.openDatagramSender(receiver.address);
    assert(opened.ok);
    scenario.senders.push(opened.value);
    const bytes = Buffer.from("..<134>hello..");
    assert.equal(opened.value.send(bytes, 2, 12), true);
    bytes.fill(0);
    await scenario.pump(() => receiver.received.length === 1);
    receiver.close();
    assert.equal(Buffer.from(receiver.received[0]!).toString(), "<134>hello");
  });
}
