import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerRow } from "../../model/dashboard-api.ts";
import { makeActions } from "../admin/actions.fixture.ts";
import { makeRuntime } from "../admin/runtime.fixture.ts";
import { CONFIGURATION } from "./dashboard.fixture.ts";
import { ServerChanges } from "./server-changes.ts";
import { serverRows } from "./server-rows.ts";
import { StickyClients } from "./sticky-clients.ts";

const NOW_MS = 1_795_000_000_000;
const actions = makeActions(makeRuntime(CONFIGURATION, NOW_MS), NOW_MS);
const read = () => serverRows(actions, new StickyClients());

/** What is told of `read()` after `change` has been made to its first row. */
function toldOf(change: (row: ServerRow) => Partial<ServerRow>): readonly string[] {
  const changes = new ServerChanges();
  changes.take(read());
  const [first, ...rest] = read();
  return changes.take([{ ...first!, ...change(first!) }, ...rest]).map(({ id }) => id);
}

test("all rows come first, and none when nothing has changed but their ages", () => {
  const changes = new ServerChanges();
  assert.equal(changes.take(read()).length, 2);
  assert.equal(changes.take(read()).length, 0);
  assert.deepEqual(
    toldOf(() => ({ lastChangeSeconds: 99, downtimeSeconds: 98, lastSessionSeconds: 97 })),
    [],
  );
});

test("every field that an operator looks at makes its row come, however deep it is", () => {
  const cases: readonly ((row: ServerRow) => Partial<ServerRow>)[] = [
    () => ({ condition: "down" }),
    () => ({ sessions: 5 }),
    () => ({ cookie: null }),
    ({ check }) => ({ check: { ...check!, lastAnswer: "no" } }),
    () => ({ check: null }),
    ({ errors }) => ({ errors: { ...errors, status5xx: 1 } }),
    ({ averages }) => ({ averages: { ...averages, totalMs: 1 } }),
    ({ sticky }) => ({ sticky: { ...sticky!, clients: 3 } }),
    ({ span }) => ({ span: { ...span, line: 99 } }),
  ];
  for (const [index, change] of cases.entries()) assert.deepEqual(toldOf(change), ["app/a"], String(index));
});

test("all rows come when a server has come or gone", () => {
  const changes = new ServerChanges();
  const rows = read();
  changes.take(rows);
  assert.equal(changes.take(rows.slice(1)).length, 1);
  assert.equal(changes.take(rows).length, 2);
});
