import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "../../transport/contract.ts";
import { Delivery } from "./delivery.ts";

const withPending = (pendingBytes: number): Connection => ({ pendingBytes }) as Connection;

test("a receiver that takes something within each timeout is never due, and one that stops is", () => {
  const delivery = new Delivery();
  delivery.note(1000, withPending(900));
  assert.equal(delivery.isDue(1000, withPending(800), withPending(0)), false);
  assert.equal(delivery.isDue(1000, withPending(1), withPending(0)), false);
  assert.equal(delivery.isDue(1000, withPending(1), withPending(0)), true);
});

test("new bytes that a receiver does not take are no sign of life", () => {
  const delivery = new Delivery();
  delivery.note(1000, withPending(900));
  assert.equal(delivery.isDue(5000, withPending(4900), withPending(0)), true);
});

test("with nothing pending a peer is due, unless it is held back because the other one is slow", () => {
  const delivery = new Delivery();
  assert.equal(delivery.isDue(1000, withPending(0), withPending(0)), true);
  assert.equal(delivery.isDue(1000, withPending(0), withPending(70_000)), false);
});
