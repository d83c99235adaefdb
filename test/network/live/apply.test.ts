// What becomes of a network when a step fails, the process is killed in the middle, or nobody confirms: on a
// network that is only remembered, with a fault at every single step of a real plan.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type ApplyOutcome, apply, both, confirm, drift, revert } from "../../../src/driver/apply.ts";
import { NOTHING } from "../../../src/driver/contract.ts";
import { MemoryDriver } from "../../../src/driver/memory/memory-driver.ts";
import { MemoryStore } from "../../../src/driver/memory/memory-store.ts";
import type { NetworkState } from "../../../src/model/network-state.ts";
import { planChanges } from "../../../src/network/plan/plan-changes.ts";
import { desiredOf } from "./state-of.ts";

const FILE = fileURLToPath(new URL("../../../examples/network/fenced-copies.yaml", import.meta.url));
const TEXT = readFileSync(FILE, "utf8");
const FIRST = desiredOf(FILE).state;
/** One NAT rule, one copy and one machine less, another address. */
const SECOND = desiredOf(
  FILE,
  TEXT.replace("{snat: org, to: 203.0.113.10}", "{masquerade: org, out: internet}")
    .replace(/ {6}test-b: .*\n/, "")
    .replace("192.168.10.30", "192.168.10.31")
    .replace(/.*shop\.test-b.*\n/g, ""),
).state;
const SILENT = { phase: () => {}, steps: () => {} };
const FOREIGN: NetworkState = {
  namespaces: [
    {
      ...FIRST.namespaces[0]!,
      name: "somebody-elses",
      words: "not ours",
      links: [],
      addresses: [],
      routes: [],
      rules: [],
      sysctls: [],
      tables: [],
    },
  ],
  processes: [],
};

function run(
  driver: MemoryDriver,
  store: MemoryStore,
  desired: NetworkState,
  isTrial = false,
): Promise<ApplyOutcome> {
  return apply({ desired, file: FILE, isTrial }, driver, store, SILENT);
}

/** Without what is not ours. */
function stateOf(driver: MemoryDriver): NetworkState {
  const { namespaces, processes } = driver.everything();
  return { namespaces: namespaces.filter(({ name }) => name !== "somebody-elses"), processes };
}

function differenceBetween(a: NetworkState, b: NetworkState): string[] {
  return planChanges(a, b).steps.map(({ words }) => words);
}

test("applied once it is there, applied twice nothing is done, and every step is in words", async () => {
  const [driver, store] = [new MemoryDriver(), new MemoryStore()];
  const outcome = await run(driver, store, FIRST);
  assert.equal(outcome.kind, "done");
  assert.ok(outcome.kind === "done" && outcome.plan.steps.length > 100);
  assert.ok(outcome.plan.steps.every(({ words }) => words.length > 5 && !words.includes("undefined")));
  const again = await run(driver, store, FIRST);
  assert.deepEqual(again.kind === "done" && again.plan.steps, []);
});

test("a changed file changes what it concerns and nothing else", async () => {
  const [driver, store] = [new MemoryDriver(), new MemoryStore()];
  await run(driver, store, FIRST);
  const outcome = await run(driver, store, SECOND);
  assert.equal(outcome.kind, "done");
  assert.ok(outcome.kind === "done");
  const words = outcome.plan.steps.map((step) => step.words);
  assert.ok(
    words.some((one) => /load nftables table ip sallyport_nat in .*org-edge/.test(one)),
    words.join("\n"),
  );
  assert.ok(
    words.every((one) => !/test-a|original/.test(one)),
    words.join("\n"),
  );
});

for (const [name, from, to] of [
  ["making it", NOTHING, FIRST],
  ["changing it", FIRST, SECOND],
  ["taking it away", FIRST, NOTHING],
] as const) {
  test(`a fault at any step of ${name} leaves everything as it was, and nothing foreign is touched`, async () => {
    const count = planChanges(from, to).steps.length;
    assert.ok(count > 0);
    for (let step = 0; step < count; step++) {
      const [driver, store] = [new MemoryDriver(FOREIGN), new MemoryStore()];
      await run(driver, store, both(from, NOTHING));
      const before = stateOf(driver);
      driver.failAfter = step;
      const outcome = await run(driver, store, to);
      assert.equal(outcome.kind, "failed", `step ${step}`);
      assert.ok(
        outcome.kind === "failed" && outcome.undone.isComplete,
        `step ${step}: ${JSON.stringify(outcome)}`,
      );
      assert.match(outcome.message, /refused by the test/);
      const after = stateOf(driver);
      assert.deepEqual(differenceBetween(after, before), [], `step ${step}`);
      assert.ok(driver.everything().namespaces.some((one) => one.name === "somebody-elses"));
      assert.equal(store.readJournal(), null);
    }
  });
}

