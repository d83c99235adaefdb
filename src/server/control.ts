// The master's own view of what its workers serve: states of servers and their health checks, the runtime API, and
// what both tell the operator and the logs.
import { hostname } from "node:os";
import { HealthChecks } from "../proxy/health/health-checks.ts";
import type { HealthEvent } from "../proxy/health/health-event.ts";
import type { Observation } from "../proxy/health/observation.ts";
import { MessageLog } from "../proxy/log/message-log.ts";
import type { SharedState } from "../proxy/state.ts";
import type { Engine } from "../transport/contract.ts";
import type { Crew } from "./crew.ts";
import { buildGeneration, type Generation } from "./generation.ts";
import type { Master } from "./master.ts";
import type { PreparedConfiguration, WorkerProblem } from "./messages.ts";

export interface ControlOptions {
  readonly engine: Engine;
  readonly state: SharedState;
  readonly crew: Crew;
  readonly master: Master;
  readonly workerCount: number;
  report(text: string): void;
}

export class Control {
  readonly #options: ControlOptions;
  #checks: HealthChecks | null = null;
  #current: Generation | null = null;
  #candidate: Generation | null = null;
  #number = 0;
  #api: ((command: string) => Promise<string>) | null = null;

  constructor(options: ControlOptions) {
    this.#options = options;
  }

  /** The generation that serves. */
  get generation(): Generation {
    return this.#current!;
  }

  /** The checks of the generation that serves. */
  get checks(): HealthChecks {
    return this.#checks!;
  }

  /** Builds the master's own objects for a configuration and gives new servers a state. What stands in the way of it. */
  prepare(prepared: PreparedConfiguration): readonly WorkerProblem[] {
    const { engine, state, workerCount } = this.#options;
    const built = buildGeneration(prepared, {
      engine,
      state,
      workerIndex: 0,
      workerCount,
      previous: this.#current,
      number: ++this.#number,
      report: (text) => this.#options.report(text),
    });
    if (!built.ok) return built.error;
    this.#candidate = built.value;
    return [];
  }

  /** All workers are ready to serve what was prepared: servers get their states, checks go over to it. */
  commit(): void {
    const generation = this.#candidate!;
    const { global } = generation.runtime.configuration;
    const checks = new HealthChecks(this.#options.engine, generation.runtime.backends, {
      spreadChecksPercent: global.spreadChecksPercent,
      nodeName: global.node ?? hostname(),
      emit: (event) => this.#handleEvent(event),
    });
    this.#current = generation;
    checks.start(this.#checks);
    this.#checks = checks;
  }

  observe(backend: string, server: string, observation: Observation): void {
    const found = this.#current?.runtime.backendsByName.get(backend)?.serversByName.get(server);
    if (found !== undefined) this.#checks?.observe(found, observation);
  }

  /** A command of the runtime API, such as the statistics page's form sends; the answer as the API gives it. */
  async runCommand(command: string): Promise<string> {
    return (await this.#api?.(command)) ?? "";
  }

  stop(): void {
    this.#checks?.stop();
  }

  #handleEvent(event: HealthEvent): void {
    const { crew } = this.#options;
    switch (event.kind) {
      case "log": {
        const generation = this.#current ?? this.#candidate;
        const outputs =
          generation?.life.sinks.outputsOf(event.backend.definition, generation.runtime.configuration) ?? [];
        new MessageLog(outputs).writeMessage(event.level, event.text);
        this.#options.report(event.text);
        return;
      }
      case "shutdown-sessions":
        crew.broadcast({
          kind: "kill-server-sessions",
          backend: event.server.backend.name,
          server: event.server.name,
        });
        return;
      case "shutdown-backup-sessions":
        for (const server of event.backend.servers) {
          if (!server.definition.isBackup) continue;
          crew.broadcast({ kind: "kill-server-sessions", backend: event.backend.name, server: server.name });
        }
        return;
      case "changed":
        // The workers see the epoch.
        return;
    }
  }
}
