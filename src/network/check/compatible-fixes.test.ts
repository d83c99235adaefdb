import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_SPAN } from "../../diagnostic/span.ts";
import type { DocumentEdit } from "../../model/document-edit.ts";
import { compatibleFixes } from "./compatible-fixes.ts";
import type { Finding } from "./rule.ts";

test("fixes that do not meet all stay", () => {
  assert.deepEqual(kept([set("a", 1)], [set("b", 2)], [append("c", 3)], [append("c", 4)]), [
    true,
    true,
    true,
    true,
  ]);
});

test("of two values for one key the first stays; the same value may be set twice", () => {
  assert.deepEqual(kept([set("mtu", 1504)], [set("mtu", 9000)], [set("mtu", 1504)]), [true, false, true]);
});

test("the same item is not appended twice", () => {
  assert.deepEqual(kept([append("routes", "x")], [append("routes", "x")]), [true, false]);
});

test("while an item is taken out of a list, what else is in it waits, whichever comes first", () => {
  const hairpin: DocumentEdit = { kind: "set", file: "f", path: ["nat", 2, "hairpin"], value: true };
  assert.deepEqual(kept([hairpin], [remove("nat", 0)], [remove("nat", 1)], [set("x", 1)]), [
    false,
    true,
    false,
    true,
  ]);
});

test("a fix of several edits stays or waits as a whole", () => {
  assert.deepEqual(kept([set("a", 1)], [set("b", 1), set("a", 2)], [set("b", 3)]), [true, false, true]);
});

function kept(...fixes: readonly (readonly DocumentEdit[])[]): boolean[] {
  const findings = fixes.map(
    (fix): Finding => ({
      code: "x",
      severity: "error",
      span: NO_SPAN,
      message: "m",
      help: null,
      related: [],
      fix,
    }),
  );
  return compatibleFixes(findings).map(({ fix }) => fix !== null);
}

function set(key: string, value: number): DocumentEdit {
  return { kind: "set", file: "f", path: [key], value };
}

function append(key: string, value: string | number): DocumentEdit {
  return { kind: "append", file: "f", path: [key], value };
}

function remove(key: string, index: number): DocumentEdit {
  return { kind: "delete", file: "f", path: [key, index] };
}
