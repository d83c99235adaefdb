// The memory engine under the contract suite, on a clean network and on a bad one; then what only it can do.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Failure } from "../../base/failure.ts";
import { Timer } from "../../base/timer-wheel.ts";
import type {
  Chunk,
  Connection,
  ConnectionHandler,
  ConnectOptions,
  Listener,
} from "../../transport/contract.ts";
import { type ContractHarness, contractSuite } from "../contract-suite.ts";
import { POISON } from "./memory-chunk.ts";
import { createMemoryEngine, type MemoryEngine } from "./memory-engine.ts";
import { type MemoryFaults, MemoryNetwork } from "./memory-network.ts";

/** Virtual, so it costs nothing. */
const SETTLE_MS = 200;

function createHarness(faults: Partial<MemoryFaults>): ContractHarness {
  const network = new MemoryNetwork({ seed: 1 });
  const engine = createMemoryEngine({ seed: 2, network, faults });
  const peer = createMemoryEngine({ seed: 3, network, faults });
  const directory = mkdtempSync(join(tmpdir(), "sallyport-"));
  return {
    engine,
    peer,
    directory,
    async pump(until, timeoutMs) {
      const untilMs = network.nowMs + timeoutMs;
      while (!until()) {
        if (!network.step(untilMs)) throw new Error("nothing came of it in time");
      }
    },
    async settle() {
      network.advance(SETTLE_MS);
    },
    async openDatagramReceiver() {
      const received: Uint8Array[] = [];
      network.receiveDatagrams("127.0.0.1:514", (bytes) => received.push(bytes));
      return { address: { kind: "udp", host: "127.0.0.1", port: 514 }, received, close() {} };
    },
    async dispose() {
      rmSync(directory, { recursive: true });
      network.advance(9000);
      assert.deepEqual(network.leaks(), []);
    },
  };
}

contractSuite("memory", () => createHarness({}));
contractSuite("memory on a bad network", () =>
  createHarness({
    latencyMs: [0, 20],
    windowBytes: [5000, 60_000],
    segmentBytesMax: 9000,
    oneByteProbability: 0.3,
    bandwidthBytesPerMs: 50_000,
    readDelayMs: [0, 0.1],
  }),
);

/** A client that notes what it sees, in a few words. */
class Witness implements ConnectionHandler {
  readonly events: string[] = [];
  receivedBytes = 0;
  failure: Failure | null = null;
  readonly onData: (connection: Connection, chunk: Chunk, start: number, end: number) => void;

  constructor(onData: Witness["onData"] = () => {}) {
    this.onData = onData;
  }

  handleOpen(): void {
    this.events.push("open");
  }

  handleData(connection: Connection, chunk: Chunk, start: number, end: number): void {
    this.receivedBytes += end - start;
    this.onData(connection, chunk, start, end);
  }

  handleDrain(): void {}

  handleEnd(connection: Connection): void {
    this.events.push("end");
    connection.shutdown();
  }

  handleClose(_connection: Connection, failure: Failure | null): void {
    this.events.push(failure === null ? "close" : `close: ${failure.kind}`);
    this.failure = failure;
  }
}

interface World {
  readonly network: MemoryNetwork;
  readonly server: MemoryEngine;
  readonly client: MemoryEngine;
  readonly trace: string[];
}

function createWorld(seed: number, faults: Partial<MemoryFaults> = {}): World {
  const trace: string[] = [];
  const network = new MemoryNetwork({ seed, onTrace: (line) => trace.push(line) });
  const server = createMemoryEngine({ seed: seed + 1, network, faults, host: "10.0.0.2" });
  const client = createMemoryEngine({ seed: seed + 2, network, faults, host: "10.0.0.1" });
  return { network, server, client, trace };
}

function listen({ network, server }: World, handler: () => ConnectionHandler): Listener {
  let listener: Listener | null = null;
  const address = { kind: "tcp", host: "10.0.0.2", port: 80 } as const;
  const options = {
    address,
    backlog: 100,
    tls: null,
    acceptProxy: false,
    handshakeTimeoutMs: 1000,
    reusePort: false,
  };
  server.listen(options, { accept: handler }, (result) => {
    assert(result.ok);
    listener = result.value;
  });
  network.advance(1);
  assert(listener !== null);
  return listener;
}

function connect(
  world: World,
  handler: ConnectionHandler,
  options: Partial<ConnectOptions> = {},
): Connection {
  return world.client.connect(
    {
      address: { kind: "tcp", host: "10.0.0.2", port: 80 },
      source: null,
      tls: null,
      preamble: null,
      timeoutMs: 5000,
      ...options,
    },
    handler,
  );
}

function sendBytes(engine: MemoryEngine, connection: Connection, byteCount: number): void {
  const chunk = engine.allocate(byteCount);
  connection.send(chunk, 0, byteCount);
  chunk.release();
}

/** Ten clients that get what they send back, over a network that breaks some of them. */
function runEchoWorld(seed: number): World & { readonly events: string[] } {
  const world = createWorld(seed, {
    resetProbability: 0.01,
    refuseProbability: 0.1,
    oneByteProbability: 0.2,
  });
  listen(world, () => new Witness((connection, chunk, start, end) => connection.send(chunk, start, end)));
  const witnesses = Array.from({ length: 10 }, (_, i) => {
    const witness = new Witness();
    const connection = connect(world, witness);
    sendBytes(world.client, connection, 20_000 + i);
    connection.shutdown();
    return witness;
  });
  world.network.runUntilIdle();
  return {
    ...world,
    events: witnesses.map((witness) => `${witness.events.join(",")} ${witness.receivedBytes}`),
  };
}

