import assert from "node:assert/strict";
import { test } from "node:test";
import { certificateFacts } from "./certificate-facts.ts";
import { makeSelfSigned } from "./self-signed.ts";

test("a certificate tells its names once each, in small letters, and its addresses", () => {
  const { certificatePem } = makeSelfSigned([
    "LOCALHOST",
    "*.Example.org",
    "localhost",
    "127.0.0.1",
    "::1",
    "2001:db8:0:0::7",
  ]);
  const facts = certificateFacts(certificatePem);
  assert.deepEqual(facts.names, ["localhost", "*.example.org"]);
  assert.deepEqual(facts.addresses, ["127.0.0.1", "::1", "2001:db8::7"]);
  assert.equal(facts.keyDescription, "EC prime256v1");
  assert.match(facts.fingerprint, /^[0-9A-F]{40}$/);
});

test("names with characters that need quoting come out as they were put in", () => {
  assert.deepEqual(certificateFacts(makeSelfSigned(['a,b"c', "plain"]).certificatePem).names, [
    'a,b"c',
    "plain",
  ]);
});
