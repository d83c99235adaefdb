import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { checkPassword, removeUser, setPassword, userNameFault } from "./users.ts";

const folder = mkdtempSync(join(tmpdir(), "sallyport-users-"));
after(() => rmSync(folder, { recursive: true }));

test("a user is known by his last password until he is removed, and no password is in the file", async () => {
  const path = join(folder, "users");
  assert.equal(await checkPassword(path, "anna", "first"), false);
  await setPassword(path, "anna", "first");
  await setPassword(path, "anna2", "other");
  await setPassword(path, "anna", "Größe");
  assert.equal(await checkPassword(path, "anna", "first"), false);
  assert.equal(await checkPassword(path, "anna", "Gro\u0308ße"), true);
  assert.equal(await checkPassword(path, "anna2", "other"), true);
  assert.doesNotMatch(readFileSync(path, "utf8"), /first|other|Größe/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(removeUser(path, "anna"), true);
  assert.equal(removeUser(path, "anna"), false);
  assert.equal(await checkPassword(path, "anna", "Größe"), false);
  assert.equal(await checkPassword(path, "anna2", "other"), true);
});

test("a name that would break the file's lines is refused", () => {
  for (const name of ["", "a:b", "a\nb", "a b", "x".repeat(65)]) assert.notEqual(userNameFault(name), null);
  assert.equal(userNameFault("anna.b@company-1"), null);
});
