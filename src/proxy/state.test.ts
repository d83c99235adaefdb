import assert from "node:assert/strict";
import { test } from "node:test";
import { LATENCY_BUCKETS } from "./latency-buckets.ts";
import { CELL, COUNTER, countRate, HEADER, readRate, SharedState, sharedStateBytes } from "./state.ts";

/** The same block as several processes see it; the first is the master. */
function makeStates(count: number): SharedState[] {
  const buffer = new ArrayBuffer(sharedStateBytes(16, count));
  return Array.from({ length: count }, (_, index) => new SharedState(buffer, 16, count, index, index === 0));
}

test("cells are common to all processes, counters are summed over them", () => {
  const [master, one, two] = makeStates(3) as [SharedState, SharedState, SharedState];
  master.write(3, CELL.weight, 7);
  assert.equal(two.read(3, CELL.weight), 7);
  one.count(3, COUNTER.stot);
  two.count(3, COUNTER.stot, 4);
  assert.equal(master.total(3, COUNTER.stot), 5);
  assert.equal(master.total(2, COUNTER.stot), 0);
  assert.equal(one.counters[one.counter(3, COUNTER.stot)], 1);
});

test("a gauge rises and falls, and its maximum stays", () => {
  const [master, one, two] = makeStates(3) as [SharedState, SharedState, SharedState];
  for (let i = 0; i < 3; i++) one.enter(1, COUNTER.scur, COUNTER.smax);
  two.enter(1, COUNTER.scur, COUNTER.smax);
  one.leave(1, COUNTER.scur);
  assert.equal(master.total(1, COUNTER.scur), 3);
  assert.equal(master.maximum(1, COUNTER.smax), 3);
});

test("adding to an atomic cell tells the value before", () => {
  const [master, one] = makeStates(2) as [SharedState, SharedState];
  assert.equal(one.add(0, CELL.served, 1), 0);
  assert.equal(master.add(0, CELL.served, 1), 1);
  assert.equal(one.read(0, CELL.served), 2);
});

test("raising the epoch is seen by all", () => {
  const [master, one] = makeStates(2) as [SharedState, SharedState];
  const before = one.epoch;
  master.raiseEpoch();
  assert.equal(one.epoch, before + 1);
});

test("a rate is this second's count and the rest of the last second's", () => {
  const [master, one, two] = makeStates(3) as [SharedState, SharedState, SharedState];
  const rate = (nowMs: number) => readRate(master, 5, COUNTER.connRateSecond, nowMs, 3);
  for (let i = 0; i < 10; i++) countRate(one, 5, COUNTER.connRateSecond, 1_000_000 + i);
  for (let i = 0; i < 6; i++) countRate(two, 5, COUNTER.connRateSecond, 1_000_500);
  assert.equal(rate(1_000_900), 16, "all of it within the second");
  assert.equal(rate(1_001_000), 16, "the last second counts whole at the start of the next");
  assert.equal(rate(1_001_500), 8, "and half in its middle");
  countRate(one, 5, COUNTER.connRateSecond, 1_001_500);
  assert.equal(rate(1_001_500), 9);
  assert.equal(rate(1_003_000), 0, "two seconds later nothing is left");
  countRate(one, 5, COUNTER.connRateSecond, 1_005_000);
  assert.equal(rate(1_005_000), 1, "what is older than a second does not come back");
  assert.equal(master.maximum(5, COUNTER.connRateMax), 10);
});

test("the counters of all names fit beside each other", () => {
  const state = SharedState.alone(4);
  const lastOfFirst = state.counter(0, Math.max(...Object.values(COUNTER)));
  assert.ok(lastOfFirst < state.counter(1, 0));
  assert.ok(state.cell(0, Math.max(...Object.values(CELL))) < state.cell(1, 0));
});

test("who is given a histogram counts its latencies, in all processes, and the others count none", () => {
  const [master, one, two] = makeStates(3) as [SharedState, SharedState, SharedState];
  master.keepLatencies(3);
  master.keepLatencies(7);
  master.keepLatencies(3);
  one.countLatency(3, 10);
  two.countLatency(3, 10);
  two.countLatency(7, 10);
  two.countLatency(5, 10);
  const counts = [3, 7, 5].map((slot) => {
    const latencies = new Uint32Array(LATENCY_BUCKETS);
    master.readLatencies(slot, latencies);
    return latencies.reduce((sum, count) => sum + count, 0);
  });
  assert.deepEqual(counts, [2, 1, 0]);
});

test("histograms end, and who comes too late has none", () => {
  const state = SharedState.alone(2);
  for (const slot of [0, 1]) state.keepLatencies(slot);
  assert.deepEqual([state.read(0, CELL.histogram), state.read(1, CELL.histogram)], [1, 2]);
  assert.equal(state.header[HEADER.histogramCount], 2);
});

test("a slot that is cleared is as good as new in all processes, and its neighbours are as they were", () => {
  const [master, one] = makeStates(2) as [SharedState, SharedState];
  for (const slot of [4, 5, 6]) {
    master.write(slot, CELL.weight, 9);
    one.count(slot, COUNTER.stot, 3);
  }
  master.clearSlot(5);
  const seen = [4, 5, 6].map((slot) => [one.read(slot, CELL.weight), one.total(slot, COUNTER.stot)]);
  assert.deepEqual(seen, [
    [9, 3],
    [0, 0],
    [9, 3],
  ]);
});
