import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openNative } from "./native.ts";
import { PART_BYTES, SharedFile } from "./shared-file.ts";

test("a part that one maps is seen by who maps it too", { skip: !openNative().ok }, (t) => {
  const directory = mkdtempSync(join(tmpdir(), "shared-file-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "tables");
  const first = SharedFile.open(path, true);
  assert.ok(first.ok && first.value.grow(3 * PART_BYTES).ok);
  const second = SharedFile.open(path, false);
  assert.ok(second.ok);
  const here = new Int32Array(first.value.map(PART_BYTES, 4096)!);
  const there = new Int32Array(second.value.map(PART_BYTES, 4096)!);
  const other = new Int32Array(second.value.map(0, 4096)!);
  here[7] = 42;
  assert.equal(there[7], 42);
  assert.equal(other[7], 0);
  assert.ok(first.value.freeBytes > 0);
});

test("a file that cannot be opened is an answer", () => {
  assert.equal(SharedFile.open("/nowhere/at/all", true).ok, false);
});
