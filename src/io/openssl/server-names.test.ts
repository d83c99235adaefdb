import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestAuthority } from "../test-certificates.ts";
import { certificateNames } from "./server-names.ts";

test("alternative names are read from a certificate and its common name, addresses among them left out", () => {
  const { certificatePem } = createTestAuthority("Authority").issue({
    commonName: "common.example",
    names: ["one.example", "127.0.0.1", "*.two.example"],
  });
  assert.deepEqual(certificateNames(certificatePem), ["one.example", "*.two.example", "common.example"]);
});
