import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { PACKAGES } from "./debian-packages.ts";
import { filesThatMiss, findTestFiles, requiredCommands } from "./test-files.ts";

const TREE: Readonly<Record<string, string>> = {
  "src/base/a.test.ts": "",
  "src/base/a.ts": "",
  "src/proxy/deep/er/b.test.ts": 'test("x", { skip: requires("haproxy", "curl") }, () => {});',
  "sim/c.test.ts": 'requires("wrk")',
  "dashboard/d.test.ts": "",
};
let root = "";

before(() => {
  root = mkdtempSync(join(tmpdir(), "sallyport-test-files-"));
  for (const [path, text] of Object.entries(TREE)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
});
after(() => rmSync(root, { recursive: true }));

test("tests are found at any depth in the folders that have tests, and nothing else is", () => {
  assert.deepEqual(findTestFiles(root, []), [
    "sim/c.test.ts",
    "src/base/a.test.ts",
    "src/proxy/deep/er/b.test.ts",
  ]);
});

test("a filter is a part of a path, or the path as the shell completes it", () => {
  assert.deepEqual(findTestFiles(root, ["proxy"]), ["src/proxy/deep/er/b.test.ts"]);
  assert.deepEqual(findTestFiles(root, ["./sim/c", "base"]), ["sim/c.test.ts", "src/base/a.test.ts"]);
  assert.deepEqual(findTestFiles(root, ["nothing-like-it"]), []);
});

test("a missing command names the files that need it", () => {
  const files = findTestFiles(root, []);
  assert.deepEqual(requiredCommands(TREE["src/proxy/deep/er/b.test.ts"]!), ["haproxy", "curl"]);
  assert.deepEqual(
    [...filesThatMiss(root, files, ["curl", "nginx"])],
    [["curl", ["src/proxy/deep/er/b.test.ts"]]],
  );
  assert.deepEqual([...filesThatMiss(root, files, [])], []);
});

test("every command that a test of the project needs has a package", () => {
  const project = join(import.meta.dirname, "..");
  for (const file of findTestFiles(project, [])) {
    for (const command of requiredCommands(readFileSync(join(project, file), "utf8"))) {
      assert.ok(
        Object.hasOwn(PACKAGES, command),
        `${file} needs ${command}: add its package to tools/debian-packages.ts`,
      );
    }
  }
});
