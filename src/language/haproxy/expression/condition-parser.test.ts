import assert from "node:assert/strict";
import { test } from "node:test";
import type { Condition } from "../../../model/sample.ts";
import { parseAclLine } from "./acl-parser.ts";
import { parseCondition } from "./condition-parser.ts";
import {
  type RecordingContext,
  recordingContext,
  showDiagnostic,
  showSample,
  wordsOf,
} from "./expression.fixture.ts";

function contextWithAcls(): RecordingContext {
  const context = recordingContext();
  for (const [name, line] of [
    ["a", "path /a"],
    ["b", "path /b"],
    ["c", "src 10.0.0.0/8"],
    ["late", "status 200"],
  ] as const) {
    context.acls.set(name, { name, tests: [parseAclLine(wordsOf(name)[0]!, wordsOf(line), context)!] });
  }
  return context;
}

/** Alternatives in brackets, "!" for negated terms, anonymous acls as their test. */
function show(condition: Condition): string {
  const suites = condition.anyOf.map((suite) =>
    suite
      .map(({ negated, acl }) => {
        const { sample, method, patterns } = acl.tests[0]!;
        return (
          (negated ? "!" : "") +
          (acl.name === "" ? `{${showSample(sample)} ${method} ${patterns.join(" ")}}` : acl.name)
        );
      })
      .join(" & "),
  );
  return `${condition.keyword} ${suites.map((suite) => `[${suite}]`).join(" | ")}`;
}

const UNDERSTOOD: readonly (readonly [string, string])[] = [
  ["if a", "if [a]"],
  ["unless a", "unless [a]"],
  ["if a b", "if [a & b]"],
  ["if a b or c", "if [a & b] | [c]"],
  ["if a || b OR c", "if [a] | [b] | [c]"],
  ["if !a b", "if [!a & b]"],
  ["if ! a", "if [!a]"],
  ["if !!a", "if [a]"],
  ["if ! !a", "if [a]"],
  ["if { path /x }", "if [{path str /x}]"],
  ["if !{ path /x } a", "if [!{path str /x} & a]"],
  ["if { path_beg /x } or { src 10.0.0.0/8 } b", "if [{path beg /x}] | [{src ip 10.0.0.0/8} & b]"],
  ["if METH_GET LOCALHOST", "if [METH_GET & LOCALHOST]"],
];

test("conditions are alternatives of acls that must all hold", () => {
  for (const [line, expected] of UNDERSTOOD) {
    const context = contextWithAcls();
    const condition = parseCondition(wordsOf(line), context);
    assert.deepEqual(context.diagnostics.map(showDiagnostic), [], line);
    assert.equal(show(condition!), expected, line);
    assert.equal(condition!.text, line);
  }
});

test("a proxy's own acl comes before the predefined one of that name", () => {
  const context = recordingContext();
  context.acls.set("TRUE", {
    name: "TRUE",
    tests: [parseAclLine(wordsOf("x")[0]!, wordsOf("path /own"), context)!],
  });
  const condition = parseCondition(wordsOf("if TRUE"), context)!;
  assert.deepEqual(condition.anyOf[0]![0]!.acl.tests[0]!.patterns, ["/own"]);
});

test("all unknown acls of a condition are reported at once", () => {
  const context = contextWithAcls();
  assert.equal(parseCondition(wordsOf("if aa LOCALHOTS or !bb"), context), null);
  assert.deepEqual(
    context.diagnostics.map((one) => one.span.column),
    [4, 7, 20],
  );
});

test("an acl that can never match is a warning, and the condition stands", () => {
  const context = contextWithAcls();
  assert.notEqual(parseCondition(wordsOf("if late"), context), null);
  assert.deepEqual(context.diagnostics.map(showDiagnostic), [
    "4-8 warning never-matches: acl `late` never matches: `status` reads facts of the response, which are not there while the request is handled",
  ]);
});
