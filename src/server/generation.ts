// One generation in a worker: the Runtime, its TLS contexts, its compiled formats, and the services that
// need them.
import { hostname } from "node:os";
import type { Result } from "../base/failure.ts";
import { failed, success } from "../base/failure.ts";
import type { Span } from "../diagnostic/span.ts";
import type {
  Bind,
  BindTls,
  CertificateSource,
  Server as ServerDefinition,
  ServerTls,
  TlsCommon,
} from "../model/proxy.ts";
import type { LogFormat } from "../model/sample.ts";
import { buildRuntime } from "../proxy/build.ts";
import type { Reply } from "../proxy/exchange/replies.ts";
import { compileLogWriter } from "../proxy/log/log-line.ts";
import type { ResolveHost, RuleEnvironment } from "../proxy/rules/environment.ts";
import { compileFormat } from "../proxy/rules/format.ts";
import { PatternLists } from "../proxy/rules/patterns/pattern-lists.ts";
import type { SampleValue } from "../proxy/rules/sample-value.ts";
import type { SharedChange } from "../proxy/rules/shared-change.ts";
import { allServersOf, type ListenerRuntime, type Runtime, type Server } from "../proxy/runtime.ts";
import { HEADER, type SharedState } from "../proxy/state.ts";
import { StatisticsService } from "../proxy/stats/service.ts";
import type { Stream } from "../proxy/stream.ts";
import type {
  CertificateMaker,
  CertificateMaterial,
  Engine,
  ServedCertificate,
  TlsClientContext,
  TlsServerContext,
  TlsSettings,
} from "../transport/contract.ts";
import { dhParametersFor } from "./certificates/dh-parameters.ts";
import { issuerChainOf } from "./certificates/issuer-chains.ts";
import { makerOf } from "./certificates/signed-on-the-fly.ts";
import { LogSinks, type RingWriter } from "./log-sinks.ts";
import type { PreparedConfiguration, WorkerProblem } from "./messages.ts";
import type { TableMaps } from "./table-places.ts";

export interface GenerationOptions {
  readonly engine: Engine;
  readonly state: SharedState;
  readonly workerIndex: number;
  readonly workerCount: number;
  readonly masterPid: number;
  readonly previous: Generation | null;
  readonly tables: TableMaps;
  readonly number: number;
  /** A rule has changed something for all processes. */
  share(load: number, change: SharedChange): void;
  /** Asks the master, who asks nameservers. Left out: nobody is asked. */
  readonly resolve?: ResolveHost;
  /** Left out: what is logged to rings is lost. */
  readonly rings?: RingWriter;
  report(text: string): void;
}

/** What outlives generations in a process: open log targets, `proc.` variables, counters of rules. */
interface ProcessLife {
  readonly sinks: LogSinks;
  readonly variables: Map<string, SampleValue>;
  readonly requestCount: { value: number };
}

export class Generation {
  readonly number: number;
  /** Of the files that it is made of. */
  readonly load: number;
  readonly runtime: Runtime;
  readonly life: ProcessLife;
  readonly #environment: RuleEnvironment;
  readonly #contexts: ReadonlyMap<ListenerRuntime, TlsServerContext>;
  readonly #formats: WeakMap<LogFormat, (stream: Stream) => string> = new WeakMap();
  readonly #statistics: StatisticsService;

  constructor(
    number: number,
    load: number,
    runtime: Runtime,
    life: ProcessLife,
    environment: RuleEnvironment,
    contexts: ReadonlyMap<ListenerRuntime, TlsServerContext>,
  ) {
    this.number = number;
    this.load = load;
    this.runtime = runtime;
    this.life = life;
    this.#environment = environment;
    this.#contexts = contexts;
    this.#statistics = new StatisticsService(environment);
  }

  tlsContextOf(listener: ListenerRuntime): TlsServerContext | null {
    return this.#contexts.get(listener) ?? null;
  }

  get patterns(): PatternLists {
    return this.#environment.patterns;
  }

  /** What the runtime API evaluates expressions in. */
  get environment(): RuleEnvironment {
    return this.#environment;
  }

  /** What another process has changed for all. */
  apply(changes: readonly SharedChange[]): void {
    for (const change of changes) {
      if (change.kind === "pattern") this.patterns.all[change.list]?.apply(change.change);
      else if (change.value === undefined) this.life.variables.delete(change.name);
      else this.life.variables.set(change.name, change.value);
    }
  }

