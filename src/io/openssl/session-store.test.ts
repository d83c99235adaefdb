import assert from "node:assert/strict";
import { test } from "node:test";
import { SessionStore, sessionStoreBytes } from "./session-store.ts";

function storeOf(sessionCountMax: number): SessionStore {
  return new SessionStore(new ArrayBuffer(sessionStoreBytes(sessionCountMax)));
}

function idOf(number: number): Uint8Array {
  const id = new Uint8Array(32).fill(7);
  new DataView(id.buffer).setUint32(0, Math.imul(number, 2654435761) >>> 0);
  return id;
}

test("a session is found by its id until it expires or is taken away", () => {
  const store = storeOf(100);
  store.put(idOf(1), Uint8Array.of(1, 2, 3), 50);
  assert.deepEqual(store.get(idOf(1), 49), Uint8Array.of(1, 2, 3));
  assert.equal(store.get(idOf(2), 49), null);
  assert.equal(store.get(idOf(1), 50), null);
  store.put(idOf(1), Uint8Array.of(4), 90);
  assert.deepEqual(store.get(idOf(1), 60), Uint8Array.of(4));
  store.remove(idOf(1));
  assert.equal(store.get(idOf(1), 60), null);
});

test("two who map the same memory see each other's sessions", () => {
  const buffer = new ArrayBuffer(sessionStoreBytes(100));
  const [one, other] = [new SessionStore(buffer), new SessionStore(buffer)];
  one.put(idOf(3), Uint8Array.of(3), 50);
  assert.deepEqual(other.get(idOf(3), 0), Uint8Array.of(3));
});

test("the oldest makes room, and most of the newest are there", () => {
  const store = storeOf(1000);
  for (let i = 1; i <= 3000; i++) store.put(idOf(i), Uint8Array.of(i & 255), 1000 + i);
  assert.equal(store.get(idOf(1), 0), null);
  let found = 0;
  for (let i = 2501; i <= 3000; i++) if (store.get(idOf(i), 0) !== null) found++;
  assert.ok(found > 450, `${found} of 500`);
});

test("what is too long, or has no id, is not kept", () => {
  const store = storeOf(1);
  store.put(idOf(1), new Uint8Array(4096), 50);
  assert.equal(store.get(idOf(1), 0), null);
  store.put(new Uint8Array(0), Uint8Array.of(1), 50);
  store.put(idOf(1), Uint8Array.of(1), 50);
  assert.notEqual(store.get(idOf(1), 0), null);
});

test("what somebody is writing is not read", () => {
  const buffer = new ArrayBuffer(sessionStoreBytes(1));
  const store = new SessionStore(buffer);
  store.put(idOf(1), Uint8Array.of(1), 50);
  const words = new Int32Array(buffer);
  for (let i = 0; i < words.length; i += 512) words[i] = words[i]! | 1;
  assert.equal(store.get(idOf(1), 0), null);
  store.put(idOf(1), Uint8Array.of(2), 60);
  assert.equal(store.get(idOf(1), 0), null);
});
