// The last hour of the total and of each frontend and backend: the newest five minutes second by second, all
// of it in steps of ten seconds. Columns of typed arrays, so that hundreds of proxies take some megabytes.
import type { History, HistoryColumns, ProxyFigures } from "../../model/dashboard-api.ts";
import { LATENCY_BUCKETS } from "../../proxy/latency-buckets.ts";
import { quantilesOf, type Sample, type TrafficSample } from "./traffic-sampler.ts";

const FINE_STEP_MS = 1000;
const FINE_COUNT = 300;
const COARSE_STEPS = 10;
const COARSE_COUNT = 360;
/** More proxies than this are not kept; the total always is. */
const SERIES_MAX = 1000;

export const HISTORY_SECONDS_MAX: number = (COARSE_COUNT * COARSE_STEPS * FINE_STEP_MS) / 1000;

const COLUMNS: readonly (keyof HistoryColumns)[] = [
  "requestsPerSecond", "errorsPerSecond", "status4xx", "sessions", "bytesInPerSecond", "bytesOutPerSecond", "queued",
  "p50Ms", "p90Ms", "p99Ms",
]; // biome-ignore format: a table

export class TrafficHistory {
  readonly #series = new Map<string, Series>();

  add({ overview, total, proxies }: TrafficSample): void {
    this.#seriesOf("").add(overview.atMs, total);
    for (const sample of proxies) {
      const name = keyOf(sample.figures);
      if (this.#series.has(name) || this.#series.size < SERIES_MAX)
        this.#seriesOf(name).add(overview.atMs, sample);
    }
    const present = new Set(["", ...proxies.map(({ figures }) => keyOf(figures))]);
    for (const name of this.#series.keys()) if (!present.has(name)) this.#series.delete(name);
  }

  /** Null: there is no such proxy. `name`: "frontend/NAME", "backend/NAME", "" for the total. */
  read(name: string, seconds: number): History | null {
    const series = this.#series.get(name);
    if (series === undefined) return null;
    const [, kind, proxy = ""] = /^(frontend|backend)\/(.*)$/s.exec(name) ?? [];
    const isFine = seconds * 1000 <= FINE_COUNT * FINE_STEP_MS;
    const ring = isFine ? series.fine : series.coarse;
    const stepMs = isFine ? FINE_STEP_MS : FINE_STEP_MS * COARSE_STEPS;
    return {
      stepMs,
      proxy: kind === undefined ? null : { kind: kind as "frontend" | "backend", name: proxy },
      ...ring.read(Math.ceil((seconds * 1000) / stepMs)),
    };
  }

  #seriesOf(name: string): Series {
    let series = this.#series.get(name);
    if (series === undefined) {
      series = new Series();
      this.#series.set(name, series);
    }
    return series;
  }
}

function keyOf({ kind, name }: ProxyFigures): string {
  return `${kind}/${name}`;
}

class Series {
  readonly fine = new Ring(FINE_COUNT);
  readonly coarse = new Ring(COARSE_COUNT);
  #sums = new Float64Array(COLUMNS.length);
  #latencies = new Uint32Array(LATENCY_BUCKETS);
  #steps = 0;

  add(atMs: number, { figures, latencies }: Sample): void {
    const values = valuesOf(figures);
    this.fine.add(atMs, values);
    values.forEach((value, i) => {
      this.#sums[i] = this.#sums[i]! + value;
    });
    for (let i = 0; i < LATENCY_BUCKETS; i++) this.#latencies[i] = this.#latencies[i]! + latencies[i]!;
    if (++this.#steps < COARSE_STEPS) return;
    const means = Array.from(this.#sums, (sum) => sum / COARSE_STEPS);
    const quantiles = quantilesOf(this.#latencies);
    this.coarse.add(atMs, [...means.slice(0, -3), ...quantileValues(quantiles)]);
    this.#sums.fill(0);
    this.#latencies.fill(0);
    this.#steps = 0;
  }
}

/** In the order of COLUMNS; NaN: nothing to say. */
function valuesOf(figures: ProxyFigures): number[] {
  return [
    figures.requestsPerSecond,
    figures.errorsPerSecond,
    figures.status4xx,
    figures.sessions,
    figures.bytesInPerSecond,
    figures.bytesOutPerSecond,
    figures.queued,
    ...quantileValues(figures.latency),
  ];
}

function quantileValues(latency: ProxyFigures["latency"]): number[] {
  return latency === null
    ? [Number.NaN, Number.NaN, Number.NaN]
    : [latency.p50Ms, latency.p90Ms, latency.p99Ms];
}

class Ring {
  readonly #countMax: number;
  readonly #atMs: Float64Array;
  readonly #columns: readonly Float32Array[];
  #count = 0;

  constructor(countMax: number) {
    this.#countMax = countMax;
    this.#atMs = new Float64Array(countMax);
    this.#columns = COLUMNS.map(() => new Float32Array(countMax));
  }

  add(atMs: number, values: readonly number[]): void {
    const at = this.#count++ % this.#countMax;
    this.#atMs[at] = atMs;
    values.forEach((value, i) => {
      this.#columns[i]![at] = value;
    });
  }

  /** The newest `count`, ascending. */
  read(count: number): Pick<History, "atMs" | "columns"> {
    const length = Math.min(count, this.#count, this.#countMax);
    const places = Array.from({ length }, (_, i) => (this.#count - length + i) % this.#countMax);
    const columns = COLUMNS.map((name, i) => [name, places.map((at) => valueAt(this.#columns[i]!, at))]);
    return { atMs: places.map((at) => this.#atMs[at]!), columns: Object.fromEntries(columns) };
  }
}

function valueAt(column: Float32Array, at: number): number | null {
  const value = column[at]!;
  return Number.isNaN(value) ? null : Math.round(value * 1000) / 1000;
}
