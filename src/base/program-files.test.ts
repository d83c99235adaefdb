import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { entryFile, IS_CHECKOUT, lateModule, launcher, programFile } from "./program-files.ts";
import { VERSION } from "./version.ts";

test("the program's files are found by their place in the checkout", () => {
  const description = readFileSync(programFile("package.json"), "utf8");
  assert.equal((JSON.parse(description) as { version: string }).version, VERSION);
  assert.match(readFileSync(launcher(), "utf8"), /^#!\/bin\/sh\n/);
});

test("in a checkout Node runs a module's own file, and a late module is that module", () => {
  assert(IS_CHECKOUT);
  assert.equal(entryFile("cli/main.ts"), programFile("src", "cli", "main.ts"));
  assert.equal(lateModule<typeof import("./version.ts")>("base/version.ts").VERSION, VERSION);
});
