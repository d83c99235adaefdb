import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { applyEdits } from "../../../src/language/datacenter/edit.ts";
import { CHECK_RULES } from "../../../src/network/check/rules.ts";
import {
  CHECK_PAGES,
  CHECKS_FOLDER,
  CHECKS_INDEX,
  examplesOf,
  findingsOf,
  renewCheckIndex,
  renewCheckPage,
} from "../../../tools/check-pages.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

test("every check has a page, every page is of a check, and no code is there twice", () => {
  const pages = globSync(`${CHECKS_FOLDER}/*.md`, { cwd: ROOT }).filter((path) => path !== CHECKS_INDEX);
  assert.deepEqual(pages.sort(), [...CHECK_PAGES].sort());
  assert.equal(new Set(CHECK_PAGES).size, CHECK_RULES.length);
});

test("the index lists all checks; else: npm run documents", () => {
  assert.equal(read(CHECKS_INDEX), renewCheckIndex());
});

for (const { code, severity, title } of CHECK_RULES) {
  const path = `${CHECKS_FOLDER}/${code}.md`;
  const page = read(path);
  const [broken = "", mended = ""] = examplesOf(page);

  test(`${code}: the page shows what check says of its example; else: npm run documents`, () => {
    assert.equal(page, renewCheckPage(page));
    assert.ok(
      page.startsWith(`# \`${code}\`\n\n${severity[0]!.toUpperCase()}${severity.slice(1)}: ${title}.`),
    );
  });

  test(`${code}: the example has this fault, and others only when the page says so`, () => {
    const codes = new Set(findingsOf(broken).map((finding) => finding.code));
    assert.ok(codes.delete(code));
    for (const other of codes) assert.ok(page.includes(`[${other}](${other}.md)`), other);
  });

  test(`${code}: nothing is found in the mended example`, () => {
    assert.deepEqual(
      findingsOf(mended).map(({ message }) => message),
      [],
    );
  });

  const fixes = findingsOf(broken).flatMap(({ fix }) => fix ?? []);
  if (fixes.length === 0) continue;
  test(`${code}: what --fix does mends it`, () => {
    const result = applyEdits(broken, fixes, "datacenter.yaml");
    assert.ok(result.ok, "the edits can be carried out");
    const left = findingsOf(result.text).filter((finding) => finding.code === code);
    assert.deepEqual(
      left.map(({ message }) => message),
      [],
      result.text,
    );
  });
}
