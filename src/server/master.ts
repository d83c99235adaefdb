// The master: reads the configuration, keeps the workers, checks the servers' health, answers the runtime API and the
// signals. It moves no traffic, and whatever a configuration has wrong leaves what runs as it is.
import { existsSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Diagnostic } from "../diagnostic/diagnostic.ts";
import { createPortableEngine } from "../io/portable/portable-engine.ts";
import { openSharedMemory, type SharedMemory } from "../io/shared-memory.ts";
import type { ProxyConfiguration } from "../model/proxy.ts";
import { assignSlots, type SlotTable } from "../proxy/slots.ts";
import { HEADER, SharedState, SLOT_COUNT_MAX_DEFAULT, sharedStateBytes } from "../proxy/state.ts";
import type { Engine } from "../transport/contract.ts";
import { Control } from "./control.ts";
import { Crew } from "./crew.ts";
import type { PreparedConfiguration, WorkerProblem } from "./messages.ts";
import {
  type LoadedConfiguration,
  loadConfiguration,
  makeTicketKeys,
  resolveServers,
  type SourceText,
} from "./prepare.ts";
import type { WorkerStart } from "./worker-process.ts";

/** How long after a hard stop a worker may take to exit before it is killed. */
const KILL_AFTER_MS = 1500;
const WORKER_COUNT_MAX = 64;
/** Memory that is no file on a disk, so that counters are never written to one. */
const SHARED_MEMORY = "/dev/shm";

export interface MasterOptions {
  readonly files: readonly string[];
  readonly engine: WorkerStart["engine"];
  /** Overrides `nbthread`. */
  readonly workerCount: number | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Overrides `pidfile`. */
  readonly pidFile: string | null;
  readonly passwordFor?: (path: string) => string | null;
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
  readonly #directory: string;
  readonly #ticketKeys = makeTicketKeys();
  #resolveStopped!: (code: number) => void;
  #memory: SharedMemory | null = null;
  #state: SharedState | null = null;
  #crew: Crew | null = null;
  #control: Control | null = null;
  #slots: SlotTable = {};
  #configuration: ProxyConfiguration | null = null;
  #isReloading = false;
  #isStopping = false;
  #pidFile: string | null = null;

