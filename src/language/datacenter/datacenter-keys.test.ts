import assert from "node:assert/strict";
import { test } from "node:test";
import { ENTRIES, ownersOfKey } from "./datacenter-keys.ts";
import { Reading } from "./reading.ts";
import { parseTree } from "./tree.ts";

test("each example of a key can be read as it is", () => {
  for (const { id, table } of ENTRIES.keys()) {
    for (const [name, { type, notes }] of Object.entries(table)) {
      if (notes.example === undefined) continue;
      const reading = new Reading(ownersOfKey);
      const tree = parseTree(`${name}: ${notes.example}\n`, "example.yaml", reading);
      assert.ok(tree?.kind === "map");
      type.read(tree.entries[0]!.value, reading);
      assert.deepEqual(reading.diagnostics, [], `${id}.${name}`);
    }
  }
});

test("each kind of entry has a name of its own, and says where it stands", () => {
  const ids = [...ENTRIES.keys()].map(({ id }) => id);
  assert.deepEqual(ids, [...new Set(ids)]);
  for (const [{ id }, places] of ENTRIES) assert.equal(places[0] === "", id === "datacenter");
});

test("required keys have an example, which the help shows when they are missing", () => {
  for (const { id, table } of ENTRIES.keys()) {
    for (const [name, { isRequired, notes }] of Object.entries(table))
      assert.ok(!isRequired || notes.example !== undefined, `${id}.${name}`);
  }
});
