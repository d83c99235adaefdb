import assert from "node:assert/strict";
import { test } from "node:test";
import { ENDED } from "./dashboard.fixture.ts";
import { StickyClients } from "./sticky-clients.ts";

const from = (clientHost: string, more = {}) => ({ ...ENDED, clientHost, ...more });

test("different visitors of a cookie within a minute are counted, each once", () => {
  const sticky = new StickyClients();
  sticky.note(
    [from("a"), from("b"), from("a"), from("c", { server: "b" }), from("d", { isPersistent: false })],
    1000,
  );
  const { clients, isMore, lastSeenMs } = sticky.of("app/a", 1000);
  assert.deepEqual([clients, isMore, lastSeenMs], [2, false, 1000]);
  assert.equal(sticky.of("app/b", 1000).clients, 1);
  assert.deepEqual([sticky.of("app/c", 1000).clients, sticky.of("app/c", 1000).lastSeenMs], [0, null]);
});

test("who does not come back is forgotten after a minute, and who does is not", () => {
  const sticky = new StickyClients();
  sticky.note([from("a"), from("b")], 0);
  sticky.note([from("a")], 30_000);
  assert.equal(sticky.of("app/a", 60_000).clients, 2);
  assert.equal(sticky.of("app/a", 60_001).clients, 1);
  assert.deepEqual([sticky.of("app/a", 90_001).clients, sticky.of("app/a", 90_001).lastSeenMs], [0, 30_000]);
});

test("two browsers behind one address are two visitors", () => {
  const sticky = new StickyClients();
  const phone = from("a", { http: { ...ENDED.http!, headers: [["user-agent", "phone"]] } });
  sticky.note([from("a"), phone], 0);
  assert.equal(sticky.of("app/a", 0).clients, 2);
});

test("their number is bounded, and the bound is told", () => {
  const sticky = new StickyClients();
  sticky.note(
    Array.from({ length: 10_500 }, (_, i) => from(`10.0.${i >> 8}.${i & 255}`)),
    0,
  );
  const { clients, isMore } = sticky.of("app/a", 0);
  assert.deepEqual([clients, isMore], [10_000, true]);
});
