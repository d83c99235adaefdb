// What the processes of one Sallyport share: state of servers, positions of balancing, counters. One block
// of memory, mapped by the master and all workers. Every cell has one writer (the master, or the worker
// whose region it is in), apart from the few that are changed with Atomics and say so. Only numbers live
// here; names are in the configuration, which gives each frontend, listener, backend and server its slot
// for as long as its name exists (reloads included).
import { LATENCY_BUCKETS, latencyBucket } from "./latency-buckets.ts";

/** Most objects (frontends + listeners + backends + servers) that one master can hold over its lifetime. */
export const SLOT_COUNT_MAX_DEFAULT = 8192;

/** Int32 cells of the head of the block. */
export const HEADER = {
  magic: 0,
  version: 1,
  slotCountMax: 2,
  workerCountMax: 3,
  /**
   * Raised by whoever changes a server's state, weight or admin flags; workers then rebuild what depends on
   * it. Atomic.
   */
  epoch: 4,
  /** 1 while the master is stopping softly. */
  isStopping: 5,
  /** Seconds since 1970 when the master started. */
  startSeconds: 6,
  /** Runtime `set maxconn global`. */
  maxconn: 7,
  /** How many histograms have been given out. */
  histogramCount: 8,
  /** Runtime `set rate-limit`, each: 0 as configured, -1 no limit, else so many in a second. */
  connectionRateMax: 9,
  sessionRateMax: 10,
  tlsRateMax: 11,
  /** Bytes. */
  compressionRateMax: 12,
  /** Log lines of others that came in. */
  receivedLogs: 13,
  /** Log lines that nobody took. Atomic. */
  droppedLogs: 14,
} as const;

/** Int32 cells of one slot in the shared region. Written by the master unless noted. */
export const CELL = {
  /** SERVER_STATE. */
  operational: 0,
  /** SERVER_ADMIN flags. */
  admin: 1,
  /** User weight, 0..256. */
  weight: 2,
  /** Effective weight × WEIGHT_SCALE, slow start and agent applied; 0 takes no new load-balanced traffic. */
  effectiveWeight: 3,
  /** CHECK_STATUS of the last health check. */
  checkStatus: 4,
  /** Layer 7 code of the last check, -1 when none. */
  checkCode: 5,
  checkDurationMs: 6,
  /** HAProxy's `check health`: 0..rise+fall-1. */
  checkHealth: 7,
  /** Seconds since 1970. */
  lastChangeSeconds: 8,
  downtimeSeconds: 9,
  checksFailed: 10,
  checksDownTransitions: 11,
  agentStatus: 12,
  agentCode: 13,
  agentDurationMs: 14,
  /** Requests being served plus connections in tcp mode, all workers. Atomic, for maxconn. */
  served: 15,
  /** Backends: position in the round robin order, all workers. Atomic. */
  position: 16,
  /** Streams waiting for this server or backend, all workers. Atomic. */
  queued: 17,
  /** Runtime `set server addr`/`fqdn`: raised when the address changed; the address is sent to workers. */
  addressVersion: 18,
  /** Frontends: runtime `disable frontend`; 1 stopped. */
  isPaused: 19,
  /** Runtime `set maxconn frontend|server`, -1 when unset. */
  maxconn: 20,
  /** Servers: idle connections kept, all workers. Atomic. */
  idle: 21,
  /** Servers: 1 once written; a new slot is all zero. */
  isInitialised: 22,
  /** Frontends and backends: which histogram of latencies is theirs, from 1; 0: none. */
  histogram: 23,
} as const;
const CELLS_PER_SLOT = 32;

export const SERVER_STATE = { down: 0, starting: 1, up: 2, stopping: 3 } as const;
export type ServerState = (typeof SERVER_STATE)[keyof typeof SERVER_STATE];

/** Admin flags of a server; several may be set. */
export const SERVER_ADMIN = {
  maintenance: 1,
  maintenanceTracked: 2,
  maintenanceConfigured: 4,
  drain: 8,
  drainTracked: 16,
  maintenanceUnresolved: 32,
  /** No maintenance: its host name did not come from the file. */
  namedAtRunTime: 64,
} as const;
export const MAINTENANCE_MASK: number =
  SERVER_ADMIN.maintenance |
  SERVER_ADMIN.maintenanceTracked |
  SERVER_ADMIN.maintenanceConfigured |
  SERVER_ADMIN.maintenanceUnresolved;
export const DRAIN_MASK: number = SERVER_ADMIN.drain | SERVER_ADMIN.drainTracked;

