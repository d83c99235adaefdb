// What the runtime API needs from the master around it. The API reads the shared state itself; everything
// that changes something, or that only workers know, goes through here.
import type { LogFormat, SampleExpression } from "../../model/sample.ts";
import type { SharedCache } from "../../proxy/cache/shared-cache.ts";
import type { ServerState } from "../../proxy/health/server-state.ts";
import type { Ring } from "../../proxy/log/ring.ts";
import type { NameResolver } from "../../proxy/resolvers/name-resolver.ts";
import type { PatternLists } from "../../proxy/rules/patterns/pattern-lists.ts";
import type { SampleValue } from "../../proxy/rules/sample-value.ts";
import type { SharedChange } from "../../proxy/rules/shared-change.ts";
import type { Backend, Frontend, Runtime, Server } from "../../proxy/runtime.ts";
import type { ProcessFacts } from "../../proxy/stats/info.ts";
import type { CheckKnowledge } from "../../proxy/stats/statistics-view.ts";
import type { StickTable } from "../../proxy/stick-table/stick-table.ts";
import type { SessionDescription } from "../messages.ts";
import type { ProcessList } from "./master-commands.ts";
import type { MaterialActions } from "./material.ts";

export interface AdminActions {
  /** The generation that serves. */
  readonly runtime: Runtime;
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs: number;
  readonly facts: ProcessFacts;
  /** Process numbers of the workers, in order. */
  readonly workerPids: readonly number[];
  readonly processes: ProcessList;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly checks: CheckKnowledge;
  /** State, admin flags and weight of a server; null for one that has gone in the meantime. */
  stateOf(server: Server): ServerState | null;
  /** `enable|disable health|agent`. False when the server has no such check. */
  setChecking(server: Server, kind: "health" | "agent", isEnabled: boolean): boolean;
  /** Tells all workers where the server is from now on. */
  setServerAddress(server: Server, host: string, port: number | null): void;
  /** What is asked for by `resolvers` sections, and what came of it. */
  readonly resolver: NameResolver;
  /** Nameservers are asked for another name of it. The name of before; null when nobody asks for its name. */
  renameServer(server: Server, hostName: string): string | null;
  /** `add server BACKEND/NAME WORDS…` in all workers. Null: done; else why not. */
  addServer(backend: Backend, name: string, words: readonly string[]): Promise<string | null>;
  /** `del server`. Null: done; else why not. */
  deleteServer(server: Server): Promise<string | null>;
  readonly material: MaterialActions;
  /** What acls and maps compare with now. */
  readonly patterns: PatternLists;
  /** By name. */
  readonly stickTables: ReadonlyMap<string, StickTable>;
  readonly caches: ReadonlyMap<string, SharedCache>;
  /** Monotonic, as tables want it. */
  readonly tableNowMs: number;
  readonly rings: readonly Ring[];
  /** `proc.` variables. */
  readonly variables: ReadonlyMap<string, SampleValue>;
  /** What an expression that needs no connection gives now. */
  evaluate(value: SampleExpression | LogFormat): SampleValue | undefined;
  /**
   * Changes any of it here and in all workers; done when it resolves. Even without changes: then all that
   * rules have changed until now is known here.
   */
  share(changes: readonly SharedChange[]): Promise<void>;
  /** An address of a host name; null when it has none. */
  resolve(hostName: string): Promise<string | null>;
  /** `disable|enable frontend`; `isForGood` closes its listeners (`shutdown frontend`). */
  pauseFrontend(frontend: Frontend, isPaused: boolean, isForGood: boolean): void;
  listSessions(): Promise<readonly SessionDescription[]>;
  /** Session `id` of the worker with this process number. */
  killSession(workerPid: number, id: number): void;
  killServerSessions(server: Server): void;
  /** What the operator is to be told: one or more lines. */
  reload(): Promise<string>;
}
