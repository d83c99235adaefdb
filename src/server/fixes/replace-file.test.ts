import assert from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { replaceFile } from "./replace-file.ts";

const folder = mkdtempSync(join(tmpdir(), "sallyport-replace-"));
after(() => rmSync(folder, { recursive: true }));

test("a file is replaced with its mode, behind a link too, and nothing else is left", () => {
  const [file, link] = [join(folder, "a.cfg"), join(folder, "link.cfg")];
  writeFileSync(file, "old\n");
  chmodSync(file, 0o640);
  symlinkSync(file, link);
  assert.equal(replaceFile(link, "old\n", "new\n"), null);
  assert.equal(readFileSync(file, "utf8"), "new\n");
  assert.equal(statSync(file).mode & 0o777, 0o640);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.deepEqual(readdirSync(folder).sort(), ["a.cfg", "link.cfg"]);
});

test("one that has changed meanwhile, is no UTF-8 or is not there stays, and it is said why", () => {
  const file = join(folder, "b.cfg");
  writeFileSync(file, "somebody else's\n");
  assert.match(replaceFile(file, "old\n", "new\n")!, /b\.cfg has changed meanwhile/);
  const latin = Buffer.from([0x23, 0xfc, 0x0a]);
  writeFileSync(file, latin);
  assert.match(replaceFile(file, latin.toString(), "new\n")!, /b\.cfg is not UTF-8/);
  assert.deepEqual(readFileSync(file), latin);
  assert.match(replaceFile(join(folder, "nothing.cfg"), "", "new\n")!, /cannot write .*nothing\.cfg: ENOENT/);
});
