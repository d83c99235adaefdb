// What `show info` tells of the process as a whole: HAProxy 2.6's fields, at their positions, as far as they
// have a meaning here. "Process" is the master with all its workers: what HAProxy has threads for, we have
// processes for.
import { presentIn, slotsWithTls } from "../admission.ts";
import { rateLimits } from "../rate-limits.ts";
import { COUNTER, HEADER, readRate } from "../state.ts";
import type { StatisticsView } from "./statistics-view.ts";

/** What the process knows of itself and no counter holds. */
export interface ProcessFacts {
  readonly version: string;
  /** "2026/11/23". */
  readonly releaseDate: string;
  readonly pid: number;
  readonly workerCount: number;
  /** Hard limit of file descriptors; 0 when unknown. */
  readonly fileDescriptorLimit: number;
  /** The machine's name, or `node`. */
  readonly node: string;
  readonly description: string | null;
}

export interface InfoField {
  /** HAProxy's number of the field. */
  readonly position: number;
  readonly name: string;
  readonly tags: string;
  readonly type: "str" | "u32" | "u64";
  readonly value: string | number;
  readonly description: string;
}

type Value = string | number | null;
type Entry = readonly [
  position: number,
  name: string,
  tags: string,
  type: InfoField["type"],
  value: Value,
  description: string,
];

export function collectInfo(view: StatisticsView, facts: ProcessFacts): InfoField[] {
  const entries = [
    ...identity(view, facts),
    ...limits(view, facts),
    ...traffic(view),
    ...activity(view, facts),
    ...rest(view, facts),
  ];
  return entries
    .filter((entry) => entry[4] !== null)
    .sort((a, b) => a[0] - b[0])
    .map(([position, name, tags, type, value, description]) => ({
      position,
      name,
      tags,
      type,
      value: value!,
      description,
    }));
}

function identity(view: StatisticsView, facts: ProcessFacts): Entry[] {
  const uptimeSeconds = uptimeOf(view);
  return [
    [0, "Name", "POS", "str", "Sallyport", "Name of the program"],
    [1, "Version", "POS", "str", facts.version, "Version of the program"],
    [2, "Release_date", "POS", "str", facts.releaseDate, "Date of this version"],
    [3, "Nbthread", "CGS", "u32", facts.workerCount, "Worker processes"],
    [4, "Nbproc", "CGS", "u32", 1, "Always 1"],
    [5, "Process_num", "KGP", "u32", 1, "Always 1"],
    [6, "Pid", "SGP", "u32", facts.pid, "Process number of the master"],
    [
      7,
      "Uptime",
      "MDP",
      "str",
      formatUptime(uptimeSeconds),
      "Time since the start, in days, hours, minutes and seconds",
    ],
    [8, "Uptime_sec", "MDP", "u32", uptimeSeconds, "Seconds since the start"],
    [50, "node", "COS", "str", facts.node, "Name of this node"],
    [51, "description", "COS", "str", facts.description, "Description of this node"],
    [66, "Build info", "POS", "str", facts.version, "Version of the program"],
    [
      70,
      "Start_time_sec",
      "MDP",
      "u32",
      view.runtime.state.header[HEADER.startSeconds]!,
      "When it was started, seconds since 1970",
    ],
    [71, "Tainted", "SGP", "str", "0", "Always 0"],
  ];
}

