// The master's own view of what its workers serve: states of servers and their health checks, the runtime API, and
// what both tell the operator and the logs.
import { hostname } from "node:os";
import { join } from "node:path";
import { formatPlace, NO_SPAN } from "../diagnostic/span.ts";
import type { StatsSocket } from "../model/proxy.ts";
import { HealthChecks } from "../proxy/health/health-checks.ts";
import type { HealthEvent } from "../proxy/health/health-event.ts";
import type { Observation } from "../proxy/health/observation.ts";
import { MessageLog } from "../proxy/log/message-log.ts";
import type { SharedState } from "../proxy/state.ts";
import type { Engine } from "../transport/contract.ts";
import { AdminSockets } from "./admin/admin-socket.ts";
import { MasterActions } from "./admin/master-actions.ts";
import { RuntimeApi } from "./admin/runtime-api.ts";
import type { Crew } from "./crew.ts";
import { buildGeneration, type Generation } from "./generation.ts";
import type { Master } from "./master.ts";
import type { PreparedConfiguration, WorkerProblem } from "./messages.ts";
import { formatReloadAnswer } from "./reload-answer.ts";

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
  readonly #actions: MasterActions;
  readonly #api: RuntimeApi;
  readonly #sockets: AdminSockets;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#actions = new MasterActions({
      runtime: () => this.generation.runtime,
      checks: () => this.checks,
      workers: () => options.crew.workers,
      listSessions: () => options.crew.listSessions(),
      reload: async () => formatReloadAnswer(await options.master.reload()),
    });
    this.#api = new RuntimeApi(this.#actions);
    this.#sockets = new AdminSockets(this.#api);
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
    this.#actions.keepDisabled();
  }

  /** Opens the sockets of the runtime API that the configuration names, and the master's own, and closes others. */
  async openSockets(): Promise<void> {
    const { statsSockets, statsTimeoutMs } = this.generation.runtime.configuration.global;
    const own: StatsSocket = {
      address: { kind: "unix", path: join(this.#options.master.directory, "admin"), mode: 0o600, uid: null, gid: null },
      level: "admin",
      span: NO_SPAN,
    };
    for (const { socket, message } of await this.#sockets.apply([own, ...statsSockets], statsTimeoutMs)) {
      this.#options.report(`${formatPlace(socket.span)}: ${message}`);
    }
  }

  observe(backend: string, server: string, observation: Observation): void {
    const found = this.#current?.runtime.backendsByName.get(backend)?.serversByName.get(server);
    if (found !== undefined) this.#checks?.observe(found, observation);
  }

  /** A command of the runtime API, such as the statistics page's form sends; the answer as the API gives it. */
  async runCommand(command: string): Promise<string> {
    return this.#api.run(command);
  }

  stop(): void {
    this.#checks?.stop();
    void this.#sockets.close();
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
