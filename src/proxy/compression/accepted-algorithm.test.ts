import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompressionAlgorithm } from "../../model/compression.ts";
import { MessageHead } from "../../protocol/http1/message-head.ts";
import { acceptedAlgorithm } from "./accepted-algorithm.ts";

function chosen(
  acceptEncoding: string | null,
  algorithms: readonly CompressionAlgorithm[] = ["gzip", "deflate"],
  userAgent: string | null = null,
): CompressionAlgorithm | null {
  const head = new MessageHead();
  head.startRequest("GET", "/");
  if (acceptEncoding !== null) head.addHeader("accept-encoding", acceptEncoding);
  if (userAgent !== null) head.addHeader("user-agent", userAgent);
  return acceptedAlgorithm(head, algorithms);
}

/** As HAProxy 2.6 answers them; `test/processes/compression.test.ts` asks it. */
test("the coding with the highest weight is taken, of equal ones the client's first", () => {
  assert.equal(chosen("gzip, deflate"), "gzip");
  assert.equal(chosen("deflate, gzip"), "deflate");
  assert.equal(chosen("br, gzip;q=0.2, deflate;q=0.2"), "gzip");
  assert.equal(chosen("deflate;q=1, gzip;q=0.5"), "deflate");
  assert.equal(chosen("*;q=0, gzip;q=0.500, deflate;q=0.750"), "deflate");
  assert.equal(chosen("GZIP"), "gzip");
});

test("what the client refuses or does not know is not taken", () => {
  for (const value of [null, "", "identity", "x-gzip", "br", "gzip;q=0", "*;q=0", "gzip;q=0.0009"])
    assert.equal(chosen(value), null, `${value}`);
});

test("a star takes the last algorithm of the file, as in HAProxy", () => {
  assert.equal(chosen("*"), "deflate");
  assert.equal(chosen("gzip;q=0, *"), "deflate");
  assert.equal(chosen("deflate", ["raw-deflate", "deflate"]), "deflate");
  assert.equal(chosen("deflate", ["deflate", "raw-deflate"]), "raw-deflate");
});

test("a weight that is none counts as one", () => {
  assert.equal(chosen("gzip;q=abc"), "gzip");
  assert.equal(chosen("gzip ; q = 0.5, deflate;q=0.6"), "gzip");
});

test("identity is taken from everybody, behind what the client asks for", () => {
  assert.equal(chosen(null, ["gzip", "identity"]), "identity");
  assert.equal(chosen("gzip", ["gzip", "identity"]), "gzip");
});

test("old browsers are not believed", () => {
  for (const agent of ["Mozilla/4.0", "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)"])
    assert.equal(chosen("gzip", ["gzip", "identity"], agent), null, agent);
  for (const agent of [
    "Mozilla/5.0",
    "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0)",
    "curl Mozilla/4",
  ])
    assert.equal(chosen("gzip", ["gzip"], agent), "gzip", agent);
});
