// No rule that the reader takes can throw or keep a worker busy for ever, whatever a request says. Rules at
// random are run in a process of their own, so that one that never comes back is found too; the seed is in
// the message.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("random-rules.ts", import.meta.url));
const CASES = Number(process.env["FUZZ_CASES"] ?? 6000);
/** Far more than they take: a hang is what it finds. */
const PATIENCE_MS = 60_000 + CASES * 10;

test(`${CASES} rules at random come to an end`, { timeout: PATIENCE_MS + 10_000 }, () => {
  const first = Number(process.env["FUZZ_SEED"] ?? 1);
  const words = [...process.execArgv, PROGRAM, `${first}`, `${first + CASES - 1}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    encoding: "utf8",
    timeout: PATIENCE_MS,
    maxBuffer: 1 << 30,
  });
  const lines = stdout.trimEnd().split("\n");
  assert.equal(
    status,
    0,
    `${status === null ? "never came back from" : "threw at"} ${lines.at(-1)}\n${stderr}`,
  );
  const [, accepted] = /^(\d+) of \d+ were run$/.exec(lines.at(-1)!) ?? [];
  assert.ok(Number(accepted) > CASES / 5, `only ${accepted} of ${CASES} were taken by the reader`);
});
