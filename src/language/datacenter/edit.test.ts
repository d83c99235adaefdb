import assert from "node:assert/strict";
import { test } from "node:test";
import type { DocumentEdit, DocumentPath, DocumentValue } from "../../model/document-edit.ts";
import { applyEdits } from "./edit.ts";
import { editedTree, isSameTree, type PlainTree, plainTree } from "./edit-tree.ts";
import { knownFiles } from "./mutate.fixture.ts";
import { Reading } from "./reading.ts";
import { parseTree } from "./tree.ts";

const FILE = "datacenter.yaml";

const set = (path: DocumentPath, value: DocumentValue): DocumentEdit => ({
  kind: "set",
  file: FILE,
  path,
  value,
});
const append = (path: DocumentPath, value: DocumentValue): DocumentEdit => ({
  kind: "append",
  file: FILE,
  path,
  value,
});
const remove = (path: DocumentPath): DocumentEdit => ({ kind: "delete", file: FILE, path });

function edited(text: string, ...edits: readonly DocumentEdit[]): string {
  const result = applyEdits(text, edits, FILE);
  assert.ok(result.ok, result.ok ? "" : result.diagnostic.message);
  return result.text;
}

test("a value is replaced where it stands, in the quotes that it has", () => {
  assert.equal(edited(`a: "5.1"   # old\nb: 2\n`, set(["a"], "5.5")), `a: "5.5"   # old\nb: 2\n`);
  assert.equal(edited("a: 'x'\n", set(["a"], "it's")), "a: 'it''s'\n");
  assert.equal(edited("{a: [1, 2], b: x}\n", set(["a", 1], 3)), "{a: [1, 3], b: x}\n");
  assert.equal(edited("a: &x 1\nb: 2\n", set(["a"], 3)), "a: &x 3\nb: 2\n");
});

test("what another reader could take for something else is quoted", () => {
  for (const [value, text] of [
    ["5.5", '"5.5"'],
    ["yes", '"yes"'],
    ["00:50:56:00:00:11", '"00:50:56:00:00:11"'],
    ["203.0.113.10:80", '"203.0.113.10:80"'],
    ["192.168.10.1", "192.168.10.1"],
    ["node site.js", "node site.js"],
    ["a: b", '"a: b"'],
    ["a #b", '"a #b"'],
    ["", '""'],
    ["two\nlines", '"two\\nlines"'],
    ["- x", '"- x"'],
    [" x", '" x"'],
  ] as const)
    assert.equal(edited("a: 1\n", set(["a"], value)), `a: ${text}\n`);
});

test("a key is added below its siblings, indented as they are", () => {
  assert.equal(
    edited("m:\n    a: 1 # one\n\nn: 2\n", set(["m", "b"], 2)),
    "m:\n    a: 1 # one\n    b: 2\n\nn: 2\n",
  );
  assert.equal(edited("m: {a: 1}\n", set(["m", "b"], { c: [1, 2] })), "m: {a: 1, b: {c: [1, 2]}}\n");
  assert.equal(
    edited("m:   # nothing yet\nn: 2\n", set(["m", "b"], { c: 1 })),
    "m:   # nothing yet\n  b: {c: 1}\nn: 2\n",
  );
  assert.equal(edited("m: {}\n", set(["m", "b"], 1)), "m: {b: 1}\n");
  assert.equal(edited("n: 2", set(["m", "b"], 1)), "n: 2\nm: {b: 1}");
  assert.equal(edited("# only a comment\n", set(["m"], 1)), "# only a comment\nm: 1\n");
  assert.equal(
    edited("l:\n  - a: 1\n  - a: 2\n", set(["l", 1, "b"], 3)),
    "l:\n  - a: 1\n  - a: 2\n    b: 3\n",
  );
});

test("an item is added to a list of either style, and to what was one value", () => {
  assert.equal(edited("l: [a, b]  # two\n", append(["l"], "c")), "l: [a, b, c]  # two\n");
  assert.equal(edited("l:\n- a\n# end\nm: 1\n", append(["l"], { b: 1 })), "l:\n- a\n- {b: 1}\n# end\nm: 1\n");
  assert.equal(
    edited("l:\n  - a: 1\n    b: |\n      x\n", append(["l"], "z")),
    "l:\n  - a: 1\n    b: |\n      x\n  - z\n",
  );
  assert.equal(edited("l: a\n", append(["l"], "b")), "l: [a, b]\n");
  assert.equal(edited("l:\n", append(["l"], "b")), "l:\n  - b\n");
  assert.equal(edited("l: []\n", append(["l"], "b")), "l: [b]\n");
  assert.equal(edited("x: {}\n", append(["x", "l"], "b")), "x: {l: [b]}\n");
  assert.equal(edited("a: 1\n", append(["l"], "b"), append(["l"], "c")), "a: 1\nl: [b, c]\n");
});

test("an entry goes with its comment, and nothing else goes", () => {
  const text = "m:\n  # of a\n  a: 1\n\n  # of b\n  # still of b\n  b: {x: 1} # b\n  # of c\n  c: 3\n";
  assert.equal(edited(text, remove(["m", "b"])), "m:\n  # of a\n  a: 1\n\n  # of c\n  c: 3\n");
  assert.equal(edited("m: {a: 1, b: 2, c: 3}\n", remove(["m", "a"])), "m: {b: 2, c: 3}\n");
  assert.equal(edited("m: {a: 1, b: 2, c: 3}\n", remove(["m", "c"])), "m: {a: 1, b: 2}\n");
  assert.equal(edited("m: [a]\nn: 1\n", remove(["m", 0])), "m: []\nn: 1\n");
  assert.equal(edited("m:\n  a: 1\nn: 1\n", remove(["m", "a"])), "m:\n  {}\nn: 1\n");
  assert.equal(edited("l:\n  - a: 1\n    b: 2\n", remove(["l", 0, "a"])), "l:\n  - b: 2\n");
  assert.equal(edited("l: [a, b, c]\n", remove(["l", 0]), remove(["l", 0])), "l: [c]\n");
});

