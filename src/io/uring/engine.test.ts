// The uring engine under the contract suite, alone and against peers of node:net and node:tls, and what is
// its own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, unlinkSync } from "node:fs";
import { connect as connectSocket, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Timer } from "../../base/timer-wheel.ts";
import type {
  Chunk,
  Connection,
  ConnectionHandler,
  ListenAddress,
  Listener,
} from "../../transport/contract.ts";
import { contractSuite } from "../contract-suite.ts";
import { createPortableEngine } from "../portable/portable-engine.ts";
import { encodeUnixSockaddr } from "../socket-address.ts";
import type { UringEngine } from "./engine.ts";
import { createUringHarness, openUringEngine, pumpFor, pumpUntil, withUringEngine } from "./harness.ts";
import type { UringListener } from "./listener.ts";
import { makeNonBlocking } from "./socket.ts";

contractSuite("uring", createUringHarness);
contractSuite("uring with portable peers", () => createUringHarness(createPortableEngine()));

const IGNORING: ConnectionHandler = {
  handleOpen() {},
  handleData() {},
  handleDrain() {},
  handleEnd(connection) {
    connection.close();
  },
  handleClose() {},
};

const F_DUPFD = 0;
const SOCK_DGRAM_NONBLOCK = 0x802;

function listen(
  engine: UringEngine,
  accept: (connection: Connection) => ConnectionHandler,
  address: ListenAddress = { kind: "tcp", host: "127.0.0.1", port: 0 },
): Listener {
  let listener: Listener | null = null;
  engine.listen(
    {
      address,
      backlog: 1024,
      tls: null,
      acceptProxy: false,
      handshakeTimeoutMs: 10_000,
      reusePort: false,
    },
    { accept },
    (result) => {
      assert(result.ok);
      listener = result.value;
    },
  );
  return listener!;
}

/** Adds `count` connected sockets to the list. */
async function openSockets(
  engine: UringEngine,
  sockets: Socket[],
  port: number,
  count: number,
): Promise<void> {
  const first = sockets.length;
  for (let i = 0; i < count; i++) sockets.push(connectSocket(port, "127.0.0.1").on("error", () => {}));
  await pumpUntil(engine, () => sockets.slice(first).every((socket) => !socket.connecting));
}

/** Nothing is open, and every buffer is either free or lent to the kernel. */
async function assertNothingLeft(engine: UringEngine): Promise<void> {
  await pumpUntil(engine, () => engine.connectionCount === 0);
  const { small, record, medium, large, huge } = engine.pools;
  for (const pool of [record, medium, huge]) assert.equal(pool.freeCount, pool.chunkCount);
  assert.equal(small.freeCount + engine.heads.lentCount, small.chunkCount);
  assert.equal(large.freeCount, large.chunkCount);
}

test("run serves until stop", () => {
  const engine = openUringEngine();
  let turnCount = 0;
  engine.onTurnEnd(() => turnCount++);
  const timer = new Timer({ handleTimeout: () => engine.stop() });
  engine.timers.arm(timer, engine.nowMs + 20);
  engine.run();
  assert(turnCount > 0);
  assert(engine.nowMs >= 20);
  engine.dispose();
});

test("what has come while the machine let us wait comes before the timeout that it would have moved", () =>
  withUringEngine(async (engine, sockets) => {
    const order: string[] = [];
    const timer = new Timer({ handleTimeout: () => order.push("timeout") });
    let isOpen = false;
    const listener = listen(engine, () => ({
      ...IGNORING,
      handleOpen: () => {
        isOpen = true;
      },
      handleData: () => order.push("data"),
    }));
    await openSockets(engine, sockets, listener.address.port, 1);
    await pumpUntil(engine, () => isOpen);
    engine.timers.arm(timer, engine.nowMs + 5);
    await new Promise((resolve) => sockets[0]!.write("x", resolve));
    const lateMs = performance.now() + 20;
    while (performance.now() < lateMs);
    await pumpUntil(engine, () => order.length === 2);
    assert.deepEqual(order, ["data", "timeout"]);
  }));

