// Runs every file of golden/: a datacentre above a line of four dashes, what is read from it below: the
// diagnostics, and the model where there are none. Files that it includes stand behind lines `==> NAME <==`.
// With UPDATE_GOLDEN=1 it writes what it got instead of comparing.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { renderDiagnostics } from "../../diagnostic/render.ts";
import { printModel } from "./print-model.fixture.ts";
import { readDatacenter } from "./reader.ts";

const folder = new URL("golden/", import.meta.url);
const SEPARATOR = "----\n";
const names = readdirSync(folder).filter((name) => name.endsWith(".txt"));

for (const name of names) {
  test(`what is said about ${name.replace(".txt", "")} is as written`, () => {
    const url = new URL(name, folder);
    const [input = "", expected = ""] = splitGolden(readFileSync(url, "utf8"));
    const actual = readingOf(input);
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(url, input + SEPARATOR + actual);
    else assert.equal(actual, expected);
  });
}

test("there are goldens for at least 40 kinds of mistakes", () => {
  assert.ok(names.length >= 40, `${names.length} files`);
});

function readingOf(input: string): string {
  const [first = "", ...others] = input.split(/^==> (.+) <==\n/m);
  const included = new Map<string, string>();
  for (let index = 0; index < others.length; index += 2) included.set(others[index]!, others[index + 1]!);
  const reading = readDatacenter([{ name: "datacenter.yaml", text: first }], {
    variables: { SITE: "north" },
    readFile: (path) => included.get(path) ?? null,
    listFiles: (pattern) => [...included.keys()].filter((path) => path.startsWith(pattern.split("*")[0]!)),
  });
  const { datacenter, diagnostics, sources } = reading;
  if (diagnostics.length > 0)
    return renderDiagnostics(diagnostics, { source: (file) => sources.get(file) ?? null, colour: false });
  assert.ok(datacenter !== null);
  return printModel(datacenter);
}

function splitGolden(text: string): string[] {
  const at = text.indexOf(SEPARATOR);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + SEPARATOR.length)];
}
