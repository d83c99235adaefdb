// The portable engine under the contract suite, and what is its own.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { type ContractHarness, contractSuite } from "../contract-suite.ts";
import { createPortableEngine } from "./portable-engine.ts";

/** How long nothing must happen before the engine counts as settled; a negative is never proved by it alone. */
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
