// The master's own view of what its workers serve: states of servers and their health checks, the runtime
// API, and what both tell the operator and the logs.
import { lookup } from "node:dns";
import { hostname } from "node:os";
import { join } from "node:path";
import { NO_SPAN } from "../diagnostic/span.ts";
import type { GlobalSettings, StatsSocket } from "../model/global-settings.ts";
import type { ProxyConfiguration } from "../model/proxy.ts";
import { HealthChecks } from "../proxy/health/health-checks.ts";
import type { HealthEvent } from "../proxy/health/health-event.ts";
import type { Observation } from "../proxy/health/observation.ts";
import { MessageLog } from "../proxy/log/message-log.ts";
import { AlertMails } from "../proxy/mail/alert-mails.ts";
import type { SharedChange } from "../proxy/rules/shared-change.ts";
import type { Server } from "../proxy/runtime.ts";
import { HEADER, type SharedState } from "../proxy/state.ts";
import type { Engine } from "../transport/contract.ts";
import type { AdminActions } from "./admin/actions.ts";
import { type AdminSocketDefinition, AdminSockets } from "./admin/admin-socket.ts";
import { MasterActions } from "./admin/master-actions.ts";
import type { ProcessList } from "./admin/master-commands.ts";
import type { MaterialChange } from "./admin/material.ts";
import { RuntimeApi } from "./admin/runtime-api.ts";
import { CheckPrograms } from "./check-programs.ts";
import type { Crew } from "./crew.ts";
import { buildGeneration, type Generation } from "./generation.ts";
import { AllRings } from "./logs/all-rings.ts";
import { LogForwarders } from "./logs/log-forwarders.ts";
import type { ReloadResult } from "./master.ts";
import {
  type FromWorker,
  type LiveState,
  NOTHING_CHANGED,
  type PreparedConfiguration,
  type WorkerProblem,
} from "./messages.ts";
import { AllPeers } from "./peers/all-peers.ts";
import { formatReloadAnswer } from "./reload-answer.ts";
import { type KnownEndpoints, ResolvedServers } from "./resolvers/resolved-servers.ts";
import type { ServerChange } from "./server-change.ts";
import { namedServersOf } from "./server-names.ts";
import type { TableMaps } from "./table-places.ts";

export interface ControlOptions {
  readonly engine: Engine;
  readonly state: SharedState;
  readonly crew: Crew;
  readonly workerCount: number;
  readonly tables: TableMaps;
  /** Of the master, for its own socket. */
  readonly directory: string;
  /** `-S`; null without. */
  readonly masterSocket: StatsSocket | null;
  processes(): ProcessList;
  changeServers(change: ServerChange): Promise<string | null>;
  changeMaterial(change: MaterialChange): Promise<string | null>;
  reload(): Promise<ReloadResult>;
  report(text: string): void;
}