test("what a handler throws leaves the loop", async () =>
  withUringEngine(async (engine, sockets) => {
    const defect = new Error("a defect");
    const listener = listen(engine, () => ({
      ...IGNORING,
      handleData() {
        throw defect;
      },
    }));
    await openSockets(engine, sockets, listener.address.port, 1);
    sockets[0]!.write("x");
    await assert.rejects(
      pumpUntil(engine, () => false),
      defect,
    );
    sockets[0]!.destroy();
  }));

test("a crowd of small pieces for a peer that does not read takes little memory and arrives as it was sent", async () =>
  withUringEngine(async (engine, sockets) => {
    const pieceCount = 30_000;
    let expected = "";
    const listener = listen(engine, () => ({
      ...IGNORING,
      handleOpen(connection) {
        const fill = engine.allocate(262144);
        for (let i = 0; i < 64; i++) connection.send(fill, 0, 262144);
        fill.release();
        for (let i = 0; i < pieceCount; i++) {
          const text = `piece ${i} `;
          const chunk = engine.allocate(text.length);
          chunk.bytes.set(Buffer.from(text));
          connection.send(chunk, 0, text.length);
          chunk.release();
          expected += text;
        }
        connection.close();
      },
    }));
    await openSockets(engine, sockets, listener.address.port, 1);
    await pumpUntil(engine, () => expected !== "");
    assert(engine.pools.small.chunkCount < 2000, `${engine.pools.small.chunkCount} chunks`);
    const parts: Buffer[] = [];
    let hasEnded = false;
    sockets[0]!
      .on("data", (bytes: Buffer) => parts.push(bytes))
      .on("end", () => {
        hasEnded = true;
      });
    await pumpUntil(engine, () => hasEnded);
    assert.equal(
      Buffer.concat(parts)
        .subarray(64 * 262144)
        .toString(),
      expected,
    );
    listener.close();
    sockets[0]!.destroy();
    await assertNothingLeft(engine);
  }));

test("serves 1000 connections of another program's sockets at once", async () =>
  withUringEngine(async (engine, sockets) => {
    let openCount = 0;
    const listener = listen(engine, () => ({
      ...IGNORING,
      handleOpen() {
        openCount++;
      },
      handleData(connection, chunk, start, end) {
        connection.send(chunk, start, end);
      },
    }));
    await openSockets(engine, sockets, listener.address.port, 1000);
    await pumpUntil(engine, () => openCount === 1000);
    let answered = 0;
    for (const [i, socket] of sockets.entries()) {
      socket.once("data", (data) => {
        if (data.toString() === `number ${i}`) answered++;
      });
      socket.write(`number ${i}`);
    }
    await pumpUntil(engine, () => answered === 1000);
    for (const socket of sockets) socket.end();
    listener.close();
    await assertNothingLeft(engine);
  }));

test("idle connections hold no receive buffer", async () =>
  withUringEngine(async (engine, sockets) => {
    const listener = listen(engine, (connection) => {
      connection.expectBulk(1_000_000);
      return IGNORING;
    });
    await openSockets(engine, sockets, listener.address.port, 200);
    await pumpUntil(engine, () => engine.connectionCount === 200);
    const { small, large } = engine.pools;
    assert.equal(small.freeCount + engine.heads.lentCount, small.chunkCount);
    assert.equal(large.freeCount, large.chunkCount);
    for (const socket of sockets) socket.destroy();
    await assertNothingLeft(engine);
  }));

test("connections wait when all receive buffers are taken, and go on when some come back", async () =>
  withUringEngine(
    async (engine, sockets) => {
      const held: Chunk[] = [];
      let isHolding = true;
      let receivedBytes = 0;
      const listener = listen(engine, () => ({
        ...IGNORING,
        handleData(_connection, chunk, start, end) {
          receivedBytes += end - start;
          if (!isHolding) return;
          chunk.retain();
          held.push(chunk);
        },
      }));
      await openSockets(engine, sockets, listener.address.port, 40);
      for (const socket of sockets) socket.write(Buffer.alloc(4000));
      await pumpUntil(engine, () => held.length === 8);
      await pumpFor(engine, 30);
      assert.equal(held.length, 8);
      assert.equal(engine.pools.small.chunkCount, 8);
      isHolding = false;
      for (const chunk of held) chunk.release();
      await pumpUntil(engine, () => receivedBytes === 40 * 4000);
      for (const socket of sockets) socket.destroy();
      await assertNothingLeft(engine);
    },
    { smallCountMax: 8 },
  ));

