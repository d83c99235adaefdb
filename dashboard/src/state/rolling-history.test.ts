import assert from "node:assert/strict";
import { test } from "node:test";
import type { History, ProxyFigures } from "../../../src/model/dashboard-api.ts";
import { withFigures } from "./rolling-history.ts";

const FIGURES = {
  requestsPerSecond: 5,
  errorsPerSecond: 1,
  status4xx: 2,
  sessions: 3,
  bytesInPerSecond: 10,
  bytesOutPerSecond: 20,
  queued: 0,
  latency: null,
} as unknown as ProxyFigures;

function historyOf(atMs: readonly number[], stepMs = 1000): History {
  const zeros = atMs.map(() => 0);
  const columns = {
    requestsPerSecond: zeros,
    errorsPerSecond: zeros,
    status4xx: zeros,
    sessions: zeros,
    bytesInPerSecond: zeros,
    bytesOutPerSecond: zeros,
    queued: zeros,
    p50Ms: zeros,
    p90Ms: zeros,
    p99Ms: zeros,
  };
  return { stepMs, proxy: null, atMs, columns };
}

test("a second comes behind the others, and what is too old goes", () => {
  const next = withFigures(historyOf([1000, 2000, 3000]), 4000, FIGURES, 2);
  assert.deepEqual(next.atMs, [3000, 4000]);
  assert.deepEqual(next.columns.requestsPerSecond, [0, 5]);
  assert.deepEqual(next.columns.p99Ms, [0, null]);
});

test("the same second twice, and long steps, change nothing", () => {
  const history = historyOf([1000, 2000]);
  assert.equal(withFigures(history, 2000, FIGURES, 60), history);
  const long = historyOf([10_000], 10_000);
  assert.equal(withFigures(long, 20_000, FIGURES, 3600), long);
});
