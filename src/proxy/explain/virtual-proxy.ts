// The proxy of an explanation: the same runtime, rules, balancers and ProxyCore that a worker has, on an
// engine that sends nothing, with wrappers that tell a narrator what is being decided.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { ProxyConfiguration } from "../../model/proxy.ts";
import { buildRuntime } from "../build.ts";
import { SharedCache } from "../cache/shared-cache.ts";
import { ProxyCore } from "../core.ts";
import { ServerState } from "../health/server-state.ts";
import { LineBuffer } from "../log/line-buffer.ts";
import { isErroneous, shouldLog } from "../log/log-decision.ts";
import { type AppendLine, compileLogLine } from "../log/log-line.ts";
import type { LogWriter } from "../log/log-writer.ts";
import type { RuleEnvironment } from "../rules/environment.ts";
import { compileFormat } from "../rules/format.ts";
import { PatternLists } from "../rules/patterns/pattern-lists.ts";
import type { Backend, Frontend, Runtime, Server } from "../runtime.ts";
import { assignSlots } from "../slots.ts";
import { CELL, SERVER_STATE, SharedState } from "../state.ts";
import { StatisticsService } from "../stats/service.ts";
import { StickTable } from "../stick-table/stick-table.ts";
import type { Stream } from "../stream.ts";
import { nameText } from "./describe-rule.ts";
import type { Narrator } from "./narrator.ts";
import type { ExplainFacts } from "./question.ts";
import type { Recorder } from "./recorder.ts";
import { ChoiceExplainer } from "./server-choice.ts";
import type { VirtualEngine } from "./virtual-engine.ts";

export interface EndedStream {
  readonly stream: Stream;
  /** Null when nothing is logged. */
  readonly line: string | null;
}

export class VirtualProxy {
  readonly core: ProxyCore;
  readonly runtime: Runtime;
  ended: EndedStream | null = null;
  /** A connection that came to nothing before it was a stream. */
  failure: string | null = null;
  readonly #narrator: Narrator;

  constructor(
    configuration: ProxyConfiguration,
    engine: VirtualEngine,
    narrator: Narrator,
    recorder: Recorder,
    facts: ExplainFacts,
    variables: RuleEnvironment["variables"],
  ) {
    this.#narrator = narrator;
    const environment: RuleEnvironment = {
      configuration,
      patterns: new PatternLists(configuration.patternLists),
      stickTables: StickTable.allAlone(configuration.stickTables),
      caches: SharedCache.allAlone(configuration.caches),
      hostname: facts.hostname,
      pid: facts.pid,
      processVariables: facts.processVariables,
      workerIndex: 1,
      workerCount: 1,
      clock: engine,
      variables,
      requestCount: { value: 0 },
      recorder,
    };
    const slots = assignSlots(configuration, {}, Number.POSITIVE_INFINITY)!;
    this.runtime = buildRuntime({
      configuration,
      state: SharedState.alone(Object.keys(slots).length + 1),
      slots,
      environment,
      previous: null,
      createLog: (frontend) => this.#logOf(frontend, environment),
    });
    placeServers(this.runtime, facts.endpoints ?? new Map());
    startServers(this.runtime, Math.floor(engine.wallClockMs / 1000));
    for (const frontend of this.runtime.frontends) this.#watchFrontend(frontend);
    for (const backend of this.runtime.backends) this.#watchBackend(backend, environment);
    const statistics = new StatisticsService(environment);
    this.core = new ProxyCore(engine, this.runtime, {
      evaluate: (format, stream) => compileFormat(format, environment)(stream),
      serveStatistics: (stream) => {
        const reply = statistics.serveStatistics(stream, () => {});
        if (reply !== null) this.#tellStatistics(stream);
        return reply;
      },
      serveMetrics: (stream) => statistics.serveMetrics(stream),
      observe: () => {},
    });
  }

