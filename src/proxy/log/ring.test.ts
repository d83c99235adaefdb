import assert from "node:assert/strict";
import { test } from "node:test";
import { Ring } from "./ring.ts";

function ringOf(sizeBytes: number, lengthMax = sizeBytes): Ring {
  return new Ring({ name: "r", description: "r", sizeBytes, lengthMax });
}

function append(ring: Ring, text: string): void {
  const bytes = Buffer.from(`<${text}>`);
  ring.append(bytes, 1, bytes.length - 1);
}

function eventsOf(ring: Ring, place = 0): string[] {
  const events: string[] = [];
  for (let one = ring.read(place); one !== null; one = ring.read(one.next))
    events.push(Buffer.from(one.event).toString());
  return events;
}

test("events come out in their order, cut to the length that the ring allows", () => {
  const ring = ringOf(100, 5);
  for (const text of ["one", "", "three and more"]) append(ring, text);
  assert.deepEqual(eventsOf(ring), ["one", "", "three"]);
});

test("the oldest make room, whatever the lengths and wherever the circle closes", () => {
  const ring = ringOf(64);
  const all: string[] = [];
  for (let i = 0; i < 1000; i++) {
    all.push("x".repeat((i * 7) % 61) + i);
    append(ring, all.at(-1)!);
    const events = eventsOf(ring);
    assert.deepEqual(
      events,
      all.slice(-events.length).map((text) => text.slice(0, 64)),
    );
    assert.equal(ring.oldestNumber, all.length - events.length);
    // No more went than had to.
    const next = all.at(-events.length - 1);
    const bytes = events.reduce((sum, event) => sum + event.length + 4, 0);
    if (next !== undefined) assert.ok(bytes + Math.min(64, next.length) + 4 > 64 + 4);
  }
});

test("a reader that was too slow goes on with the oldest that is left, and is told of the gap", () => {
  const ring = ringOf(20);
  append(ring, "first");
  const first = ring.read(0)!;
  assert.equal(first.isGap, false);
  for (const text of ["second", "third", "fourth"]) append(ring, text);
  const gap = ring.read(first.next)!;
  assert.equal(Buffer.from(gap.event).toString(), "third");
  assert.equal(gap.isGap, true);
  assert.equal(ring.oldestNumber, 2);
  assert.equal(ring.read(ring.next), null);
});

test("who watches is called at each event until it has enough", () => {
  const ring = ringOf(100);
  let count = 0;
  const unwatch = ring.watch(() => count++);
  append(ring, "a");
  append(ring, "b");
  unwatch();
  append(ring, "c");
  assert.equal(count, 2);
});

test("a ring of another size takes over what fits", () => {
  const ring = ringOf(100);
  for (const text of ["one", "two", "three"]) append(ring, text);
  const smaller = ringOf(16);
  smaller.copyFrom(ring);
  assert.deepEqual(eventsOf(smaller), ["two", "three"]);
});
