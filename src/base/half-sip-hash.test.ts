import assert from "node:assert/strict";
import { test } from "node:test";
import { halfSipHash } from "./half-sip-hash.ts";

/** vectors_hsip32 of the authors' own program: of 0, 1, … bytes that count up, with a secret that does. */
const VECTORS = "a9359f5b 27475ab8 fa62a603 8afee704 2a6e4689 c5fab669 5863fc23 8bcf63c5";

test("gives what its authors' program gives", () => {
  const bytes = Uint8Array.from({ length: 16 }, (_, index) => index);
  const given = VECTORS.split(" ").map((_, length) => {
    const hash = new DataView(new ArrayBuffer(4));
    hash.setInt32(0, halfSipHash(bytes, length, [0x03020100, 0x07060504]), true);
    return Buffer.from(hash.buffer).toString("hex");
  });
  assert.equal(given.join(" "), VECTORS);
});

test("another secret, another byte and another length give another hash", () => {
  const bytes = new Uint8Array(8);
  const seen = new Set([
    halfSipHash(bytes, 4, [1, 2]),
    halfSipHash(bytes, 4, [1, 3]),
    halfSipHash(bytes, 5, [1, 2]),
    halfSipHash(Uint8Array.of(0, 0, 0, 1), 4, [1, 2]),
  ]);
  assert.equal(seen.size, 4);
});