test("the same seed gives the same trace, and another seed another one", () => {
  const first = runEchoWorld(7);
  const again = runEchoWorld(7);
  const other = runEchoWorld(8);
  assert(first.trace.length > 100);
  assert.deepEqual(again.trace, first.trace);
  assert.equal(again.network.traceHash, first.network.traceHash);
  assert.notEqual(other.network.traceHash, first.network.traceHash);
});

test("seeded resets and refusals happen, and leave nothing behind", () => {
  const worlds = [1, 2, 3, 4, 5].map((seed) => runEchoWorld(seed * 100));
  const events = worlds.flatMap((world) => world.events);
  assert.equal(events.length, 50);
  assert(events.some((event) => event.includes("close: reset")));
  assert(events.some((event) => event.startsWith("close: refused")));
  assert(events.some((event) => event.startsWith("open,end,close ")));
  for (const { network, server } of worlds) {
    for (const listener of server.listeners) listener.close();
    network.advance(9000);
    assert.deepEqual(network.leaks(), []);
  }
});

test("an unreachable host and a silent one fail connects in their own ways", () => {
  const world = createWorld(1);
  listen(world, () => new Witness());
  const outcomes: string[] = [];
  for (const state of ["unreachable", "silent", null] as const) {
    world.network.setHost("10.0.0.2", state);
    const witness = new Witness();
    const startMs = world.network.nowMs;
    const connection = connect(world, witness);
    world.network.advance(6000);
    outcomes.push(witness.events.join());
    if (state === "silent") assert(world.network.nowMs - startMs >= 5000);
    connection.reset();
  }
  assert.deepEqual(outcomes, ["close: unreachable", "close: timeout", "open"]);
});

test("without a limit of its own a connect to a silent host ends when the kernel gives up", () => {
  const world = createWorld(1);
  world.network.setHost("10.0.0.2", "silent");
  const witness = new Witness();
  connect(world, witness, { timeoutMs: Number.POSITIVE_INFINITY });
  world.network.advance(129_000);
  assert.deepEqual(witness.events, []);
  world.network.advance(2000);
  assert.deepEqual(witness.events, ["close: timeout"]);
});

test("a chunk that was kept without being retained is poisoned", () => {
  const world = createWorld(3);
  const kept: { chunk: Chunk; start: number; end: number }[] = [];
  listen(world, () => new Witness((_connection, chunk, start, end) => kept.push({ chunk, start, end })));
  const connection = connect(world, new Witness());
  sendBytes(world.client, connection, 1000);
  world.network.advance(100);
  assert(kept.length > 0);
  for (const { chunk, start, end } of kept) {
    assert(chunk.bytes.subarray(start, end).every((byte) => byte === POISON));
    assert.throws(() => chunk.release(), /released more often/);
    assert.throws(() => chunk.retain(), /after its last release/);
  }
});

test("what is not given back is named as a leak", () => {
  const world = createWorld(4);
  const listener = listen(world, () => new Witness());
  const connection = connect(world, new Witness());
  const chunk = world.client.allocate(77);
  const timer = new Timer({ handleTimeout() {} });
  world.client.timers.arm(timer, world.client.nowMs + 3_600_000);
  world.network.advance(100);
  const leaks = world.network.leaks().join("\n");
  assert.match(leaks, /listener on 10\.0\.0\.2:80 is open/);
  assert.match(leaks, /connection 1 to 10\.0\.0\.2:80 is open/);
  assert.match(leaks, /chunk of 77 bytes held 1 times/);
  assert.match(leaks, /1 timers are queued/);
  listener.close();
  connection.reset();
  chunk.release();
  world.client.timers.remove(timer);
  world.network.advance(9000);
  assert.deepEqual(world.network.leaks(), []);
});

test("bandwidth and latency are felt in virtual time", () => {
  const world = createWorld(5, {
    bandwidthBytesPerMs: 100,
    latencyMs: [10, 10],
    windowBytes: [1e9, 1e9],
    segmentBytesMax: 1000,
  });
  const server = new Witness();
  listen(world, () => server);
  const connection = connect(world, new Witness());
  sendBytes(world.client, connection, 100_000);
  world.network.advance(500);
  assert(server.receivedBytes > 20_000 && server.receivedBytes < 50_000, `${server.receivedBytes} bytes`);
  world.network.advance(1000);
  assert.equal(server.receivedBytes, 100_000);
});

test("time passes in a leap when nothing happens, and timers fire in order on the way", () => {
  const { network, client } = createWorld(6);
  const firedAtMs: number[] = [];
  for (const afterMs of [86_400_000, 1000]) {
    client.timers.arm(new Timer({ handleTimeout: (nowMs) => firedAtMs.push(nowMs) }), client.nowMs + afterMs);
  }
  network.runUntilIdle(100_000_000);
  assert.equal(firedAtMs.length, 2);
  assert(firedAtMs[0]! >= 1000 && firedAtMs[0]! < 1010);
  assert(firedAtMs[1]! >= 86_400_000 && firedAtMs[1]! < 86_400_010);
});
