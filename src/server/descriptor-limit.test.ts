import assert from "node:assert/strict";
import { test } from "node:test";
import { meansOf, readDescriptorCountMax, shareOf } from "./descriptor-limit.ts";

test("clients leave descriptors for the servers that they want, and one client is always served", () => {
  assert.deepEqual(meansOf(1024), { sessionCountMax: 369, idleServerConnectionCountMax: 246 });
  assert.deepEqual(meansOf(10), { sessionCountMax: 1, idleServerConnectionCountMax: 1 });
});

test("workers share what is wanted, within what each of them may have", () => {
  assert.equal(shareOf(1024, null, 4), 1024);
  assert.equal(shareOf(1024, 2000, 4), 500);
  assert.equal(shareOf(1024, 50_000, 4), 1024);
});

test("a system that does not tell its limit sets none", () => {
  const descriptorCountMax = readDescriptorCountMax("/nowhere");
  assert.equal(meansOf(descriptorCountMax).sessionCountMax, Number.POSITIVE_INFINITY);
});
