import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { chanceOf, knownFiles, mutate, pick, wordsOf } from "./mutate.fixture.ts";
import { readPlainTree } from "./plain-tree.ts";
import { Reading } from "./reading.ts";
import { parseWholeYaml } from "./whole-yaml.ts";

const files = knownFiles();

/** Whether it was read; fails when a parser for all of YAML reads something else. */
function isReadAlike(text: string, what: string): boolean {
  const plain = readPlainTree(text, "file.yaml");
  if (plain === null) return false;
  const reading = new Reading(() => []);
  const whole = parseWholeYaml(text, "file.yaml", reading);
  assert.deepEqual(reading.diagnostics, [], what);
  assert.deepEqual(plain, whole, what);
  return true;
}

test("the examples are read in the short way, and just as in the long one", () => {
  for (const [name, text] of files) assert.ok(isReadAlike(text, name) || !name.endsWith(".yaml"), name);
});

const CASES = Number(process.env["FUZZ_CASES"] ?? 5000);

test("of many damaged files what is read in the short way is read just so in the long one", () => {
  const words = wordsOf(files.values());
  const texts = [...files.values()];
  let count = 0;
  for (let seed = 1; seed <= CASES; seed++) {
    const chance = chanceOf(seed);
    if (isReadAlike(mutate(pick(texts, chance), words, chance), `seed ${seed}`)) count++;
  }
  assert.ok(count > CASES / 10, `only ${count} were`);
});

test("what has more to it is left to the long way", () => {
  for (const text of [
    "a: &x 1",
    "a: *x",
    "a: !t 1",
    "a: |\n  b",
    "a: >\n  b",
    "a: b\n  c",
    "a: 'it''s'",
    'a: "\\n"',
    "a: [1,\n2]",
    "? a\n: b",
    "a: b: c",
    "a:\n\tb: c",
    "---\na: b",
    "a: 1\na: 2",
    "<<: a",
    "a: {b}",
    "a: {b: }",
    "- - a",
    "a: @x",
    "a: {b: 1}c",
    "a: 'x' y",
    "a: 1\n b: 2",
    "a:\n  b: 1\n c: 2",
    "a: [1] [2]",
    "a",
    "a: -",
    "\ufeffa: 1",
    "a: ~",
  ])
    assert.equal(readPlainTree(text, "file.yaml"), null, text);
});

test("blanks, comments and empty lines are where they like", () => {
  for (const text of [
    "a: 1",
    "\n# c\n  # d\na:   1   # e\n\n",
    "a:\n- b\n-   c: 1\n    d: 2\n",
    "a: { b : 1}",
    "a: [ 1 , 2 ]\nb: {}\n",
    "a:\n\nb:\n  c:\n    - d # e\n\n  # f\n  g: h#i\n",
    "a: {b: [1, {c: d}], 'e f': \"g\"}",
    "a: b:c\nd: e'f\"g",
    "a: # b\n  c: d",
    "a: null\nb: 1.5",
    "- a\n- b",
    "[a, b]",
    "a:    \nb: 1",
  ])
    isReadAlike(text, text);
});
