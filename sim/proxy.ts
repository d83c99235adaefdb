// The proxy of a simulation: what a worker process does around its ProxyCore (src/server/worker.ts), with
// the master's health checks in the same place. Opens listeners, swaps generations, stops softly.
import type { MemoryEngine } from "../src/io/memory/memory-engine.ts";
import { readConfiguration } from "../src/language/haproxy/reader.ts";
import type { ProxyConfiguration } from "../src/model/proxy.ts";
import { type BindAcceptor, ProxyCore } from "../src/proxy/core.ts";
import { HealthChecks } from "../src/proxy/health/health-checks.ts";
import type { HealthEvent } from "../src/proxy/health/health-event.ts";
import type { Frontend } from "../src/proxy/runtime.ts";
import { assignSlots, type SlotTable } from "../src/proxy/slots.ts";
import { SharedState } from "../src/proxy/state.ts";
import type { Stream } from "../src/proxy/stream.ts";
import { buildGeneration, type Generation } from "../src/server/generation.ts";
import { NOTHING_CHANGED } from "../src/server/messages.ts";
import { TableMaps } from "../src/server/table-places.ts";
import type { Listener } from "../src/transport/contract.ts";
import { CERTIFICATE_PATH } from "./configuration.ts";
import type { OperatorEvent } from "./scenario.ts";

export const SLOT_COUNT = 64;

export interface ProxyWatch {
  /** Called for each finished stream, before its line is written. False: the line is lost (a mutant). */
  streamEnded(stream: Stream, frontend: Frontend): boolean;
  /** A connection came to nothing before its first stream, and gets a line for that. */
  connectionFailed(): void;
  violation(text: string): void;
}

export class SimulatedProxy {
  readonly engine: MemoryEngine;
  readonly state: SharedState;
  readonly core: ProxyCore;
  readonly #watch: ProxyWatch;
  readonly #listeners: Map<string, { readonly listener: Listener; readonly acceptor: BindAcceptor }> =
    new Map();
  #slots: SlotTable = {};
  #generation: Generation;
  #checks: HealthChecks | null = null;