test("bodies come in small buffers when the large ones are taken", async () =>
  withUringEngine(
    async (engine, sockets) => {
      const held: Chunk[] = [];
      const received = new Map<Connection, number>();
      const listener = listen(engine, (connection) => {
        connection.expectBulk(10_000_000);
        return {
          ...IGNORING,
          handleData(_connection, chunk, start, end) {
            received.set(connection, (received.get(connection) ?? 0) + end - start);
            if (chunk.bytes.length <= 262144 || held.length > 0) return;
            chunk.retain();
            held.push(chunk);
          },
        };
      });
      await openSockets(engine, sockets, listener.address.port, 3);
      for (const socket of sockets) socket.write(Buffer.alloc(1_000_000));
      await pumpUntil(
        engine,
        () => [...received.values()].filter((count) => count === 1_000_000).length === 3,
      );
      assert.equal(engine.pools.large.chunkCount, 1);
      for (const chunk of held) chunk.release();
      for (const socket of sockets) socket.destroy();
      await assertNothingLeft(engine);
    },
    { largeCountMax: 1 },
  ));

test("turns to large buffers when more comes than anybody expected", async () =>
  withUringEngine(async (engine, sockets) => {
    let received = 0;
    let largest = 0;
    const listener = listen(engine, () => ({
      ...IGNORING,
      handleData(_connection, _chunk, start, end) {
        received += end - start;
        largest = Math.max(largest, end - start);
      },
    }));
    await openSockets(engine, sockets, listener.address.port, 1);
    sockets[0]!.write(Buffer.alloc(1_000_000));
    await pumpUntil(engine, () => received === 1_000_000);
    assert(largest > 4096);
    sockets[0]!.destroy();
    await assertNothingLeft(engine);
  }));

test("a fast sender relayed to a slow reader takes bounded memory", async () =>
  withUringEngine(async (engine, sockets) => {
    const pendingMax = 500_000;
    let received = 0;
    let highest = 0;
    const far = listen(engine, (connection) => {
      // Reads a little now and then.
      connection.pause();
      return {
        ...IGNORING,
        handleData(_connection, _chunk, start, end) {
          received += end - start;
          connection.pause();
        },
      };
    });
    let slow: Connection | null = null;
    const near = listen(engine, (connection) => {
      connection.expectBulk(50_000_000);
      const { port } = far.address;
      const options = {
        address: { kind: "tcp", host: "127.0.0.1", port },
        source: null,
        tls: null,
        preamble: null,
        timeoutMs: 5000,
      } as const;
      const onward = engine.connect(options, {
        ...IGNORING,
        handleDrain: () => connection.resume(),
      });
      slow = onward;
      return {
        ...IGNORING,
        handleData(_connection, chunk, start, end) {
          onward.send(chunk, start, end);
          highest = Math.max(highest, onward.pendingBytes);
          if (onward.pendingBytes >= pendingMax) connection.pause();
        },
      };
    });
    await openSockets(engine, sockets, near.address.port, 1);
    sockets[0]!.write(Buffer.alloc(30_000_000));
    let quietTurns = 0;
    let before = -1;
    // It is stuck when the kernel takes no more: a hundred turns without a change.
    await pumpUntil(engine, () => {
      const pending = slow?.pendingBytes ?? 0;
      quietTurns = pending > 0 && pending === before ? quietTurns + 1 : 0;
      before = pending;
      return quietTurns === 100;
    });
    assert(sockets[0]!.writableLength > 10_000_000);
    assert(highest < pendingMax + 262144 + 4096, `${highest} bytes were pending`);
    assert(engine.pools.large.chunkCount <= 8, `${engine.pools.large.chunkCount} large buffers were used`);
    assert.equal(received, 0);
    sockets[0]!.destroy();
  }));

