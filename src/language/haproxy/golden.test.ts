// Runs every file of golden/: input above a line of four dashes, rendered diagnostics below it. With
// UPDATE_GOLDEN=1 it writes what it got instead of comparing.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { renderDiagnostics } from "../../diagnostic/render.ts";
import { readConfiguration } from "./reader.ts";

const folder = new URL("golden/", import.meta.url);
const SEPARATOR = "----\n";
const environment = { variables: {}, readFile: () => null, hostname: "golden", cpuCount: 4 };
const names = readdirSync(folder).filter((name) => name.endsWith(".txt"));

for (const name of names) {
  test(`the diagnostics of ${name.replace(".txt", "")} are as written`, () => {
    const url = new URL(name, folder);
    const [input = "", expected = ""] = splitGolden(readFileSync(url, "utf8"));
    const file = { name: "haproxy.cfg", text: input };
    const { configuration, diagnostics } = readConfiguration([file], environment);
    const actual = renderDiagnostics(diagnostics, { source: () => input, colour: false });
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(url, input + SEPARATOR + actual);
    else assert.equal(actual, expected);
    assert.equal(
      configuration === null,
      diagnostics.some((one) => one.severity === "error"),
    );
  });
}

test("there is a golden for at least 25 kinds of mistakes", () => {
  assert.ok(names.length >= 25, `${names.length} files`);
});

function splitGolden(text: string): string[] {
  const at = text.indexOf(SEPARATOR);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + SEPARATOR.length)];
}
