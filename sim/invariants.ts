// What must hold in every run, whatever its faults: nothing leaks, gauges tell the truth and end at zero,
// each stream is logged once, and counters agree with what was logged.
import type { MemoryEngine } from "../src/io/memory/memory-engine.ts";
import { CELL, COUNTER, type CounterName } from "../src/proxy/state.ts";
import type { Ledger } from "./ledger.ts";
import type { SimulatedProxy } from "./proxy.ts";
import type { Scenario } from "./scenario.ts";

const GAUGES: readonly CounterName[] = ["scur", "qcur", "idleCur", "usedCur"];
const ATOMIC_GAUGES = ["served", "queued", "idle"] as const;
const STATUS_CLASSES: readonly CounterName[] = [
  "hrsp1xx",
  "hrsp2xx",
  "hrsp3xx",
  "hrsp4xx",
  "hrsp5xx",
  "hrspOther",
];

/** In the middle of a run: no gauge below zero, no server above its limit. */
export function checkWhileRunning(proxy: SimulatedProxy, ledger: Ledger): void {
  for (const [key, slot, name, value] of gaugesOf(proxy)) {
    if (value < 0) ledger.violation(`${name} of ${key} (slot ${slot}) is ${value}`);
  }
  for (const backend of proxy.generation.runtime.backends) {
    for (const server of backend.servers) {
      const { maxconn } = server.definition;
      // After a reload requests of the generation before may still be there above a lowered limit.
      if (maxconn !== null && maxconn > 0 && proxy.generation.number === 1 && server.served > maxconn)
        ledger.violation(`${server.served} requests at ${backend.name}/${server.name}, maxconn ${maxconn}`);
    }
  }
}

/** After a soft stop, once the last client is gone: nothing is kept for requests that will never come. */
export function checkPools(proxy: SimulatedProxy, ledger: Ledger): void {
  for (const [key, slot] of Object.entries(proxy.slots)) {
    const idle = proxy.state.read(slot, CELL.idle);
    if (idle > 0) ledger.violation(`${idle} connections to ${key} are kept after the soft stop`);
  }
}

export interface RunEnd {
  readonly scenario: Scenario;
  readonly proxy: SimulatedProxy;
  readonly engine: MemoryEngine;
  readonly ledger: Ledger;
  readonly bytesReceived: number;
}

/** After everything was closed and all timeouts are over. */
export function checkAtEnd(end: RunEnd): void {
  checkLeaks(end);
  for (const [key, , name, value] of gaugesOf(end.proxy))
    if (value !== 0) end.ledger.violation(`${name} of ${key} is ${value} at the end`);
  checkLogs(end);
  for (const { name, slot, definition } of end.proxy.generation.runtime.frontends)
    checkCounters(end, name, slot, definition.mode === "http");
}

function checkLeaks({ proxy, engine, ledger }: RunEnd): void {
  for (const leak of engine.leaks()) {
    // The core's own housekeeping goes on for as long as the process lives.
    if (leak !== "1 timers are queued") ledger.violation(`leak: ${leak}`);
  }
  if (proxy.core.liveSessions.size > 0)
    ledger.violation(`leak: ${proxy.core.liveSessions.size} live sessions`);
}

function checkLogs({ scenario, ledger }: RunEnd): void {
  const countById: Map<string, number> = new Map();
  for (const { id } of ledger.streams) if (id !== "") countById.set(id, (countById.get(id) ?? 0) + 1);
  const planned = new Set(
    scenario.clients.flatMap(({ scripts }) =>
      scripts.flatMap(({ requests }) => requests.map(({ id }) => id)),
    ),
  );
  for (const [id, count] of countById)
    if (planned.has(id) && count > 1) ledger.violation(`request ${id} is logged ${count} times`);
  for (const id of ledger.seen.keys())
    if (!countById.has(id)) ledger.violation(`request ${id} reached an origin and is not logged`);
  const lineCount = ledger.streams.length + ledger.failedConnectionCount;
  if (ledger.logLineCount !== lineCount)
    ledger.violation(`${ledger.logLineCount} log lines for ${lineCount} streams and failed connections`);
}

function checkCounters(end: RunEnd, name: string, slot: number, isHttp: boolean): void {
  const { ledger, proxy } = end;
  const streams = ledger.streams.filter(({ frontend }) => frontend === name);
  const read = (counter: CounterName) => proxy.state.total(slot, COUNTER[counter]);
  const expect = (what: string, actual: number, wanted: number) => {
    if (actual !== wanted) ledger.violation(`${what} of frontend ${name} is ${actual}, logs say ${wanted}`);
  };
  const sum = (of: (stream: (typeof streams)[number]) => number) =>
    streams.reduce((total, stream) => total + of(stream), 0);
  expect(
    "bin",
    read("bin"),
    sum(({ bytesIn }) => bytesIn),
  );
  expect(
    "bout",
    read("bout"),
    sum(({ bytesOut }) => bytesOut),
  );
  if (!isHttp) return;
  expect("reqTot", read("reqTot"), streams.length);
  for (const [position, counter] of STATUS_CLASSES.slice(0, 5).entries()) {
    const inClass = streams.filter(({ status }) => Math.floor(status / 100) === position + 1);
    expect(counter, read(counter), inClass.length);
  }
}

function* gaugesOf(proxy: SimulatedProxy): Generator<readonly [string, number, string, number]> {
  for (const [key, slot] of Object.entries(proxy.slots)) {
    for (const name of GAUGES) yield [key, slot, name, proxy.state.total(slot, COUNTER[name])];
    for (const name of ATOMIC_GAUGES) yield [key, slot, name, proxy.state.read(slot, CELL[name])];
  }
}
