// A failure prints its seed; `npm run sim -- --seed N` shows that run with its configuration and its trace.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MUTANTS, type Mutant } from "./mutants.ts";
import { drawScenario } from "./scenario.ts";
import { runScenario } from "./world.ts";

const SEEDS_PER_TEST = 25;
const MUTANT_SEED_COUNT = 100;

for (let first = 1; first <= 150; first += SEEDS_PER_TEST) {
  const last = first + SEEDS_PER_TEST - 1;
  test(`whatever breaks, nobody gets another's bytes, waits for ever or is forgotten: seeds ${first} to ${last}`, () => {
    const failures: string[] = [];
    let responses = 0;
    for (let seed = first; seed <= last; seed++) {
      const result = runScenario(drawScenario(seed));
      responses += result.responses;
      if (result.violations.length > 0)
        failures.push(
          `npm run sim -- --seed ${seed}\n${result.violations.map((text) => `    ${text}`).join("\n")}`,
        );
    }
    assert.equal(failures.join("\n"), "");
    // A simulation in which nothing is answered finds nothing.
    assert.ok(responses > 10 * SEEDS_PER_TEST, `${responses} responses`);
  });
}

test("a seed repeats its run event by event, and another one does not", () => {
  const hashes = [7, 7, 8].map((seed) => runScenario(drawScenario(seed)).traceHash);
  assert.equal(hashes[0], hashes[1]);
  assert.notEqual(hashes[0], hashes[2]);
});

for (const mutant of Object.keys(MUTANTS) as Mutant[]) {
  test(`a proxy with the fault "${mutant}" is caught`, () => {
    assert.ok(seedThatCatches(mutant) !== null, `none of ${MUTANT_SEED_COUNT} seeds`);
  });
}

test("the faults are gone when their runs are over", () => {
  assert.deepEqual(runScenario(drawScenario(7)).violations, []);
});

function seedThatCatches(mutant: Mutant): number | null {
  for (let seed = 1; seed <= MUTANT_SEED_COUNT; seed++)
    if (runScenario(drawScenario(seed), { mutant }).violations.length > 0) return seed;
  return null;
}
