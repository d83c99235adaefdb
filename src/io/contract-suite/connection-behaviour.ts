// The life of a connection: how it opens, how it ends, and who hears of it in what order.
import assert from "node:assert/strict";
import { seededRandom } from "../memory/seeded-random.ts";
import { behaviour, type ContractHarness, patternByte } from "./scenario.ts";

export function connectionBehaviour(create: () => ContractHarness): void {
  openingBehaviour(create);
  endingBehaviour(create);
  handlerBehaviour(create);
}

function openingBehaviour(create: () => ContractHarness): void {
  behaviour("opens both ends, and tells each the address of the other", create, async (scenario) => {
    const { listener, client, server } = await scenario.pair();
    assert.deepEqual(client.connection!.remote, listener.address);
    assert.deepEqual(server.connection!.local, listener.address);
    assert.deepEqual(server.connection!.remote, client.connection!.local);
    assert.equal(server.connection!.remote.family, 4);
    assert.equal(client.connection!.tls, null);
    assert.equal(server.connection!.proxied, null);
  });

  behaviour("numbers connections in ever increasing order", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording();
    const clients = [1, 2, 3].map(() => scenario.connect(listener));
    await scenario.pump(() => accepted.length === 3 && clients.every((client) => client.isOpen));
    for (const group of [clients, accepted]) {
      const ids = group.map((recorder) => recorder.connection!.id);
      assert.deepEqual(
        ids,
        ids.toSorted((a, b) => a - b),
      );
      assert.equal(new Set(ids).size, 3);
    }
  });

  behaviour("asks the acceptor before handleOpen", create, async (scenario) => {
    const order: string[] = [];
    const listener = await scenario.listen({}, (connection) => {
      order.push("accept");
      const recorder = scenario.recorder("server", scenario.engine);
      recorder.connection = connection;
      recorder.onOpen = () => order.push("open");
      return recorder;
    });
    scenario.connect(listener);
    await scenario.pump(() => order.length === 2);
    assert.deepEqual(order, ["accept", "open"]);
  });

  behaviour("resets a connection that the acceptor refuses", create, async (scenario) => {
    const listener = await scenario.listen({}, () => null);
    const client = scenario.connect(listener);
    await scenario.pump(() => client.isClosed);
    assert.equal(client.failure?.kind, "reset");
  });

  behaviour("reports a refused connect by handleClose alone", create, async (scenario) => {
    const { listener } = await scenario.listenRecording();
    listener.close();
    await scenario.harness.settle();
    const client = scenario.connect(listener);
    await scenario.pump(() => client.isClosed);
    assert.deepEqual(client.events, ["close"]);
    assert.equal(client.failure?.kind, "refused");
    assert.equal(client.failure?.side, "server");
    assert.equal(client.failure?.retryable, true);
  });

  behaviour("connects from the source address that was asked for", create, async (scenario) => {
    const { server } = await scenario.pair({}, { source: { host: "127.0.0.2", port: 0 } });
    assert.equal(server.connection!.remote.host, "127.0.0.2");
  });

  behaviour("delivers what was sent before the connection was open", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording();
    const client = scenario.connect(listener);
    client.send("early ");
    client.send("bird");
    assert.equal(client.connection!.pendingBytes, 10);
    await scenario.pump(() => accepted[0]?.receivedBytes === 10);
    assert.equal(accepted[0]!.text, "early bird");
  });

  behaviour("closes a connection that is not open yet without opening it", create, async (scenario) => {
    const { listener } = await scenario.listenRecording();
    const client = scenario.connect(listener);
    client.close();
    assert.equal(client.connection!.isClosed, false);
    await scenario.pump(() => client.isClosed);
    assert.deepEqual(client.events, ["close"]);
    assert.equal(client.failure, null);
  });

  behaviour("times out when the server never answers the TLS handshake", create, async (scenario) => {
    const { listener } = await scenario.listenRecording();
    const context = scenario.peer.createTlsClientContext({
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.3",
      ciphers: null,
      ciphersuites: null,
      curves: null,
      alpn: [],
      verify: null,
      certificate: null,
    });
    assert(context.ok);
    const client = scenario.connect(listener, {
      tls: { context: context.value, serverName: "" },
      timeoutMs: 60,
    });
    await scenario.pump(() => client.isClosed);
    assert.deepEqual(client.events, ["close"]);
    assert.equal(client.failure?.kind, "timeout");
  });

  behaviour("serves 300 connections at once", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording();
    const random = seededRandom(300);
    const clients = Array.from({ length: 300 }, (_, i) => {
      const client = scenario.connect(listener);
      client.onOpen = () => client.send(`${i}:`.padEnd(1 + Math.floor(random() * 3000), "x"));
      return client;
    });
    const echoed = new Set<unknown>();
    await scenario.pump(() => {
      for (const server of accepted) {
        if (!server.isOpen || echoed.has(server)) continue;
        echoed.add(server);
        if (server.receivedBytes > 0) server.send(server.collected);
        server.onData = (_connection, chunk, start, end) => server.sendChunk(chunk, start, end);
      }
      return clients.every((client) => client.receivedBytes > 0 && client.text.includes(":"));
    });
    assert.equal(accepted.length, 300);
    for (const [i, client] of clients.entries()) assert(client.text.startsWith(`${i}:`));
  });
}

