import assert from "node:assert/strict";
import { test } from "node:test";
import { changedLines } from "./line-changes.ts";

test("a changed line has both forms, an added one the new and a removed one the old", () => {
  assert.deepEqual(changedLines("f", "a\nb\nc\n", "a\nB\nc\n"), [
    { file: "f", line: 2, before: "b", after: "B" },
  ]);
  assert.deepEqual(changedLines("f", "a\nc\n", "a\nb\nc\n"), [
    { file: "f", line: 2, before: null, after: "b" },
  ]);
  assert.deepEqual(changedLines("f", "a\nb\nc\n", "a\nc\n"), [
    { file: "f", line: 2, before: "b", after: null },
  ]);
  assert.deepEqual(changedLines("f", "a\n", "a\n"), []);
});

test("lines between two changes that stay as they are are not among them", () => {
  const changes = changedLines("f", "a\nb\nc\nd\n", "A\nb\nc\nD\n");
  assert.deepEqual(
    changes.map(({ line }) => line),
    [1, 4],
  );
});
