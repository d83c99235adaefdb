import assert from "node:assert/strict";
import { test } from "node:test";
import { Timer, TimerWheel } from "./timer-wheel.ts";

test("nextDeadline is never later than the first timer allows and never before the present", () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  let now = 1000;
  const wheel = new TimerWheel(now);
  const fired: number[] = [];
  const timers = Array.from({ length: 50 }, () => new Timer({ handleTimeout: (nowMs) => fired.push(nowMs) }));
  for (let step = 0; step < 5000; step++) {
    const timer = timers[random(timers.length)]!;
    const choice = random(10);
    if (choice < 5) wheel.arm(timer, now + random(step % 7 === 0 ? 20_000 : 500));
    else if (choice === 5) wheel.disarm(timer);
    else if (choice === 6) wheel.remove(timer);
    else {
      now += random(100);
      wheel.advance(now);
    }
    const first = Math.min(...timers.map((candidate) => candidate.deadlineMs));
    const next = wheel.nextDeadline();
    // A timer fires at most two slots of 8 ms late, or is looked at again within one turn of the wheel.
    assert(next <= first + 16 || next <= now + 8192 + 8, `step ${step}: ${next} is later than ${first}`);
    if (first < now + 8000) assert(next <= first + 16, `step ${step}: ${next} is later than ${first}`);
    if (wheel.count > 0) assert(next > now - 8);
    else assert.equal(next, Number.POSITIVE_INFINITY);
  }
  assert(fired.length > 100);
});