/** Effective weights have 4 binary digits after the point, as HAProxy's. */
export const WEIGHT_SCALE = 16;

/** HAProxy's check results; index = number in the shared cell, text = its name in the CSV. */
export const CHECK_STATUS: readonly string[] = [
  "UNK", "INI", "CHECKED", "SOCKERR", "L4OK", "L4TOUT", "L4CON", "L6OK", "L6TOUT", "L6RSP", "L7OK", "L7OKC", "L7TOUT", "L7RSP",
  "L7STS", "PROCERR", "PROCTOUT", "PROCOK", "HANA",
]; // biome-ignore format: a table

/**
 * Counters of one slot in one worker's region, as Float64 (exact up to 2^53). A cell belongs to frontends
 * (f), backends (b), servers (s), listeners (l). Names are those of HAProxy's CSV where it has one.
 */
export const COUNTER_NAMES = [
  "scur", // f b s l: gauge
  "smax", // f b s l: maximum of scur
  "stot", // f b s l
  "bin", // f b s l
  "bout", // f b s l
  "dreq", // f b l
  "dresp", // f b s l
  "ereq", // f l
  "econ", // b s
  "eresp", // b s l
  "wretr", // b s
  "wredis", // b s
  "qcur", // b s: gauge
  "qmax", // b s
  "lbtot", // b s: times chosen by load balancing
  "cliAborts", // b s
  "srvAborts", // b s
  "hrsp1xx",
  "hrsp2xx",
  "hrsp3xx",
  "hrsp4xx",
  "hrsp5xx",
  "hrspOther", // f b s
  "reqTot", // f b s
  "connTot", // f l: connections accepted
  "dcon", // f l: denied by tcp-request connection
  "dses", // f l
  "connRateSecond",
  "connRateCurrent",
  "connRatePrevious",
  "connRateMax", // f
  "sessRateSecond",
  "sessRateCurrent",
  "sessRatePrevious",
  "sessRateMax", // f b s
  "reqRateSecond",
  "reqRateCurrent",
  "reqRatePrevious",
  "reqRateMax", // f
  "qtimeSum",
  "ctimeSum",
  "rtimeSum",
  "ttimeSum",
  "timeCount", // b s: sliding averages are sum/count of the last 1024
  "qtimeMax",
  "ctimeMax",
  "rtimeMax",
  "ttimeMax", // b s
  "lastSessionSeconds", // b s: seconds since 1970
  "connect",
  "reuse", // b s: new and reused server connections
  "intercepted", // f: replies of our own (redirect, stats)
  "idleCur", // s: gauge, idle connections of this worker
  "usedCur", // s: gauge, connections in use of this worker
  "failedHandshakes", // l f: TLS
  "sslConnections", // f l
  "compIn",
  "compOut",
  "compByp",
  "compRsp", // f b: bytes of bodies to and from compression and past it; responses
  "compInSecond",
  "compInCurrent",
  "compInPrevious",
  "compInMax",
  "compOutSecond",
  "compOutCurrent",
  "compOutPrevious",
  "compOutMax", // f
  "cacheLookups",
  "cacheHits", // f b
  "h2Headers",
  "h2Data",
  "h2Settings",
  "h2Resets",
  "h2Goaways", // f: frames of HTTP/2 that came
  "h2ConnectionErrors",
  "h2StreamErrors",
  "h2ResetsSent",
  "h2GoawaysSent", // f
  "h2Connections",
  "h2Streams", // f: gauges
  "h2ConnectionsTotal",
  "h2StreamsTotal", // f
] as const;

export type CounterName = (typeof COUNTER_NAMES)[number];
export const COUNTER: Readonly<Record<CounterName, number>> = Object.fromEntries(
  COUNTER_NAMES.map((name, index) => [name, index]),
) as Record<CounterName, number>;
/** What is now, not how often: gone with the process that counts it. */
export const GAUGES: readonly CounterName[] = [
  "scur",
  "qcur",
  "idleCur",
  "usedCur",
  "h2Connections",
  "h2Streams",
];
const COUNTERS_PER_SLOT = 96;

/**
 * Frontends and backends beyond have no histogram. Each slot could have one, but where memory cannot be
 * mapped all of it is compared and read ten times a second.
 */
const HISTOGRAMS_MAX = 1024;

const HEADER_BYTES = 4096;
const MAGIC = 0x53414c50;
const VERSION = 4;

