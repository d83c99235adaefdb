// One run: a scenario on one memory network, from the first connection to the last timer, watched by the
// invariants.
import { createMemoryEngine, type MemoryEngine } from "../src/io/memory/memory-engine.ts";
import { MemoryNetwork } from "../src/io/memory/memory-network.ts";
import type { TlsClientContext, TlsServerContext } from "../src/transport/contract.ts";
import { type ClientWatch, HttpScriptClient } from "./client.ts";
import { LOG_ADDRESS } from "./configuration.ts";
import { Draw } from "./draw.ts";
import { checkAtEnd, checkPools, checkWhileRunning } from "./invariants.ts";
import { Ledger } from "./ledger.ts";
import type { Mutant } from "./mutants.ts";
import { applyMutant } from "./mutants.ts";
import { SimulatedProxy } from "./proxy.ts";
import type { Scenario, ServerEventKind } from "./scenario.ts";
import { Origin } from "./server.ts";
import { TcpScriptClient } from "./tcp-client.ts";

export interface RunResult {
  readonly violations: readonly string[];
  readonly traceHash: number;
  readonly requestsSent: number;
  readonly responses: number;
  readonly cuts: number;
  readonly streams: number;
  readonly virtualMs: number;
  readonly steps: number;
}

export interface RunOptions {
  readonly onTrace?: (line: string) => void;
  readonly mutant?: Mutant | null;
}

/** Longer than the sum of all timeouts that one answer can wait for. */
const PATIENCE_MS = 400_000;
/** All clients are done by then, or something hangs. */
const RUN_MS_MAX = 4 * 3_600_000;
const STEPS_MAX = 3_000_000;
const CHECK_INTERVAL_STEPS = 500;
/** After the soft stop: longer than all timeouts of a stream, and than the wheel keeps disarmed timers. */
const DRAIN_MS = 600_000;

export function runScenario(scenario: Scenario, options: RunOptions = {}): RunResult {
  const world = new World(scenario, options);
  return world.run();
}

class World {
  readonly #scenario: Scenario;
  readonly #network: MemoryNetwork;
  readonly #proxyEngine: MemoryEngine;
  readonly #clientEngine: MemoryEngine;
  readonly #slowEngine: MemoryEngine;
  readonly #originEngine: MemoryEngine;
  readonly #ledger: Ledger;
  readonly #origins: readonly Origin[];
  readonly #proxy: SimulatedProxy;
  readonly #undoMutant: () => void;
  readonly #statistics = { requestsSent: 0, responses: 0, cuts: 0, bytesReceived: 0 };
  #busyClients = 0;
  #isStopping = false;
  #steps = 0;

