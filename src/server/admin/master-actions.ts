// The actions of the runtime API in the real master: on its health checks, its workers, and itself.
import { lookup } from "node:dns/promises";
import { hostname } from "node:os";
import { VERSION, VERSION_DATE } from "../../base/version.ts";
import type { HealthChecks } from "../../proxy/health/health-checks.ts";
import type { ServerState } from "../../proxy/health/server-state.ts";
import type { Frontend, Runtime, Server } from "../../proxy/runtime.ts";
import { CELL } from "../../proxy/state.ts";
import type { ProcessFacts } from "../../proxy/stats/info.ts";
import type { CheckKnowledge } from "../../proxy/stats/statistics-view.ts";
import type { SessionDescription, ToWorker } from "../messages.ts";
import type { AdminActions } from "./actions.ts";

/** What of the master is needed. Read anew for each command: reloads replace runtime and checks. */
export interface MasterParts {
  runtime(): Runtime;
  checks(): HealthChecks;
  workers(): readonly { readonly pid: number; send(message: ToWorker): void }[];
  listSessions(): Promise<readonly SessionDescription[]>;
  /** For checks and workers, also those that start later. */
  setServerAddress(server: Server, host: string, port: number | null): void;
  /** One or more lines about what came of it. */
  reload(): Promise<string>;
}

export class MasterActions implements AdminActions {
  readonly #parts: MasterParts;
  /** `disable health|agent`: "health SLOT", kept over reloads. */
  readonly #disabled: Set<string> = new Set();
  readonly environment: Readonly<Record<string, string | undefined>> = process.env;
  readonly checks: CheckKnowledge = {
    describe: (server, kind) => {
      const state = this.stateOf(server);
      return (kind === "health" ? state?.check : state?.agent)?.last.description ?? "";
    },
    isEnabled: (server, kind) => !this.#disabled.has(`${kind} ${server.slot}`),
    isRunning: () => false,
  };

  constructor(parts: MasterParts) {
    this.#parts = parts;
  }

  get runtime(): Runtime {
    return this.#parts.runtime();
  }

  get nowMs(): number {
    return Date.now();
  }

  get workerPids(): readonly number[] {
    return this.#parts.workers().map(({ pid }) => pid);
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
    if (!this.#parts.checks().setEnabled(server, kind, isEnabled)) return false;
    const key = `${kind} ${server.slot}`;
    if (isEnabled) this.#disabled.delete(key);
    else this.#disabled.add(key);
    return true;
  }

  /** To be called when a reload has replaced the checks: those that were switched off stay off. */
  keepDisabled(): void {
    for (const server of this.runtime.backends.flatMap(({ servers }) => servers)) {
      for (const kind of ["health", "agent"] as const) {
        if (!this.checks.isEnabled(server, kind)) this.#parts.checks().setEnabled(server, kind, false);
      }
    }
  }

  setServerAddress(server: Server, host: string, port: number | null): void {
    server.state.add(server.slot, CELL.addressVersion, 1);
    this.#parts.setServerAddress(server, host, port);
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