/** Bytes that `SharedState` needs. Pages that nobody writes to take no memory. */
export function sharedStateBytes(slotCountMax: number, workerCountMax: number): number {
  const histogramBytes = histogramsOf(slotCountMax) * LATENCY_BUCKETS * 4;
  const perWorker = slotCountMax * COUNTERS_PER_SLOT * 8 + histogramBytes;
  return HEADER_BYTES + slotCountMax * CELLS_PER_SLOT * 4 + workerCountMax * perWorker;
}

function histogramsOf(slotCountMax: number): number {
  return Math.min(slotCountMax, HISTOGRAMS_MAX);
}

/** Typed views over the block. In tests any ArrayBuffer will do. */
export class SharedState {
  readonly header: Int32Array;
  /** All slots' cells: index with `cell(slot, CELL.x)`. */
  readonly cells: Int32Array;
  /** This process's counters: index with `counter(slot, COUNTER.x)`. The master's own are worker 0's. */
  readonly counters: Float64Array;
  readonly workerIndex: number;
  readonly #allCounters: readonly Float64Array[];
  readonly #allLatencies: readonly Uint32Array[];
  readonly #latencies: Uint32Array;

  /** `isNew` writes the header. Worker 0 is the master; workers count from 1. */
  constructor(
    buffer: ArrayBuffer | SharedArrayBuffer,
    slotCountMax: number,
    workerCountMax: number,
    workerIndex: number,
    isNew: boolean,
  ) {
    this.header = new Int32Array(buffer, 0, HEADER_BYTES / 4);
    if (isNew) {
      this.header[HEADER.magic] = MAGIC;
      this.header[HEADER.version] = VERSION;
      this.header[HEADER.slotCountMax] = slotCountMax;
      this.header[HEADER.workerCountMax] = workerCountMax;
      this.header[HEADER.epoch] = 1;
    }
    this.cells = new Int32Array(buffer, HEADER_BYTES, slotCountMax * CELLS_PER_SLOT);
    const countersAt = HEADER_BYTES + slotCountMax * CELLS_PER_SLOT * 4;
    const perWorker = slotCountMax * COUNTERS_PER_SLOT;
    this.#allCounters = Array.from(
      { length: workerCountMax },
      (_, i) => new Float64Array(buffer, countersAt + i * perWorker * 8, perWorker),
    );
    const latenciesAt = countersAt + workerCountMax * perWorker * 8;
    const bucketsPerWorker = histogramsOf(slotCountMax) * LATENCY_BUCKETS;
    this.#allLatencies = Array.from(
      { length: workerCountMax },
      (_, i) => new Uint32Array(buffer, latenciesAt + i * bucketsPerWorker * 4, bucketsPerWorker),
    );
    this.workerIndex = workerIndex;
    this.#latencies = this.#allLatencies[workerIndex]!;
    this.counters = this.#allCounters[workerIndex]!;
  }

  /** Private state of one process, for tests and for `check`. */
  static alone(slotCountMax = 256): SharedState {
    return new SharedState(new ArrayBuffer(sharedStateBytes(slotCountMax, 1)), slotCountMax, 1, 0, true);
  }

  cell(slot: number, cell: number): number {
    return slot * CELLS_PER_SLOT + cell;
  }

  counter(slot: number, counter: number): number {
    return slot * COUNTERS_PER_SLOT + counter;
  }

  /**
   * A plain load: aligned, so it is never torn, and what others wrote is seen by the next event at the
   * latest. V8 calls a function for Atomics.load, 8 ns each time.
   */
  read(slot: number, cell: number): number {
    return this.cells[slot * CELLS_PER_SLOT + cell]!;
  }

  write(slot: number, cell: number, value: number): void {
    Atomics.store(this.cells, slot * CELLS_PER_SLOT + cell, value);
  }

  /** Adds to an atomic cell and returns the value before. */
  add(slot: number, cell: number, delta: number): number {
    return Atomics.add(this.cells, slot * CELLS_PER_SLOT + cell, delta);
  }

  /** Makes a slot as good as new. For the master, when nobody uses it any more. */
  clearSlot(slot: number): void {
    for (let cell = 0; cell < CELLS_PER_SLOT; cell++) this.write(slot, cell, 0);
    const base = slot * COUNTERS_PER_SLOT;
    for (const counters of this.#allCounters) counters.fill(0, base, base + COUNTERS_PER_SLOT);
  }

  get epoch(): number {
    return this.header[HEADER.epoch]!;
  }

  raiseEpoch(): void {
    Atomics.add(this.header, HEADER.epoch, 1);
  }

  /** Adds to a counter of this process. */
  count(slot: number, counter: number, delta = 1): void {
    const { counters } = this;
    const index = slot * COUNTERS_PER_SLOT + counter;
    counters[index] = counters[index]! + delta;
  }

  /** Gives a frontend or backend its histogram, if it has none and there is one. For the master. */
  keepLatencies(slot: number): void {
    const count = this.header[HEADER.histogramCount]!;
    const countMax = histogramsOf(this.header[HEADER.slotCountMax]!);
    if (this.read(slot, CELL.histogram) !== 0 || count >= countMax) return;
    this.header[HEADER.histogramCount] = count + 1;
    this.write(slot, CELL.histogram, count + 1);
  }

  /** A stream of a frontend or backend took so long. Counts from 0 again after 2^32. */
  countLatency(slot: number, ms: number): void {
    const histogram = this.read(slot, CELL.histogram);
    if (histogram === 0) return;
    const index = (histogram - 1) * LATENCY_BUCKETS + latencyBucket(ms);
    this.#latencies[index] = this.#latencies[index]! + 1;
  }

  /** How many streams each bucket has, over all processes, into `into`. */
  readLatencies(slot: number, into: Uint32Array): void {
    const histogram = this.read(slot, CELL.histogram);
    if (histogram === 0) {
      into.fill(0);
      return;
    }
    const base = (histogram - 1) * LATENCY_BUCKETS;
    into.set(this.#allLatencies[0]!.subarray(base, base + LATENCY_BUCKETS));
    for (let worker = 1; worker < this.#allLatencies.length; worker++) {
      const latencies = this.#allLatencies[worker]!;
      for (let i = 0; i < LATENCY_BUCKETS; i++) into[i] = into[i]! + latencies[base + i]!;
    }
  }

  /** Raises a gauge and its maximum. */
  enter(slot: number, gauge: number, maximum: number): void {
    const { counters } = this;
    const base = slot * COUNTERS_PER_SLOT;
    const value = counters[base + gauge]! + 1;
    counters[base + gauge] = value;
    if (value > counters[base + maximum]!) counters[base + maximum] = value;
  }

  leave(slot: number, gauge: number): void {
    this.count(slot, gauge, -1);
  }

  /** Sum over all processes. */
  total(slot: number, counter: number): number {
    const index = slot * COUNTERS_PER_SLOT + counter;
    const all = this.#allCounters;
    let sum = 0;
    for (let i = 0; i < all.length; i++) sum += all[i]![index]!;
    return sum;
  }

  /** Largest value over all processes. */
  maximum(slot: number, counter: number): number {
    const index = slot * COUNTERS_PER_SLOT + counter;
    let maximum = 0;
    for (const counters of this.#allCounters) maximum = Math.max(maximum, counters[index]!);
    return maximum;
  }

  /** The counters of one process, for the master when it clears the gauges of a worker that died. */
  countersOf(workerIndex: number): Float64Array {
    return this.#allCounters[workerIndex]!;
  }
}

/**
 * Counts an event in a rate, or `count` of them: three cells from `secondCell` on (second, current, previous)
 * and the maximum after them.
 */
export function countRate(
  state: SharedState,
  slot: number,
  secondCell: number,
  nowMs: number,
  count = 1,
): void {
  const base = state.counter(slot, secondCell);
  const counters = state.counters;
  const second = Math.floor(nowMs / 1000);
  if (counters[base] !== second) {
    counters[base + 2] = counters[base] === second - 1 ? counters[base + 1]! : 0;
    counters[base + 1] = 0;
    counters[base] = second;
  }
  const current = counters[base + 1]! + count;
  counters[base + 1] = current;
  if (current > counters[base + 3]!) counters[base + 3] = current;
}

/**
 * Events per second at `nowMs`: this second's count plus the rest of the last second's, summed over all
 * processes.
 */
export function readRate(
  state: SharedState,
  slot: number,
  secondCell: number,
  nowMs: number,
  workerCount: number,
): number {
  const second = Math.floor(nowMs / 1000);
  const rest = 1 - (nowMs % 1000) / 1000;
  let rate = 0;
  for (let worker = 0; worker < workerCount; worker++) {
    const counters = state.countersOf(worker);
    const base = state.counter(slot, secondCell);
    if (counters[base] === second) rate += counters[base + 1]! + counters[base + 2]! * rest;
    else if (counters[base] === second - 1) rate += counters[base + 1]! * rest;
  }
  return Math.round(rate);
}
