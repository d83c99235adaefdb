// What rules know of the process they run in, apart from the stream: handed to every compile function.
// Names of backends, servers and frontends are looked up in the stream's own runtime, so that a program
// stays right for streams that finish in an older generation.
import type { ProxyConfiguration } from "../../model/proxy.ts";
import type { SharedCache } from "../cache/shared-cache.ts";
import type { StickTable } from "../stick-table/stick-table.ts";
import type { PatternLists } from "./patterns/pattern-lists.ts";
import type { RuleRecorder } from "./recorder.ts";
import type { SampleValue } from "./sample-value.ts";
import type { SharedChange } from "./shared-change.ts";

export interface RuleEnvironment {
  readonly configuration: Pick<ProxyConfiguration, "userlists"> &
    Partial<Pick<ProxyConfiguration, "resolvers">>;
  /** What acls and maps compare with; it can change. */
  readonly patterns: PatternLists;
  /** By name. Left out: there are none. */
  readonly stickTables?: ReadonlyMap<string, StickTable>;
  /** Likewise. */
  readonly caches?: ReadonlyMap<string, SharedCache>;
  readonly hostname: string;
  readonly pid: number;
  /** Environment variables. */
  readonly processVariables: Readonly<Record<string, string | undefined>>;
  /** Worker processes count from 1. */
  readonly workerIndex: number;
  readonly workerCount: number;
  /** An `Engine` will do. */
  readonly clock: RuleClock;
  /** `proc.` variables; they outlive generations. */
  readonly variables: Map<string, SampleValue>;
  /** Told of what rules have changed here for all processes. Left out: there are no others. */
  readonly share?: (change: SharedChange) => void;
  /**
   * Asks nameservers for a host; `done` gets its address, or null, now or later. Left out: nobody is asked.
   */
  readonly resolve?: ResolveHost;
  /** Requests numbered so far in this process, for %rt. */
  readonly requestCount: { value: number };
  /** Set only where somebody wants to be told what rules do: it is asked while compiling. */
  readonly recorder?: RuleRecorder;
}

export type ResolveHost = (
  resolvers: string,
  host: string,
  family: 4 | 6,
  done: (address: string | null) => void,
) => void;

export interface RuleClock {
  /** Monotonic milliseconds. */
  readonly nowMs: number;
  /** Milliseconds since 1970. */
  readonly wallClockMs: number;
  /** Uniform in [0, 1). */
  random(): number;
}
