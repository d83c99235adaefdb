// Drives a uring engine from a test: its loop runs in turns, and Node's own gets a turn in between, so that
// peers made of node:net and node:tls live in the same process.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Engine } from "../../transport/contract.ts";
import type { ContractHarness } from "../contract-suite.ts";
import { createUringEngine, type UringEngine, type UringLimits } from "./engine.ts";

/** How long nothing must happen before the engine counts as settled. */
const DISPOSE_MS = 5000;
const SETTLE_MS = 30;

export function openUringEngine(limits: Partial<UringLimits> = {}): UringEngine {
  const engine = createUringEngine(limits);
  if (!engine.ok) throw new Error(engine.error.message);
  return engine.value;
}

/** Turns the engine and Node's loop in alternation until the condition holds. */
export async function pumpUntil(
  engine: UringEngine,
  until: () => boolean,
  timeoutMs = 20_000,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!until()) {
    if (performance.now() > deadlineMs) throw new Error("nothing came of it in time");
    engine.turn(0);
    await nextTurn();
  }
}

export async function pumpFor(engine: UringEngine, durationMs: number): Promise<void> {
  const deadlineMs = performance.now() + durationMs;
  await pumpUntil(engine, () => performance.now() > deadlineMs);
}

/** Runs a test with an engine of its own, which goes away with all its connections however the test ends. */
export async function withUringEngine(
  run: (engine: UringEngine, sockets: Socket[]) => Promise<void>,
  limits: Partial<UringLimits> = {},
): Promise<void> {
  const engine = openUringEngine(limits);
  const sockets: Socket[] = [];
  try {
    await run(engine, sockets);
  } finally {
    for (const socket of sockets) socket.destroy();
    engine.dispose();
  }
}

export function createUringHarness(peer: Engine | null = null): ContractHarness {
  const engine = openUringEngine();
  const directory = mkdtempSync(join(tmpdir(), "sallyport-"));
  return {
    engine,
    peer: peer ?? engine,
    directory,
    pump: (until, timeoutMs) => pumpUntil(engine, until, timeoutMs),
    settle: () => pumpFor(engine, SETTLE_MS),
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
      // On a busy machine the kernel may still owe completions of connections that are closed.
      await pumpUntil(engine, () => engine.connectionCount === 0, DISPOSE_MS).catch(() => {});
      const { connectionCount } = engine;
      engine.dispose();
      rmSync(directory, { recursive: true });
      if (connectionCount !== 0) throw new Error(`${connectionCount} connections were not freed`);
    },
  };
}
