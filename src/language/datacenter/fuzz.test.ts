// Reading and editing damaged files: nothing is thrown, everything ends, and every place that is named is in
// the text. `npm run fuzz` tries 100,000 of them; FUZZ_CASES and FUZZ_SEED choose otherwise.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { Span } from "../../diagnostic/span.ts";
import type { DocumentEdit, DocumentPath } from "../../model/document-edit.ts";
import { applyEdits } from "./edit.ts";
import { type Chance, chanceOf, knownFiles, mutate, pick, wordsOf } from "./mutate.fixture.ts";
import { readDatacenter } from "./reader.ts";

const CASES = Number(process.env["FUZZ_CASES"] ?? 2000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const FILE = "fuzzed.yaml";

const files = [...knownFiles().values()];
const words = wordsOf(files);

test(`${CASES} damaged files are read without a throw, and all places are inside the text`, () => {
  for (let seed = SEED; seed < SEED + CASES; seed++) {
    const chance = chanceOf(seed);
    const text = mutate(pick(files, chance), words, chance);
    try {
      checkReading(text);
      if (seed % 8 === 0) checkEditing(text, chance);
    } catch (error) {
      throw new Error(`with FUZZ_SEED=${seed} FUZZ_CASES=1`, { cause: error });
    }
  }
});

test("texts that are deep, long or wide are read, too", () => {
  const many = 20_000;
  const keys = Array.from({ length: many }, (_, index) => `k${index}: {}`);
  for (const text of [
    `a: ${"[".repeat(many)}`,
    `a: ${"[".repeat(many)}${"]".repeat(many)}`,
    `a: ${"{a: ".repeat(many)}`,
    "- ".repeat(many),
    "? ".repeat(many),
    `a: b${" ".repeat(many)}c`,
    `a: {b: c${" ".repeat(many)}`,
    `a: 1\n${"\n".repeat(5_000_000)}`,
    `a: 1\n${"# x\n".repeat(many)}`,
    keys.join("\n"),
    `machines: {${keys.join(", ")}}`,
    `a: &a 1\n${keys.join("\n").replaceAll("{}", "*a")}`,
    "a: &a [*a]\nb: &b {<<: *b}\n",
    `machines: {b: {run: "${`\${X-y}`.repeat(many)}"}}`,
  ])
    checkReading(text);
});

function checkReading(text: string): void {
  const { datacenter, diagnostics } = readDatacenter([{ name: FILE, text }], {
    variables: { SITE: "north" },
    readFile: () => null,
    listFiles: () => [],
  });
  const lines = text.split("\n");
  for (const { span, related, message } of diagnostics) {
    checkSpan(span, lines, message);
    for (const other of related) checkSpan(other.span, lines, message);
  }
  checkSpans(datacenter, lines);
  assert.ok(datacenter !== null || diagnostics.length > 0);
}

function checkSpans(value: unknown, lines: readonly string[]): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, item] of Object.entries(value)) {
    if (name === "span") checkSpan(item as Span, lines, JSON.stringify(value));
    else checkSpans(item, lines);
  }
}

function checkSpan({ file, line, column, endColumn }: Span, lines: readonly string[], what: string): void {
  assert.equal(file, FILE);
  const length = lines[line - 1]?.length;
  assert.ok(length !== undefined, `line ${line} of ${what}`);
  assert.ok(
    column >= 1 && column <= endColumn && endColumn <= length + 1,
    `${column}-${endColumn} of ${what}`,
  );
}

function checkEditing(text: string, chance: Chance): void {
  const edits = Array.from({ length: 1 + Math.floor(chance() * 3) }, () => randomEdit(chance));
  const result = applyEdits(text, edits, FILE);
  if (!result.ok) checkSpan(result.diagnostic.span, text.split("\n"), result.diagnostic.message);
}

function randomEdit(chance: Chance): DocumentEdit {
  const path: DocumentPath = Array.from({ length: Math.floor(chance() * 5) }, () =>
    chance() < 0.2 ? Math.floor(chance() * 3) : pick(words, chance),
  );
  const value = pick(["text", "a: b", 5, true, null, ["a", 1], { a: "b", c: [1] }, [], {}], chance);
  switch (Math.floor(chance() * 3)) {
    case 0:
      return { kind: "set", file: FILE, path, value };
    case 1:
      return { kind: "append", file: FILE, path, value };
    default:
      return { kind: "delete", file: FILE, path };
  }
}