  constructor(scenario: Scenario, options: RunOptions) {
    this.#scenario = scenario;
    const { seed, networkFaults } = scenario;
    this.#network = new MemoryNetwork({
      seed,
      ...(options.onTrace === undefined ? {} : { onTrace: options.onTrace }),
    });
    const network = this.#network;
    this.#ledger = new Ledger(network);
    const engine = (salt: number, faults: Scenario["networkFaults"]["proxy"], host: string) =>
      createMemoryEngine({ seed: seed * 8 + salt, network, faults, host });
    this.#proxyEngine = engine(1, networkFaults.proxy, "10.0.0.1");
    this.#clientEngine = engine(2, networkFaults.clients, "10.0.2.1");
    this.#slowEngine = engine(3, networkFaults.slowClients, "10.0.2.2");
    this.#originEngine = engine(4, networkFaults.origins, "10.0.1.1");
    const watch = {
      draw: new Draw(seed + 5),
      isClean: scenario.isClean,
      tls: originTls(this.#originEngine),
      violation: (text: string) => this.#ledger.violation(text),
      requestSeen: (id: string, method: string) => this.#ledger.requestSeen(id, method),
    };
    this.#origins = Array.from(
      { length: scenario.base.temper.serverCount },
      (_, i) => new Origin(`10.0.1.${i + 1}`, this.#originEngine, watch),
    );
    network.receiveDatagrams(LOG_ADDRESS, (bytes) => this.#ledger.logLine(bytes));
    for (const origin of this.#origins) origin.up();
    this.#undoMutant = applyMutant(options.mutant ?? null, this.#proxyEngine, this.#ledger);
    this.#proxy = new SimulatedProxy(this.#proxyEngine, scenario.generations[0]!.text, this.#ledger);
  }

  run(): RunResult {
    try {
      this.#schedule();
      this.#runTraffic();
      if (!this.#isStopping) this.#stop();
      this.#drain();
      checkAtEnd({
        scenario: this.#scenario,
        proxy: this.#proxy,
        engine: this.#proxyEngine,
        ledger: this.#ledger,
        bytesReceived: this.#statistics.bytesReceived,
      });
    } catch (error) {
      this.#ledger.violation(`thrown: ${error instanceof Error ? error.stack : String(error)}`);
    } finally {
      this.#undoMutant();
    }
    return this.#result();
  }

  #schedule(): void {
    const scenario = this.#scenario;
    const at = (ms: number, task: () => void) => this.#network.schedule(this.#clientEngine, ms, task);
    const watch = this.#clientWatch();
    for (const { startMs, isSlow, scripts } of scenario.clients) {
      this.#busyClients++;
      const engine = isSlow ? this.#slowEngine : this.#clientEngine;
      const client = new HttpScriptClient(engine, scripts, watch, () => this.#busyClients--);
      at(startMs, () => client.start());
    }
    for (const { startMs, isSlow, script } of scenario.tcpClients) {
      this.#busyClients++;
      const engine = isSlow ? this.#slowEngine : this.#clientEngine;
      at(startMs, () => new TcpScriptClient(engine, script, watch, () => this.#busyClients--));
    }
    for (const { atMs, server, kind } of scenario.serverEvents)
      at(atMs, () => this.#serverEvent(server, kind));
    for (const event of scenario.operatorEvents) {
      this.#network.schedule(this.#proxyEngine, event.atMs, () => {
        this.#network.trace(`operator: ${event.kind}`);
        if (!this.#isStopping) this.#proxy.operate(event);
      });
    }
    for (const { atMs, text } of scenario.generations.slice(1)) {
      this.#network.schedule(this.#proxyEngine, atMs, () => {
        this.#network.trace("reload");
        if (!this.#isStopping) this.#proxy.reload(text);
      });
    }
    if (scenario.stopAtMs !== null)
      this.#network.schedule(this.#proxyEngine, scenario.stopAtMs, () => this.#stop());
  }

  #clientWatch(): ClientWatch {
    const { isClean, hasStale, base } = this.#scenario;
    const tls = this.#clientEngine.createTlsClientContext({
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.3",
      ciphers: null,
      ciphersuites: null,
      curves: null,
      alpn: [],
      verify: null,
      certificate: null,
    });
    if (!tls.ok) throw new Error(tls.error.message);
    return {
      rules: { isClean, hasStale, hasAbortOnClose: base.hasAbortOnClose },
      draw: new Draw(this.#scenario.seed + 7),
      tls: tls.value as TlsClientContext,
      patienceMs: PATIENCE_MS,
      statistics: this.#statistics,
      isStopping: () => this.#isStopping,
      violation: (text) => this.#ledger.violation(text),
      isStickinessExact: isClean,
    };
  }

  #serverEvent(index: number, kind: ServerEventKind): void {
    const origin = this.#origins[index]!;
    this.#network.trace(`${origin.host} ${kind}`);
    switch (kind) {
      case "refuse":
        origin.down();
        return;
      case "silent":
      case "unreachable":
        this.#network.setHost(origin.host, kind);
        return;
      case "unwell":
        origin.isHealthy = false;
        return;
      case "reset-all":
        origin.resetAll();
        return;
      case "recover":
        origin.isHealthy = true;
        this.#network.setHost(origin.host, null);
        origin.up();
    }
  }

  #runTraffic(): void {
    while (this.#busyClients > 0) {
      if (!this.#step(RUN_MS_MAX)) {
        this.#ledger.violation(
          `hang: ${this.#busyClients} clients are not done and nothing is left to happen`,
        );
        return;
      }
    }
  }

  #stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#network.trace("soft stop");
    this.#proxy.stopSoftly();
  }

  /** Lets everything end that the soft stop left, then everything else. */
  #drain(): void {
    const untilMs = this.#network.nowMs + DRAIN_MS;
    while (this.#proxy.core.liveSessions.size > 0 && this.#step(untilMs));
    checkPools(this.#proxy, this.#ledger);
    while (this.#step(untilMs));
    for (const origin of this.#origins) origin.down();
  }

  #step(untilMs: number): boolean {
    if (++this.#steps > STEPS_MAX) throw new Error(`hang: ${STEPS_MAX} steps and no end`);
    if (this.#steps % CHECK_INTERVAL_STEPS === 0) checkWhileRunning(this.#proxy, this.#ledger);
    return this.#network.step(untilMs);
  }

  #result(): RunResult {
    const { requestsSent, responses, cuts } = this.#statistics;
    return {
      violations: this.#ledger.violations,
      traceHash: this.#network.traceHash,
      requestsSent,
      responses,
      cuts,
      streams: this.#ledger.streams.length,
      virtualMs: this.#network.nowMs,
      steps: this.#steps,
    };
  }
}

function originTls(engine: MemoryEngine): TlsServerContext {
  const context = engine.createTlsServerContext({
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    ciphers: null,
    ciphersuites: null,
    curves: null,
    alpn: [],
    certificates: [{ name: "origin.test", certificatePem: "a certificate", keyPem: "a key" }],
    strictSni: false,
    clientVerify: null,
    ticketKeys: new Uint8Array(80),
  });
  if (!context.ok) throw new Error(context.error.message);
  return context.value;
}