function endingBehaviour(create: () => ContractHarness): void {
  behaviour("ends orderly when both ends shut down", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.send("request");
    client.shutdown();
    await scenario.pump(() => server.hasEnded);
    assert.equal(server.text, "request");
    assert.equal(client.isClosed, false);
    server.send("response");
    server.shutdown();
    await scenario.pump(() => client.isClosed && server.isClosed);
    assert.equal(client.text, "response");
    assert.equal(client.failure, null);
    assert.equal(server.failure, null);
    assert.deepEqual(
      client.events.filter((event) => event !== "drain"),
      ["open", "data", "end", "close"],
    );
    assert.deepEqual(
      server.events.filter((event) => event !== "drain"),
      ["open", "data", "end", "close"],
    );
  });

  for (const first of ["client", "server"] as const) {
    behaviour(`goes on towards the ${first} after the ${first} has shut down`, create, async (scenario) => {
      const pair = await scenario.pair();
      const near = pair[first];
      const far = first === "client" ? pair.server : pair.client;
      near.shutdown();
      await scenario.pump(() => far.hasEnded);
      near.expectedSeed = 5;
      far.produce(300_000, 5, seededRandom(5), () => far.shutdown());
      await scenario.pump(() => near.isClosed && far.isClosed);
      assert.equal(near.receivedBytes, 300_000);
      assert.equal(near.failure, null);
      assert.equal(far.failure, null);
    });
  }

  behaviour("sends all that is queued before it closes", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.expectedSeed = 9;
    client.pause();
    const bytes = 3_000_000;
    for (let position = 0; position < bytes; position += 100_000) {
      const chunk = scenario.engine.allocate(100_000);
      for (let i = 0; i < 100_000; i++) chunk.bytes[i] = patternByte(position + i, 9);
      server.sendChunk(chunk, 0, 100_000);
      chunk.release();
    }
    server.close();
    await scenario.harness.settle();
    client.resume();
    await scenario.pump(() => client.hasEnded && server.isClosed);
    assert.equal(client.receivedBytes, bytes);
    assert.equal(server.failure, null);
  });

  behaviour("shows its own close to the peer as an end", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    server.close();
    await scenario.pump(() => client.hasEnded && server.isClosed);
    assert.equal(server.failure, null);
    assert.deepEqual(server.events, ["open", "close"]);
    client.shutdown();
    await scenario.pump(() => client.isClosed);
    assert.equal(client.failure, null);
  });

  behaviour("shows a reset to the peer as a reset", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.send("x");
    await scenario.pump(() => server.receivedBytes === 1);
    client.reset();
    await scenario.pump(() => client.isClosed && server.isClosed);
    assert.equal(server.failure?.kind, "reset");
    assert.equal(server.failure?.side, "client");
  });

  behaviour("names the server's side when the server resets", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    server.reset();
    await scenario.pump(() => client.isClosed);
    assert.equal(client.failure?.kind, "reset");
    assert.equal(client.failure?.side, "server");
  });

  behaviour("delivers nothing but handleClose after its own reset", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.onData = () => client.reset();
    server.produce(2_000_000, 1, seededRandom(1));
    await scenario.pump(() => client.isClosed && server.isClosed);
    assert.deepEqual(client.events, ["open", "data", "close"]);
    assert(client.receivedBytes < 2_000_000);
  });

  behaviour("drops what is queued when it resets", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.pause();
    for (let i = 0; i < 16; i++) server.send(new Uint8Array(1_000_000));
    await scenario.harness.settle();
    assert(server.connection!.pendingBytes > 0);
    server.reset();
    await scenario.pump(() => server.isClosed);
    client.resume();
    await scenario.pump(() => client.isClosed);
    assert(client.receivedBytes < 16_000_000);
  });

  behaviour("ignores every operation after handleClose", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.close();
    await scenario.pump(() => client.isClosed);
    client.send("late");
    client.pause();
    client.resume();
    client.shutdown();
    client.close();
    client.reset();
    await scenario.pump(() => server.hasEnded);
    await scenario.harness.settle();
    assert.equal(server.receivedBytes, 0);
    assert.equal(client.events.filter((event) => event === "close").length, 1);
  });

  behaviour("can close in handleOpen", create, async (scenario) => {
    const { listener, accepted } = await scenario.listenRecording();
    const client = scenario.connect(listener);
    client.onOpen = () => {
      client.send("bye");
      client.close();
    };
    await scenario.pump(() => client.isClosed && accepted[0]?.hasEnded === true);
    assert.equal(accepted[0]!.text, "bye");
  });

  behaviour("closes a writer once when its peer resets under it", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.pause();
    server.send(new Uint8Array(8_000_000));
    await scenario.harness.settle();
    client.reset();
    await scenario.pump(() => server.isClosed);
    assert.equal(server.failure?.kind, "reset");
    assert.equal(server.events.filter((event) => event === "close").length, 1);
  });
}

function handlerBehaviour(create: () => ContractHarness): void {
  behaviour("gives the next event to a handler that replaced another", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    client.send("one");
    await scenario.pump(() => server.receivedBytes === 3);
    const successor = scenario.recorder("successor", scenario.engine);
    successor.connection = server.connection;
    server.connection!.handler = successor;
    client.send("two");
    client.shutdown();
    await scenario.pump(() => successor.hasEnded);
    assert.equal(server.text, "one");
    assert.equal(successor.text, "two");
    assert.deepEqual(server.events, ["open", "data"]);
  });

  behaviour("lets a handler be replaced while it handles data", create, async (scenario) => {
    const { client, server } = await scenario.pair();
    const successor = scenario.recorder("successor", scenario.engine);
    successor.connection = server.connection;
    server.onData = (connection) => {
      connection.handler = successor;
    };
    client.produce(1_000_000, 0, seededRandom(2), () => client.shutdown());
    await scenario.pump(() => successor.hasEnded);
    assert.deepEqual(server.events, ["open", "data"]);
    assert.equal(server.receivedBytes + successor.receivedBytes, 1_000_000);
    assert(successor.receivedBytes > 0);
  });
}
