import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stage } from "./availability.ts";
import { recordingContext, showDiagnostic, showFormat, wordsOf } from "./expression.fixture.ts";
import { parseLogFormat } from "./log-format-parser.ts";
import { BUILT_IN_LOG_FORMATS, type BuiltInLogFormatName, builtInLogFormat } from "./log-formats.ts";

/** Format in single quotes, stage, parts. */
const UNDERSTOOD: readonly (readonly [string, Stage, string])[] = [
  ["plain text", "request", '"plain text"'],
  ["", "request", ""],
  ["%ci:%cp", "request", '%ci ":" %cp'],
  ["100%%", "request", '"100%"'],
  ["%%ci", "request", '"%ci"'],
  ["%HPO/%HP", "request", '%HPO "/" %HP'],
  ["%[src]", "request", "%{?}[src]"],
  ["%[src]", "log", "%[src]"],
  ["a%[path,lower]b", "request", '"a" %{?}[path|lower] "b"'],
  ['%[path,regsub("[a]","(b)")]', "request", '%{?}[path|regsub("[a]","(b)")]'],
  ["%{+Q}ci %cp", "log", '%{Q}ci " " %cp'],
  ["%{+Q}o%ci %{-Q}cp %s", "log", '%{Q}ci " " %cp " " %{Q}s'],
  ["%{+Q,+X}ci", "log", "%{QX}ci"],
  ["%{+E}[path]", "request", "%{E?}[path]"],
  ["%{-M}[src]", "log", "%{?}[src]"],
  ["%{+M}[src]", "request", "%[src]"],
  ["%{+X}o%ci%{-X}o%cp", "log", "%{X}ci %cp"],
  ["a   b", "request", '"a   b"'],
  ["a   b  %ci  c", "log", '"a b " %ci " c"'],
  ["%-x", "request", '"-x"'],
  ["%ci%%%cp", "log", '%ci "%" %cp'],
];

test("formats are understood as text, variables and expressions with their flags", () => {
  for (const [text, stage, expected] of UNDERSTOOD) {
    const context = recordingContext();
    const format = parseLogFormat(
      wordsOf(`'${text}'`)[0] ?? { text: "", span: wordsOf("x")[0]!.span, isQuoted: true, columns: null },
      context,
      stage,
    );
    assert.deepEqual(context.diagnostics.map(showDiagnostic), [], text);
    assert.equal(showFormat(format!), expected, text);
    assert.equal(format!.text, text);
  }
});

test("a fault inside a format is shown where it stands", () => {
  const context = recordingContext();
  assert.equal(parseLogFormat(wordsOf('"a %[hdr(x),lwoer] b"')[0]!, context), null);
  assert.deepEqual(context.diagnostics.map(showDiagnostic), [
    "13-18 error unknown-converter: unknown converter `lwoer` | Did you mean `lower`?",
  ]);
});

test("variables of HTTP are refused in mode tcp, the others are not", () => {
  const context = recordingContext({ mode: "tcp" });
  assert.equal(parseLogFormat(wordsOf("%r")[0]!, context, "log"), null);
  assert.notEqual(parseLogFormat(wordsOf("%ci%ST%ts")[0]!, context, "log"), null);
});

test("flags that mean nothing are a warning", () => {
  const context = recordingContext();
  assert.equal(showFormat(parseLogFormat(wordsOf("%{+Z,Q,+Q}ci")[0]!, context, "log")!), "%{Q}ci");
  assert.deepEqual(
    context.diagnostics.map((one) => [one.severity, one.span.column]),
    [
      ["warning", 3],
      ["warning", 6],
    ],
  );
});

test("HAProxy's own formats can all be read", () => {
  for (const name of Object.keys(BUILT_IN_LOG_FORMATS) as BuiltInLogFormatName[]) {
    assert.ok(builtInLogFormat(name).parts.length > 5, name);
  }
  assert.match(
    showFormat(builtInLogFormat("httplog")),
    /^%ci ":" %cp " \[" %tr "\] " %ft .* %hs " " %\{Q\}r$/,
  );
  assert.match(showFormat(builtInLogFormat("clf")), /^%ci " - - \[" %\{Q\}trg "\] " %\{Q\}r /);
  assert.equal(
    showFormat(builtInLogFormat("connection-tcp")),
    '"Connect from " %ci ":" %cp " to " %fi ":" %fp " (" %f "/TCP)"',
  );
});
