// Bytes: that they arrive whole and in order, and that a slow reader holds its writer back.
import assert from "node:assert/strict";
import { seededRandom } from "../memory/seeded-random.ts";
import { behaviour, type ContractHarness, pattern } from "./scenario.ts";

/** More than any pair of socket buffers on loopback takes. */
const UNSTOPPED_BYTES = 64_000_000;

export function streamBehaviour(create: () => ContractHarness): void {
  for (const byteCount of [1, 2, 4095, 65_537, 1_048_576, 8_388_608]) {
    behaviour(`carries ${byteCount} bytes in both directions at once`, create, async (scenario) => {
      const { client, server } = await scenario.pair();
      client.expectedSeed = 1;
      server.expectedSeed = 2;
      server.produce(byteCount, 1, seededRandom(byteCount), () => server.shutdown());
      client.produce(byteCount, 2, seededRandom(byteCount + 1), () => client.shutdown());
      await scenario.pump(() => client.isClosed && server.isClosed);
      assert.equal(client.receivedBytes, byteCount);
      assert.equal(server.receivedBytes, byteCount);
      assert.equal(client.failure, null);
      assert.equal(server.failure, null);
    });
  }

  behaviour("keeps the order of many small sends", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    const words = Array.from({ length: 2000 }, (_, i) => `${i},`);
    for (const word of words) client.send(word);
    client.shutdown();
    await scenario.pump(() => server.hasEnded);
    assert.equal(server.text, words.join(""));
  });

  behaviour("sends the range it was given and nothing around it", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    const chunk = scenario.peer.allocate(16);
    chunk.bytes.set(Buffer.from("..hello, world.."));
    client.sendChunk(chunk, 2, 7);
    client.sendChunk(chunk, 9, 9);
    client.sendChunk(chunk, 9, 14);
    chunk.release();
    await scenario.pump(() => server.receivedBytes >= 10);
    await scenario.harness.settle();
    assert.equal(server.text, "helloworld");
  });

  behaviour("holds a writer back while its reader is paused", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.pause();
    let sentBytes = 0;
    const block = scenario.engine.allocate(1_000_000);
    const fill = () => {
      while (sentBytes < UNSTOPPED_BYTES && server.connection!.pendingBytes < 1_000_000) {
        server.sendChunk(block, 0, 1_000_000);
        sentBytes += 1_000_000;
      }
    };
    server.onDrain = fill;
    fill();
    await scenario.harness.settle();
    const heldBytes = server.connection!.pendingBytes;
    assert(heldBytes > 0);
    assert(sentBytes < UNSTOPPED_BYTES, "the reader was paused and the writer went on for ever");
    await scenario.harness.settle();
    assert.equal(server.connection!.pendingBytes, heldBytes);
    assert.equal(client.receivedBytes, 0);
    block.release();
    const totalBytes = sentBytes;
    server.onDrain = () => server.shutdown();
    client.expectedSeed = null;
    client.onData = () => {
      client.collected = Buffer.alloc(0);
    };
    client.resume();
    await scenario.pump(() => client.hasEnded);
    assert.equal(client.receivedBytes, totalBytes);
  });

  behaviour("says when everything pending is out, if anything was seen pending", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.pause();
    while (server.connection!.pendingBytes < 8_000_000) server.send(new Uint8Array(1_000_000));
    await scenario.harness.settle();
    assert(server.connection!.pendingBytes > 0);
    assert.equal(server.drainCount, 0);
    client.onData = () => {
      client.collected = Buffer.alloc(0);
    };
    client.resume();
    await scenario.pump(() => server.drainCount > 0);
    assert.equal(server.connection!.pendingBytes, 0);
    await scenario.harness.settle();
    assert.equal(server.drainCount, 1);
  });

  behaviour("does not speak of draining to one who sent nothing", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.send("only the client speaks");
    await scenario.pump(() => server.receivedBytes === 22);
    assert.equal(server.connection!.pendingBytes, 0);
    await scenario.harness.settle();
    assert.equal(server.drainCount, 0);
  });

  behaviour("delivers nothing to a connection that was paused before it opened", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording();
    const client = scenario.connect(listener);
    client.pause();
    await scenario.pump(() => client.isOpen && accepted[0]?.isOpen === true);
    accepted[0]!.send("waiting");
    await scenario.harness.settle();
    assert.equal(client.receivedBytes, 0);
    client.resume();
    await scenario.pump(() => client.receivedBytes === 7);
    assert.equal(client.text, "waiting");
  });

  behaviour("delivers nothing more after pause, even from within handleData", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    let isPaused = false;
    let lateCount = 0;
    client.expectedSeed = 3;
    client.onData = () => {
      if (isPaused) lateCount++;
      isPaused = true;
      client.pause();
    };
    server.produce(500_000, 3, seededRandom(3));
    for (let round = 0; client.receivedBytes < 500_000; round++) {
      assert(round < 500_000);
      isPaused = false;
      client.resume();
      await scenario.pump(() => isPaused);
    }
    assert.equal(lateCount, 0);
    assert.equal(client.receivedBytes, 500_000);
  });

  behaviour("holds data and end of a paused connection until it is resumed", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.pause();
    server.send(pattern(1000, 4));
    server.shutdown();
    await scenario.harness.settle();
    assert.equal(client.receivedBytes, 0);
    client.resume();
    await scenario.pump(() => client.hasEnded);
    assert.equal(client.receivedBytes, 1000);
    assert.deepEqual(client.events, ["open", "data", "end"]);
  });

  behaviour("takes hints about bulk without changing what arrives", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.expectedSeed = 6;
    scenario.operate(() => client.connection!.expectBulk(1_500_000));
    server.produce(1_500_000, 6, seededRandom(6));
    await scenario.pump(() => client.receivedBytes === 1_500_000);
    scenario.operate(() => client.connection!.expectBulk(0));
    client.expectedSeed = null;
    server.send("small again");
    await scenario.pump(() => client.collected.length === 11);
    assert.equal(client.text, "small again");
  });
}
