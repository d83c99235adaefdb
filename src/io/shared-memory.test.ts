import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, openSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CopiedMemory, openSharedMemory, type SharedMemory } from "./shared-memory.ts";

function withDirectory(run: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-"));
  try {
    run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function open(path: string, byteLength: number, create: boolean): SharedMemory {
  const result = openSharedMemory(path, byteLength, create);
  assert(result.ok, result.ok ? "" : result.error.message);
  return result.value;
}

test("two mappings of one file show each other's stores at once", () =>
  withDirectory((directory) => {
    const path = join(directory, "state");
    const first = new Uint32Array(open(path, 65536, true).buffer);
    const second = new Uint32Array(open(path, 65536, false).buffer);
    first[16000] = 7;
    assert.equal(second[16000], 7);
    Atomics.add(second, 16000, 1);
    assert.equal(first[16000], 8);
  }));

test("the file is sparse and readable by its user only", () =>
  withDirectory((directory) => {
    const path = join(directory, "state");
    open(path, 1 << 26, true);
    const { mode, size, blocks } = statSync(path);
    assert.equal(mode & 0o777, 0o600);
    assert.equal(size, 1 << 26);
    assert(blocks * 512 < 1 << 20);
  }));

test("counts from several processes add up exactly", () =>
  withDirectory((directory) => {
    const path = join(directory, "state");
    const words = new Uint32Array(open(path, 4096, true).buffer);
    const source = new URL("./shared-memory.ts", import.meta.url).href;
    const script = `
      const { openSharedMemory } = await import(${JSON.stringify(source)});
      const words = new Uint32Array(openSharedMemory(${JSON.stringify(path)}, 4096, false).value.buffer);
      for (let i = 0; i < 1000; i++) Atomics.add(words, 3, 1);`;
    const flags = ["--experimental-ffi", "--disable-warning=ExperimentalWarning", "--input-type=module"];
    for (let i = 0; i < 2; i++) {
      execFileSync(process.execPath, [...flags, "-e", script]);
      Atomics.add(words, 3, 5);
    }
    assert.equal(words[3], 2010);
  }));

test("a file that is too small or not there is a failure", () =>
  withDirectory((directory) => {
    const path = join(directory, "state");
    assert.equal(openSharedMemory(path, 4096, false).ok, false);
    open(path, 4096, true);
    const result = openSharedMemory(path, 8192, false);
    assert.equal(result.ok, false);
  }));

test("copies exchange what each has written when both have synced", () =>
  withDirectory((directory) => {
    const path = join(directory, "state");
    open(path, 200_000, true).close();
    const copies = [0, 1].map(() => new CopiedMemory(openSync(path, "r+"), 200_000));
    const [left, right] = copies.map((copy) => new Uint32Array(copy.buffer)) as [Uint32Array, Uint32Array];
    left[0] = 1;
    right[16] = 2;
    left[40_000] = 3;
    for (const copy of [...copies, ...copies]) copy.sync();
    for (const words of [left, right]) assert.deepEqual([words[0], words[16], words[40_000]], [1, 2, 3]);
    left[0] = 0;
    for (const copy of copies) copy.sync();
    assert.equal(right[0], 0);
    for (const copy of copies) copy.close();
  }));

test("two writers of neighbouring cells do not undo each other's work", () =>
  withDirectory((directory) => {
    const path = join(directory, "state");
    open(path, 4096, true).close();
    const copies = [0, 1].map(() => new CopiedMemory(openSync(path, "r+"), 4096));
    const [ones, others] = copies.map((copy) => new Int32Array(copy.buffer)) as [Int32Array, Int32Array];
    for (let value = 1; value <= 10; value++) {
      ones[14] = value;
      ones[16] = value;
      others[15] = -value;
      for (const copy of copies) copy.sync();
    }
    for (const copy of copies) copy.sync();
    for (const cells of [ones, others]) assert.deepEqual([...cells.subarray(14, 17)], [10, -10, 10]);
    for (const copy of copies) copy.close();
  }));