  constructor(engine: MemoryEngine, text: string, watch: ProxyWatch) {
    this.engine = engine;
    this.state = SharedState.alone(SLOT_COUNT);
    this.#watch = watch;
    this.#generation = this.#build(text, null);
    this.core = new ProxyCore(engine, this.#generation.runtime, {
      evaluate: (format, stream) => this.#generation.evaluate(format, stream),
      serveStatistics: (stream) => this.#generation.serveStatistics(stream, () => {}),
      serveMetrics: (stream) => this.#generation.serveMetrics(stream),
      observe: (server, observation) => this.#checks?.observe(server, observation),
    });
    this.#startChecks();
    this.#openListeners();
  }

  get slots(): SlotTable {
    return this.#slots;
  }

  get generation(): Generation {
    return this.#generation;
  }

  reload(text: string): void {
    this.#generation = this.#build(text, this.#generation);
    this.#startChecks();
    this.core.apply(this.#generation.runtime);
    for (const runtime of this.#generation.runtime.listeners) {
      const open = this.#listeners.get(JSON.stringify(runtime.definition.address));
      if (open !== undefined) open.acceptor.runtime = runtime;
    }
  }

  /** As the runtime API would. */
  operate({ kind, share }: OperatorEvent): void {
    if (kind === "kill-session") {
      const live = [...this.core.liveSessions];
      live[Math.floor(share * live.length)]?.kill();
      return;
    }
    const servers = this.#generation.runtime.backends.flatMap((backend) => backend.servers);
    const state = this.#checks?.stateOf(servers[Math.floor(share * servers.length)]!);
    const nowSeconds = Math.floor(this.engine.wallClockMs / 1000);
    if (kind === "maintenance") state?.setMaintenance(nowSeconds);
    else if (kind === "drain") state?.setDrain(nowSeconds);
    else if (kind === "ready") state?.setReady(nowSeconds);
    else if (kind === "weight") state?.setWeight(share < 0.5 ? "0" : "100%", nowSeconds);
    else state?.setMaxconn("1");
  }

  stopSoftly(): void {
    this.#checks?.stop();
    for (const { listener, acceptor } of this.#listeners.values()) {
      this.core.removeAcceptor(acceptor);
      listener.close();
    }
    this.#listeners.clear();
    this.core.stopSoftly();
  }

  #build(text: string, previous: Generation | null): Generation {
    const configuration = this.#read(text);
    const slots = assignSlots(configuration, this.#slots, SLOT_COUNT);
    if (slots === null) throw new Error("more objects than slots");
    this.#slots = slots;
    const certificate = { name: "sim.test", certificatePem: "a certificate", keyPem: "a key" };
    const built = buildGeneration(
      {
        configuration,
        slots,
        tables: {},
        caches: {},
        addresses: {},
        ports: {},
        certificates: { [CERTIFICATE_PATH]: [certificate] },
        crtLists: {},
        trust: {},
        ticketKeys: new Uint8Array(80),
        issuers: [],
        signers: {},
        sessionStore: null,
        load: 1,
        live: NOTHING_CHANGED,
        wantsRequests: false,
      },
      {
        engine: this.engine,
        state: this.state,
        workerIndex: 0,
        workerCount: 1,
        masterPid: 1,
        tables: new TableMaps(null, 1, 2),
        previous,
        number: (previous?.number ?? 0) + 1,
        share: () => {},
        report: (message) => this.#watch.violation(`the proxy reports: ${message}`),
      },
    );
    if (!built.ok) throw new Error(built.error.map(({ message }) => message).join("; "));
    for (const frontend of built.value.runtime.frontends) this.#watchLog(frontend);
    return built.value;
  }

  #read(text: string): ProxyConfiguration {
    const { configuration, diagnostics } = readConfiguration([{ name: "sim.cfg", text }], {
      variables: {},
      readFile: (path) => (path === CERTIFICATE_PATH ? Buffer.from("a certificate") : null),
      hostname: "sim",
      cpuCount: 1,
    });
    if (configuration === null || diagnostics.some(({ severity }) => severity === "error")) {
      const faults = diagnostics.map(({ span, message }) => `${span.line}: ${message}`).join("\n");
      throw new Error(`the drawn configuration is refused:\n${faults}\n${text}`);
    }
    return configuration;
  }

  #watchLog(frontend: Frontend): void {
    const { log } = frontend;
    frontend.log = {
      write: (stream) => {
        if (this.#watch.streamEnded(stream, frontend)) log?.write(stream);
      },
      writeFailure: (session, sentence) => {
        this.#watch.connectionFailed();
        log?.writeFailure(session, sentence);
      },
    };
  }

  #startChecks(): void {
    const checks = new HealthChecks(this.engine, this.#generation.runtime.backends, {
      spreadChecksPercent: 10,
      nodeName: "sim",
      emit: (event) => this.#handleHealthEvent(event),
    });
    checks.start(this.#checks);
    this.#checks = checks;
  }

  #handleHealthEvent(event: HealthEvent): void {
    if (event.kind !== "shutdown-sessions") return;
    const { server } = event;
    // As the worker does on the master's word: a little later.
    this.engine.defer(() => {
      for (const live of [...this.core.liveSessions]) {
        const used = live.stream?.server ?? null;
        if (used?.name === server.name && used.backend.name === server.backend.name) live.kill();
      }
    });
  }

  #openListeners(): void {
    for (const runtime of this.#generation.runtime.listeners) {
      const acceptor = this.core.addAcceptor(runtime);
      const { definition } = runtime;
      const options = {
        address: definition.address,
        backlog: 1000,
        tls: this.#generation.tlsContextOf(runtime),
        acceptProxy: definition.acceptProxy,
        handshakeTimeoutMs: 5000,
        reusePort: false,
      };
      this.engine.listen(options, acceptor, (result) => {
        if (!result.ok) throw new Error(result.error.message);
        acceptor.listener = result.value;
        this.#listeners.set(JSON.stringify(definition.address), { listener: result.value, acceptor });
      });
    }
  }
}
