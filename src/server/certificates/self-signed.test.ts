import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findCommand, requires } from "../../../test/requirements.ts";
import { certificateFacts } from "./certificate-facts.ts";
import { makeSelfSigned } from "./self-signed.ts";

const DAY_MS = 86_400_000;

test("a self-signed certificate fits its key, signs itself and holds for 825 days from an hour ago", () => {
  const nowMs = Date.UTC(2026, 10, 23, 12);
  const { certificatePem, keyPem } = makeSelfSigned(undefined, nowMs);
  const certificate = new X509Certificate(certificatePem);
  assert.ok(certificate.checkPrivateKey(createPrivateKey(keyPem)));
  assert.ok(certificate.verify(certificate.publicKey));
  assert.equal(certificate.ca, false);
  assert.equal(certificate.checkHost("localhost"), "localhost");
  assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
  assert.equal(certificate.checkIP("::1"), "::1");
  const { notBeforeMs, notAfterMs } = certificateFacts(certificate);
  assert.equal(notBeforeMs, nowMs - 3_600_000);
  assert.equal(notAfterMs - notBeforeMs, 825 * DAY_MS);
});

test("two certificates never share key or serial number", () => {
  const [a, b] = [makeSelfSigned(), makeSelfSigned()];
  assert.notEqual(a.keyPem, b.keyPem);
  assert.notEqual(
    new X509Certificate(a.certificatePem).serialNumber,
    new X509Certificate(b.certificatePem).serialNumber,
  );
});

test("a certificate that outlives 2049 has its time in the long form", () => {
  const facts = certificateFacts(makeSelfSigned(["x"], Date.UTC(2049, 0, 1)).certificatePem);
  assert.equal(new Date(facts.notAfterMs).getUTCFullYear(), 2051);
});

test("OpenSSL verifies it for a server by its strict rules", { skip: requires("openssl") }, () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-self-signed-"));
  try {
    const path = join(folder, "self.pem");
    writeFileSync(path, makeSelfSigned().certificatePem);
    const words =
      "verify -x509_strict -purpose sslserver -verify_hostname localhost -partial_chain -trusted".split(" ");
    assert.match(
      execFileSync(findCommand("openssl")!, [...words, path, path], { encoding: "utf8", stdio: "pipe" }),
      /: OK/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