test("a disk that is full at whichever write leaves everything as it was, and what was remembered", async () => {
  for (const [from, to] of [
    [NOTHING, FIRST],
    [FIRST, SECOND],
  ] as const) {
    for (let writes = 0; ; writes++) {
      const [driver, store] = [new MemoryDriver(), new MemoryStore()];
      if (from !== NOTHING) await run(driver, store, from);
      const [before, applied] = [stateOf(driver), store.readApplied()];
      store.fillUpAfter(writes);
      const outcome = await run(driver, store, to, true);
      if (outcome.kind === "done") break;
      assert.ok(outcome.kind === "failed" && outcome.undone.isComplete, JSON.stringify(outcome));
      assert.match(outcome.message, /no space left/);
      assert.deepEqual(differenceBetween(stateOf(driver), before), []);
      assert.deepEqual([store.readApplied(), store.readJournal()], [applied, null]);
    }
  }
});

test("on a full disk everything can be taken away", async () => {
  const [driver, store] = [new MemoryDriver(), new MemoryStore()];
  await run(driver, store, FIRST);
  store.fillUpAfter(0);
  const outcome = await apply({ desired: NOTHING, file: null }, driver, store, SILENT);
  assert.equal(outcome.kind, "done");
  assert.deepEqual(differenceBetween(stateOf(driver), NOTHING), []);
  assert.equal(store.readApplied(), null);
});

test("a process that is killed at any step leaves a journal, by which the next call takes everything back", async () => {
  const count = planChanges(FIRST, SECOND).steps.length;
  for (let step = 0; step < count; step += 3) {
    const [driver, store] = [new MemoryDriver(), new MemoryStore()];
    await run(driver, store, FIRST);
    const before = stateOf(driver);
    driver.failAfter = step;
    const run1 = driver.run.bind(driver);
    driver.run = async (...args) => {
      const outcome = await run1(...args);
      driver.isDead = true;
      return outcome;
    };
    const killed = await run(driver, store, SECOND);
    assert.ok(killed.kind === "failed", `step ${step}`);
    // Of the first step nothing was done that could be taken back.
    if (killed.undone.isComplete) continue;
    assert.notEqual(store.readJournal(), null);
    driver.isDead = false;
    driver.run = run1;
    const next = await run(driver, store, FIRST);
    assert.ok(next.kind === "done" && next.recovered !== null, `step ${step}`);
    assert.deepEqual(differenceBetween(stateOf(driver), before), [], `step ${step}`);
  }
});

test("a trial stays when it is confirmed, and is taken back when it is not", async () => {
  const [driver, store] = [new MemoryDriver(), new MemoryStore()];
  await run(driver, store, FIRST);
  const before = stateOf(driver);
  await run(driver, store, SECOND, true);
  assert.deepEqual(await revert(driver, store, SILENT), { isComplete: true });
  assert.deepEqual(differenceBetween(stateOf(driver), before), []);
  assert.equal(await revert(driver, store, SILENT), null);
  await run(driver, store, SECOND, true);
  assert.ok(confirm(store));
  assert.ok(!confirm(store));
  assert.deepEqual(differenceBetween(stateOf(driver), SECOND), []);
});

test("two calls at once: the second is told so and changes nothing", async () => {
  const [driver, store] = [new MemoryDriver(), new MemoryStore()];
  assert.equal(store.lock(), null);
  const outcome = await run(driver, store, FIRST);
  assert.equal(outcome.kind, "locked");
  assert.deepEqual(stateOf(driver).namespaces, []);
});

test("what somebody else has changed is told as drift, and the next apply mends it", async () => {
  const [driver, store] = [new MemoryDriver(), new MemoryStore()];
  await run(driver, store, FIRST);
  const [step] = planChanges(FIRST, NOTHING).steps;
  await driver.run([step!], () => {});
  const found = await drift(store.readApplied()!, driver);
  assert.ok(found.ok && found.plan.steps.length > 0);
  const mended = await run(driver, store, FIRST);
  assert.ok(mended.kind === "done" && mended.plan.steps.length > 0);
});
