// What `sallyport init` writes is the first file that somebody checks: nothing is to be said of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readDatacenter } from "../../src/language/datacenter/reader.ts";
import { starterFile } from "../../src/language/datacenter/starter.ts";
import { checkDatacenter } from "../../src/network/check/check.ts";
import { resolveDatacenter } from "../../src/network/resolve/resolve.ts";

test("reading, resolving and checking the starter file find nothing", () => {
  const file = { name: "datacenter.yaml", text: starterFile() };
  const { datacenter, diagnostics } = readDatacenter([file], { variables: {}, readFile: () => null });
  assert.deepEqual(diagnostics, []);
  const { resolved, diagnostics: found } = resolveDatacenter(datacenter!);
  assert.deepEqual(found, []);
  assert.deepEqual(checkDatacenter({ datacenter: datacenter!, resolved }), []);
});

test("the starter file explains each section before it begins", () => {
  const lines = starterFile().split("\n");
  for (const [index, line] of lines.entries()) {
    if (/^\w[\w-]*:/.test(line)) assert.match(lines[index - 1]!, /^# /, line);
  }
});