test("connections that come and go in all stages leave nothing behind", async () =>
  withUringEngine(async (engine, sockets) => {
    let closeCount = 0;
    let acceptCount = 0;
    const listener = listen(engine, (connection) => {
      const fate = acceptCount++ % 5;
      return {
        ...IGNORING,
        handleOpen() {
          if (fate === 0) connection.reset();
          if (fate === 1) connection.close();
        },
        handleData(_connection, chunk, start, end) {
          for (let i = 0; i < 20; i++) connection.send(chunk, start, end);
          if (fate === 2) connection.reset();
          if (fate === 3) connection.close();
        },
        handleClose() {
          closeCount++;
        },
      };
    });
    for (let round = 0; round < 10; round++) {
      sockets.length = 0;
      await openSockets(engine, sockets, listener.address.port, 100);
      for (const [i, socket] of sockets.entries()) {
        if (!socket.destroyed) socket.write(Buffer.alloc(1 + i * 300));
        if (i % 3 === 0) socket.resetAndDestroy();
        else socket.resume().end();
      }
      // One that was reset before it could be accepted is never heard of.
      await pumpUntil(engine, () => closeCount === acceptCount && sockets.every((socket) => socket.closed));
    }
    assert(acceptCount > 500);
    listener.close();
    await assertNothingLeft(engine);
  }));

