// Once a second: what the counters of all processes have grown by, as figures of each frontend and backend.
// Reads shared memory only; workers do not notice.
import type { LatencyQuantiles, Overview, ProxyFigures } from "../../model/dashboard-api.ts";
import { LATENCY_BUCKETS, latencyOfBucket } from "../../proxy/latency-buckets.ts";
import type { Backend, Frontend } from "../../proxy/runtime.ts";
import { CELL, COUNTER, type CounterName, type SharedState } from "../../proxy/state.ts";
import type { DashboardSource } from "./source.ts";

const COUNTED = [
  "bin", "bout", "stot", "hrsp1xx", "hrsp2xx", "hrsp3xx", "hrsp4xx", "hrsp5xx", "econ", "eresp", "srvAborts",
] as const satisfies readonly CounterName[]; // biome-ignore format: a table
type Counted = (typeof COUNTED)[number];

/** One frontend's or backend's figures, with the histogram that the quantiles come from. */
export interface Sample {
  readonly figures: ProxyFigures;
  /** How many streams that ended fell into which bucket. */
  readonly latencies: Uint32Array;
}

export interface TrafficSample {
  readonly overview: Overview;
  readonly total: Sample;
  readonly proxies: readonly Sample[];
}

interface Before {
  readonly counters: Readonly<Record<Counted, number>>;
  readonly latencies: Uint32Array;
}

export class TrafficSampler {
  readonly #source: DashboardSource;
  /** By slot. */
  #before = new Map<number, Before>();
  #lastMs: number;

  constructor(source: DashboardSource) {
    this.#source = source;
    this.#lastMs = source.actions.nowMs;
  }

  /** What happened since the last call. */
  sample(nowMs: number): TrafficSample {
    const { runtime, workerPids } = this.#source.actions;
    const seconds = Math.max(0.001, (nowMs - this.#lastMs) / 1000);
    this.#lastMs = nowMs;
    const before = this.#before;
    this.#before = new Map();
    const frontends = new Map(
      runtime.frontends.map((one) => [one.name, this.#frontendSample(one, before, seconds)]),
    );
    const backends = new Map(
      runtime.backends.map((one) => [one.name, this.#backendSample(one, before, seconds)]),
    );
    const proxies = runtime.configuration.proxies.flatMap(({ name }) =>
      [frontends.get(name), backends.get(name)].filter((sample) => sample !== undefined),
    );
    const total = sumOf([...frontends.values()], [...backends.values()]);
    const overview: Overview = {
      atMs: nowMs,
      startedMs: this.#source.startedMs,
      generation: runtime.generation,
      workers: workerPids.length,
      engine: this.#source.engineName,
      total: total.figures,
      proxies: proxies.map(({ figures }) => figures),
    };
    return { overview, total, proxies };
  }

  #frontendSample(frontend: Frontend, before: ReadonlyMap<number, Before>, seconds: number): Sample {
    const { state, slot, definition, settings } = frontend;
    const limit = state.read(slot, CELL.maxconn);
    return this.#sampleOf(state, slot, before, seconds, {
      kind: "frontend",
      name: frontend.name,
      mode: definition.mode === "http" ? "http" : "tcp",
      status: state.read(slot, CELL.isPaused) === 0 ? "OPEN" : "STOP",
      sessionLimit: limit > 0 ? limit : settings.maxconn,
      serversUp: 0,
      serverCount: 0,
    });
  }

  #backendSample(backend: Backend, before: ReadonlyMap<number, Before>, seconds: number): Sample {
    const { state, slot, definition, servers } = backend;
    const serversUp = servers.filter(({ isUsable }) => isUsable).length;
    return this.#sampleOf(state, slot, before, seconds, {
      kind: "backend",
      name: backend.name,
      mode: definition.mode === "http" ? "http" : "tcp",
      status: serversUp > 0 || servers.length === 0 ? "UP" : "DOWN",
      sessionLimit: null,
      serversUp,
      serverCount: servers.length,
    });
  }

