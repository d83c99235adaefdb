import assert from "node:assert/strict";
import { test } from "node:test";
import { openAt } from "./brackets.ts";

const openIn = (text: string): number | null => openAt(text, text.length);

test("the innermost bracket, brace or quote that is open is found", () => {
  assert.equal(openIn("a: [1, {b: 2}"), 3);
  assert.equal(openIn("a: [1, {b: 2"), 7);
  assert.equal(openIn("a: [1]\nb: {c: [2]}\n"), null);
  assert.equal(openIn('a: "x\nb: y\n'), 3);
  assert.equal(openIn("a: 'it''s'\nb: 'x"), 14);
  assert.equal(openIn('a: "\\"" \n- [x'), 11);
});

test("what is in comments, in quotes or in the middle of a word opens nothing", () => {
  assert.equal(openIn("a: 1 # [\nb: x[1\nc: don't\n"), null);
  assert.equal(openIn("a: '['\nb: \"{\"\n"), null);
});
