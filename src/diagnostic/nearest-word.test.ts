import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, nearestWord, suggestWord } from "./nearest-word.ts";

const known = ["server", "balance", "default_backend", "use_backend", "acl"];

test("a word with a few wrong letters finds the one that was meant", () => {
  assert.equal(nearestWord("sevrer", known), "server");
  assert.equal(nearestWord("default-backend", known), "default_backend");
  assert.equal(nearestWord("BALANCE", known), "balance");
  assert.equal(suggestWord("ballance", known), "Did you mean `balance`?");
});

test("a word that is far from all is not guessed at", () => {
  assert.equal(nearestWord("listen", known), null);
  assert.equal(suggestWord("x", known), null);
  assert.equal(nearestWord("", known), null);
});

test("the distance counts swaps of neighbours once and stops at the limit", () => {
  assert.equal(editDistance("abcd", "abdc", 9), 1);
  assert.equal(editDistance("kitten", "sitting", 9), 3);
  assert.equal(editDistance("aaaa", "bbbb", 2), 2);
});