export class Control {
  readonly #options: ControlOptions;
  #checks: HealthChecks | null = null;
  readonly #programs: CheckPrograms;
  readonly #mails: AlertMails;
  #current: Generation | null = null;
  #candidate: Generation | null = null;
  /** What `#current` and `#candidate` are made of. */
  #serving: PreparedConfiguration | null = null;
  #coming: PreparedConfiguration | null = null;
  #number = 0;
  readonly #firstCommit: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #actions: MasterActions;
  readonly #peers: AllPeers;
  readonly #rings: AllRings;
  readonly #forwarders: LogForwarders;
  readonly #api: RuntimeApi;
  readonly #sockets: AdminSockets;
  readonly #resolved: ResolvedServers;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#programs = new CheckPrograms((text) => options.report(text));
    this.#mails = new AlertMails({
      engine: options.engine,
      hostName: hostname(),
      lookUp: (host, done) => lookup(host, (error, address) => done(error === null ? address : null)),
      report: (text) => options.report(text),
    });
    this.#peers = new AllPeers((text) => options.report(text));
    this.#rings = new AllRings(options.engine, (text) => options.report(text));
    this.#forwarders = new LogForwarders({
      engine: options.engine,
      outputsOf: ({ logs }) =>
        this.generation.life.sinks.outputsOf({ logs, logTag: null }, this.generation.runtime.configuration),
      count: () => void options.state.header[HEADER.receivedLogs]!++,
    });
    this.#resolved = new ResolvedServers({
      clock: options.engine,
      stateOf: (server) => this.checks.stateOf(server),
      moveServer: (server, host, port) => this.#moveServer(server, host, port),
      restartChecks: () => this.#restartChecks(),
      log: (backend, level, text) =>
        this.#handleEvent({ kind: "log", backend, level, text, mailLevel: null }),
    });
    this.#actions = new MasterActions({
      runtime: () => this.generation.runtime,
      checks: () => this.checks,
      workers: () => options.crew.workers,
      listSessions: () => options.crew.listSessions(),
      setServerAddress: (server, host, port) => {
        this.setServerAddress(server, host, port);
        this.#resolved.noteMoved(server);
      },
      resolved: this.#resolved,
      rings: this.#rings,
      environment: () => this.generation.environment,
      share: (changes) => this.share(changes),
      processes: () => options.processes(),
      changeServers: (change) => options.changeServers(change),
      prepared: () => options.crew.prepared!,
      changeMaterial: (change) => options.changeMaterial(change),
      reload: async () => formatReloadAnswer(await options.reload()),
    });
    this.#api = new RuntimeApi(this.#actions, this.#firstCommit.promise);
    this.#sockets = new AdminSockets(this.#api);
  }

  /** What the runtime API does things by. */
  get actions(): AdminActions {
    return this.#actions;
  }

  /** The files have been read anew, and what was begun with those of before is over. */
  forgetTransactions(): void {
    this.#actions.material.transactions.clear();
  }

  /** The generation that serves. */
  get generation(): Generation {
    return this.#current!;
  }

  /** The checks of the generation that serves. */
  get checks(): HealthChecks {
    return this.#checks!;
  }

  /**
   * Builds the master's own objects for a configuration and gives new servers a state. What stands in the
   * way of it.
   */
  prepare(prepared: PreparedConfiguration): readonly WorkerProblem[] {
    const { engine, state, workerCount } = this.#options;
    const built = buildGeneration(prepared, {
      engine,
      state,
      workerIndex: 0,
      workerCount,
      masterPid: process.pid,
      previous: this.#current,
      tables: this.#options.tables,
      number: ++this.#number,
      // Rules run in workers; what checks make of variables is their own.
      share: () => {},
      rings: this.#rings,
      report: (text) => this.#options.report(text),
    });
    if (!built.ok) return built.error;
    this.#candidate = built.value;
    this.#coming = prepared;
    const { frontends, backends } = built.value.runtime;
    for (const { slot } of [...frontends, ...backends]) state.keepLatencies(slot);
    return [];
  }

  /**
   * Opens the sockets of the runtime API, and those that log lines come in by, that a configuration adds.
   * What could not be opened.
   */
  async openSockets(prepared: PreparedConfiguration): Promise<readonly WorkerProblem[]> {
    const { global } = prepared.configuration;
    const inputs = await this.#forwarders.open(prepared);
    const problems = await this.#sockets.open(this.#socketsOf(global), global.statsTimeoutMs);
    return [
      ...problems.map(({ socket: { span }, message }) => ({ file: span.file, line: span.line, message })),
      ...inputs,
    ];
  }

  /** Closes those that a configuration does not have. */
  keepSockets({ global }: ProxyConfiguration): void {
    this.#sockets.keep(this.#socketsOf(global), global.statsTimeoutMs);
    // What was opened for a configuration that came to nothing.
    if (this.#serving !== null && this.#coming !== null) this.#forwarders.follow(this.#serving);
    this.#coming = null;
  }

  /** Those of the configuration, the master's own, and the master CLI. */
  #socketsOf(global: GlobalSettings): readonly AdminSocketDefinition[] {
    const path = join(this.#options.directory, "admin");
    const address = { kind: "unix", path, mode: 0o600, uid: null, gid: null } as const;
    const { masterSocket } = this.#options;
    const masters = masterSocket === null ? [] : [{ ...masterSocket, isMaster: true } as const];
    return [{ address, level: "admin", span: NO_SPAN }, ...masters, ...global.statsSockets];
  }

  /** All workers are ready to serve what was prepared: servers get their states, checks go over to it. */
  commit(): void {
    this.#current = this.#candidate!;
    this.#candidate = null;
    this.#serving = this.#coming!;
    // The first request that a worker serves may already log to either.
    this.#rings.follow(this.#serving);
    this.#forwarders.follow(this.#serving);
    this.#restartChecks();
    this.#firstCommit.resolve();
    const { runtime, environment } = this.generation;
    this.#peers.follow(runtime.configuration.peers, environment.stickTables ?? new Map());
    for (const { backend, server } of namedServersOf(this.generation.runtime.configuration)) {
      const found = this.#find(backend, server.name);
      if (found !== null) this.#noteResolved(found);
    }
    this.#resolved.follow(runtime);
  }

  /** Where the servers are that nameservers are asked for, as far as a configuration has the same ones. */
  endpointsFor(configuration: ProxyConfiguration): KnownEndpoints {
    return this.#resolved.endpointsFor(configuration);
  }

  /** A server is somewhere else from now on: for the checks and for all workers. */
  setServerAddress(server: Server, host: string, port: number | null): void {
    this.#moveServer(server, host, port);
    this.#restartChecks();
    this.#noteResolved(server);
  }

  #moveServer(server: Server, host: string, port: number | null): void {
    server.host = host;
    if (port !== null) server.port = port;
    this.#options.crew.setServerAddress(server.backend.name, server.name, host, port);
  }

  /** The name of a server has another address, or has one again. */
  setNamedAddress(backend: string, server: string, host: string): void {
    const found = this.#find(backend, server);
    if (found !== null) this.setServerAddress(found, host, null);
  }

  /** What a worker's rules have changed is everybody's, in the order in which it arrives here. */
  takeShared(load: number, changes: readonly SharedChange[]): void {
    if (this.#current?.load !== load) return;
    this.#current.apply(changes);
    this.#options.crew.broadcast({ kind: "share", load, changes, requestId: null });
  }

  /** What the runtime API changes; all workers have it when it resolves, and all they have told is here. */
  async share(changes: readonly SharedChange[]): Promise<void> {
    const { generation } = this;
    generation.apply(changes);
    await this.#options.crew.share(generation.load, changes);
  }

  /** A rule of a worker wants to know where a host is. */
  resolve(
    { resolvers, host, family }: Extract<FromWorker, { kind: "resolve" }>,
    done: (address: string | null) => void,
  ): void {
    this.#resolved.resolver.resolveOnce(resolvers, host, family, done);
  }

  takeRingEvents(message: Extract<FromWorker, { kind: "ring-events" }>): void {
    this.#rings.takeEvents(message);
  }

  /** What it tracked is tracked no more. */
  forgetWorker(workerIndex: number): void {
    for (const table of this.#options.tables.all) table.forgetProcess(workerIndex);
    for (const cache of this.#options.tables.caches.all) cache.forgetProcess(workerIndex);
  }

  liveStateOf(load: number): LiveState {
    if (this.#current?.load !== load) return NOTHING_CHANGED;
    return { patterns: this.#current.patterns.changed, variables: this.#current.life.variables };
  }

  observe(backend: string, server: string, observation: Observation): void {
    const found = this.#find(backend, server);
    if (found !== null) this.#checks?.observe(found, observation);
  }

  /**
   * A command of the runtime API, such as the statistics page's form sends; the answer as the API gives it.
   */
  async runCommand(command: string): Promise<string> {
    return this.#api.run(command);
  }

  /** Requests that are finished meanwhile are logged: rings are closed later. */
  stop(): void {
    this.#checks?.stop();
    this.#forwarders.close();
    this.#programs.close();
    this.#mails.close();
    this.#resolved.stop();
    this.#peers.close();
    void this.#sockets.close();
  }

  closeRings(): void {
    this.#rings.close();
  }

  #find(backend: string, server: string): Server | null {
    return this.#current?.runtime.backendsByName.get(backend)?.serversByName.get(server) ?? null;
  }

  #noteResolved(server: Server): void {
    const nowSeconds = Math.floor(this.#options.engine.wallClockMs / 1000);
    this.checks.stateOf(server)?.setResolved(server.host !== "", nowSeconds);
  }

  /** Checks by the present generation and its addresses, which take over from those of before. */
  #restartChecks(): void {
    const { runtime } = this.generation;
    this.#programs.follow(runtime.configuration.global);
    const checks = new HealthChecks(this.#options.engine, runtime.backends, {
      spreadChecksPercent: runtime.configuration.global.spreadChecksPercent,
      spreadMsMax: runtime.configuration.global.checkSpreadMsMax,
      nodeName: runtime.configuration.global.node ?? hostname(),
      patterns: this.generation.patterns,
      programs: this.#programs,
      emit: (event) => this.#handleEvent(event),
    });
    checks.start(this.#checks);
    this.#checks = checks;
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
        const { name, emailAlerts } = event.backend.definition;
        if (emailAlerts !== null && event.mailLevel !== null)
          this.#mails.tell(name, emailAlerts, event.mailLevel, event.text);
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
      case "check-timeout":
        this.#resolved.hurry(event.server);
        return;
      case "changed":
        // The workers see the epoch.
        return;
    }
  }
}
