import assert from "node:assert/strict";
import { test } from "node:test";
import type { Diagnostic } from "./diagnostic.ts";
import { renderDiagnostic, summarizeDiagnostics } from "./render.ts";

const SOURCE = `first\n\tbind :80 sssl\n${"x".repeat(150)} here\n`;
const source = (file: string): string | null => (file === "a" ? SOURCE : null);

function diagnostic(
  line: number,
  column: number,
  endColumn: number,
  given: Partial<Diagnostic> = {},
): Diagnostic {
  const span = { file: "a", line, column, endColumn };
  return {
    code: "some-code",
    severity: "error",
    span,
    message: "it is wrong",
    help: null,
    related: [],
    ...given,
  };
}

test("the carets stand under the word, behind the line's own tabs", () => {
  assert.equal(
    renderDiagnostic(diagnostic(2, 11, 15, { help: "Did you mean `ssl`?" }), { source, colour: false }),
    "a:2:11: error[some-code] it is wrong\n  2 | \tbind :80 sssl\n    | \t         ^^^^\n  help: Did you mean `ssl`?\n",
  );
});

test("an empty place has one caret, also behind the end of the line", () => {
  const lines = renderDiagnostic(diagnostic(1, 6, 6), { source, colour: false }).split("\n");
  assert.equal(lines[2], "    |      ^");
});

test("a long line is cut around the place", () => {
  const lines = renderDiagnostic(diagnostic(3, 152, 156), { source, colour: false }).split("\n");
  assert.ok(lines[1]!.length < 120);
  assert.equal(lines[2]!.indexOf("^"), lines[1]!.indexOf("here"));
});

test("a related place is shown with its line", () => {
  const related = [{ span: { file: "a", line: 1, column: 1, endColumn: 6 }, message: "the first is here" }];
  const text = renderDiagnostic(diagnostic(2, 2, 6, { related }), { source, colour: false });
  assert.match(text, / {2}a:1:1: the first is here\n {2}1 \| first\n {4}\| \^{5}\n/);
});

test("an unknown file, and a place outside the file, are shown without a line", () => {
  const span = { file: "b", line: 1, column: 1, endColumn: 2 };
  assert.equal(
    renderDiagnostic(diagnostic(1, 1, 2, { span }), { source, colour: false }),
    "b:1:1: error[some-code] it is wrong\n",
  );
  assert.equal(
    renderDiagnostic(diagnostic(99, 1, 2), { source, colour: false }),
    "a:99:1: error[some-code] it is wrong\n",
  );
});

test("colour is added only when asked for, and changes no letter", () => {
  const plain = renderDiagnostic(diagnostic(2, 2, 6), { source, colour: false });
  const coloured = renderDiagnostic(diagnostic(2, 2, 6), { source, colour: true });
  assert.ok(!plain.includes("\x1b"));
  assert.ok(coloured.includes("\x1b[1;31merror"));
  assert.equal(coloured.replace(/\x1b\[[\d;]*m/g, ""), plain);
});

test("a name with escapes in it moves no cursor, wherever it is quoted", () => {
  const span = { file: "b", line: 1, column: 1, endColumn: 2 };
  const given = {
    message: "there is no `\x1b[31mred\n`",
    help: "Write `\x9b2J`.\nOr not.",
    related: [{ span, message: "\x1b[H is here" }],
  };
  const text = renderDiagnostic(diagnostic(1, 1, 2, given), { source: () => null, colour: false });
  assert.equal(
    text,
    "a:1:1: error[some-code] there is no `?[31mred?`\n  b:1:1: ?[H is here\n  help: Write `?2J`.\n        Or not.\n",
  );
});

test("control characters of a file never reach the terminal", () => {
  const text = renderDiagnostic(diagnostic(1, 1, 2), { source: () => "a\x1b[2Jb\n", colour: false });
  assert.ok(!text.includes("\x1b"));
});

test("the summary counts errors and warnings", () => {
  const all = [
    diagnostic(1, 1, 2),
    diagnostic(1, 1, 2),
    diagnostic(1, 1, 2, { severity: "warning" }),
    diagnostic(1, 1, 2, { severity: "notice" }),
  ];
  assert.equal(summarizeDiagnostics(all), "2 errors and 1 warning");
  assert.equal(summarizeDiagnostics([]), "no errors");
});
