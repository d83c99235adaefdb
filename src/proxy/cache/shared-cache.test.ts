import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CacheDefinition } from "../../model/cache.ts";
import { type CachedObject, cacheBytes, SharedCache } from "./shared-cache.ts";

const DEFINITION: CacheDefinition = {
  name: "small",
  totalBytes: 16 * 1024,
  objectBytesMax: 8 * 1024,
  maxAgeSeconds: 60,
  processesVary: true,
  variantsMax: 3,
  span: { file: "", line: 0, column: 0, endColumn: 0 },
};
const ANY = () => true;
const key = (name: string) => Buffer.from(`host\n/${name}`);

function objectOf(text: string, changes: Partial<CachedObject> = {}): CachedObject {
  return {
    head: Buffer.from("HTTP/1.1 200 OK\r\n"),
    body: Buffer.from(text),
    variant: Buffer.alloc(0),
    expiresSeconds: 1000,
    bornSeconds: 100,
    ...changes,
  };
}

/** Two processes with the same memory. */
function twoProcesses(): [SharedCache, SharedCache, Int32Array] {
  const buffer = new ArrayBuffer(cacheBytes(16));
  const cacheOf = (process: number) =>
    new SharedCache(DEFINITION, { buffer, blockCount: 16, secret: [1, 2], process });
  return [cacheOf(1), cacheOf(2), new Int32Array(buffer, 0, 16)];
}

function textOf(found: CachedObject | null): string | null {
  return found === null ? null : Buffer.from(found.body).toString();
}

test("what one process stores another finds, until it is no longer fresh", () => {
  const [one, two] = twoProcesses();
  assert.ok(one.store(key("a"), objectOf("hello"), 0));
  const found = two.find(key("a"), ANY, 999)!;
  assert.equal(textOf(found), "hello");
  assert.equal(Buffer.from(found.head).toString(), "HTTP/1.1 200 OK\r\n");
  assert.equal(found.bornSeconds, 100);
  assert.equal(two.find(key("a"), ANY, 1000), null);
  assert.equal(two.find(key("b"), ANY, 0), null);
});

test("a newer object takes the place of the older, and all with a key can be dropped", () => {
  const [one, two] = twoProcesses();
  one.store(key("a"), objectOf("first"), 0);
  one.store(key("a"), objectOf("second"), 0);
  assert.equal(textOf(two.find(key("a"), ANY, 0)), "second");
  assert.equal(one.rows().length, 1);
  two.invalidate(key("a"));
  assert.equal(one.find(key("a"), ANY, 0), null);
});

test("objects of all sizes come back as they were", () => {
  const cache = SharedCache.alone(DEFINITION);
  for (const size of [0, 1, 900, 1000, 1024, 1025, 5000, 8000]) {
    const body = Buffer.from(Array.from({ length: size }, (_, i) => (i * 31) & 0xff));
    assert.ok(cache.store(key(`${size}`), objectOf("", { body }), 0), `${size}`);
    assert.ok(body.equals(cache.find(key(`${size}`), ANY, 0)!.body), `${size}`);
  }
});

test("what has not been asked for longest makes room", () => {
  const cache = SharedCache.alone(DEFINITION);
  for (const name of ["a", "b", "c", "d"]) cache.store(key(name), objectOf(name.repeat(3500)), 0);
  assert.equal(cache.rows().length, 4);
  cache.find(key("a"), ANY, 0);
  cache.store(key("e"), objectOf("e".repeat(3500)), 0);
  assert.equal(cache.find(key("b"), ANY, 0), null);
  for (const name of ["a", "c", "d", "e"])
    assert.equal(textOf(cache.find(key(name), ANY, 0)), name.repeat(3500));
});

test("an object that is larger than the cache is not stored, and drops nothing", () => {
  const cache = SharedCache.alone(DEFINITION);
  cache.store(key("a"), objectOf("a"), 0);
  assert.equal(cache.store(key("b"), objectOf("b".repeat(20_000)), 0), false);
  assert.equal(textOf(cache.find(key("a"), ANY, 0)), "a");
});

test("no more variants are kept than is said, unless others are old", () => {
  const cache = SharedCache.alone(DEFINITION);
  const variant = (text: string) => Buffer.from(text);
  const isVariant = (wanted: string) => (bytes: Uint8Array) => Buffer.from(bytes).toString() === wanted;
  for (const text of ["1", "2", "3"])
    assert.ok(cache.store(key("a"), objectOf(text, { variant: variant(text) }), 0));
  assert.equal(cache.store(key("a"), objectOf("4", { variant: variant("4") }), 0), false);
  assert.ok(cache.store(key("a"), objectOf("new", { variant: variant("2") }), 0));
  assert.equal(textOf(cache.find(key("a"), isVariant("2"), 0)), "new");
  assert.equal(textOf(cache.find(key("a"), isVariant("3"), 0)), "3");
  const late = objectOf("4", { variant: variant("4"), expiresSeconds: 3000 });
  assert.ok(cache.store(key("a"), late, 2000));
  assert.equal(cache.rows().length, 1);
});

describe("a process that dies at work", () => {
  test("leaves an empty cache, which works", () => {
    const [one, two, head] = twoProcesses();
    one.store(key("a"), objectOf("a"), 0);
    head[0] = 2;
    head[5] = 12_345;
    two.forgetProcess(1);
    assert.deepEqual(two.rows(), []);
    assert.ok(two.store(key("a"), objectOf("again"), 0));
    assert.equal(textOf(one.find(key("a"), ANY, 0)), "again");
  });

  test("changes nothing when it was another that worked", () => {
    const [one, two] = twoProcesses();
    one.store(key("a"), objectOf("a"), 0);
    two.forgetProcess(1);
    assert.equal(textOf(one.find(key("a"), ANY, 0)), "a");
  });
});

test("thousands of random stores, finds and drops leave it in order", () => {
  const cache = SharedCache.alone(DEFINITION);
  const known = new Map<string, string>();
  let seed = 20_261_128;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let step = 0; step < 20_000; step++) {
    const name = `${random(40)}`;
    const action = random(10);
    if (action === 0) {
      cache.invalidate(key(name));
      known.delete(name);
    } else if (action < 5) {
      const text = `${step}:`.repeat(random(900) + 1);
      if (cache.store(key(name), objectOf(text), 0)) known.set(name, text);
    } else {
      const found = textOf(cache.find(key(name), ANY, 0));
      if (found !== null) assert.equal(found, known.get(name), `step ${step}`);
    }
    const used = cache.rows().reduce((sum, row) => sum + row.blockCount, 0);
    assert.ok(used <= 16, `step ${step}`);
  }
});
