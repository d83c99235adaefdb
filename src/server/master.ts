// The master: reads the configuration, keeps the workers, checks the servers' health, answers the runtime
// API and the signals. It moves no traffic, and whatever a configuration has wrong leaves what runs as it
// is.
import { rmSync, unlinkSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Diagnostic } from "../diagnostic/diagnostic.ts";
import { sessionStoreBytes } from "../io/openssl/session-store.ts";
import { createPortableEngine } from "../io/portable/portable-engine.ts";
import { SharedFile } from "../io/shared-file.ts";
import { openSharedMemory, type SharedMemory } from "../io/shared-memory.ts";
import type { StatsSocket } from "../model/global-settings.ts";
import type { ProxyConfiguration } from "../model/proxy.ts";
import { assignSlots, type SlotTable } from "../proxy/slots.ts";
import { HEADER, SharedState, SLOT_COUNT_MAX_DEFAULT, sharedStateBytes } from "../proxy/state.ts";
import type { Engine, TlsSessionStore } from "../transport/contract.ts";
import type { ProcessList } from "./admin/master-commands.ts";
import type { MaterialChange } from "./admin/material.ts";
import { CachePlaces } from "./cache-places.ts";
import { Control } from "./control.ts";
import { Crew } from "./crew.ts";
import type { Dashboard } from "./dashboard/dashboard.ts";
import type { DashboardSettings } from "./dashboard/settings.ts";
import { NOTHING_CHANGED, type PreparedConfiguration, type WorkerProblem } from "./messages.ts";
import { makeOwnDirectory, removeAbandonedDirectories } from "./own-directory.ts";
import {
  type LoadedConfiguration,
  loadConfiguration,
  loadMaterial,
  makeTicketKeys,
  type SourceText,
} from "./prepare.ts";
import { wantsPrivilegesDropped } from "./privileges.ts";
import { Programs } from "./programs.ts";
import { keepPreparation, type ServerChange } from "./server-change.ts";
import { ServerNames } from "./server-names.ts";
import { SharedRoom } from "./shared-room.ts";
import { TableMaps, TablePlaces } from "./table-places.ts";
import type { WorkerStart } from "./worker-process.ts";

/** How long after a hard stop a worker may take to exit before it is killed. */
const KILL_AFTER_MS = 1500;
const WORKER_COUNT_MAX = 64;
/** How often processes that cannot map the shared state exchange their copies. */
const SYNC_MS = 100;

export interface MasterOptions {
  readonly files: readonly string[];
  readonly engine: WorkerStart["engine"];
  /** Overrides `nbthread`. */
  readonly workerCount: number | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Overrides `pidfile`. */
  readonly pidFile: string | null;
  readonly passwordFor?: (path: string) => string | null;
  /** The master CLI's (`-S`). */
  readonly masterSocket?: StatsSocket | null;
  /** Whether `program` sections are started; HAProxy does so with `-W` only. Left out: they are. */
  readonly runsPrograms?: boolean;
  /** Left out: none is served. */
  readonly dashboard?: DashboardSettings | null;
  /** One line for the operator, without newline. */
  report(line: string): void;
  reportDiagnostics(diagnostics: readonly Diagnostic[], sources: readonly SourceText[]): void;
}

export interface ReloadResult {
  readonly ok: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly SourceText[];
  readonly problems: readonly WorkerProblem[];
}