test("a map is set key by key, so that what stays keeps its text", () => {
  const text = "m:\n  a: 'x' # of a\n  b: 2\n";
  assert.equal(edited(text, set(["m"], { a: "x", b: 3 })), "m:\n  a: 'x' # of a\n  b: 3\n");
  assert.equal(edited("l: [a, 'b']\n", set(["l"], ["a", "c"])), "l: [a, 'c']\n");
  assert.equal(edited("m:\n  a: 1\n  b: 2\n", set(["m"], "x")), "m: x\n");
});

test("lines end as they did", () => {
  assert.equal(edited("m:\r\n  a: 1\r\nn: 2\r\n", set(["m", "b"], 2)), "m:\r\n  a: 1\r\n  b: 2\r\nn: 2\r\n");
  assert.equal(edited("m:\r\n  a: 1\r\n  b: 2\r\n", remove(["m", "a"])), "m:\r\n  b: 2\r\n");
});

test("many edits are one after the other", () => {
  const edits = Array.from({ length: 20 }, (_, index) => append(["copies"], `test-${index}`));
  assert.equal(
    edited("copies: [a]\n", ...edits),
    `copies: [a, ${edits.map((_, index) => `test-${index}`).join(", ")}]\n`,
  );
  assert.equal(edited("a: 1\nb: 2\n", set(["a"], 3), set(["b"], 4), set(["a"], 5)), "a: 5\nb: 4\n");
});

test("what would change other entries as well is refused, at its place", () => {
  const text = "a: &x {p: 1}\nb: *x\n";
  for (const edit of [set(["b", "p"], 2), set(["b"], 2), set(["a", "p"], 2)]) {
    const result = applyEdits(text, [edit], FILE);
    assert.ok(!result.ok);
    assert.equal(result.diagnostic.code, "edit-refused");
  }
  const result = applyEdits("a: 1\nb: {c: 2}\n", [remove(["b", "d"])], FILE);
  assert.ok(!result.ok);
  assert.deepEqual(result.diagnostic.span, { file: FILE, line: 2, column: 1, endColumn: 2 });
});

test("a file that cannot be read is left alone, and edits of other files are not for it", () => {
  const result = applyEdits("a: [1\n", [set(["a"], 2)], FILE);
  assert.ok(!result.ok);
  assert.equal(result.diagnostic.code, "yaml-syntax");
  assert.equal(edited("a: 1\n", { ...set(["a"], 2), file: "other.yaml" }), "a: 1\n");
});

for (const [name, text] of knownFiles()) {
  const tree = treeOf(text);
  if (tree === null) continue;
  test(`each value of ${name} can be set: to itself without a change, to another on its line`, () => {
    for (const [path, value] of scalarsOf(tree, [])) {
      assert.equal(edited(text, set(path, value)), text, path.join(" "));
      const result = applyEdits(text, [set(path, "another-one")], FILE);
      if (!result.ok) {
        // Behind an anchor or a merge key.
        assert.match(text, /[&*]\w/, `${path.join(" ")}: ${result.diagnostic.message}`);
        continue;
      }
      // What is merged is set beside the merge key.
      if (text.includes("<<:")) continue;
      const [before, after] = [text.split("\n"), result.text.split("\n")];
      assert.equal(after.length, before.length);
      assert.equal(before.filter((line, index) => line !== after[index]).length, 1, path.join(" "));
      assert.ok(isSameTree(treeOf(result.text), editedTree(tree, set(path, "another-one"))));
    }
  });

  test(`each entry of ${name} can be deleted, and one added beside it; other lines stay`, () => {
    for (const path of pathsOf(tree, [])) {
      const added =
        typeof path.at(-1) === "number"
          ? append(path.slice(0, -1), "new")
          : set([...path.slice(0, -1), "new-key"], "new");
      for (const edit of [remove(path), added]) {
        const result = applyEdits(text, [edit], FILE);
        if (!result.ok) {
          assert.match(text, /[&*]\w/, `${path.join(" ")}: ${result.diagnostic.message}`);
          continue;
        }
        assert.ok(isSameTree(treeOf(result.text), editedTree(tree, edit)), path.join(" "));
        if (edit !== added) continue;
        const kept = new Set(result.text.split("\n"));
        assert.ok(text.split("\n").filter((line) => !kept.has(line)).length <= 1, path.join(" "));
      }
    }
  });
}

/** Null when the text is broken. */
function treeOf(text: string): PlainTree | null {
  const reading = new Reading(() => []);
  const tree = parseTree(text, FILE, reading);
  return tree === null || reading.diagnostics.length > 0 ? null : plainTree(tree);
}

function* pathsOf(tree: PlainTree, path: DocumentPath): Generator<DocumentPath> {
  const entries = tree instanceof Map ? tree.entries() : Array.isArray(tree) ? tree.entries() : [];
  for (const [step, inner] of entries) {
    yield [...path, step];
    yield* pathsOf(inner, [...path, step]);
  }
}

function* scalarsOf(tree: PlainTree, path: DocumentPath): Generator<[DocumentPath, string]> {
  if (typeof tree === "string") yield [path, tree];
  const entries = tree instanceof Map ? tree.entries() : Array.isArray(tree) ? tree.entries() : [];
  for (const [step, inner] of entries) yield* scalarsOf(inner, [...path, step]);
}