  #sampleOf(
    state: SharedState,
    slot: number,
    before: ReadonlyMap<number, Before>,
    seconds: number,
    facts: Pick<
      ProxyFigures,
      "kind" | "name" | "mode" | "status" | "sessionLimit" | "serversUp" | "serverCount"
    >,
  ): Sample {
    const now = readNow(state, slot);
    this.#before.set(slot, now);
    const last = before.get(slot) ?? now;
    // Counters may have been cleared in between: then they begin anew.
    const grown = (name: Counted) => {
      const growth = now.counters[name] - last.counters[name];
      return (growth < 0 ? now.counters[name] : growth) / seconds;
    };
    const latencies = now.latencies.map((count, i) => count - last.latencies[i]!);
    const ended = latencies.reduce((sum, count) => sum + count, 0);
    const isHttp = facts.mode === "http";
    const fails5xx = isHttp ? grown("hrsp5xx") : 0;
    const figures: ProxyFigures = {
      ...facts,
      requestsPerSecond: tidy(ended / seconds),
      status1xx: tidy(grown("hrsp1xx")),
      status2xx: tidy(grown("hrsp2xx")),
      status3xx: tidy(grown("hrsp3xx")),
      status4xx: tidy(grown("hrsp4xx")),
      status5xx: tidy(grown("hrsp5xx")),
      errorsPerSecond: tidy(
        isHttp ? fails5xx + grown("srvAborts") : grown("econ") + grown("eresp") + grown("srvAborts"),
      ),
      sessions: Math.max(0, state.total(slot, COUNTER.scur)),
      sessionsPerSecond: tidy(grown("stot")),
      bytesInPerSecond: Math.round(grown("bin")),
      bytesOutPerSecond: Math.round(grown("bout")),
      queued: facts.kind === "backend" ? Math.max(0, state.total(slot, COUNTER.qcur)) : 0,
      latency: quantilesOf(latencies),
    };
    return { figures, latencies };
  }
}

function readNow(state: SharedState, slot: number): Before {
  const latencies = new Uint32Array(LATENCY_BUCKETS);
  state.readLatencies(slot, latencies);
  const counters = Object.fromEntries(COUNTED.map((name) => [name, state.total(slot, COUNTER[name])]));
  return { counters: counters as Record<Counted, number>, latencies };
}

/** Traffic is that of the frontends, servers are those of the backends. */
function sumOf(frontends: readonly Sample[], backends: readonly Sample[]): Sample {
  const sum = (samples: readonly Sample[], of: (figures: ProxyFigures) => number) =>
    tidy(samples.reduce((total, { figures }) => total + of(figures), 0));
  const latencies = mergedLatencies(frontends.map((sample) => sample.latencies));
  const figures: ProxyFigures = {
    kind: "frontend",
    name: "",
    mode: "http",
    status: "OPEN",
    requestsPerSecond: sum(frontends, (one) => one.requestsPerSecond),
    status1xx: sum(frontends, (one) => one.status1xx),
    status2xx: sum(frontends, (one) => one.status2xx),
    status3xx: sum(frontends, (one) => one.status3xx),
    status4xx: sum(frontends, (one) => one.status4xx),
    status5xx: sum(frontends, (one) => one.status5xx),
    errorsPerSecond: sum(frontends, (one) => one.errorsPerSecond),
    sessions: sum(frontends, (one) => one.sessions),
    sessionLimit: null,
    sessionsPerSecond: sum(frontends, (one) => one.sessionsPerSecond),
    bytesInPerSecond: sum(frontends, (one) => one.bytesInPerSecond),
    bytesOutPerSecond: sum(frontends, (one) => one.bytesOutPerSecond),
    queued: sum(backends, (one) => one.queued),
    latency: quantilesOf(latencies),
    serversUp: sum(backends, (one) => one.serversUp),
    serverCount: sum(backends, (one) => one.serverCount),
  };
  return { figures, latencies };
}

export function mergedLatencies(all: readonly Uint32Array[]): Uint32Array {
  const merged = new Uint32Array(LATENCY_BUCKETS);
  for (const one of all) for (let i = 0; i < LATENCY_BUCKETS; i++) merged[i] = merged[i]! + one[i]!;
  return merged;
}

/** Null: nothing ended. */
export function quantilesOf(latencies: Uint32Array): LatencyQuantiles | null {
  const count = latencies.reduce((sum, one) => sum + one, 0);
  if (count === 0) return null;
  const quantile = (share: number): number => {
    let left = Math.ceil(share * count);
    for (let i = 0; i < LATENCY_BUCKETS; i++) {
      left -= latencies[i]!;
      if (left <= 0) return tidy(latencyOfBucket(i));
    }
    return tidy(latencyOfBucket(LATENCY_BUCKETS - 1));
  };
  return { p50Ms: quantile(0.5), p90Ms: quantile(0.9), p99Ms: quantile(0.99), maxMs: quantile(1) };
}

/** Three digits behind the point are enough for people, and short in JSON. */
function tidy(value: number): number {
  return Math.round(value * 1000) / 1000;
}
