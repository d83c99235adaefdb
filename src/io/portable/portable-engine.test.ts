// The portable engine under the contract suite, and what is its own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { type ContractHarness, contractSuite } from "../contract-suite.ts";
import { createPortableEngine } from "./portable-engine.ts";

/**
 * How long nothing must happen before the engine counts as settled; a negative is never proved by it alone.
 */
const SETTLE_MS = 30;

function createHarness(): ContractHarness {
  const engine = createPortableEngine();
  const directory = mkdtempSync(join(tmpdir(), "sallyport-"));
  return {
    engine,
    peer: engine,
    directory,
    async pump(until, timeoutMs) {
      const deadlineMs = performance.now() + timeoutMs;
      while (!until()) {
        if (performance.now() > deadlineMs) throw new Error("nothing came of it in time");
        await nextTurn();
      }
    },
    async settle() {
      await sleep(SETTLE_MS);
    },
    async openDatagramReceiver() {
      const socket = createSocket("udp4");
      const received: Uint8Array[] = [];
      socket.on("message", (message) => received.push(message));
      socket.bind(0, "127.0.0.1");
      await once(socket, "listening");
      const { address: host, port } = socket.address();
      return { address: { kind: "udp", host, port }, received, close: () => socket.close() };
    },
    async dispose() {
      engine.stop();
      rmSync(directory, { recursive: true });
    },
  };
}

contractSuite("portable", createHarness);

/** Runs a program that uses the engine, and tells what it wrote; rejects unless it ends by itself. */
async function runProgram(body: string, inheritedFds: readonly number[] = []): Promise<string> {
  const program = `import { createPortableEngine } from ${moduleText("./portable-engine.ts")};
    import { Timer } from ${moduleText("../../base/timer-wheel.ts")};
    const engine = createPortableEngine();
    const silent = { handleOpen() {}, handleData() {}, handleDrain() {}, handleEnd() {}, handleClose() {} };
    const listenOptions = { backlog: 8, tls: null, acceptProxy: false, handshakeTimeoutMs: 1000, reusePort: false };
    const connectOptions = { source: null, tls: null, preamble: null, timeoutMs: 1000 };
    ${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit", ...inheritedFds],
    timeout: 20_000,
  });
  const [output, [code]] = await Promise.all([text(child.stdout!), once(child, "exit")]);
  assert.equal(code, 0, "the program did not end by itself");
  return output;
}

function moduleText(path: string): string {
  return JSON.stringify(new URL(path, import.meta.url).href);
}

test("an engine with nothing open lets the process end, armed timers and all", async () => {
  const output = await runProgram(`
    engine.timers.arm(new Timer({ handleTimeout() { console.log("fired"); } }), engine.nowMs + 3_600_000);
    engine.openDatagramSender({ kind: "udp", host: "127.0.0.1", port: 9 });
    engine.defer(() => console.log("deferred"));
  `);
  assert.equal(output, "deferred\n");
});

test("stop lets the process end although sockets are open", async () => {
  const output = await runProgram(`
    const address = { kind: "tcp", host: "127.0.0.1", port: 0 };
    engine.listen({ ...listenOptions, address }, { accept: () => silent }, (result) => {
      const { port } = result.value.address;
      const client = {
        ...silent,
        handleOpen() { console.log("open"); engine.stop(); },
        handleClose() { console.log("close"); },
      };
      engine.connect({ ...connectOptions, address: { ...address, port } }, client);
    });
  `);
  assert.equal(output, "open\n");
});

test("a listener takes over a descriptor that it is given", async () => {
  const inherited = createServer().listen(0, "127.0.0.1");
  await once(inherited, "listening");
  const { port } = inherited.address() as AddressInfo;
  const { fd } = (inherited as unknown as { _handle: { fd: number } })._handle;
  const output = runProgram(
    `
    const accept = () => { console.log("accepted"); engine.stop(); return silent; };
    engine.listen({ ...listenOptions, address: { kind: "fd", fd: 3 } }, { accept }, (result) => {
      const { host, port } = result.value.address;
      console.log(host, port);
      engine.connect({ ...connectOptions, address: { kind: "tcp", host, port } }, silent);
    });
  `,
    [fd],
  );
  inherited.close();
  assert.equal(await output, `127.0.0.1 ${port}\naccepted\n`);
});

test("a host that is a name fails instead of being looked up", async () => {
  const engine = createPortableEngine();
  const closed = Promise.withResolvers<string>();
  engine.connect(
    {
      address: { kind: "tcp", host: "localhost", port: 80 },
      source: null,
      tls: null,
      preamble: null,
      timeoutMs: 1000,
    },
    {
      handleOpen() {},
      handleData() {},
      handleDrain() {},
      handleEnd() {},
      handleClose: (_connection, failure) => closed.resolve(failure?.kind ?? "none"),
    },
  );
  assert.equal(await closed.promise, "unreachable");
  engine.stop();
});

test("datagrams to a unix socket are refused with a reason", () => {
  const result = createPortableEngine().openDatagramSender({ kind: "unix", path: "/dev/log" });
  assert(!result.ok);
  assert.equal(result.error.kind, "unsupported");
  assert.match(result.error.message, /\/dev\/log/);
});

test("released chunks are used again, and misuse of them is an assertion", () => {
  const engine = createPortableEngine();
  const first = engine.allocate(5000);
  const memory = first.bytes.buffer;
  first.release();
  const second = engine.allocate(6000);
  assert.equal(second.bytes.buffer, memory);
  second.release();
  assert.throws(() => second.release(), /released more often/);
});
