// The first file of a worker process. Chooses the engine, opens the shared state, and serves until it is
// told to stop.
import { Timer, type TimerTarget } from "../base/timer-wheel.ts";
import { createPortableEngine } from "../io/portable/portable-engine.ts";
import { SharedFile } from "../io/shared-file.ts";
import { openSharedMemory, type SharedMemory } from "../io/shared-memory.ts";
import { createUringEngine } from "../io/uring/engine.ts";
import { SharedState, sharedStateBytes } from "../proxy/state.ts";
import type { Engine } from "../transport/contract.ts";
import { readDescriptorCountMax } from "./descriptor-limit.ts";
import { TableMaps } from "./table-places.ts";
import { Worker } from "./worker.ts";
import { WORKER_VARIABLE, type WorkerStart } from "./worker-process.ts";

/** How often processes that cannot map the shared state exchange their copies. */
const SYNC_MS = 100;

/**
 * The engine that was asked for, or the best one that works here, with the reason for not taking a better
 * one.
 */
export function chooseEngine(wanted: WorkerStart["engine"]): { engine: Engine; note: string | null } {
  if (wanted === "portable") return { engine: createPortableEngine(), note: null };
  const uring = createUringEngine();
  if (uring.ok) return { engine: uring.value, note: null };
  if (wanted === "uring") fail(`the uring engine was asked for, but ${uring.error.message}`);
  return { engine: createPortableEngine(), note: uring.error.message };
}

function fail(message: string): never {
  process.stderr.write(`sallyport worker: ${message}\n`);
  process.exit(1);
}

/** Exchanges the worker's copy of the shared state with the others', again and again. */
class MemorySync implements TimerTarget {
  readonly #engine: Engine;
  readonly #memory: SharedMemory;
  readonly #timer: Timer = new Timer(this);

  constructor(engine: Engine, memory: SharedMemory) {
    this.#engine = engine;
    this.#memory = memory;
  }

  handleTimeout(nowMs: number): void {
    this.#memory.sync();
    this.#engine.timers.arm(this.#timer, nowMs + SYNC_MS);
  }
}

function main(): void {
  const start = JSON.parse(process.env[WORKER_VARIABLE] ?? "null") as WorkerStart | null;
  if (start === null) fail("this file is started by the master, not by hand");
  const { slotCountMax, workerCountMax, workerIndex } = start;
  const memory = openSharedMemory(start.sharedPath, sharedStateBytes(slotCountMax, workerCountMax), false);
  if (!memory.ok) fail(memory.error.message);
  const tables = SharedFile.open(start.tablesPath, false);
  if (!tables.ok) fail(tables.error.message);
  const { engine, note } = chooseEngine(start.engine);
  const state = new SharedState(memory.value.buffer, slotCountMax, workerCountMax, workerIndex, false);
  if (!memory.value.isMapped) new MemorySync(engine, memory.value).handleTimeout(engine.nowMs);
  new Worker(engine, state, {
    workerIndex,
    workerCount: start.workerCount,
    masterPid: start.masterPid,
    descriptorCountMax: readDescriptorCountMax(),
    controlPath: start.controlPath,
    engineNote: note,
    tables: new TableMaps(tables.value, workerIndex, workerCountMax),
    takeState: () => memory.value.sync(),
  }).start();
  engine.run();
}

main();
