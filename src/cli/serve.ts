// Serves a configuration in this process until it is told to stop: the master, its signals, its entry in
// the registry, and what systemd wants to know. `run` and HAProxy's flags both end here.
import { resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { LINEAR_WHEN_SLOW } from "../base/regex.ts";
import { notifyService } from "../io/service-notifier.ts";
import { Master, type MasterOptions, type ReloadResult } from "../server/master.ts";
import { enterRegistry, leaveRegistry } from "../server/registry.ts";
import { diagnosticsText } from "./print-diagnostics.ts";
import { colour, type Terminal } from "./terminal.ts";

export interface ServeOptions {
  readonly files: readonly string[];
  readonly engine: MasterOptions["engine"];
  readonly workerCount: number | null;
  readonly pidFile: string | null;
  readonly masterSocket?: MasterOptions["masterSocket"];
  readonly runsPrograms?: boolean;
  /** Null: none. */
  readonly dashboard: MasterOptions["dashboard"];
  /** Whether warnings and notes are left out; errors never are. */
  readonly isQuiet: boolean;
  /** In the background: it outlives the one who started it. */
  readonly isDaemon: boolean;
  /** What a Ctrl-C ends with, if all else went well; 0 unless given. */
  readonly interruptCode?: number;
  /** Once all workers serve. */
  handleServing?(): void;
}

/** Ends when everything has ended. Returns the exit code: 1 when it could not start. */
export async function serve(options: ServeOptions, terminal: Terminal): Promise<number> {
  const master = newMaster(options, terminal);
  const service = new Service(master, options, terminal);
  service.listenToSignals();
  if (!(await master.start())) return 1;
  service.begin();
  const code = await master.stopped;
  service.end();
  return code === 0 && service.wasInterrupted ? (options.interruptCode ?? 0) : code;
}

function newMaster(options: ServeOptions, terminal: Terminal): Master {
  return new Master({
    files: options.files,
    engine: options.engine,
    workerCount: options.workerCount,
    pidFile: options.pidFile,
    masterSocket: options.masterSocket ?? null,
    runsPrograms: options.runsPrograms ?? true,
    dashboard: options.dashboard ?? null,
    environment: process.env,
    report: (line) => terminal.error(`sallyport: ${line}\n`),
    reportDiagnostics: (diagnostics, sources) => {
      const shown = options.isQuiet
        ? diagnostics.filter(({ severity }) => severity === "error")
        : diagnostics;
      terminal.error(diagnosticsText(shown, sources, terminal.isErrorColour));
    },
  });
}

class Service {
  readonly #master: Master;
  readonly #options: ServeOptions;
  readonly #terminal: Terminal;
  #isServing = false;
  #wantsStop = false;
  #isEntered = false;
  #interruptCount = 0;

  constructor(master: Master, options: ServeOptions, terminal: Terminal) {
    this.#master = master;
    this.#options = options;
    this.#terminal = terminal;
    // Checks hold expressions against what servers say. Workers have it from their start.
    setFlagsFromString(LINEAR_WHEN_SLOW);
  }

  get wasInterrupted(): boolean {
    return this.#interruptCount > 0;
  }

  listenToSignals(): void {
    process.on("SIGHUP", () => void this.#reload());
    process.on("SIGUSR2", () => void this.#reload());
    process.on("SIGUSR1", () => this.#stopSoftly());
    process.on("SIGTERM", () => this.#stopNow());
    process.on("SIGINT", () => (++this.#interruptCount === 1 ? this.#stopSoftly() : this.#stopNow()));
    // HAProxy pauses at TTOU so that a successor gets its ports. Here ports are shared, and a pause would
    // be an outage.
    process.on("SIGTTOU", () => {});
    process.on("SIGTTIN", () => {});
    // A program that started this one with a channel wants it to end with itself, however that comes.
    if (process.connected && !this.#options.isDaemon) process.once("disconnect", () => this.#stopNow());
  }

  begin(): void {
    this.#isServing = true;
    const { workerPids, engineName, directory } = this.#master;
    if (!this.#options.isQuiet) {
      const workers = workerPids.length === 1 ? "1 worker" : `${workerPids.length} workers`;
      this.#say(
        `${colour(this.#terminal.isErrorColour, "good", "serving")} with ${workers} on the ${engineName} engine`,
      );
      if (this.#master.dashboardOrigin !== null) this.#say(`dashboard: ${this.#master.dashboardOrigin}/`);
    }
    try {
      const files = this.#options.files.map((file) => (file === "-" ? file : resolve(file)));
      const adminPath = `${directory}/admin`;
      enterRegistry({ pid: process.pid, files, adminPath, startedAtMs: Date.now() });
      this.#isEntered = true;
    } catch (error) {
      this.#say(`\`sallyport status\` will not find this process: ${(error as Error).message}`);
    }
    this.#notify("READY=1", `MAINPID=${process.pid}`);
    this.#options.handleServing?.();
    if (this.#wantsStop) this.#master.stopNow();
  }

  end(): void {
    this.#isServing = false;
    if (this.#isEntered) leaveRegistry(process.pid);
  }

  async #reload(): Promise<void> {
    if (!this.#isServing) return;
    const microseconds = process.hrtime.bigint() / 1000n;
    this.#notify("RELOADING=1", `MONOTONIC_USEC=${microseconds}`);
    const result = await this.#master.reload();
    for (const line of describeReload(result, this.#terminal.isErrorColour)) this.#terminal.error(line);
    this.#notify(
      "READY=1",
      `STATUS=${result.ok ? "serving" : "the last reload failed, the old configuration goes on"}`,
    );
  }

  #stopSoftly(): void {
    if (!this.#isServing) {
      this.#wantsStop = true;
      return;
    }
    this.#notify("STOPPING=1");
    if (this.#interruptCount > 0) this.#say("finishing what is going on; Ctrl-C again ends it now");
    this.#master.stopSoftly();
  }

  #stopNow(): void {
    if (!this.#isServing) {
      this.#wantsStop = true;
      return;
    }
    this.#notify("STOPPING=1");
    this.#master.stopNow();
  }

  #notify(...lines: string[]): void {
    const socketPath = process.env["NOTIFY_SOCKET"] ?? "";
    if (socketPath === "") return;
    const sent = notifyService(socketPath, lines);
    if (!sent.ok) this.#say(`systemd is not told ${lines[0]}: ${sent.error.message}`);
  }

  #say(text: string): void {
    this.#terminal.error(`sallyport: ${text}\n`);
  }
}

/** What a reload came to, for an operator; each text ends in a line feed. */
export function describeReload(result: ReloadResult, isColour: boolean): string[] {
  const problems = result.problems.map(({ file, line, message }) => {
    const place = line === 0 ? "" : `${file}:${line}: `;
    return `${place}${colour(isColour, "error", "error")}: ${message}\n`;
  });
  const verdict = result.ok
    ? `${colour(isColour, "good", "reloaded")}\n`
    : `${colour(isColour, "error", "not reloaded")}: the old configuration goes on\n`;
  return [
    diagnosticsText(result.diagnostics, result.sources, isColour),
    ...problems,
    `sallyport: ${verdict}`,
  ];
}
