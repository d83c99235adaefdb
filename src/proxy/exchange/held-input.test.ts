import assert from "node:assert/strict";
import { test } from "node:test";
import type { Chunk } from "../../transport/contract.ts";
import { HeldInput } from "./held-input.ts";

/** Knows which chunks somebody still holds. */
class CountingEngine {
  readonly liveChunks: Set<Chunk> = new Set();

  allocate(byteCount: number): Chunk {
    let references = 1;
    const chunk: Chunk = {
      bytes: new Uint8Array(byteCount),
      retain: () => references++,
      release: () => --references === 0 && this.liveChunks.delete(chunk),
    };
    this.liveChunks.add(chunk);
    return chunk;
  }
}

test("byte by byte, input is held in few chunks, in order, and every reference is given back", () => {
  const engine = new CountingEngine();
  const held = new HeldInput(engine);
  const sent = Array.from({ length: 40_000 }, (_, i) => i % 251);
  for (const byte of sent) {
    const chunk = engine.allocate(1);
    chunk.bytes[0] = byte;
    held.add(chunk, 0, 1);
    chunk.release();
  }
  assert.equal(held.byteCount, sent.length);
  assert.ok(engine.liveChunks.size < 10, `${engine.liveChunks.size} chunks`);
  const pieces = held.takeAll();
  const bytes = Buffer.concat(pieces.map(({ chunk, start, end }) => chunk.bytes.subarray(start, end)));
  assert.deepEqual([...bytes], sent);
  for (const { chunk } of pieces) chunk.release();
  assert.equal(engine.liveChunks.size, 0);
});

test("a large piece behind gathered ones is held where it is, and what follows does not change it", () => {
  const engine = new CountingEngine();
  const held = new HeldInput(engine);
  const large = engine.allocate(5000);
  large.bytes.fill(7);
  const small = engine.allocate(1);
  for (let i = 0; i < 6; i++) held.add(small, 0, 1);
  held.add(large, 100, 4100);
  for (let i = 0; i < 6; i++) held.add(small, 0, 1);
  const sizes: number[] = [];
  for (const { chunk, start, end } of held.takeAll()) {
    sizes.push(end - start);
    if (end - start === 4000) assert.equal(chunk, large);
    chunk.release();
  }
  assert.deepEqual(sizes, [1, 1, 1, 1, 2, 4000, 6]);
  large.release();
  small.release();
  assert.equal(engine.liveChunks.size, 0);
});
