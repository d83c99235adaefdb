import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { formatName, nameEntry, readCertificate } from "./certificate.ts";

/**
 * By `openssl req -x509 -newkey ec … -subj "/C=DE/O=Company, Inc/OU=A/OU=B/CN=client" -set_serial
 * 0x1234abcd`.
 */
const DER = Buffer.from(
  "MIIB3zCCAYWgAwIBAgIEEjSrzTAKBggqhkjOPQQDAjBNMQswCQYDVQQGEwJERTEVMBMGA1UECgwMQ29tcGFueSwgSW5jMQow" +
    "CAYDVQQLDAFBMQowCAYDVQQLDAFCMQ8wDQYDVQQDDAZjbGllbnQwHhcNMjYxMTIzMDQwODA5WhcNMzYxMTIwMDQwODA5WjBN" +
    "MQswCQYDVQQGEwJERTEVMBMGA1UECgwMQ29tcGFueSwgSW5jMQowCAYDVQQLDAFBMQowCAYDVQQLDAFCMQ8wDQYDVQQDDAZj" +
    "bGllbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT/brRE1qs1afCQl6iu+MUA/822+vIe7RJ7Gt8XEnvyzvo0NjSxGC7O" +
    "lQpnpHL38//6v0uC3g6NZow8ZWhi2E9Ro1MwUTAdBgNVHQ4EFgQU81RfweoAGNHMdYGtmKEydJpCBxAwHwYDVR0jBBgwFoAU" +
    "81RfweoAGNHMdYGtmKEydJpCBxAwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAZ3f2CIDWPA83Nnf3OY2+9" +
    "Z8RVDEcbhoIOJnU2ee9rqAIhAJ62BPK8mqrm4Y5Gc8Jdf9fgy/d4PoH3X30eDb2rIB51",
  "base64",
);

test("the fields of a certificate are read as they stand in it", () => {
  const certificate = readCertificate(DER)!;
  assert.equal(formatName(certificate.subject, false), "/C=DE/O=Company, Inc/OU=A/OU=B/CN=client");
  assert.equal(formatName(certificate.issuer, true), "CN=client,OU=B,OU=A,O=Company\\, Inc,C=DE");
  assert.equal(nameEntry(certificate.subject, "OU", 1), "A");
  assert.equal(nameEntry(certificate.subject, "OU", -1), "B");
  assert.equal(nameEntry(certificate.subject, "OU", 3), undefined);
  assert.equal(Buffer.from(certificate.serial, "latin1").toString("hex"), "1234abcd");
  assert.equal(certificate.version, 3);
  assert.equal(certificate.signatureAlgorithm, "ecdsa-with-SHA256");
  assert.equal(certificate.keyAlgorithm, "id-ecPublicKey");
  assert.match(certificate.notBefore, /^\d{12}Z$/);
  const known = new X509Certificate(DER);
  assert.equal(
    certificate.notAfter.slice(0, 6),
    new Date(known.validTo).toISOString().slice(2, 10).replaceAll("-", ""),
  );
  assert.equal(
    Buffer.from(certificate.sha1, "latin1").toString("hex"),
    createHash("sha1").update(DER).digest("hex"),
  );
});

test("bytes that are no certificate, and pieces of one, give nothing", () => {
  assert.equal(readCertificate(new Uint8Array(0)), null);
  for (let length = 0; length < DER.length; length++)
    assert.equal(readCertificate(DER.subarray(0, length)), null);
  assert.equal(readCertificate(Uint8Array.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff)), null);
});
