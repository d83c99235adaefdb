import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_SPAN } from "../../../diagnostic/span.ts";
import { wordAt } from "../word.ts";
import { readArguments } from "./argument-parser.ts";

/** The text behind a name, its arguments, the rest. */
const LISTS: readonly (readonly [string, readonly string[], string])[] = [
  ["", [], ""],
  [",lower", [], ",lower"],
  ["()", [""], ""],
  ["(a)", ["a"], ""],
  ["(a,b),c", ["a", "b"], ",c"],
  ["(a,,b)", ["a", "", "b"], ""],
  ["( a , b )", [" a ", " b "], ""],
  ["('a,b',c)", ["a,b", "c"], ""],
  ['("a)b")', ["a)b"], ""],
  ["(a'b,c'd)", ["ab,cd"], ""],
  ['("it\'s")', ["it's"], ""],
  ["(a\\ b)", ["a b"], ""],
  ["(a\\\\b)", ["a\\b"], ""],
  ["(\\')", ["'"], ""],
  ["(\\n\\r\\t)", ["\n\r\t"], ""],
  ["(\\d\\,b)", ["\\d\\", "b"], ""],
  ["('\\n')", ["\\n"], ""],
  ["((a),b)", ["(a"], ",b)"],
];

test("arguments are split at commas that nothing protects", () => {
  for (const [text, expected, rest] of LISTS) {
    const list = readArguments(wordAt(text, NO_SPAN), 0);
    assert.deepEqual(
      list.arguments.map((argument) => argument.text),
      expected,
      text,
    );
    assert.equal(text.slice(list.end), rest, text);
    assert.ok(list.isClosed, text);
    assert.equal(list.hasParentheses, text.startsWith("("), text);
  }
});

test("a list without its end is seen as such", () => {
  for (const text of ["(", "(a", "(a,", "('a)", '(a,"b),c', "(a\\"]) {
    assert.equal(readArguments(wordAt(text, NO_SPAN), 0).isClosed, false, text);
  }
});

test("an argument knows its place, quotes included", () => {
  const list = readArguments(wordAt("x('a',b)", NO_SPAN), 1);
  assert.deepEqual(list.arguments, [
    { text: "a", start: 2, end: 5 },
    { text: "b", start: 6, end: 7 },
  ]);
});