function limits(view: StatisticsView, facts: ProcessFacts): Entry[] {
  const maxconn = view.runtime.state.header[HEADER.maxconn] || (view.maxconn ?? 0);
  return [
    [9, "Memmax_MB", "CLP", "u32", 0, "Limit of memory, 0: none"],
    [10, "PoolAlloc_MB", "MGP", "u32", 0, "Memory in pools of HAProxy's kind, which we have not"],
    [11, "PoolUsed_MB", "MGP", "u32", 0, "Memory in pools of HAProxy's kind, which we have not"],
    [12, "PoolFailed", "MCP", "u32", 0, "Failed allocations from such pools"],
    [13, "Ulimit-n", "CLP", "u32", facts.fileDescriptorLimit, "File descriptors that a process may have"],
    [14, "Maxsock", "CLP", "u32", facts.fileDescriptorLimit, "Sockets that a process may have"],
    [15, "Maxconn", "CLP", "u32", maxconn, "Client connections allowed at a time, 0: no limit"],
    [
      16,
      "Hard_maxconn",
      "CLP",
      "u32",
      view.maxconn ?? 0,
      "Client connections allowed at a time by the configuration, 0: no limit",
    ],
    [67, "Memmax_bytes", "CLP", "u32", 0, "Limit of memory, 0: none"],
    [68, "PoolAlloc_bytes", "MGP", "u64", 0, "Memory in pools of HAProxy's kind, which we have not"],
    [69, "PoolUsed_bytes", "MGP", "u64", 0, "Memory in pools of HAProxy's kind, which we have not"],
  ];
}

function traffic(view: StatisticsView): Entry[] {
  const { runtime } = view;
  const sum = (counter: number) =>
    sumOverFrontends(view, (slot) => Math.max(0, view.runtime.state.total(slot, counter)));
  const peak = (counter: number) =>
    sumOverFrontends(view, (slot) => view.runtime.state.maximum(slot, counter));
  const connectionRate = rateOf(view, COUNTER.connRateSecond);
  const sessionRate = rateOf(view, COUNTER.sessRateSecond);
  const withTls = slotsWithTls(runtime);
  const tlsRate = rateIn(view, withTls, COUNTER.sessRateSecond);
  const tlsPeak = withTls.reduce((sum, slot) => sum + runtime.state.maximum(slot, COUNTER.sessRateMax), 0);
  return [
    [17, "CurrConns", "MGP", "u32", sum(COUNTER.scur), "Client connections now"],
    [18, "CumConns", "MCP", "u32", sum(COUNTER.connTot), "Client connections since the start"],
    [19, "CumReq", "MCP", "u32", sum(COUNTER.reqTot), "HTTP requests since the start"],
    [
      20,
      "MaxSslConns",
      "MMP",
      "u32",
      runtime.configuration.global.admission.tlsConnectionsMax,
      "Limit of TLS connections of clients, 0: none",
    ],
    [
      21,
      "CurrSslConns",
      "MGP",
      "u32",
      presentIn(runtime.state, slotsWithTls(runtime)),
      "TLS connections of clients now",
    ],
    [
      22,
      "CumSslConns",
      "MCP",
      "u32",
      sum(COUNTER.sslConnections),
      "TLS connections of clients since the start",
    ],
    [26, "ConnRate", "MRP", "u32", connectionRate, "Client connections in the last second"],
    [
      27,
      "ConnRateLimit",
      "CLP",
      "u32",
      rateLimits.connectionsPerSecond(runtime),
      "Limit of ConnRate, 0: none",
    ],
    [
      28,
      "MaxConnRate",
      "MMP",
      "u32",
      Math.max(connectionRate, peak(COUNTER.connRateMax)),
      "Highest ConnRate since the start",
    ],
    [29, "SessRate", "MRP", "u32", sessionRate, "Sessions in the last second"],
    [30, "SessRateLimit", "CLP", "u32", rateLimits.sessionsPerSecond(runtime), "Limit of SessRate, 0: none"],
    [
      31,
      "MaxSessRate",
      "MRP",
      "u32",
      Math.max(sessionRate, peak(COUNTER.sessRateMax)),
      "Highest SessRate since the start",
    ],
    [32, "SslRate", "MRP", "u32", tlsRate, "TLS sessions of clients begun in the last second"],
    [33, "SslRateLimit", "CLP", "u32", rateLimits.tlsSessionsPerSecond(runtime), "Limit of SslRate, 0: none"],
    [34, "MaxSslRate", "MMP", "u32", Math.max(tlsRate, tlsPeak), "Highest SslRate since the start"],
    [
      42,
      "CompressBpsIn",
      "MRP",
      "u32",
      rateOf(view, COUNTER.compInSecond),
      "Bytes given to compression in the last second",
    ],
    [
      43,
      "CompressBpsOut",
      "MRP",
      "u32",
      rateOf(view, COUNTER.compOutSecond),
      "Bytes that came out of compression in the last second",
    ],
    [
      44,
      "CompressBpsRateLim",
      "CLP",
      "u32",
      rateLimits.compressedBytesPerSecond(runtime),
      "Limit of CompressBpsIn, 0: none",
    ],
    [61, "TotalBytesOut", "MGP", "u64", sum(COUNTER.bout), "Bytes sent to clients since the start"],
  ];
}

