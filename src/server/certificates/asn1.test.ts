import assert from "node:assert/strict";
import { test } from "node:test";
import {
  childOf,
  integer,
  integerOf,
  MalformedAsn1,
  objectIdentifier,
  octetString,
  octetsOf,
  oidOf,
  parseAsn1,
  sequence,
  time,
  toDer,
} from "./asn1.ts";

test("what is written is read again", () => {
  const value = parseAsn1(
    toDer(
      sequence(
        integer(Uint8Array.of(0x01, 0x00)),
        octetString(Uint8Array.of(0, 255)),
        objectIdentifier("1.2.840.113549"),
      ),
    ),
  );
  assert.equal(integerOf(childOf(value, 0)), 256);
  assert.deepEqual([...octetsOf(childOf(value, 1))], [0, 255]);
  assert.equal(oidOf(childOf(value, 2)), "1.2.840.113549");
});

test("strings of bytes in pieces and of indefinite length are put together, as BER allows", () => {
  const ber = Uint8Array.of(0x30, 0x80, 0x24, 0x80, 0x04, 0x02, 1, 2, 0x24, 0x03, 0x04, 0x01, 3, 0, 0, 0, 0);
  assert.deepEqual([...octetsOf(childOf(parseAsn1(ber), 0))], [1, 2, 3]);
});

test("bytes cut short, bytes behind the end and values of another type are refused as malformed", () => {
  const whole = toDer(sequence(integer(Uint8Array.of(1)), octetString(Uint8Array.of(1, 2, 3))));
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => parseAsn1(whole.subarray(0, length)), MalformedAsn1);
  }
  assert.throws(() => parseAsn1(Buffer.concat([whole, Uint8Array.of(0)])), MalformedAsn1);
  const value = parseAsn1(whole);
  assert.throws(() => integerOf(childOf(value, 1)), MalformedAsn1);
  assert.throws(() => oidOf(childOf(value, 0)), MalformedAsn1);
  assert.throws(() => childOf(value, 2), MalformedAsn1);
  assert.throws(() => octetsOf(undefined), MalformedAsn1);
});

test("numbers below zero or beyond what a double holds are refused", () => {
  assert.throws(() => integerOf(integer(Uint8Array.of(0x80))), MalformedAsn1);
  assert.throws(() => integerOf(integer(new Uint8Array(8).fill(1))), MalformedAsn1);
});

test("years up to 2049 are written short and later ones long", () => {
  assert.equal(time(Date.UTC(2049, 11, 31, 23, 59, 59)).value, "491231235959Z");
  assert.equal(time(Date.UTC(2050, 0, 1)).value, "20500101000000Z");
});
