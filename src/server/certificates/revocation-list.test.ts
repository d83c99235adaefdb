import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestAuthority } from "../../io/test-certificates.ts";
import { parseRevocationLists } from "./revocation-list.ts";

const authority = createTestAuthority("Test Authority");
const leaf = authority.issue({ commonName: "leaf.example" });

test("issuer, algorithm and revoked certificates of each list are told", () => {
  const lists = parseRevocationLists(authority.revoke([leaf]) + authority.revoke([]));
  assert.equal(lists?.length, 2);
  const [full, empty] = lists;
  assert.equal(full!.issuer, "/CN=Test Authority");
  assert.equal(full!.signatureAlgorithm, "sha256WithRSAEncryption");
  assert.equal(full!.revoked.length, 1);
  assert.ok(full!.lastUpdateMs > Date.UTC(2020) && full!.nextUpdateMs! > full!.lastUpdateMs);
  assert.deepEqual(empty!.revoked, []);
});

test("what is no list, or a damaged one, gives null and nothing else", () => {
  const pem = authority.revoke([leaf]);
  const [head, ...body] = pem.trim().split("\n");
  const tail = body.pop()!;
  assert.equal(parseRevocationLists(""), null);
  assert.equal(parseRevocationLists(leaf.certificatePem), null);
  const bytes = Buffer.from(body.join(""), "base64");
  for (let i = 0; i < bytes.length; i += 3) {
    const cut = bytes.subarray(0, i).toString("base64");
    assert.equal(parseRevocationLists(`${head}\n${cut}\n${tail}\n`), null);
    const changed = Buffer.from(bytes);
    changed[i]! ^= 0x5a;
    parseRevocationLists(`${head}\n${changed.toString("base64")}\n${tail}\n`);
  }
});
