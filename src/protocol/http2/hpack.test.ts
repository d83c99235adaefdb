import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock, encodeBlock, pairsOf } from "./hpack.fixture.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { HpackEncoder } from "./hpack-encoder.ts";
import { decodeHuffman, encodeHuffman, huffmanLength } from "./huffman.ts";

/** RFC 7541 appendix C: blocks of one connection, and the fields that they hold. */
const EXAMPLES: { name: string; tableBytes: number; blocks: [hex: string, fields: string][] }[] = [
  {
    name: "C.2 literals and an index",
    tableBytes: 4096,
    blocks: [
      ["400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header"],
      ["040c2f73616d706c652f70617468", ":path: /sample/path"],
      ["100870617373776f726406736563726574", "password: secret"],
      ["82", ":method: GET"],
    ],
  },
  {
    name: "C.3 requests without Huffman coding",
    tableBytes: 4096,
    blocks: [
      [
        "828684410f7777772e6578616d706c652e636f6d",
        ":method: GET|:scheme: http|:path: /|:authority: www.example.com",
      ],
      [
        "828684be58086e6f2d6361636865",
        ":method: GET|:scheme: http|:path: /|:authority: www.example.com|cache-control: no-cache",
      ],
      [
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
        ":method: GET|:scheme: https|:path: /index.html|:authority: www.example.com|custom-key: custom-value",
      ],
    ],
  },
  {
    name: "C.4 requests with Huffman coding",
    tableBytes: 4096,
    blocks: [
      [
        "828684418cf1e3c2e5f23a6ba0ab90f4ff",
        ":method: GET|:scheme: http|:path: /|:authority: www.example.com",
      ],
      [
        "828684be5886a8eb10649cbf",
        ":method: GET|:scheme: http|:path: /|:authority: www.example.com|cache-control: no-cache",
      ],
      [
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
        ":method: GET|:scheme: https|:path: /index.html|:authority: www.example.com|custom-key: custom-value",
      ],
    ],
  },
  {
    name: "C.6 responses with Huffman coding, in a table of 256 bytes",
    tableBytes: 256,
    blocks: [
      [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
        ":status: 302|cache-control: private|date: Mon, 21 Oct 2013 20:13:21 GMT|location: https://www.example.com",
      ],
      [
        "4883640effc1c0bf",
        ":status: 307|cache-control: private|date: Mon, 21 Oct 2013 20:13:21 GMT|location: https://www.example.com",
      ],
      [
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
        ":status: 200|cache-control: private|date: Mon, 21 Oct 2013 20:13:22 GMT|location: https://www.example.com|content-encoding: gzip|set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
      ],
    ],
  },
];

for (const { name, tableBytes, blocks } of EXAMPLES) {
  test(`the example of RFC 7541, ${name}, is read as it says`, () => {
    const decoder = new HpackDecoder(tableBytes);
    for (const [hex, fields] of blocks) {
      const block = Buffer.from(hex, "hex");
      assert.equal(linesOf(decodeBlock(decoder, block)!), fields);
    }
  });
}

test("a block that ends anywhere else than between two fields is malformed", () => {
  const block = Buffer.from(EXAMPLES[3]!.blocks[0]![0], "hex");
  const ends: number[] = [];
  for (let end = 1; end <= block.length; end++) {
    if (decodeBlock(new HpackDecoder(4096), block.subarray(0, end)) !== null) ends.push(end);
  }
  assert.deepEqual(
    ends,
    [4, 11, 35, 54].filter((end) => ends.includes(end)),
  );
  assert.equal(ends.at(-1), block.length);
});

test("what is encoded is decoded to the same, whatever bytes it holds and sizes the table gets", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = randomOf(seed);
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder(4096);
    for (let round = 0; round < 30; round++) {
      if (random() < 0.2) encoder.limitTable(Math.floor(random() * 5000));
      const fields = Array.from({ length: 2 * Math.floor(random() * 8) }, (_, i) =>
        i % 2 === 0 ? pick(random, NAMES) : textOf(random),
      );
      const block = encodeBlock(encoder, fields);
      assert.deepEqual(decodeBlock(decoder, block), fields, `seed ${seed}`);
    }
  }
});

test("garbage is malformed or fields, and nothing else", () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const random = randomOf(seed);
    const block = Uint8Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256));
    const decoder = new HpackDecoder(4096);
    assert.equal((decodeBlock(decoder, block)?.length ?? 0) % 2, 0);
  }
});

test("a small block cannot become much memory", () => {
  const decoder = new HpackDecoder(4096);
  const value = Buffer.alloc(3900, "a");
  const block = Buffer.concat([
    Buffer.from("400178", "hex"),
    Buffer.from([0x7f, 0xbd, 0x1d]),
    value,
    Buffer.alloc(16_000, 0xbe),
  ]);
  const fields = decodeBlock(decoder, block)!;
  assert.ok(decoder.isTooLarge);
  assert.ok(fields.length <= 2 * 17);
});

test("a table larger than announced, or resized behind a field, is malformed", () => {
  for (const hex of ["3fe21f", "8220"]) {
    const block = Buffer.from(hex, "hex");
    assert.equal(decodeBlock(new HpackDecoder(4096), block), null, hex);
  }
  const block = Buffer.from("3fe11f82", "hex");
  assert.deepEqual(decodeBlock(new HpackDecoder(4096), block), [":method", "GET"]);
});

test("Huffman code has no padding of a byte or more, none but ones, and no EOS", () => {
  const text = Buffer.from("a".repeat(8));
  const coded = new Uint8Array(huffmanLength(text, 0, 8));
  encodeHuffman(text, 0, 8, coded, 0);
  const decode = (...code: number[]): string | null => {
    const target = Buffer.alloc(64);
    const end = decodeHuffman(Uint8Array.from(code), 0, code.length, target, 0);
    return end < 0 ? null : target.toString("latin1", 0, end);
  };
  assert.equal(decode(...coded), "aaaaaaaa");
  assert.equal(decode(...coded, 0xff), null);
  assert.equal(decode(0x18), null);
  assert.equal(decode(0x1f), "a");
  assert.equal(decode(0xff, 0xff, 0xff, 0xfc), null);
});

test("what is said again is a byte from the third time on, unless nobody may guess at it", () => {
  const encoder = new HpackEncoder();
  const lengths = (fields: string[]): number[] => [1, 2, 3].map(() => encodeBlock(encoder, fields).length);
  assert.equal(lengths(["x-powered-by", "tea"])[2], 1);
  assert.equal(lengths(["content-type", "text/html"])[2], 1);
  const [first, , third] = lengths(["set-cookie", "a=b"]);
  assert.equal(first, third);
});

const NAMES = [
  ":status",
  "content-type",
  "x-a",
  "server",
  "set-cookie",
  "etag",
  "x-long-name-of-its-own",
  "vary",
];

function linesOf(fields: readonly string[]): string {
  return pairsOf(fields)
    .map(([name, value]) => `${name}: ${value}`)
    .join("|");
}

function pick<T>(random: () => number, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)]!;
}

function textOf(random: () => number): string {
  const span = random() < 0.5 ? 96 : 256;
  return String.fromCharCode(
    ...Array.from({ length: Math.floor(random() * 40) }, () => Math.floor(random() * span)),
  );
}

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) / 0x100_0000;
  };
}
