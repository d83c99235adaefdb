import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { openKeyFile } from "./key-file.ts";

test("every wrong password is told as such, also the few that decrypt to well padded noise", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "sec1", format: "pem", cipher: "aes-256-cbc", passphrase: "right" });
  const bytes = Buffer.from(pem);
  // One guess in 256 passes the check of the padding.
  for (let guess = 0; guess < 2000; guess++) {
    const opened = openKeyFile(bytes, `guess ${guess}`);
    assert.deepEqual(opened, { ok: false, error: { kind: "wrong-password" } });
  }
  assert.ok(openKeyFile(bytes, "right").ok);
});
