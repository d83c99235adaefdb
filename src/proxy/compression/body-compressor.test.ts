import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gunzipSync, inflateRawSync, inflateSync } from "node:zlib";
import type { CompressionAlgorithm } from "../../model/compression.ts";
import { BodyDecoder } from "../../protocol/http1/body.ts";
import { FRAMING_CHUNKED } from "../../protocol/http1/message-head.ts";
import { BodyCompressor } from "./body-compressor.ts";

const DECODERS: Readonly<Record<CompressionAlgorithm, (bytes: Buffer) => Buffer>> = {
  identity: (bytes) => bytes,
  gzip: (bytes) => gunzipSync(bytes),
  deflate: (bytes) => inflateSync(bytes),
  "raw-deflate": (bytes) => inflateRawSync(bytes),
};
const ALGORITHMS = Object.keys(DECODERS) as CompressionAlgorithm[];
const PAGE = Buffer.from("<li class='entry'>one of many</li>\n".repeat(3000));

/** What is in the chunks, which must be a whole body. */
function contentOf(framed: Buffer): Buffer {
  const decoder = new BodyDecoder();
  decoder.reset(FRAMING_CHUNKED, 0);
  const parts: Uint8Array[] = [];
  assert.equal(decoder.collect(framed, 0, framed.length, parts), framed.length);
  assert.ok(decoder.isComplete);
  return Buffer.concat(parts);
}

function pieces(content: Buffer, byteCount: number): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < content.length; at += byteCount) found.push(content.subarray(at, at + byteCount));
  return found;
}

for (const algorithm of ALGORITHMS) {
  describe(algorithm, () => {
    for (const byteCount of [1, 7, 1000, PAGE.length]) {
      test(`gives back what came in pieces of ${byteCount}`, () => {
        const content = byteCount < 100 ? PAGE.subarray(0, 500) : PAGE;
        const compressor = new BodyCompressor(algorithm);
        const parts = pieces(content, byteCount);
        const out = parts.map((part, i) => compressor.compress([part], 1, i === parts.length - 1));
        const decoded = DECODERS[algorithm](contentOf(Buffer.concat(out)));
        assert.ok(decoded.equals(content));
      });
    }

    test("lets the client read each piece before the next one comes", () => {
      const compressor = new BodyCompressor(algorithm);
      const first = compressor.compress([Buffer.from("data: 1\n\n")], 1, false);
      const lastChunk = Buffer.from("0\r\n\r\n");
      const bytes = contentOf(Buffer.concat([first, lastChunk]));
      const isCut = algorithm === "identity" ? bytes : cutShort(algorithm, bytes);
      assert.equal(isCut.toString(), "data: 1\n\n");
    });

    test("makes a whole body of nothing", () => {
      const framed = Buffer.from(new BodyCompressor(algorithm).compress([], 1, true));
      assert.equal(DECODERS[algorithm](contentOf(framed)).length, 0);
    });

    test("ends behind what has been sent", () => {
      const compressor = new BodyCompressor(algorithm);
      const first = compressor.compress([PAGE], 9, false);
      assert.equal(compressor.compress([], 1, false).length, 0);
      const framed = Buffer.concat([first, compressor.compress([], 1, true)]);
      assert.ok(DECODERS[algorithm](contentOf(framed)).equals(PAGE));
    });
  });
}

/** Decodes a beginning. */
function cutShort(algorithm: Exclude<CompressionAlgorithm, "identity">, bytes: Buffer): Buffer {
  const decode = { gzip: gunzipSync, deflate: inflateSync, "raw-deflate": inflateRawSync }[algorithm];
  return decode(bytes, { finishFlush: 2 });
}

test("the higher level makes less of it, and 0 only wraps", () => {
  const sizes = [0, 1, 9].map((level) => new BodyCompressor("gzip").compress([PAGE], level, true).length);
  assert.ok(sizes[0]! > PAGE.length && sizes[1]! < PAGE.length / 10 && sizes[2]! <= sizes[1]!, `${sizes}`);
});

test("chance, which cannot be compressed, grows by less than a hundredth", () => {
  const noise = Buffer.alloc(200_000);
  for (let i = 0, x = 1; i < noise.length; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0;
    noise[i] = x >>> 16;
  }
  assert.ok(new BodyCompressor("gzip").compress([noise], 1, true).length < noise.length * 1.01);
});
