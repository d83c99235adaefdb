// The network between memory engines: one virtual clock, one queue of events in strict order, hosts that can
// be unreachable or silent. Nothing happens unless `step`, `advance` or `runUntilIdle` is called, and
// everything that happens follows from the seeds: same seeds, same trace.
import type { SocketAddress } from "../../base/address.ts";
import type { MemoryEngine } from "./memory-engine.ts";
import type { MemoryListener } from "./memory-listener.ts";
import { seededRandom } from "./seeded-random.ts";

/** How a connection behaves that nobody disturbs, and what may happen to it. Probabilities are 0 to 1. */
export interface MemoryFaults {
  /** One way, drawn anew for each segment; order is kept. */
  readonly latencyMs: readonly [least: number, most: number];
  /** Infinity: as fast as it goes. */
  readonly bandwidthBytesPerMs: number;
  /** Bytes under way or unread before a sender is held back; drawn per connection. */
  readonly windowBytes: readonly [least: number, most: number];
  /** Segments and reads are cut at random places, at most this long. */
  readonly segmentBytesMax: number;
  /** How often a segment or read is a single byte. */
  readonly oneByteProbability: number;
  /** Per segment: both ends see a reset instead. */
  readonly resetProbability: number;
  /** Per connect. */
  readonly refuseProbability: number;
  /** Per connect: no answer, ever. */
  readonly silentProbability: number;
  /** A slow reader's wait before each read. */
  readonly readDelayMs: readonly [least: number, most: number];
}

/** A clean network that still cuts streams at awkward places. */
export const NO_FAULTS: MemoryFaults = {
  latencyMs: [0.05, 0.5],
  bandwidthBytesPerMs: Number.POSITIVE_INFINITY,
  windowBytes: [32_768, 262_144],
  segmentBytesMax: 65_536,
  oneByteProbability: 0.05,
  resetProbability: 0,
  refuseProbability: 0,
  silentProbability: 0,
  readDelayMs: [0, 0],
};

export interface MemoryNetworkOptions {
  readonly seed: number;
  /** Each event as a line, for comparing runs and for looking at one. */
  readonly onTrace?: (line: string) => void;
}

interface NetworkEvent {
  readonly atMs: number;
  readonly order: number;
  readonly engine: MemoryEngine;
  readonly run: () => void;
}

/** Two runs with the same seeds need the same dates. */
const EPOCH_MS = 1_700_000_000_000;
const FIRST_EPHEMERAL_PORT = 32_768;

export class MemoryNetwork {
  readonly random: () => number;
  readonly engines: MemoryEngine[] = [];
  /** By "host:port", "path" or "@name"; several share an address only by reusePort. */
  readonly listeners: Map<string, MemoryListener[]> = new Map();
  readonly datagramReceivers: Map<string, (bytes: Uint8Array) => void> = new Map();
  readonly #hosts: Map<string, "unreachable" | "silent"> = new Map();
  readonly #events: NetworkEvent[] = [];
  readonly #onTrace: ((line: string) => void) | null;
  #nowMs = 0;
  #order = 0;
  #nextPort = FIRST_EPHEMERAL_PORT;
  #traceHash = 0x811c9dc5;

  constructor(options: MemoryNetworkOptions) {
    this.random = seededRandom(options.seed);
    this.#onTrace = options.onTrace ?? null;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get wallClockMs(): number {
    return EPOCH_MS + this.#nowMs;
  }

  /** Equal for equal runs (FNV-1a over the trace). */
  get traceHash(): number {
    return this.#traceHash >>> 0;
  }

  /**
   * From now on connects to `host` fail, or are never answered; null puts it back. Open connections go on.
   */
  setHost(host: string, state: "unreachable" | "silent" | null): void {
    if (state === null) this.#hosts.delete(host);
    else this.#hosts.set(host, state);
  }

  hostState(host: string): "unreachable" | "silent" | null {
    return this.#hosts.get(host) ?? null;
  }

  /** Takes datagrams to "host:port" or to a path. */
  receiveDatagrams(address: string, receive: (bytes: Uint8Array) => void): void {
    this.datagramReceivers.set(address, receive);
  }

  allocatePort(): number {
    return this.#nextPort++;
  }

  /** One of those that listen at the address. */
  findListener(remote: SocketAddress): MemoryListener | null {
    const exact = this.listeners.get(listenerKey(remote));
    const all =
      remote.family === "unix" ? undefined : this.listeners.get(listenerKey({ ...remote, host: "*" }));
    const found = exact ?? all ?? [];
    return found.length === 0 ? null : found[Math.floor(this.random() * found.length)]!;
  }

  trace(line: string): void {
    const text = `${this.#nowMs.toFixed(3)} ${line}`;
    for (let i = 0; i < text.length; i++)
      this.#traceHash = Math.imul(this.#traceHash ^ text.charCodeAt(i), 0x01000193);
    this.#onTrace?.(text);
  }

  /**
   * Runs `run` as an event of `engine` after `delayMs` of virtual time, behind earlier events for the same
   * time.
   */
  schedule(engine: MemoryEngine, delayMs: number, run: () => void): void {
    this.scheduleAt(engine, this.#nowMs + delayMs, run);
  }

  scheduleAt(engine: MemoryEngine, atMs: number, run: () => void): void {
    const event = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, engine, run };
    const heap = this.#events;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  /**
   * Lets the next thing happen, a timer or an event, and ends turns when the clock moves. False: nothing is
   * left.
   */
  step(untilMs: number = Number.POSITIVE_INFINITY): boolean {
    const eventMs = this.#events[0]?.atMs ?? Number.POSITIVE_INFINITY;
    // In this order, because ending turns may cause events.
    if (eventMs > this.#nowMs && this.#endTurns()) return true;
    const timerMs = Math.min(...this.engines.map((engine) => engine.timers.nextDeadline()));
    const nextMs = Math.min(eventMs, timerMs);
    if (nextMs > untilMs || nextMs === Number.POSITIVE_INFINITY) return false;
    this.#nowMs = Math.max(this.#nowMs, nextMs);
    if (timerMs <= eventMs) {
      for (const engine of this.engines) engine.fireTimers();
    } else {
      const event = this.#takeFirst();
      event.engine.dispatch(event.run);
    }
    return true;
  }

  /** Lets everything happen that is due within the next `durationMs`, and moves the clock there. */
  advance(durationMs: number): void {
    const untilMs = this.#nowMs + durationMs;
    while (this.step(untilMs));
    this.#nowMs = untilMs;
  }

  /** Until nothing is under way and no timer is armed, or until `limitMs` of virtual time have passed. */
  runUntilIdle(limitMs = 3_600_000): void {
    const untilMs = this.#nowMs + limitMs;
    while (this.step(untilMs));
  }

  /** What nobody has given back. Disarmed timers leave their slots within 8.2 s: `advance(9000)` before. */
  leaks(): string[] {
    return this.engines.flatMap((engine) => engine.leaks());
  }

  #endTurns(): boolean {
    let hasRun = false;
    for (const engine of this.engines) hasRun = engine.endTurn() || hasRun;
    return hasRun;
  }

  #takeFirst(): NetworkEvent {
    const heap = this.#events;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

export function listenerKey(address: SocketAddress): string {
  return address.family === "unix" ? address.host : `${address.host}:${address.port}`;
}

function isBefore(a: NetworkEvent, b: NetworkEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
