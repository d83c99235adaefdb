import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

test("a process that has changed its user may leave a core file again", {
  skip: process.getuid?.() === 0 ? false : "needs root",
}, () => {
  // The kernel gives the files of a process that may not to root.
  const script = `
    import { statSync } from "node:fs";
    import { makeDumpable } from ${JSON.stringify(new URL("dumpable.ts", import.meta.url).href)};
    const owner = () => statSync("/proc/self/environ").uid;
    process.setuid(65534);
    const before = owner();
    const problem = makeDumpable();
    console.log(JSON.stringify([before, problem, owner()]));`;
  const { stdout } = spawnSync(
    process.execPath,
    [...process.execArgv.filter((word) => !word.startsWith("--test")), "--input-type=module", "-e", script],
    { encoding: "utf8" },
  );
  const [before, problem, after] = JSON.parse(stdout);
  assert.equal(before, 0);
  if (problem === null) assert.equal(after, 65534);
  else assert.match(problem, /^no core file can be asked for: /);
});
