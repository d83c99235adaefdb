import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerRow } from "../../../src/model/dashboard-api.ts";
import { shownServers, sortKeyOf } from "./server-list.ts";

const ROWS = [
  { id: "app/WEB-001", address: "10.0.0.1:80", cookie: "A", condition: "up", sessions: 3 },
  { id: "app/WEB-002", address: "10.0.0.2:80", cookie: "B", condition: "down", sessions: 0 },
  { id: "api/one", address: "10.0.1.1:80", cookie: null, condition: "up", sessions: 9 },
] as unknown as ServerRow[];
const ids = (rows: readonly ServerRow[]) => rows.map(({ id }) => id);

test("servers are found by any part of name, address or cookie", () => {
  assert.deepEqual(ids(shownServers(ROWS, "web", "", "file")), ["app/WEB-001", "app/WEB-002"]);
  assert.deepEqual(ids(shownServers(ROWS, "10.0.1", "", "file")), ["api/one"]);
  assert.deepEqual(ids(shownServers(ROWS, "", "down", "file")), ["app/WEB-002"]);
  assert.deepEqual(ids(shownServers(ROWS, "nobody", "", "file")), []);
});

test("what needs somebody stands first, and equal ones as in the file", () => {
  assert.deepEqual(ids(shownServers(ROWS, "", "", "condition")), ["app/WEB-002", "app/WEB-001", "api/one"]);
  assert.deepEqual(ids(shownServers(ROWS, "", "", "sessions")), ["api/one", "app/WEB-001", "app/WEB-002"]);
});

test("an address with an order that is none has that of the file", () => {
  assert.deepEqual(
    ["errors", "constructor", "", null].map((word) => sortKeyOf(word)),
    ["errors", "file", "file", "file"],
  );
});
