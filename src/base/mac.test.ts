import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOfMac, isGroupMac, isLocalMac, macOfBytes, macOfName, parseMac } from "./mac.ts";

test("a MAC is read in every notation that people use", () => {
  for (const text of ["00:50:56:00:AB:11", "00-50-56-00-ab-11", "0050.5600.ab11"])
    assert.equal(parseMac(text), "00:50:56:00:ab:11");
  for (const text of [
    "00:50:56:00:11",
    "00:50-56:00:ab:11",
    "005056 00ab11",
    "0050:5600:ab11",
    "gg:50:56:00:ab:11",
  ])
    assert.equal(parseMac(text), null, text);
});

test("bytes and text go back and forth", () => {
  const mac = parseMac("02:bf:0a:01:00:64")!;
  assert.deepEqual([...bytesOfMac(mac)], [2, 0xbf, 10, 1, 0, 100]);
  assert.equal(macOfBytes(bytesOfMac(mac)), mac);
});

test("groups and local addresses are told by their two bits", () => {
  assert.ok(isGroupMac(parseMac("03:bf:00:00:00:00")!) && !isGroupMac(parseMac("02:bf:00:00:00:00")!));
  assert.ok(isLocalMac(parseMac("02:bf:00:00:00:00")!) && !isLocalMac(parseMac("00:50:56:00:00:00")!));
});

test("a name always makes the same local address, and others make others", () => {
  const made = Array.from({ length: 20_000 }, (_, i) => macOfName(`shop.test-${i}/web`));
  assert.equal(new Set(made).size, made.length);
  assert.equal(macOfName("shop.test-7/web"), made[7]);
  assert.ok(made.every((mac) => isLocalMac(mac) && !isGroupMac(mac)));
});
