import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readKey, seal, unseal } from "./seal.ts";

const KEY = Buffer.from("0123456789abcdef");

test("only what was signed with the same key is trusted, and every changed letter shows", () => {
  const sealed = seal("text", KEY);
  assert.deepEqual(unseal(sealed, KEY), { text: "text", isTrusted: true });
  for (let at = 0; at < sealed.length; at++) {
    const changed = `${sealed.slice(0, at)}${sealed[at] === "x" ? "y" : "x"}${sealed.slice(at + 1)}`;
    assert.equal(unseal(changed, KEY).isTrusted, false, `${at}`);
  }
  assert.equal(unseal(sealed, Buffer.from("fedcba9876543210")).isTrusted, false);
  assert.equal(unseal("text", KEY).isTrusted, false, "not signed");
  assert.deepEqual(unseal(sealed, null), { text: "text", isTrusted: false }, "signed for others");
  assert.deepEqual(unseal("text", null), { text: "text", isTrusted: true });
});

test("a key that is missing or short is complained of", () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-key-"));
  try {
    const path = join(folder, "key");
    assert.match(String(readKey(path)), /cannot be read: ENOENT/);
    writeFileSync(path, "short\n");
    assert.match(String(readKey(path)), /too short/);
    writeFileSync(path, "0123456789abcdef\n");
    assert.deepEqual(readKey(path), { key: KEY });
    assert.deepEqual(readKey(null), { key: null });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
