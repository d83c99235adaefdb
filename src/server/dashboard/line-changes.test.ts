import assert from "node:assert/strict";
import { test } from "node:test";
import { changedLines } from "./line-changes.ts";
import { withoutSecrets } from "./secrets.ts";

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

test("passwords and keys stay in the file", () => {
  const cases = [
    ["user anna insecure-password hunter2", "user anna insecure-password …"],
    ["user anna password $5$abc groups a", "user anna password … groups a"],
    ["  stats auth admin:hunter2", "  stats auth admin:…"],
    ["dynamic-cookie-key hunter2", "dynamic-cookie-key …"],
    [
      "http-request set-header Authorization Basic\\ aHVudGVyMg==",
      "http-request set-header Authorization Basic\\ …",
    ],
    ["Authorization: Bearer hunter2", "Authorization: Bearer …"],
    ["setenv API_TOKEN hunter2", "setenv API_TOKEN …"],
    ["server a 127.0.0.1:80 cookie A check", "server a 127.0.0.1:80 cookie A check"],
  ] as const;
  for (const [line, shown] of cases) assert.equal(withoutSecrets(line), shown);
});