  /** Compiles a format at its first use. */
  evaluate(format: LogFormat, stream: Stream): string {
    let compiled = this.#formats.get(format);
    if (compiled === undefined) {
      compiled = compileFormat(format, this.#environment);
      this.#formats.set(format, compiled);
    }
    return compiled(stream);
  }

  serveStatistics(stream: Stream, runCommand: (command: string) => void): Reply | null {
    return this.#statistics.serveStatistics(stream, runCommand);
  }

  serveMetrics(stream: Stream): Reply {
    return this.#statistics.serveMetrics(stream);
  }
}

/** Builds a generation, or says everything that stands in the way of it. Opens no listener. */
export function buildGeneration(
  prepared: PreparedConfiguration,
  options: GenerationOptions,
): Result<Generation, readonly WorkerProblem[]> {
  const { engine, state, workerIndex, workerCount, masterPid, previous, number } = options;
  const { configuration, slots, load, live } = prepared;
  const life = previous?.life ?? {
    sinks: new LogSinks(engine, masterPid, options.rings ?? null, options.report, (count) =>
      Atomics.add(state.header, HEADER.droppedLogs, count),
    ),
    variables: new Map(),
    requestCount: { value: 0 },
  };
  const environment: RuleEnvironment = {
    configuration,
    patterns:
      previous?.load === load
        ? previous.patterns
        : new PatternLists(configuration.patternLists, live.patterns),
    stickTables: options.tables.tablesOf(configuration.stickTables, prepared.tables),
    caches: options.tables.caches.cachesOf(configuration.caches, prepared.caches),
    hostname: hostname(),
    pid: process.pid,
    processVariables: process.env,
    workerIndex,
    workerCount,
    clock: engine,
    variables: life.variables,
    requestCount: life.requestCount,
    share: (change) => options.share(load, change),
    ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
  };
  const runtime = buildRuntime({
    configuration,
    state,
    slots,
    environment,
    previous: previous?.runtime ?? null,
    createLog: ({ definition }) =>
      compileLogWriter(definition, life.sinks.outputsOf(definition, configuration), environment),
  });
  if (previous === null) for (const [name, value] of live.variables ?? []) life.variables.set(name, value);
  const problems: WorkerProblem[] = [];
  const contexts = serverContexts(runtime, prepared, engine, problems);
  for (const backend of runtime.backends) {
    for (const server of allServersOf(backend)) prepareServer(server, prepared, engine, problems);
  }
  if (problems.length > 0) return failed(problems);
  return success(new Generation(number, load, runtime, life, environment, contexts));
}

function serverContexts(
  runtime: Runtime,
  prepared: PreparedConfiguration,
  engine: Engine,
  problems: WorkerProblem[],
): Map<ListenerRuntime, TlsServerContext> {
  const contexts: Map<ListenerRuntime, TlsServerContext> = new Map();
  for (const listener of runtime.listeners) {
    const context = serverContextOf(listener.definition, prepared, engine);
    if (context === null) continue;
    if (context.ok) contexts.set(listener, context.value);
    else problems.push(context.error);
  }
  return contexts;
}

/** Null: it does without TLS. */
export function serverContextOf(
  { tls, span }: Pick<Bind, "tls" | "span">,
  prepared: PreparedConfiguration,
  engine: Engine,
): Result<TlsServerContext, WorkerProblem> | null {
  if (tls === null) return null;
  const certificates = tls.certificates.flatMap((source) => servedCertificates(source, tls, prepared));
  const maker = certificateMakerOf(tls, certificates, prepared);
  if (tls.signer !== null && maker === null) {
    return failed(problemAt(span, `the key in ${tls.signer.path} cannot sign certificates`));
  }
  const context = engine.createTlsServerContext({
    ...settingsOf(tls),
    certificates,
    maker,
    strictSni: tls.strictSni,
    clientVerify: clientVerifyOf(tls, prepared),
    ticketKeys: tls.tickets ? prepared.ticketKeys : null,
    sessionStore: tls.tickets ? null : prepared.sessionStore,
  });
  return context.ok ? context : failed(problemAt(span, context.error.message));
}

/** Null also for an authority that cannot sign. */
function certificateMakerOf(
  { signer }: BindTls,
  [own]: readonly ServedCertificate[],
  { signers, configuration }: PreparedConfiguration,
): CertificateMaker | null {
  const authority = signer === null ? undefined : signers[signer.path];
  if (authority === undefined || own === undefined) return null;
  return makerOf(authority, own, configuration.global.tls.madeCertificatesMax);
}

function servedCertificates(
  { path, isList }: CertificateSource,
  tls: BindTls,
  prepared: PreparedConfiguration,
): readonly ServedCertificate[] {
  const complete = (certificate: CertificateMaterial) => ({
    ...certificate,
    certificatePem: certificate.certificatePem + (issuerChainOf(certificate, prepared.issuers)?.pem ?? ""),
    dhPem: dhParametersFor(certificate, prepared.configuration.global.tls),
  });
  if (isList !== true) return (prepared.certificates[path] ?? []).map(complete);
  return (prepared.crtLists[path] ?? []).flatMap((line) => {
    const own = { ...tls, ...line.tls };
    const differs = Object.keys(line.tls).length > 0;
    return (prepared.certificates[line.path] ?? []).map((certificate) => ({
      ...complete(certificate),
      ...(line.filters.length === 0 ? {} : { names: line.filters }),
      ...(differs ? { settings: { ...settingsOf(own), clientVerify: clientVerifyOf(own, prepared) } } : {}),
    }));
  });
}

function clientVerifyOf(tls: BindTls, prepared: PreparedConfiguration): ClientVerify {
  if (tls.verify === "none") return null;
  // Without an authority nobody is trusted; the reader refuses such a bind.
  const caPem = tls.caFile === null ? "" : (prepared.trust[tls.caFile] ?? "");
  const { caVerifyFile, ignoredErrors } = tls;
  const isStrict = ignoredErrors.ofClients.length + ignoredErrors.ofAuthorities.length === 0;
  return {
    mode: tls.verify,
    caPem,
    crlPem: crlOf(tls, prepared),
    ...(caVerifyFile === null ? {} : { unnamedCaPem: prepared.trust[caVerifyFile] ?? "" }),
    ...(isStrict ? {} : { ignoredErrors }),
  };
}
type ClientVerify = Parameters<Engine["createTlsServerContext"]>[0]["clientVerify"];

/** Gives a server its resolved address and its TLS context. */
function prepareServer(
  server: Server,
  prepared: PreparedConfiguration,
  engine: Engine,
  problems: WorkerProblem[],
): void {
  const { definition, backend } = server;
  const key = `${backend.name}/${server.name}`;
  const isNamed = isName(definition.address, server.host);
  server.host = prepared.addresses[key] ?? (isNamed ? "" : server.host);
  server.port = prepared.ports[key] ?? server.port;
  const context = clientContextOf(definition, prepared, engine);
  if (context === null) return;
  if (context.ok) server.tls = context.value;
  else problems.push(context.error);
}

/** Null: it does without TLS. */
export function clientContextOf(
  { tls, span }: Pick<ServerDefinition, "tls" | "span">,
  prepared: PreparedConfiguration,
  engine: Engine,
): Result<TlsClientContext, WorkerProblem> | null {
  if (tls === null) return null;
  const certificate = tls.certificate === null ? null : (prepared.certificates[tls.certificate]?.[0] ?? null);
  const context = engine.createTlsClientContext({
    ...settingsOf(tls),
    verify: serverVerifyOf(tls, prepared),
    certificate,
  });
  return context.ok ? context : failed(problemAt(span, context.error.message));
}

function isName(address: Server["definition"]["address"], host: string): boolean {
  return address.kind === "tcp" && !/^[\d.]+$/.test(host) && !host.includes(":");
}

function serverVerifyOf(tls: ServerTls, prepared: PreparedConfiguration): ServerVerify {
  if (tls.verify === "none") return null;
  const caPem = tls.caFile === null ? "" : (prepared.trust[tls.caFile] ?? "");
  return { caPem, crlPem: crlOf(tls, prepared), host: tls.verifyHost };
}
type ServerVerify = Parameters<Engine["createTlsClientContext"]>[0]["verify"];

function crlOf(tls: TlsCommon, prepared: PreparedConfiguration): string | null {
  return tls.crlFile === null ? null : (prepared.trust[tls.crlFile] ?? null);
}

function settingsOf(tls: TlsCommon): TlsSettings {
  return {
    // HAProxy 2.6's own default, and the least that Mozilla's intermediate profile allows.
    minVersion: tls.minVersion ?? "TLSv1.2",
    maxVersion: tls.maxVersion ?? "TLSv1.3",
    ciphers: tls.ciphers,
    ciphersuites: tls.ciphersuites,
    curves: tls.curves,
    alpn: tls.alpn,
  };
}

function problemAt({ file, line }: Span, message: string): WorkerProblem {
  return { file, line, message };
}
