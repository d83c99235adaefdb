import assert from "node:assert/strict";
import { test } from "node:test";
import { ReceiveSize } from "./receive-size.ts";

test("receives into small buffers until much is expected", () => {
  const size = new ReceiveSize();
  assert.equal(size.isLarge, false);
  size.expect(8191);
  assert.equal(size.isLarge, false);
  size.expect(8192);
  assert.equal(size.isLarge, true);
  size.expect(0);
  assert.equal(size.isLarge, false);
});

test("follows a filled small buffer by large ones until little comes", () => {
  const size = new ReceiveSize();
  size.noteSmall(true);
  assert.equal(size.isLarge, true);
  size.noteLarge(100_000);
  assert.equal(size.isLarge, true);
  size.noteLarge(100);
  assert.equal(size.isLarge, false);
});

test("goes back to small buffers when expected bulk keeps coming in little pieces", () => {
  const size = new ReceiveSize();
  size.expect(500_000);
  for (let i = 0; i < 3; i++) size.noteLarge(10);
  assert.equal(size.isLarge, true);
  size.noteLarge(10);
  assert.equal(size.isLarge, false);
  size.expect(500_000);
  assert.equal(size.isLarge, false);
  size.noteSmall(true);
  size.noteLarge(50_000);
  size.noteSmall(false);
  assert.equal(size.isLarge, true);
});
