// What happened in a run, as far as the invariants have to know: violations, finished streams, log lines,
// and which requests reached an origin.
import type { MemoryNetwork } from "../src/io/memory/memory-network.ts";
import type { Frontend } from "../src/proxy/runtime.ts";
import type { Stream } from "../src/proxy/stream.ts";

const VIOLATION_COUNT_MAX = 20;

export interface StreamRecord {
  readonly frontend: string;
  /** Of the request's target; "" where no request was read. */
  readonly id: string;
  readonly status: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly end: string;
}

export class Ledger {
  readonly violations: string[] = [];
  readonly streams: StreamRecord[] = [];
  logLineCount = 0;
  failedConnectionCount = 0;
  /** How often each request's head came in at an origin. */
  readonly seen: Map<string, number> = new Map();
  readonly #network: MemoryNetwork;
  readonly #known: WeakSet<Stream> = new WeakSet();

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  violation(text: string): void {
    this.#network.trace(`VIOLATION ${text}`);
    if (this.violations.length < VIOLATION_COUNT_MAX)
      this.violations.push(`${this.#network.nowMs.toFixed(0)} ms: ${text}`);
  }

  streamEnded(stream: Stream, frontend: Frontend): boolean {
    if (this.#known.has(stream)) this.violation("a stream is logged twice");
    this.#known.add(stream);
    const target = stream.originalTarget ?? stream.request?.target ?? "";
    this.streams.push({
      frontend: frontend.name,
      id: /([^/]*)$/.exec(target)![1]!,
      status: stream.status,
      bytesIn: stream.bytesIn,
      bytesOut: stream.bytesOut,
      end: `${stream.cause}${stream.phase}`,
    });
    this.#network.trace(`log ${target} ${stream.status} ${stream.cause}${stream.phase}`);
    return true;
  }

  connectionFailed(): void {
    this.failedConnectionCount++;
  }

  logLine(bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString("latin1");
    // Changes of servers' states are logged to the same place.
    if (/^<134>/.test(text)) this.logLineCount++;
  }

  /** A request that may not be repeated must not come twice. */
  requestSeen(id: string, method: string): void {
    const count = (this.seen.get(id) ?? 0) + 1;
    this.seen.set(id, count);
    if (count > 1 && method === "POST")
      this.violation(`request ${id} (${method}) reached an origin ${count} times`);
  }
}