  #tellStatistics(stream: Stream): void {
    const proxy = stream.backend?.definition ?? stream.frontend.definition;
    const phase = stream.backend === null ? "frontend rules" : "backend rules";
    const { uri, span } = proxy.stats!;
    this.#narrator.add(phase, `the path is that of the statistics, ${uri}`, span, { level: "brief" });
  }

  #watchFrontend(frontend: Frontend): void {
    const { programs, settings } = frontend;
    const { answers } = this.#narrator;
    frontend.programs = {
      ...programs,
      chooseBackend: (stream) => {
        this.#narrator.settle(stream);
        const name = programs.chooseBackend(stream);
        const rule = settings.useBackend.find(
          ({ condition }) => condition === null || answers.get(condition) === "yes",
        );
        if (rule !== undefined) {
          const written = nameText(rule.backend);
          const isFound = name !== null && stream.runtime.backendsByName.has(name);
          const evaluated = isFound && name !== written ? `, which is ${name}` : "";
          const text = isFound
            ? `use_backend ${written}${evaluated}`
            : `use_backend ${written} names no backend: the default takes it`;
          if (rule.condition === null || !isFound || evaluated !== "")
            this.#narrator.add("backend choice", text, rule.span, { kind: "choice", level: "brief" });
          if (isFound) return name;
        }
        this.#tellDefault(frontend);
        return name;
      },
    };
  }

  #tellDefault({ defaultBackend, settings, definition }: Frontend): void {
    const isOwn = defaultBackend !== null && settings.defaultBackend === null;
    const text =
      defaultBackend === null
        ? "no rule chose a backend, and there is no default_backend"
        : isOwn
          ? `the servers of ${definition.kind} ${definition.name} itself`
          : `default_backend ${defaultBackend.name}`;
    const span = settings.defaultBackend?.span ?? definition.span;
    this.#narrator.add("backend choice", text, span, { kind: "choice", level: "brief" });
  }

  #watchBackend(backend: Backend, environment: RuleEnvironment): void {
    const narrator = this.#narrator;
    const { programs, balancer, settings } = backend;
    const explainer = new ChoiceExplainer(backend, environment);
    backend.programs = {
      ...programs,
      chooseServer: (stream) => {
        const chosen = programs.chooseServer(stream);
        narrator.persistenceBegins(stream);
        if (chosen !== null) {
          const rule = settings.useServer.find(({ server }) => server === chosen.name);
          narrator.add("persistence", `use-server ${chosen.name}`, rule?.span ?? null, {
            kind: "choice",
            level: "brief",
          });
        }
        return chosen;
      },
    };
    backend.balancer = {
      choose: (stream, avoid) => {
        narrator.persistenceIsOver(stream, backend);
        const explain = explainer.before(stream);
        const chosen = balancer.choose(stream, avoid);
        for (const { text, span, level } of explain(chosen))
          narrator.add("server choice", text, span, { kind: "choice", level });
        return chosen;
      },
      get areAllFull() {
        return balancer.areAllFull;
      },
    };
  }

  #logOf({ definition }: Frontend, environment: RuleEnvironment): LogWriter {
    const compile = (format: typeof definition.logFormat): AppendLine | null =>
      format === null || format.parts.length === 0 ? null : compileLogLine(format, environment);
    const line = compile(definition.logFormat);
    const errorLine = compile(definition.errorLogFormat) ?? line;
    return {
      write: (stream) => {
        const append = isErroneous(stream) ? errorLine : line;
        const isLogged = definition.logs.length > 0 && append !== null && shouldLog(stream);
        this.ended ??= { stream, line: isLogged ? lineOf(append, stream) : null };
      },
      writeFailure: (_session, sentence) => {
        this.failure ??= sentence;
      },
    };
  }
}

function lineOf(append: AppendLine, stream: Stream): string {
  const buffer = new LineBuffer(65_536);
  append(stream, buffer);
  return String.fromCharCode(...buffer.bytes.subarray(0, buffer.length));
}

/** One that is nowhere is in maintenance, as with the master. */
function placeServers(runtime: Runtime, endpoints: NonNullable<ExplainFacts["endpoints"]>): void {
  for (const [key, { host, port, hostName }] of endpoints) {
    const slash = key.indexOf("/");
    const server = serverCalled(runtime, key.slice(0, slash), key.slice(slash + 1));
    if (server === undefined) continue;
    server.host = host;
    server.port = port;
    server.hostName = hostName;
  }
}

/** As the master leaves them after a start: up, unless they are disabled or follow one that is not. */
function startServers(runtime: Runtime, nowSeconds: number): void {
  const states = new Map<Server, ServerState>();
  for (const backend of runtime.backends) {
    for (const server of backend.servers) {
      const state = new ServerState(server, () => {});
      state.initialise(nowSeconds, null);
      states.set(server, state);
      if (server.definition.tls !== null) server.tls = { kind: "tls-client" };
    }
  }
  for (const [server, state] of states) {
    const { track } = server.definition;
    const tracked = track === null ? undefined : serverCalled(runtime, track.backend, track.server);
    if (tracked !== undefined) state.follow(states.get(tracked)!);
  }
}

function serverCalled(runtime: Runtime, backend: string, name: string): Server | undefined {
  return runtime.backendsByName.get(backend)?.serversByName.get(name);
}

/** Null, or why not: there is no such server. "NAME" takes down all of that name. */
export function takeDown(runtime: Runtime, names: readonly string[]): string | null {
  const all = runtime.backends.flatMap(({ servers }) => servers);
  for (const name of names) {
    const meant = all.filter(
      (server) => server.name === name || `${server.backend.name}/${server.name}` === name,
    );
    if (meant.length === 0) {
      const known = all.flatMap((server) => [server.name, `${server.backend.name}/${server.name}`]);
      const hint = suggestWord(name, known);
      return `there is no server ${name}${hint === null ? "" : `. ${hint}`}`;
    }
    for (const server of meant) server.state.write(server.slot, CELL.operational, SERVER_STATE.down);
  }
  runtime.state.raiseEpoch();
  return null;
}
