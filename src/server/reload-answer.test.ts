import assert from "node:assert/strict";
import { test } from "node:test";
import { formatReloadAnswer, readReloadAnswer } from "./reload-answer.ts";

const GOOD = { ok: true, diagnostics: [], sources: [], problems: [] };

test("a reload that worked is told so", () => {
  assert.equal(formatReloadAnswer(GOOD), "Success=1\n--\nreloaded\n");
  assert.deepEqual(readReloadAnswer(formatReloadAnswer(GOOD)), { isSuccess: true, text: "reloaded\n" });
});

test("a reload that failed tells the diagnostics with their lines, and what workers could not do", () => {
  const span = { file: "a.cfg", line: 1, column: 3, endColumn: 5 };
  const diagnostic = { code: "c", severity: "error", span, message: "no", help: null, related: [] } as const;
  const answer = formatReloadAnswer({
    ok: false,
    diagnostics: [diagnostic],
    sources: [{ name: "a.cfg", text: "  xy\n" }],
    problems: [
      { file: "a.cfg", line: 7, message: "the port is taken" },
      { file: "", line: 0, message: "a worker hangs" },
    ],
  });
  assert.deepEqual(readReloadAnswer(answer), {
    isSuccess: false,
    text: [
      "a.cfg:1:3: error[c] no",
      "  1 |   xy",
      "    |   ^^",
      "",
      "a.cfg:7: the port is taken",
      "a worker hangs",
      "not reloaded: the old configuration goes on",
      "",
    ].join("\n"),
  });
});

test("an answer that is none counts as a refusal", () => {
  assert.deepEqual(readReloadAnswer("Permission denied.\n\n"), {
    isSuccess: false,
    text: "Permission denied.\n",
  });
});
