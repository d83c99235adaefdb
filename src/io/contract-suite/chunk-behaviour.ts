// Memory: that lent chunks may be kept, and that sent chunks are kept until they are out.
import assert from "node:assert/strict";
import type { Chunk } from "../../transport/contract.ts";
import { seededRandom } from "../memory/seeded-random.ts";
import { behaviour, type ContractHarness, patternByte } from "./scenario.ts";

export function chunkBehaviour(create: () => ContractHarness): void {
  behaviour(
    "allocates chunks of at least the size asked for, apart from each other",
    create,
    async ({ engine }) => {
      const sizes = [1, 100, 4096, 4097, 65_536, 262_144, 1_048_576];
      const chunks = sizes.map((size) => engine.allocate(size));
      chunks.forEach((chunk, i) => {
        assert(chunk.bytes.length >= sizes[i]!);
        chunk.bytes.fill(i + 1);
      });
      chunks.forEach((chunk, i) => {
        assert(chunk.bytes.every((byte) => byte === i + 1));
        chunk.release();
      });
    },
  );

  behaviour("keeps a retained chunk as it was while more data comes", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    const kept: { chunk: Chunk; start: number; end: number; position: number }[] = [];
    let position = 0;
    client.expectedSeed = 8;
    client.onData = (_connection, chunk, start, end) => {
      if (kept.length < 20) {
        chunk.retain();
        kept.push({ chunk, start, end, position });
      }
      position += end - start;
    };
    server.produce(4_000_000, 8, seededRandom(8));
    await scenario.pump(() => client.receivedBytes === 4_000_000);
    assert(kept.length > 0);
    for (const piece of kept) {
      for (let i = piece.start; i < piece.end; i++) {
        assert.equal(piece.chunk.bytes[i], patternByte(piece.position + i - piece.start, 8));
      }
      piece.chunk.release();
    }
  });

  behaviour("keeps a sent chunk although the sender has released it", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.pause();
    client.expectedSeed = 0;
    let position = 0;
    for (let round = 0; round < 80; round++) {
      const chunk = scenario.engine.allocate(65_536);
      for (let i = 0; i < 65_536; i++) chunk.bytes[i] = patternByte(position + i, 0);
      position += 65_536;
      server.sendChunk(chunk, 0, 65_536);
      chunk.release();
      const scribbled = scenario.engine.allocate(65_536);
      scribbled.bytes.fill(0xee);
      scribbled.release();
    }
    await scenario.harness.settle();
    client.resume();
    await scenario.pump(() => client.receivedBytes === position);
  });

  behaviour("relays received chunks to another connection without copying", create, async (scenario) => {
    const origin = await scenario.listenRecording();
    const front = await scenario.listen({}, (inbound) => {
      const near = scenario.recorder("proxy, client side", scenario.engine);
      const far = scenario.recorder("proxy, server side", scenario.engine);
      near.connection = inbound;
      const { host, port } = origin.listener.address;
      far.connection = scenario.engine.connect(
        { address: { kind: "tcp", host, port }, source: null, tls: null, preamble: null, timeoutMs: 10_000 },
        far,
      );
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.expectedSeed = from === near ? 11 : 12;
        from.onData = (_connection, chunk, start, end) => {
          to.sendChunk(chunk, start, end);
          if (to.connection!.pendingBytes > 200_000) from.pause();
        };
        to.onDrain = () => from.resume();
        from.onEnd = () => to.shutdown();
      }
      return near;
    });
    const client = scenario.connect(front);
    await scenario.pump(() => client.isOpen && origin.accepted[0]?.isOpen === true);
    const server = origin.accepted[0]!;
    client.expectedSeed = 12;
    server.expectedSeed = 11;
    client.produce(3_000_000, 11, seededRandom(11), () => client.shutdown());
    server.produce(3_000_000, 12, seededRandom(12), () => server.shutdown());
    await scenario.pump(() => client.isClosed && server.isClosed);
    assert.equal(client.receivedBytes, 3_000_000);
    assert.equal(server.receivedBytes, 3_000_000);
  });
}