function activity(view: StatisticsView, _facts: ProcessFacts): Entry[] {
  const { state, listeners } = view.runtime;
  const connections = sumOverFrontends(view, (slot) => Math.max(0, state.total(slot, COUNTER.scur)));
  return [
    [58, "DroppedLogs", "MGP", "u32", state.header[HEADER.droppedLogs]! >>> 0, "Log lines that nobody took"],
    [65, "CumRecvLogs", "MCP", "u32", state.header[HEADER.receivedLogs]! >>> 0, "Log lines received"],
    [52, "Stopping", "MGP", "u32", state.header[HEADER.isStopping]!, "1 while it stops softly"],
    [53, "Jobs", "MGP", "u32", connections + listeners.length, "Client connections and listeners"],
    [54, "Unstoppable Jobs", "MGP", "u32", 0, "Always 0"],
    [55, "Listeners", "MGP", "u32", listeners.length, "Listeners, those of all bind lines"],
  ];
}

/** Fields of things that HAProxy has and we have not. They are there because scripts look for them. */
function rest(_view: StatisticsView, _facts: ProcessFacts): Entry[] {
  const absent: readonly (readonly [number, string, string])[] = [
    [23, "Maxpipes", "CLP"], [24, "PipesUsed", "MGP"], [25, "PipesFree", "MGP"], [35, "SslFrontendKeyRate", "MGP"], [36, "SslFrontendMaxKeyRate", "MMP"],
    [37, "SslFrontendSessionReuse_pct", "MGP"], [38, "SslBackendKeyRate", "MRP"], [39, "SslBackendMaxKeyRate", "MMP"],
    [40, "SslCacheLookups", "MCP"], [41, "SslCacheMisses", "MCP"],
    [47, "Tasks", "MGP"], [48, "Run_queue", "MGP"], [56, "ActivePeers", "MGP"],
    [57, "ConnectedPeers", "MGP"], [59, "BusyPolling", "MGP"], [60, "FailedResolutions", "MGP"],
    [62, "TotalSplicdedBytesOut", "MGP"], [63, "BytesOutRate", "MRP"], [64, "DebugCommandsIssued", "MGP"],
  ]; // biome-ignore format: a table
  return absent.map(([position, name, tags]) => {
    const is64Bit = name === "TotalSplicdedBytesOut" || name === "BytesOutRate";
    return [position, name, tags, is64Bit ? "u64" : "u32", 0, "Not counted, always 0"];
  });
}

function sumOverFrontends(view: StatisticsView, value: (slot: number) => number): number {
  return view.runtime.frontends.reduce((sum, { slot }) => sum + value(slot), 0);
}

function rateOf(view: StatisticsView, secondCounter: number): number {
  const slots = view.runtime.frontends.map(({ slot }) => slot);
  return rateIn(view, slots, secondCounter);
}

function rateIn({ runtime, nowMs }: StatisticsView, slots: readonly number[], secondCounter: number): number {
  const { state } = runtime;
  const workerCount = state.header[HEADER.workerCountMax]!;
  return slots.reduce((sum, slot) => sum + readRate(state, slot, secondCounter, nowMs, workerCount), 0);
}

function uptimeOf(view: StatisticsView): number {
  return Math.max(0, Math.floor(view.nowMs / 1000) - view.runtime.state.header[HEADER.startSeconds]!);
}

/** "0d 2h05m09s". */
export function formatUptime(seconds: number): string {
  const two = (value: number) => `${value}`.padStart(2, "0");
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  return `${days}d ${hours}h${two(minutes)}m${two(seconds % 60)}s`;
}
