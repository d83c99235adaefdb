import assert from "node:assert/strict";
import { test } from "node:test";
import { meansOf, readDescriptorCountMax } from "./descriptor-limit.ts";

test("clients leave descriptors for the servers that they want, and one client is always served", () => {
  assert.deepEqual(meansOf(1024), { sessionCountMax: 369, idleServerConnectionCountMax: 246 });
  assert.deepEqual(meansOf(10), { sessionCountMax: 1, idleServerConnectionCountMax: 1 });
});

test("a system that does not tell its limit sets none", () => {
  const descriptorCountMax = readDescriptorCountMax("/nowhere");
  assert.equal(meansOf(descriptorCountMax).sessionCountMax, Number.POSITIVE_INFINITY);
});
