import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { renderCompatibility } from "../../src/language/haproxy/compatibility.ts";
import { readConfiguration } from "../../src/language/haproxy/reader.ts";
import { renewDocument } from "../../tools/documents.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

test("COMPATIBILITY.md is what the reader's tables say; else: npm run compatibility", () => {
  assert.equal(read("COMPATIBILITY.md"), renderCompatibility());
});

for (const path of [
  "docs/command-line.md",
  "docs/statistics.md",
  "docs/datacenter-file.md",
  "docs/guide.md",
]) {
  test(`${path} says what the program says; else: npm run documents`, async () => {
    const text = read(path);
    assert.match(text, /<!-- from the program: /);
    assert.equal(text, await renewDocument(text));
  });
}

test("a document's block that names nothing of the program is refused", async () => {
  await assert.rejects(renewDocument("<!-- from the program: nothing -->\n<!-- end -->\n"), /nothing/);
});

/** Configurations in the documents, apart from those that show mistakes. */
const CONFIGURATIONS = globSync("{docs/*.md,README.md}", { cwd: ROOT })
  .filter((path) => path !== "docs/errors.md")
  .flatMap((path) =>
    [...read(path).matchAll(/^```haproxy\n([\s\S]*?)^```/gm)].map(([, text], i) => ({
      path,
      i,
      text: text!,
    })),
  );

for (const { path, i, text } of CONFIGURATIONS) {
  test(`configuration ${i + 1} in ${path} is one that is read without errors`, () => {
    const whole = /^(global|defaults|userlist|frontend|backend)\b/.test(text)
      ? text
      : `backend b\n    mode http\n    ${text}`;
    const { diagnostics } = readConfiguration([{ name: path, text: whole }], {
      variables: {},
      readFile: () => null,
      hostname: "localhost",
      cpuCount: 1,
    });
    // What a part of a file refers to stands in the rest of it.
    const errors = diagnostics.filter(
      ({ severity, code }) => severity === "error" && code !== "unknown-backend",
    );
    assert.deepEqual(errors, []);
  });
}
