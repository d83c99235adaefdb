import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { makeSelfSigned } from "./self-signed.ts";
import { makerOf } from "./signed-on-the-fly.ts";

const NOW_MS = Date.UTC(2026, 10, 28, 18);

function pair(name: string) {
  return { name, ...makeSelfSigned([name], NOW_MS) };
}

test("a certificate for any name is signed by the authority, with the listener's key", () => {
  const [authority, own] = [pair("authority"), pair("own")];
  const made = makerOf(authority, own, 10)!.make("shop.example", NOW_MS);
  const leaf = new X509Certificate(made.certificatePem);
  const issuer = new X509Certificate(authority.certificatePem);
  assert.ok(leaf.verify(issuer.publicKey));
  assert.equal(leaf.issuer, issuer.subject);
  assert.equal(leaf.checkHost("shop.example"), "shop.example");
  assert.equal(leaf.subject, "CN=authority\nCN=shop.example");
  assert.equal(made.keyPem, own.keyPem);
  assert.ok(leaf.publicKey.equals(new X509Certificate(own.certificatePem).publicKey));
  assert.ok(Date.parse(leaf.validFrom) < NOW_MS && Date.parse(leaf.validTo) > NOW_MS + 360 * 86_400_000);
});

test("two workers that make it on the same day give it the same number", () => {
  const [authority, own] = [pair("authority"), pair("own")];
  const serialOf = (name: string, nowMs: number) =>
    new X509Certificate(makerOf(authority, own, 10)!.make(name, nowMs).certificatePem).serialNumber;
  assert.equal(serialOf("a.example", NOW_MS), serialOf("a.example", NOW_MS + 3_600_000));
  assert.notEqual(serialOf("a.example", NOW_MS), serialOf("b.example", NOW_MS));
});

test("what is no authority makes none", () => {
  assert.equal(makerOf({ name: "x", certificatePem: "nonsense", keyPem: "" }, pair("own"), 10), null);
});