  constructor(options: MasterOptions) {
    this.#options = options;
    this.#directory = mkdtempSync(join(existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir(), "sallyport-"));
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

  get engineName(): string {
    return this.#crew?.workers[0]?.engine ?? "";
  }

  /** True once all workers serve. False: the reasons have been reported and nothing runs. */
  async start(): Promise<boolean> {
    const result = await this.#load();
    this.#options.reportDiagnostics(result.diagnostics, result.sources);
    if (result.loaded === null) return this.#abandon();
    const workerCount = this.#workerCount(result.loaded.configuration);
    if (!this.#openState(workerCount)) return this.#abandon();
    await this.#openCrew(result.loaded.configuration, workerCount);
    const problems = await this.#apply(result.loaded);
    if (problems.length > 0) {
      for (const problem of problems) this.#options.report(describe(problem));
      this.#crew!.killAll();
      await this.stopped;
      return false;
    }
    this.#writePidFile();
    return true;
  }

  /** Reads the files again. The new configuration serves on all workers, or the old one goes on. */
  async reload(): Promise<ReloadResult> {
    if (this.#isReloading || this.#isStopping || this.#crew === null) {
      const message = this.#isReloading ? "a reload is already under way" : "the program is stopping";
      return { ok: false, diagnostics: [], sources: [], problems: [{ file: "", line: 0, message }] };
    }
    this.#isReloading = true;
    try {
      const { loaded, diagnostics, sources } = await this.#load();
      if (loaded === null) return { ok: false, diagnostics, sources, problems: [] };
      const problems = await this.#apply(loaded);
      return { ok: problems.length === 0, diagnostics, sources, problems };
    } finally {
      this.#isReloading = false;
    }
  }

  /** No new connections; what is going on is finished, within `hard-stop-after` if that is set. */
  stopSoftly(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    if (this.#state !== null) Atomics.store(this.#state.header, HEADER.isStopping, 1);
    this.#control?.stop();
    this.#crew?.stopSoftly(this.#configuration?.global.hardStopAfterMs ?? null);
  }

  stopNow(): void {
    this.#isStopping = true;
    this.#control?.stop();
    this.#crew?.stopNow();
    // A worker that hangs must not hold up the end.
    setTimeout(() => this.#crew?.killAll(), KILL_AFTER_MS).unref();
  }

  async #load(): Promise<ReturnType<typeof loadConfiguration>> {
    const { files, environment, passwordFor } = this.#options;
    return loadConfiguration(files, { environment, ...(passwordFor === undefined ? {} : { passwordFor }) });
  }

  async #apply(loaded: LoadedConfiguration): Promise<readonly WorkerProblem[]> {
    const slots = assignSlots(loaded.configuration, this.#slots, SLOT_COUNT_MAX_DEFAULT);
    if (slots === null) {
      const message = `more than ${SLOT_COUNT_MAX_DEFAULT} frontends, listeners, backends and servers`;
      return [{ file: "", line: 0, message }];
    }
    const { addresses, diagnostics } = await resolveServers(loaded.configuration);
    this.#options.reportDiagnostics(diagnostics, []);
    const prepared: PreparedConfiguration = { ...loaded, slots, addresses, ticketKeys: this.#ticketKeys };
    this.#slots = slots;
    const ownProblems = this.#control!.prepare(prepared);
    if (ownProblems.length > 0) return ownProblems;
    // New servers need a state before the first worker looks at them.
    const problems = await this.#crew!.apply(prepared, () => this.#control!.commit());
    if (problems.length > 0) return problems;
    this.#configuration = loaded.configuration;
    await this.#control!.openSockets();
    return [];
  }

  #workerCount(configuration: ProxyConfiguration): number {
    const wanted = this.#options.workerCount ?? configuration.global.workers ?? availableParallelism();
    return Math.min(Math.max(1, wanted), WORKER_COUNT_MAX);
  }

  #openState(workerCount: number): boolean {
    const path = join(this.#directory, "state");
    const bytes = sharedStateBytes(SLOT_COUNT_MAX_DEFAULT, workerCount + 1);
    const memory = openSharedMemory(path, bytes, true);
    if (!memory.ok) {
      this.#options.report(memory.error.message);
      return false;
    }
    this.#memory = memory.value;
    this.#state = new SharedState(memory.value.buffer, SLOT_COUNT_MAX_DEFAULT, workerCount + 1, 0, true);
    this.#state.header[HEADER.startSeconds] = Math.floor(Date.now() / 1000);
    return true;
  }

  async #openCrew(configuration: ProxyConfiguration, workerCount: number): Promise<void> {
    const state = this.#state!;
    const crew = new Crew(
      {
        start: {
          workerCount,
          sharedPath: join(this.#directory, "state"),
          slotCountMax: SLOT_COUNT_MAX_DEFAULT,
          workerCountMax: workerCount + 1,
          engine: this.#options.engine,
        },
        controlPath: join(this.#directory, "control"),
        inheritedFds: inheritedFds(configuration),
        state,
      },
      {
        report: (text) => this.#options.report(text),
        handleObservation: (message) =>
          this.#control?.observe(message.backend, message.server, message.observation),
        handleAdminCommand: (command) => void this.#control?.runCommand(command),
        handleAllStopped: () => this.#finish(0),
      },
    );
    await crew.open();
    this.#crew = crew;
    this.#control = new Control({
      engine: this.#engine,
      state,
      crew,
      workerCount,
      master: this,
      report: (text) => this.#options.report(text),
    });
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
    this.#control?.stop();
    this.#memory?.close();
    rmSync(this.#directory, { recursive: true, force: true });
    try {
      if (this.#pidFile !== null) unlinkSync(this.#pidFile);
    } catch {
      // Somebody else has removed it, or we no longer may.
    }
    this.#resolveStopped(code);
  }
}

function inheritedFds(configuration: ProxyConfiguration): number[] {
  const binds = configuration.proxies.flatMap((proxy) => proxy.frontend?.binds ?? []);
  return binds.flatMap(({ address }) => (address.kind === "fd" ? [address.fd] : []));
}

function describe({ file, line, message }: WorkerProblem): string {
  return line === 0 ? message : `${file}:${line}: ${message}`;
}
