import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, test } from "node:test";
import { enterRegistry, leaveRegistry, listRegistry, registryDirectory } from "./registry.ts";

let directory = "";
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "sallyport-registry-")), "sallyport");
});
afterEach(() => rmSync(join(directory, ".."), { recursive: true }));

const entryOf = (pid: number, startedAtMs = 0) => ({
  pid,
  files: ["/a.cfg"],
  adminPath: directory,
  startedAtMs,
});

test("a master that entered is found until it leaves", () => {
  enterRegistry(entryOf(process.pid), directory);
  assert.deepEqual(listRegistry(directory), [entryOf(process.pid)]);
  leaveRegistry(process.pid, directory);
  assert.deepEqual(listRegistry(directory), []);
});

test("the oldest comes first", () => {
  enterRegistry(entryOf(process.pid, 2), directory);
  enterRegistry(entryOf(process.ppid, 1), directory);
  assert.deepEqual(
    listRegistry(directory).map(({ pid }) => pid),
    [process.ppid, process.pid],
  );
});

test("a number that is another process's by now is no master's", () => {
  enterRegistry({ ...entryOf(process.pid), adminPath: join(directory, "gone") }, directory);
  assert.deepEqual(listRegistry(directory), []);
});

test("who enters forgets those that were killed", () => {
  const dead = spawnSync("/bin/sh", ["-c", ":"]).pid;
  enterRegistry(entryOf(dead), directory);
  enterRegistry(entryOf(process.pid), directory);
  assert.deepEqual(readdirSync(directory), [`${process.pid}.json`]);
});

test("what a dead process left behind is removed, and what is no entry is passed over", () => {
  const dead = spawnSync("/bin/sh", ["-c", ":"]).pid;
  enterRegistry(entryOf(dead), directory);
  writeFileSync(join(directory, "torn.json"), "{");
  assert.deepEqual(listRegistry(directory), []);
  assert.equal(existsSync(join(directory, `${dead}.json`)), false);
});

test("nobody else can read it", () => {
  enterRegistry(entryOf(process.pid), directory);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  const [file = ""] = readdirSync(directory);
  assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600);
});

test("a registry that was never made is empty, and leaving it is no fault", () => {
  assert.deepEqual(listRegistry(directory), []);
  leaveRegistry(1, directory);
});

test("its place follows the rules of the system", () => {
  assert.equal(registryDirectory({ XDG_RUNTIME_DIR: "/run/user/7" }, 7), "/run/user/7/sallyport");
  assert.equal(registryDirectory({}, 0), "/run/sallyport");
  assert.equal(registryDirectory({ XDG_RUNTIME_DIR: "" }, 7), join(tmpdir(), "sallyport-7"));
});
