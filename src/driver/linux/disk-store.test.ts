import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { NOTHING } from "../contract.ts";
import { DiskStore } from "./disk-store.ts";
import { startTimeOf } from "./supervisor.ts";

function inFolder(run: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "sallyport-store-"));
  try {
    run(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

test("two cannot change one datacentre at once, two datacentres can be changed", () => {
  inFolder((root) => {
    const [one, same, other] = ["a", "a", "b"].map((name) => new DiskStore(name, root));
    assert.equal(one!.lock(), null);
    assert.match(same!.lock() ?? "", new RegExp(`process ${process.pid} is changing it`));
    assert.equal(other!.lock(), null);
    one!.writeApplied({ state: NOTHING, file: "x" });
    one!.unlock();
    assert.equal(same!.lock(), null);
  });
});

test("the lock of a process that was killed is broken, and what it left of a batch goes with it", () => {
  inFolder((root) => {
    const store = new DiskStore("a", root);
    // The same number, but another process.
    const dead = { pid: process.pid, startedAt: `${startTimeOf(process.pid)}1` };
    writeFileSync(join(store.directory, "lock"), JSON.stringify(dead));
    writeFileSync(join(store.directory, "batch-abc"), "");
    assert.equal(store.lock(), null);
    assert.deepEqual(readdirSync(store.directory), ["lock"]);
  });
});

test("what was applied and what is being changed is remembered, and nothing remains of nothing", () => {
  inFolder((root) => {
    const store = new DiskStore("a", root);
    const applied = { state: NOTHING, file: "/etc/datacenter.yaml" };
    const journal = { before: NOTHING, desired: NOTHING, applied, phase: "changing" } as const;
    store.lock();
    store.writeApplied(applied);
    store.writeJournal(journal);
    store.unlock();
    const next = new DiskStore("a", root);
    assert.deepEqual([next.readApplied(), next.readJournal()], [applied, journal]);
    next.lock();
    next.writeApplied(null);
    next.writeJournal(null);
    next.unlock();
    assert.deepEqual(readdirSync(root), []);
  });
});

test("half a file counts as none", () => {
  inFolder((root) => {
    const store = new DiskStore("a", root);
    writeFileSync(join(store.directory, "journal.json"), '{"before": {');
    assert.equal(store.readJournal(), null);
  });
});
