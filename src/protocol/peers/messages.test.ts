import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeInteger, FieldReader } from "./integers.ts";
import {
  encodeAcknowledgement,
  encodeControl,
  encodeTable,
  encodeUpdate,
  type PeerMessage,
  PeerMessageDecoder,
  type TableAnnouncement,
} from "./messages.ts";

describe("integers of the peers protocol", () => {
  test("are what HAProxy's document gives as an example", () => {
    const out: number[] = [];
    encodeInteger(0x1234, out);
    assert.deepEqual(out, [0xf4, 0x94, 0x01]);
  });

  test("come back as they were", () => {
    for (const value of [0, 1, 239, 240, 241, 2287, 2288, 264431, 264432, 2 ** 31, 2 ** 32, 2 ** 52 + 1]) {
      const out: number[] = [];
      encodeInteger(value, out);
      const reader = new FieldReader(Uint8Array.from(out));
      assert.equal(reader.integer(), value);
      assert.ok(reader.isAtEnd && !reader.isBroken);
    }
  });
});

const TABLE: TableAnnouncement = {
  id: 2,
  name: "f",
  keyType: 4,
  keyBytes: 4,
  data: [
    { number: 22, count: 1, periodMs: 0 },
    { number: 23, count: 2, periodMs: 0 },
    { number: 24, count: 2, periodMs: 10_000 },
  ],
  expireMs: 0,
};
/** As HAProxy 2.6 announces that table. */
const FROM_HAPROXY = "0a 82 13 02 01 66 04 04 f0 f1 fe 6e 00 16 01 17 02 18 02 f0 e2 03";
const BODY = [127, 0, 0, 1, 0, 0, 2];

const MESSAGES: readonly (readonly [number[], PeerMessage])[] = [
  [encodeControl(0), { kind: "control", type: 0 }],
  [encodeTable(TABLE), { kind: "table", table: TABLE }],
  [
    encodeUpdate(4_000_000_000, 59_000, BODY),
    { kind: "update", update: 4_000_000_000, remainingMs: 59_000, body: Uint8Array.from(BODY) },
  ],
  [encodeAcknowledgement(1, 77), { kind: "acknowledged", id: 1, update: 77 }],
  [[1, 0], { kind: "error" }],
  [[10, 131, 1, 5], { kind: "switch", id: 5 }],
  [[10, 129, 2, 1, 2], { kind: "update", update: null, remainingMs: null, body: Uint8Array.of(1, 2) }],
];

function plain(messages: readonly PeerMessage[]): unknown {
  return messages.map((one) => (one.kind === "update" ? { ...one, body: [...one.body] } : one));
}

describe("messages of the peers protocol", () => {
  test("are those of HAProxy", () => {
    assert.equal(Buffer.from(encodeTable(TABLE)).toString("hex"), FROM_HAPROXY.replaceAll(" ", ""));
  });

  test("come back as they were, all at once and byte by byte", () => {
    const bytes = Uint8Array.from(MESSAGES.flatMap(([encoded]) => encoded));
    const expected = plain(MESSAGES.map(([, message]) => message));
    const whole = new PeerMessageDecoder().receive(bytes);
    assert.ok(whole.ok);
    assert.deepEqual(plain(whole.value), expected);
    const decoder = new PeerMessageDecoder();
    const single = [...bytes].flatMap((byte) => {
      const read = decoder.receive(Uint8Array.of(byte));
      assert.ok(read.ok);
      return [...read.value];
    });
    assert.deepEqual(plain(single), expected);
  });

  test("that are none are an error and nothing else", () => {
    for (const bytes of [
      [7, 0],
      [255, 255, 1, 1],
      [10, 200, 0],
      [10, 130, 1, 255],
      [10, 133, 2, 1, 2],
    ])
      assert.equal(new PeerMessageDecoder().receive(Uint8Array.from(bytes)).ok, false, `${bytes}`);
    const huge: number[] = [10, 130];
    encodeInteger(2 ** 40, huge);
    assert.equal(new PeerMessageDecoder().receive(Uint8Array.from(huge)).ok, false);
    let seed = 1;
    for (let i = 0; i < 2000; i++) {
      const bytes = Uint8Array.from({ length: 40 }, () => {
        seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
        return seed >>> 24;
      });
      bytes[0] = 10;
      bytes[1] = 128 + (i % 8);
      new PeerMessageDecoder().receive(bytes);
    }
  });
});