test("running out of descriptors delays new connections and harms no other", async () => {
  // The limit is the process's, so the server is one of its own.
  const source = new URL("./engine.ts", import.meta.url).href;
  const script = `
    const { createUringEngine } = await import(${JSON.stringify(source)});
    const engine = createUringEngine().value;
    const handler = {
      handleOpen() {}, handleDrain() {}, handleClose() {},
      handleData(connection, chunk, start, end) { connection.send(chunk, start, end); },
      handleEnd(connection) { connection.close(); },
    };
    const options = {
      address: { kind: "tcp", host: "127.0.0.1", port: 0 },
      backlog: 512, tls: null, acceptProxy: false, handshakeTimeoutMs: 1000, reusePort: false,
    };
    engine.listen(options, { accept: () => handler }, (result) => console.log(result.value.address.port));
    engine.run();`;
  const flags = [
    "--experimental-ffi",
    "--disable-warning=ExperimentalWarning",
    "--input-type=module",
    "-e",
    script,
  ];
  const child = spawn("sh", ["-c", 'ulimit -n 60; exec "$0" "$@"', process.execPath, ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(line);
  const sockets = Array.from({ length: 100 }, () => connectSocket(port, "127.0.0.1"));
  let answers = 0;
  for (const socket of sockets) {
    socket.write("x");
    // Each answered connection makes room for one that waits.
    socket.once("data", () => {
      answers++;
      socket.end();
    });
  }
  await Promise.all(sockets.map((socket) => once(socket, "close")));
  assert.equal(answers, 100);
  child.kill("SIGKILL");
  await once(child, "close");
});

test("takes over a listening socket by its descriptor, and one that is only bound", async () =>
  withUringEngine(async (engine, sockets) => {
    const { libc } = engine.native;
    const first = listen(engine, () => IGNORING) as UringListener;
    const duplicate = libc.fcntl(first.fd, F_DUPFD, 0n);
    first.close();
    let opened = 0;
    const counting = { ...IGNORING, handleOpen: () => void opened++ };
    const second = listen(engine, () => counting, { kind: "fd", fd: duplicate });
    assert.deepEqual(second.address, first.address);
    await openSockets(engine, sockets, second.address.port, 3);
    await pumpUntil(engine, () => opened === 3);

    const bound = libc.socket(2, 1, 0);
    engine.native.scratchBytes.fill(0, 0, 16);
    engine.native.scratchBytes.set([2, 0, 0, 0, 127, 0, 0, 1]);
    assert.equal(libc.bind(bound, engine.native.scratch.pointer, 16), 0);
    const third = listen(engine, () => counting, { kind: "fd", fd: bound });
    await openSockets(engine, sockets, third.address.port, 1);
    await pumpUntil(engine, () => opened === 4);
  }));

test("accepts on a socket that was made non-blocking by others", async () =>
  withUringEngine(async (engine, sockets) => {
    let opened = 0;
    const counting = { ...IGNORING, handleOpen: () => void opened++ };
    const first = listen(engine, () => IGNORING) as UringListener;
    makeNonBlocking(engine.native, first.fd);
    const second = listen(engine, () => counting, {
      kind: "fd",
      fd: engine.native.libc.fcntl(first.fd, F_DUPFD, 0n),
    });
    first.close();
    for (let i = 1; i <= 3; i++) {
      await openSockets(engine, sockets, second.address.port, 1);
      await pumpUntil(engine, () => opened === i);
    }
  }));

test("sends datagrams again after the receiver at a unix path was replaced", async () =>
  withUringEngine(async (engine) => {
    const { libc, scratch, scratchBytes } = engine.native;
    const directory = mkdtempSync(join(tmpdir(), "sallyport-"));
    const path = join(directory, "log");
    const receive = (): number => {
      const fd = libc.socket(1, SOCK_DGRAM_NONBLOCK, 0);
      assert.equal(libc.bind(fd, scratch.pointer, encodeUnixSockaddr(scratchBytes, 0, path, false)), 0);
      return fd;
    };
    const before = receive();
    const sender = engine.openDatagramSender({ kind: "unix", path });
    assert(sender.ok);
    assert.equal(sender.value.send(Buffer.from("one"), 0, 3), true);
    engine.turn(0);
    libc.close(before);
    unlinkSync(path);
    const after = receive();
    assert.equal(sender.value.send(Buffer.from("two!"), 0, 4), true);
    engine.turn(0);
    assert.equal(libc.recv(after, scratch.pointer, 100n, 0), 4n);
    assert.equal(Buffer.from(scratchBytes.subarray(0, 4)).toString(), "two!");
    libc.close(after);
    sender.value.close();
    assert.equal(sender.value.send(Buffer.from("three"), 0, 5), false);
    rmSync(directory, { recursive: true });
  }));

test("sends the datagrams of a turn in their order, and pays for lost ones with later refusals", async () =>
  withUringEngine(async (engine) => {
    const { libc, scratch, scratchBytes } = engine.native;
    const directory = mkdtempSync(join(tmpdir(), "sallyport-"));
    const path = join(directory, "log");
    const receiver = libc.socket(1, SOCK_DGRAM_NONBLOCK, 0);
    assert.equal(libc.bind(receiver, scratch.pointer, encodeUnixSockaddr(scratchBytes, 0, path, false)), 0);
    const receiveAll = (): string[] => {
      const texts: string[] = [];
      for (;;) {
        const length = Number(libc.recv(receiver, scratch.pointer, 100n, 0));
        if (length < 0) return texts;
        texts.push(Buffer.from(scratchBytes.subarray(0, length)).toString());
      }
    };
    const opened = engine.openDatagramSender({ kind: "unix", path });
    assert(opened.ok);
    const sender = opened.value;
    const send = (text: string): boolean => sender.send(Buffer.from(text), 0, text.length);
    for (const text of ["a", "bb", "ccc"]) assert.equal(send(text), true);
    assert.deepEqual(receiveAll(), []);
    engine.turn(0);
    assert.deepEqual(receiveAll(), ["a", "bb", "ccc"]);
    // A unix socket's queue holds few datagrams (net.unix.max_dgram_qlen), so most of these are lost.
    for (let i = 0; i < 3000; i++) send(`${i}`);
    engine.turn(0);
    const arrived = receiveAll();
    assert.deepEqual(
      arrived,
      [...arrived].sort((a, b) => Number(a) - Number(b)),
    );
    assert.equal(arrived[0], "0");
    assert.equal(send("next"), false);
    sender.close();
    assert.deepEqual(receiveAll(), ["next"]);
    libc.close(receiver);
    rmSync(directory, { recursive: true });
  }));

test("a listener on an interface takes what comes by that one, and says when there is none of the name", async () => {
  await withUringEngine(async (engine) => {
    const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
    const listener = listen(engine, () => IGNORING, { ...address, device: "lo" });
    const client = connectSocket((listener.address as { port: number }).port, "127.0.0.1");
    const isConnected = once(client, "connect");
    await pumpUntil(engine, () => client.readyState === "open");
    await isConnected;
    client.destroy();
    let message = "";
    const options = { backlog: 5, tls: null, acceptProxy: false, handshakeTimeoutMs: 1000, reusePort: false };
    engine.listen(
      { address: { ...address, device: "no-such-card" }, ...options },
      { accept: () => IGNORING },
      (result) => {
        message = result.ok ? "" : result.error.message;
      },
    );
    assert.match(message, /on interface no-such-card/);
  });
});