export class Master {
  /** Resolves with the exit code when everything has ended. */
  readonly stopped: Promise<number>;
  readonly #options: MasterOptions;
  readonly #engine: Engine = createPortableEngine();
  readonly #ticketKeys = makeTicketKeys();
  readonly #names = new ServerNames(({ backend, server, host }) =>
    this.#control?.setNamedAddress(backend, server, host),
  );
  #resolveStopped!: (code: number) => void;
  #directory = "";
  #memory: SharedMemory | null = null;
  #syncTimer: ReturnType<typeof setInterval> | null = null;
  #state: SharedState | null = null;
  #sessionStore: Omit<TlsSessionStore, "lifetimeSeconds"> | null = null;
  #crew: Crew | null = null;
  #control: Control | null = null;
  #slots: SlotTable = {};
  #tableFile: SharedFile | null = null;
  #tablePlaces: TablePlaces | null = null;
  #cachePlaces: CachePlaces | null = null;
  #configuration: ProxyConfiguration | null = null;
  #sources: readonly SourceText[] = [];
  #dashboard: Dashboard | null = null;
  #reload: Promise<ReloadResult> | null = null;
  #nextReload: Promise<ReloadResult> | null = null;
  #turn: Promise<void> = Promise.resolve();
  readonly #startedAtMs = Date.now();
  #reloadCount = 0;
  #loadCount = 0;
  #failedReloadCount = 0;
  readonly #programs: Programs;
  /** What the end of a program has made of it; null: nothing has. */
  #failureCode: number | null = null;
  #isStopping = false;
  #pidFile: string | null = null;

  constructor(options: MasterOptions) {
    this.#options = options;
    this.#programs = new Programs({
      report: (text) => options.report(text),
      handleFailure: (code) => this.#endAfterProgram(code),
    });
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
  }

  /** Where sockets and shared memory of this master are; only its user may look inside. */
  get directory(): string {
    return this.#directory;
  }

  get workerPids(): readonly number[] {
    return this.#crew?.workers.map((worker) => worker.pid) ?? [];
  }

  /** Where the dashboard is, as browsers see it; null without one. */
  get dashboardOrigin(): string | null {
    return this.#dashboard?.origin ?? null;
  }

  get engineName(): string {
    return this.#crew?.workers[0]?.engine ?? "";
  }

  /** True once all workers serve. False: the reasons have been reported and nothing runs. */
  start(): Promise<boolean> {
    // Who finds the socket and asks for a reload meanwhile waits for his turn.
    return this.#inTurn(() => this.#startOnce());
  }

  async #startOnce(): Promise<boolean> {
    const result = this.#load();
    this.#options.reportDiagnostics(result.diagnostics, result.sources);
    if (result.loaded === null) return this.#abandon();
    const { configuration } = result.loaded;
    const workerCount = this.#openState(configuration);
    if (workerCount === 0) return this.#abandon();
    this.#notePrivileges(configuration);
    await this.#openCrew(configuration, workerCount);
    const problems = [
      ...(await this.#apply(result.loaded, result.sources)),
      ...((await this.#openDashboard()) ?? []),
    ];
    if (problems.length > 0) {
      for (const problem of problems) this.#options.report(describe(problem));
      this.#crew!.killAll();
      await this.stopped;
      return false;
    }
    this.#writePidFile();
    this.#programs.start(this.#programsOf(configuration), 0);
    return true;
  }

  /**
   * Reads the files again. The new configuration serves on all workers, or the old one goes on. Asked for
   * during a reload, another one follows it, for the files may have changed since they were read.
   */
  reload(): Promise<ReloadResult> {
    if (this.#reload === null) {
      this.#reload = this.#inTurn(() => this.#reloadOnce()).finally(() => {
        this.#reload = null;
      });
      return this.#reload;
    }
    this.#nextReload ??= this.#reload.then(() => {
      this.#nextReload = null;
      return this.reload();
    });
    return this.#nextReload;
  }

  async #reloadOnce(): Promise<ReloadResult> {
    if (this.#isStopping || this.#crew === null) {
      const message = "the program is stopping";
      return { ok: false, diagnostics: [], sources: [], problems: [{ file: "", line: 0, message }] };
    }
    const { loaded, diagnostics, sources } = this.#load();
    const problems = loaded === null ? [] : await this.#apply(loaded, sources);
    if (loaded === null || problems.length > 0) {
      this.#failedReloadCount++;
      return { ok: false, diagnostics, sources, problems };
    }
    this.#reloadCount++;
    this.#control!.forgetTransactions();
    this.#programs.reload(this.#programsOf(loaded.configuration), this.#reloadCount);
    // Nothing that is served depends on it, so what is wrong with it is said and no reason to go back.
    const message = this.#dashboard?.renewCertificate() ?? null;
    return {
      ok: true,
      diagnostics,
      sources,
      problems: message === null ? [] : [{ file: "", line: 0, message }],
    };
  }

  /** No new connections; what is going on is finished, within `hard-stop-after` if that is set. */
  stopSoftly(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    if (this.#state !== null) Atomics.store(this.#state.header, HEADER.isStopping, 1);
    this.#control?.stop();
    this.#programs.stop("SIGUSR1");
    void this.#dashboard?.close();
    const hardStopMs = this.#configuration?.global.hardStopAfterMs ?? null;
    this.#crew?.stopSoftly(hardStopMs);
    if (hardStopMs !== null) this.#killAfter(hardStopMs + KILL_AFTER_MS);
  }

  stopNow(): void {
    this.#isStopping = true;
    this.#control?.stop();
    this.#programs.stop("SIGTERM");
    void this.#dashboard?.close();
    this.#crew?.stopNow();
    this.#killAfter(KILL_AFTER_MS);
  }

  #programsOf({ programs }: ProxyConfiguration): ProxyConfiguration["programs"] {
    return this.#options.runsPrograms === false ? [] : programs;
  }

  /** As HAProxy does: who has asked for a program beside it would rather have nothing than half of it. */
  #endAfterProgram(code: number): void {
    if (this.#isStopping || this.#configuration?.global.exitsOnFailure === false) return;
    this.#options.report("exit-on-failure: everything is stopped");
    this.#failureCode = code;
    this.stopNow();
  }

  #listProcesses(): ProcessList {
    return {
      reloadCount: this.#reloadCount,
      failedReloadCount: this.#failedReloadCount,
      startedAtMs: this.#startedAtMs,
      workers: this.#crew?.workers ?? [],
      programs: this.#programs.running,
    };
  }

  /** A worker that hangs must not hold up the end. */
  #killAfter(delayMs: number): void {
    setTimeout(() => this.#crew?.killAll(), delayMs).unref();
  }

  #load(): ReturnType<typeof loadConfiguration> {
    const { files, environment, passwordFor } = this.#options;
    return loadConfiguration(files, { environment, ...(passwordFor === undefined ? {} : { passwordFor }) });
  }

  async #apply(
    loaded: LoadedConfiguration,
    sources: readonly SourceText[],
  ): Promise<readonly WorkerProblem[]> {
    const { configuration } = loaded;
    // A stats socket is enough to begin with: such files only check servers. But a file of which half is
    // written must not end what is served.
    const isServing = this.#configuration !== null && hasBind(this.#configuration);
    if (!hasBind(configuration) && (isServing || configuration.global.statsSockets.length === 0))
      return [{ file: "", line: 0, message: "no enabled listener: there is no `bind` line to serve" }];
    const known = this.#control!.endpointsFor(configuration);
    const { addresses, diagnostics } = await this.#names.resolve(configuration, known.addresses);
    this.#options.reportDiagnostics(diagnostics, []);
    const load = ++this.#loadCount;
    const problems = await this.#serve({ ...loaded, addresses, ports: known.ports, load }, this.#slots);
    if (problems.length > 0) return problems;
    this.#sources = sources;
    this.#dashboard?.handleReload(sources);
    return [];
  }

  /** Takes a configuration to all processes; what stands in the way of it, and then nothing has changed. */
  async #serve(
    changed: Omit<
      PreparedConfiguration,
      "slots" | "tables" | "caches" | "ticketKeys" | "sessionStore" | "wantsRequests" | "live"
    >,
    before: SlotTable,
  ): Promise<readonly WorkerProblem[]> {
    const { configuration, addresses } = changed;
    const slots = assignSlots(configuration, before, SLOT_COUNT_MAX_DEFAULT);
    if (slots === null) {
      const message = `more than ${SLOT_COUNT_MAX_DEFAULT} frontends, listeners, backends and servers`;
      return [{ file: "", line: 0, message }];
    }
    const tables = this.#tablePlaces!.placesOf(configuration.stickTables);
    if (typeof tables === "string") return [{ file: "", line: 0, message: tables }];
    const caches = this.#cachePlaces!.placesOf(configuration.caches);
    if (typeof caches === "string") return [{ file: "", line: 0, message: caches }];
    const prepared: PreparedConfiguration = {
      ...changed,
      slots,
      tables,
      caches,
      ticketKeys: this.#ticketKeys,
      sessionStore: this.#sessionStoreFor(configuration),
      live: NOTHING_CHANGED,
      wantsRequests: this.#options.dashboard != null,
    };
    const ownProblems = this.#control!.prepare(prepared);
    if (ownProblems.length > 0) return ownProblems;
    const socketProblems = await this.#control!.openSockets(prepared);
    // New servers need a state before the first worker looks at them.
    const problems =
      socketProblems.length > 0
        ? socketProblems
        : await this.#crew!.apply(prepared, () => this.#control!.commit());
    if (problems.length > 0) {
      if (this.#configuration !== null) this.#control!.keepSockets(this.#configuration);
      return problems;
    }
    this.#slots = slots;
    this.#configuration = configuration;
    this.#control!.keepSockets(configuration);
    this.#names.follow(configuration, addresses);
    return [];
  }

  /**
   * What serves goes on with other servers: a generation like any other, but with the files, addresses and
   * certificates of the present one.
   */
  async #changeServers(change: ServerChange): Promise<string | null> {
    const present = this.#crew?.prepared ?? null;
    if (present === null || this.#isStopping) return "the program is stopping";
    const configuration = change(present);
    if (typeof configuration === "string") return configuration;
    const diagnostics: Diagnostic[] = [];
    const material = loadMaterial(configuration, present, this.#options, diagnostics);
    const wrong = diagnostics.find(({ severity }) => severity === "error");
    if (wrong !== undefined) return wrong.message;
    const kept = keepPreparation(present, configuration);
    const { addresses } = await this.#names.resolve(configuration, kept.addresses);
    const problems = await this.#serve(
      { configuration, ...material, addresses, ports: kept.ports, load: present.load },
      kept.slots,
    );
    if (problems.length > 0) return problems[0]!.message;
    for (const slot of kept.freedSlots) this.#state?.clearSlot(slot);
    return null;
  }

  /** What serves goes on with other certificates, authorities or lists of certificates. */
  async #changeMaterial(change: MaterialChange): Promise<string | null> {
    const present = this.#crew?.prepared ?? null;
    if (present === null || this.#isStopping) return "the program is stopping";
    const material = change(present);
    if (typeof material === "string") return material;
    const problems = await this.#serve({ ...present, ...material }, this.#slots);
    return problems[0]?.message ?? null;
  }

  /**
   * Reloads, changes of servers and of certificates one after the other, each by what the last one has left.
   */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(task);
    this.#turn = turn.then(
      () => {},
      () => {},
    );
    return turn;
  }

  /** Returns how many workers there are to be; 0 when there is no state for them, which has been reported. */
  #openState(configuration: ProxyConfiguration): number {
    const wanted = this.#options.workerCount ?? configuration.global.workers ?? availableParallelism();
    let workerCount = Math.min(Math.max(1, wanted), WORKER_COUNT_MAX);
    const directory = makeOwnDirectory();
    if (!directory.ok) {
      this.#options.report(directory.error);
      return 0;
    }
    this.#directory = directory.value;
    void removeAbandonedDirectories(directory.value);
    const bytes = sharedStateBytes(SLOT_COUNT_MAX_DEFAULT, workerCount + 1);
    const memory = openSharedMemory(join(this.#directory, "state"), bytes, true);
    if (!memory.ok) {
      this.#options.report(memory.error.message);
      return 0;
    }
    this.#memory = memory.value;
    if (!memory.value.isMapped) {
      // Copies have no atomic counters, so there can be only one who counts.
      if (workerCount > 1) this.#options.report("memory cannot be shared here, so there is one worker");
      workerCount = 1;
      this.#syncTimer = setInterval(() => memory.value.sync(), SYNC_MS);
    }
    this.#state = new SharedState(memory.value.buffer, SLOT_COUNT_MAX_DEFAULT, workerCount + 1, 0, true);
    this.#state.header[HEADER.startSeconds] = Math.floor(Date.now() / 1000);
    memory.value.sync();
    const tables = SharedFile.open(join(this.#directory, "tables"), true);
    if (!tables.ok) {
      this.#options.report(tables.error.message);
      return 0;
    }
    this.#tableFile = tables.value;
    const report = (text: string) => this.#options.report(text);
    const room = new SharedRoom(tables.value);
    this.#tablePlaces = new TablePlaces(room, workerCount + 1, report);
    this.#cachePlaces = new CachePlaces(room, report);
    return workerCount;
  }

  /** Made when it is wanted for the first time, as large as it is wanted then. */
  #sessionStoreFor({ global: { tls }, proxies }: ProxyConfiguration): TlsSessionStore | null {
    const binds = proxies.flatMap(({ frontend }) => frontend?.binds ?? []);
    const isWanted = binds.some((bind) => bind.tls?.tickets === false) && tls.sessionCountMax > 0;
    if (!isWanted || this.#memory?.isMapped !== true) return null;
    if (this.#sessionStore === null) {
      const path = join(this.#directory, "sessions");
      const byteLength = sessionStoreBytes(tls.sessionCountMax);
      const memory = openSharedMemory(path, byteLength, true);
      if (!memory.ok) {
        this.#options.report(memory.error.message);
        return null;
      }
      this.#sessionStore = { path, byteLength };
    }
    return { ...this.#sessionStore, lifetimeSeconds: tls.sessionLifetimeSeconds };
  }

  #notePrivileges({ global }: ProxyConfiguration): void {
    if (process.getuid?.() !== 0 && wantsPrivilegesDropped(global))
      this.#options.report("not started as root, so user, group and chroot stay as they are");
  }

  async #openCrew(configuration: ProxyConfiguration, workerCount: number): Promise<void> {
    const state = this.#state!;
    const crew = new Crew(
      {
        start: {
          workerCount,
          masterPid: process.pid,
          sharedPath: join(this.#directory, "state"),
          tablesPath: join(this.#directory, "tables"),
          slotCountMax: SLOT_COUNT_MAX_DEFAULT,
          workerCountMax: workerCount + 1,
          engine: this.#options.engine,
        },
        controlPath: join(this.#directory, "control"),
        inheritedFds: inheritedFds(configuration),
        state,
        countReloads: () => this.#reloadCount,
        shareState: () => this.#memory?.sync(),
        liveStateOf: (load) => this.#control?.liveStateOf(load) ?? NOTHING_CHANGED,
      },
      {
        report: (text) => this.#options.report(text),
        handleObservation: (message) =>
          this.#control?.observe(message.backend, message.server, message.observation),
        handleRequests: ({ requests, endedCount }) => this.#dashboard?.handleRequests(requests, endedCount),
        resolve: (message, done) => this.#control?.resolve(message, done),
        handleRingEvents: (message) => this.#control?.takeRingEvents(message),
        handleShared: ({ load, changes }) => this.#control?.takeShared(load, changes),
        handleAdminCommand: (command) => void this.#control?.runCommand(command),
        handleWorkerGone: (workerIndex) => this.#control?.forgetWorker(workerIndex),
        handleAllStopped: (hasFailed) => this.#finish(hasFailed ? 1 : 0),
      },
    );
    await crew.open();
    this.#crew = crew;
    this.#control = new Control({
      engine: this.#engine,
      state,
      crew,
      workerCount,
      tables: new TableMaps(this.#tableFile, 0, workerCount + 1),
      directory: this.#directory,
      masterSocket: this.#options.masterSocket ?? null,
      processes: () => this.#listProcesses(),
      changeServers: (change) => this.#inTurn(() => this.#changeServers(change)),
      changeMaterial: (change) => this.#inTurn(() => this.#changeMaterial(change)),
      reload: () => this.#reloadByCommand(),
      report: (text) => this.#options.report(text),
    });
  }

  /** Null: it is open, or not wanted, or the configuration did not get as far as that. */
  async #openDashboard(): Promise<readonly WorkerProblem[] | null> {
    const { dashboard: settings, files, environment, report } = this.#options;
    if (settings == null || this.#configuration === null) return null;
    // It brings the whole network along, which nobody has to wait for who does not want it.
    const { Dashboard } = await import("./dashboard/dashboard.ts");
    const control = this.#control!;
    const dashboard = new Dashboard(settings, {
      actions: control.actions,
      files,
      environment,
      engineName: this.engineName,
      startedMs: Date.now(),
      reload: () => this.#reloadByCommand(),
      report,
    });
    dashboard.handleReload(this.#sources);
    const problem = await dashboard.start();
    if (problem !== null) return [{ file: "", line: 0, message: problem }];
    this.#dashboard = dashboard;
    return null;
  }

  /** Whoever watches the log learns of it too. */
  async #reloadByCommand(): Promise<ReloadResult> {
    const result = await this.reload();
    for (const problem of result.problems) this.#options.report(describe(problem));
    this.#options.report(result.ok ? "reloaded" : "not reloaded: the old configuration goes on");
    return result;
  }

  #writePidFile(): void {
    const path = this.#options.pidFile ?? this.#configuration?.global.pidfile ?? null;
    if (path === null) return;
    try {
      writeFileSync(path, `${process.pid}\n`);
      this.#pidFile = path;
    } catch (error) {
      this.#options.report(`cannot write the pid file: ${(error as Error).message}`);
    }
  }

  #abandon(): boolean {
    this.#finish(1);
    return false;
  }

  #finish(code: number): void {
    this.#names.stop();
    this.#control?.stop();
    this.#control?.closeRings();
    this.#programs.stop("SIGTERM");
    void this.#dashboard?.close();
    if (this.#syncTimer !== null) clearInterval(this.#syncTimer);
    this.#memory?.close();
    if (this.#directory !== "") rmSync(this.#directory, { recursive: true, force: true });
    try {
      if (this.#pidFile !== null) unlinkSync(this.#pidFile);
    } catch {
      // Somebody else has removed it, or we no longer may.
    }
    this.#resolveStopped(this.#failureCode ?? code);
  }
}

function hasBind({ proxies, logForwarders }: ProxyConfiguration): boolean {
  const isServing = proxies.some(
    ({ isDisabled, frontend }) => !isDisabled && (frontend?.binds.length ?? 0) > 0,
  );
  return isServing || logForwarders.length > 0;
}

function inheritedFds(configuration: ProxyConfiguration): number[] {
  const binds = configuration.proxies.flatMap((proxy) => proxy.frontend?.binds ?? []);
  return binds.flatMap(({ address }) => (address.kind === "fd" ? [address.fd] : []));
}

function describe({ file, line, message }: WorkerProblem): string {
  return line === 0 ? message : `${file}:${line}: ${message}`;
}
