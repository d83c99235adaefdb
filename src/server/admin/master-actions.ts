// The actions of the runtime API in the real master: on its health checks, its workers, and itself.
import { lookup } from "node:dns/promises";
import { hostname } from "node:os";
import { VERSION, VERSION_DATE } from "../../base/version.ts";
import type { LogFormat, SampleExpression } from "../../model/sample.ts";
import type { SharedCache } from "../../proxy/cache/shared-cache.ts";
import type { HealthChecks } from "../../proxy/health/health-checks.ts";
import type { ServerState } from "../../proxy/health/server-state.ts";
import type { Ring } from "../../proxy/log/ring.ts";
import type { NameResolver } from "../../proxy/resolvers/name-resolver.ts";
import type { RuleEnvironment } from "../../proxy/rules/environment.ts";
import type { PatternLists } from "../../proxy/rules/patterns/pattern-lists.ts";
import { evaluateWithoutStream } from "../../proxy/rules/process-variables.ts";
import type { SampleValue } from "../../proxy/rules/sample-value.ts";
import type { SharedChange } from "../../proxy/rules/shared-change.ts";
import type { Backend, Frontend, Runtime, Server } from "../../proxy/runtime.ts";
import { CELL } from "../../proxy/state.ts";
import type { ProcessFacts } from "../../proxy/stats/info.ts";
import type { CheckKnowledge } from "../../proxy/stats/statistics-view.ts";
import type { StickTable } from "../../proxy/stick-table/stick-table.ts";
import type { PreparedConfiguration, SessionDescription, ToWorker } from "../messages.ts";
import { proxyEnvironment } from "../proxy-files.ts";
import type { ResolvedServers } from "../resolvers/resolved-servers.ts";
import type { ServerChange } from "../server-change.ts";
import type { AdminActions } from "./actions.ts";
import { withoutServer, withServer } from "./dynamic-servers.ts";
import type { ProcessList } from "./master-commands.ts";
import { type MaterialActions, type MaterialChange, MaterialTransactions } from "./material.ts";

/** What of the master is needed. Read anew for each command: reloads replace runtime and checks. */
export interface MasterParts {
  runtime(): Runtime;
  checks(): HealthChecks;
  workers(): readonly { readonly pid: number; send(message: ToWorker): void }[];
  processes(): ProcessList;
  listSessions(): Promise<readonly SessionDescription[]>;
  /** For checks and workers, also those that start later. */
  setServerAddress(server: Server, host: string, port: number | null): void;
  readonly resolved: ResolvedServers;
  readonly rings: { readonly all: readonly Ring[] };
  /** Serves on with other servers. `change` may say why not; null when it is done. */
  changeServers(change: ServerChange): Promise<string | null>;
  /** What rules work with. */
  environment(): RuleEnvironment;
  share(changes: readonly SharedChange[]): Promise<void>;
  /** What all workers serve. */
  prepared(): PreparedConfiguration;
  /** Serves on with other certificates. */
  changeMaterial(change: MaterialChange): Promise<string | null>;
  /** One or more lines about what came of it. */
  reload(): Promise<string>;
}

export class MasterActions implements AdminActions {
  readonly #parts: MasterParts;
  readonly environment: Readonly<Record<string, string | undefined>> = process.env;
  readonly checks: CheckKnowledge = {
    describe: (server, kind) => {
      const state = this.stateOf(server);
      return (kind === "health" ? state?.check : state?.agent)?.last.description ?? "";
    },
    isEnabled: (server, kind) => this.#parts.checks().isEnabled(server, kind),
    isRunning: () => false,
  };

  readonly material: MaterialActions;

  constructor(parts: MasterParts) {
    this.#parts = parts;
    this.material = {
      get present() {
        return parts.prepared();
      },
      transactions: new MaterialTransactions(),
      change: (change) => parts.changeMaterial(change),
    };
  }

  get rings(): readonly Ring[] {
    return this.#parts.rings.all;
  }

  get runtime(): Runtime {
    return this.#parts.runtime();
  }

  get nowMs(): number {
    return Date.now();
  }

  get patterns(): PatternLists {
    return this.#parts.environment().patterns;
  }

  get stickTables(): ReadonlyMap<string, StickTable> {
    return this.#parts.environment().stickTables ?? new Map();
  }

  get caches(): ReadonlyMap<string, SharedCache> {
    return this.#parts.environment().caches ?? new Map();
  }

  get tableNowMs(): number {
    return performance.now();
  }

  get variables(): ReadonlyMap<string, SampleValue> {
    return this.#parts.environment().variables;
  }

  evaluate(value: SampleExpression | LogFormat): SampleValue | undefined {
    return evaluateWithoutStream(value, this.#parts.environment());
  }

  share(changes: readonly SharedChange[]): Promise<void> {
    return this.#parts.share(changes);
  }

  get workerPids(): readonly number[] {
    return this.#parts.workers().map(({ pid }) => pid);
  }

  get processes(): ProcessList {
    return this.#parts.processes();
  }

  get facts(): ProcessFacts {
    const { global } = this.runtime.configuration;
    return {
      version: VERSION,
      releaseDate: VERSION_DATE,
      pid: process.pid,
      workerCount: this.#parts.workers().length,
      fileDescriptorLimit: 0,
      node: global.node ?? hostname(),
      description: global.description,
    };
  }

  stateOf(server: Server): ServerState | null {
    return this.#parts.checks().stateOf(server);
  }

  setChecking(server: Server, kind: "health" | "agent", isEnabled: boolean): boolean {
    return this.#parts.checks().setEnabled(server, kind, isEnabled);
  }

  addServer(backend: Backend, name: string, words: readonly string[]): Promise<string | null> {
    return this.#parts.changeServers((present) =>
      withServer(present, backend.name, name, words, proxyEnvironment(this.environment)),
    );
  }

  deleteServer(server: Server): Promise<string | null> {
    return this.#parts.changeServers(({ configuration }) => withoutServer(configuration, server));
  }

  setServerAddress(server: Server, host: string, port: number | null): void {
    server.state.add(server.slot, CELL.addressVersion, 1);
    this.#parts.setServerAddress(server, host, port);
  }

  get resolver(): NameResolver {
    return this.#parts.resolved.resolver;
  }

  renameServer(server: Server, hostName: string): string | null {
    return this.#parts.resolved.rename(server, hostName);
  }

  async resolve(hostName: string): Promise<string | null> {
    try {
      return (await lookup(hostName)).address;
    } catch {
      return null;
    }
  }

  /** A frontend that is shut down for good keeps its listeners, paused, until the next reload. */
  pauseFrontend(frontend: Frontend, _isPaused: boolean, _isForGood: boolean): void {
    this.#broadcast({ kind: "pause-frontend", frontend: frontend.name });
  }

  listSessions(): Promise<readonly SessionDescription[]> {
    return this.#parts.listSessions();
  }

  killSession(workerPid: number, id: number): void {
    const worker = this.#parts.workers().find(({ pid }) => pid === workerPid);
    worker?.send({ kind: "kill-session", sessionId: id });
  }

  killServerSessions(server: Server): void {
    this.#broadcast({ kind: "kill-server-sessions", backend: server.backend.name, server: server.name });
  }

  reload(): Promise<string> {
    return this.#parts.reload();
  }

  #broadcast(message: ToWorker): void {
    for (const worker of this.#parts.workers()) worker.send(message);
  }
}
