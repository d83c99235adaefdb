import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestRecord } from "../../../src/model/dashboard-api.ts";
import { FILTERS, filtersOf, HELD_MAX, passes, queryOf, withNew } from "./request-tail.ts";

function record(id: number, change: object = {}): RequestRecord {
  return {
    id,
    client: "198.51.100.7:4000",
    frontend: "main",
    backend: "app",
    server: "WEB-001",
    http: { method: "GET", target: "/login?x=1", status: 404 },
    timers: { totalMs: 30 },
    termination: "SC--",
    isFailed: true,
    ...change,
  } as unknown as RequestRecord;
}

test("each filter takes what it says and leaves the rest", () => {
  const cases: Readonly<Record<(typeof FILTERS)[number], readonly [string, string]>> = {
    frontend: ["main", "mai"],
    backend: ["app", "api"],
    server: ["WEB-001", "WEB"],
    method: ["get", "POST"],
    client: ["198.51", "203"],
    path: ["/login", "/logout"],
    status: ["4xx", "5xx"],
    slowerMs: ["30", "31"],
    termination: ["SC", "sD"],
    failed: ["true", ""],
  };
  for (const name of FILTERS) {
    const [yes, no] = cases[name];
    assert.ok(passes(record(1), { [name]: yes }), `${name}=${yes}`);
    if (no !== "") assert.ok(!passes(record(1), { [name]: no }), `${name}=${no}`);
  }
  assert.ok(passes(record(1), { status: "404" }));
  assert.ok(!passes(record(1, { http: null }), { status: "404" }));
  assert.ok(!passes(record(1, { isFailed: false }), { failed: "true" }));
});

test("filters are words of the address and back", () => {
  const filters = filtersOf(new URLSearchParams("status=5xx&server=&other=1"));
  assert.deepEqual(filters, { status: "5xx" });
  assert.equal(queryOf(filters), "status=5xx");
});

test("new ones come first, once, and only so many are held", () => {
  const first = withNew([], [record(1), record(2)], {});
  assert.deepEqual(
    first.map(({ id }) => id),
    [2, 1],
  );
  const again = withNew(first, [record(2), record(3), record(4, { server: "B" })], { server: "WEB-001" });
  assert.deepEqual(
    again.map(({ id }) => id),
    [3, 2, 1],
  );
  assert.equal(withNew(again, [record(3)], {}), again);
  const many = Array.from({ length: HELD_MAX + 50 }, (_, index) => record(index + 1));
  assert.equal(withNew([], many, {}).length, HELD_MAX);
});
