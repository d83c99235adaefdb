import assert from "node:assert/strict";
import { test } from "node:test";
import { LATENCY_BUCKETS, latencyOfBucket } from "../../proxy/latency-buckets.ts";
import { COUNTER, SharedState } from "../../proxy/state.ts";
import { makeActions } from "../admin/actions.fixture.ts";
import { makeRuntime } from "../admin/runtime.fixture.ts";
import { CONFIGURATION } from "./dashboard.fixture.ts";
import { TrafficHistory } from "./history.ts";
import type { DashboardSource } from "./source.ts";
import { quantilesOf, TrafficSampler } from "./traffic-sampler.ts";

const START_MS = 1_795_000_000_000;

function makeSampler(): { sampler: TrafficSampler; state: SharedState; slotOf: (name: string) => number } {
  const made = makeRuntime(CONFIGURATION, START_MS);
  const source = { actions: makeActions(made, START_MS), engineName: "memory", startedMs: START_MS };
  const sampler = new TrafficSampler(source as unknown as DashboardSource);
  const { runtime } = made;
  const slotOf = (name: string) =>
    (runtime.frontendsByName.get(name) ?? runtime.backendsByName.get(name))!.slot;
  return { sampler, state: runtime.state, slotOf };
}

test("a sample is what has grown since the last one, per second, and a cleared counter is no negative rate", () => {
  const { sampler, state, slotOf } = makeSampler();
  const web = slotOf("web");
  state.count(web, COUNTER.bin, 500);
  sampler.sample(START_MS + 1000);
  state.count(web, COUNTER.bin, 4000);
  state.count(web, COUNTER.hrsp5xx, 6);
  for (let i = 0; i < 20; i++) state.countLatency(web, 10);
  const { overview } = sampler.sample(START_MS + 3000);
  assert.equal(overview.total.bytesInPerSecond, 2000);
  assert.equal(overview.total.requestsPerSecond, 10);
  assert.equal(overview.total.errorsPerSecond, 3);
  assert.equal(overview.proxies[0]!.name, "web");
  state.counters[state.counter(web, COUNTER.bin)] = 100;
  assert.equal(sampler.sample(START_MS + 4000).overview.total.bytesInPerSecond, 100);
});

test("quantiles are wrong by 6 % at most, from microseconds to hours, over all processes", () => {
  for (const ms of [0.07, 0.5, 1, 1.7, 3, 42, 999, 61_000, 7_200_000]) {
    const state = SharedState.alone(4);
    state.keepLatencies(1);
    for (let i = 0; i < 100; i++) state.countLatency(1, ms);
    const latencies = new Uint32Array(LATENCY_BUCKETS);
    state.readLatencies(1, latencies);
    const { p50Ms } = quantilesOf(latencies)!;
    assert.ok(Math.abs(p50Ms - ms) / ms <= 0.0625, `${ms} is read as ${p50Ms}`);
  }
  assert.equal(quantilesOf(new Uint32Array(LATENCY_BUCKETS)), null);
});

test("the rank of a quantile is right, and times that are none fall into the ends", () => {
  const state = SharedState.alone(4);
  for (const slot of [0, 2]) state.keepLatencies(slot);
  for (let ms = 1; ms <= 100; ms++) state.countLatency(0, ms);
  const latencies = new Uint32Array(LATENCY_BUCKETS);
  state.readLatencies(0, latencies);
  const { p50Ms, p90Ms, p99Ms, maxMs } = quantilesOf(latencies)!;
  for (const [is, was] of [
    [p50Ms, 50],
    [p90Ms, 90],
    [p99Ms, 99],
    [maxMs, 100],
  ] as const)
    assert.ok(Math.abs(is - was) / was <= 0.0625, `${was} is read as ${is}`);
  for (const ms of [-5, 0, Number.NaN, Number.POSITIVE_INFINITY]) state.countLatency(2, ms);
  state.readLatencies(2, latencies);
  assert.equal(
    latencies.reduce((sum, count) => sum + count, 0),
    4,
  );
  assert.ok(latencyOfBucket(LATENCY_BUCKETS - 1) > (24 * 3_600_000) / 2);
});

test("five minutes are kept second by second, an hour in steps of ten, and the oldest goes", () => {
  const { sampler, state, slotOf } = makeSampler();
  const history = new TrafficHistory();
  for (let second = 1; second <= 3700; second++) {
    if (second % 10 === 0) state.countLatency(slotOf("web"), 100);
    history.add(sampler.sample(START_MS + second * 1000));
  }
  const fine = history.read("frontend/web", 60)!;
  assert.deepEqual([fine.stepMs, fine.atMs.length, fine.atMs.at(-1)], [1000, 60, START_MS + 3_700_000]);
  assert.deepEqual(fine.columns.requestsPerSecond.slice(-2), [0, 1]);
  const coarse = history.read("", 3600)!;
  assert.deepEqual([coarse.stepMs, coarse.atMs.length, coarse.proxy], [10_000, 360, null]);
  assert.ok(coarse.columns.requestsPerSecond.every((rate) => rate === 0.1));
  assert.ok(coarse.columns.p99Ms.every((ms) => ms !== null && Math.abs(ms - 100) < 7));
  assert.equal(history.read("backend/app", 60)!.columns.p50Ms.at(-1), null);
  assert.equal(history.read("frontend/nobody", 60), null);
});
