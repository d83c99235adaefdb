import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ip, parseIp } from "../../base/ip.ts";
import { AddressPool, hashOf } from "./pool.ts";

const RANGE = { first: parseIp("192.168.10.100")!, last: parseIp("192.168.10.199")! };

function addressesOf(askers: readonly string[]): Map<string, Ip | null> {
  const pool = new AddressPool([RANGE], new Set());
  return new Map(askers.map((asker) => [asker, pool.take(asker)]));
}

test("everybody gets an address of the pool, and nobody another's", () => {
  const given = [...addressesOf(Array.from({ length: 100 }, (_, i) => `copy-${i}`)).values()];
  assert.equal(new Set(given).size, 100);
  assert.ok(!given.includes(null));
});

test("an exhausted pool gives nothing", () => {
  const pool = new AddressPool([{ first: RANGE.first, last: RANGE.first }], new Set());
  assert.equal(pool.size, 1);
  assert.equal(pool.take("a"), "192.168.10.100");
  assert.equal(pool.take("b"), null);
  assert.equal(new AddressPool([], new Set()).take("a"), null);
});

test("what is taken already is passed over, and several ranges are one pool", () => {
  const taken = new Set<Ip>([parseIp("10.0.0.1")!]);
  const range = (text: string) => ({ first: parseIp(text)!, last: parseIp(text)! });
  const pool = new AddressPool([range("10.0.0.1"), range("2001:db8::5"), range("10.0.0.9")], taken);
  const given = [pool.take("a"), pool.take("b"), pool.take("c")];
  assert.deepEqual(new Set(given), new Set(["2001:db8::5", "10.0.0.9", null]));
});

test("who was there keeps the address when others come behind, whatever they are called", () => {
  for (let seed = 0; seed < 200; seed++) {
    const askers = Array.from({ length: 20 }, (_, i) => `shop.copy-${seed}-${i}`);
    const before = addressesOf(askers);
    const after = addressesOf([...askers, `newcomer-${seed}`, `another-${seed}`]);
    for (const asker of askers) assert.equal(after.get(asker), before.get(asker), `seed ${seed}, ${asker}`);
  }
});

test("removing or moving an entry leaves nearly all others where they were", () => {
  let moved = 0;
  let count = 0;
  for (let seed = 0; seed < 200; seed++) {
    const askers = Array.from({ length: 20 }, (_, i) => `m-${seed}-${i}`);
    const before = addressesOf(askers);
    const without = addressesOf(askers.filter((_, i) => i !== seed % 20));
    const turned = addressesOf([...askers].reverse());
    for (const asker of askers) {
      count += 2;
      if (without.has(asker) && without.get(asker) !== before.get(asker)) moved++;
      if (turned.get(asker) !== before.get(asker)) moved++;
    }
  }
  // Only those whose places meet: with 20 of 100 taken about one in ten.
  assert.ok(moved / count < 0.15, `${moved} of ${count} moved`);
});

test("names that differ in one letter have places far apart", () => {
  const places = Array.from({ length: 1000 }, (_, i) => hashOf(`shop.test-${i}`) % 100);
  const counts = new Map<number, number>();
  for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1);
  assert.ok(counts.size > 95 && Math.max(...counts.values()) < 25);
});
