// From a configuration to a Runtime: objects, slots, compiled rules, balancers. Pools of idle connections are
// handed on from the generation before where a server still means the same address. Opens nothing, reads no
// file and changes nothing of the generation before, which serves on if this one is discarded.
import type * as model from "../model/proxy.ts";
import { HeaderCase } from "../protocol/http1/header-case.ts";
import { createBalancer } from "./balance/create-balancer.ts";
import { ServerPool } from "./exchange/server-pool.ts";
import type { LogWriter } from "./log/log-writer.ts";
import { assignDynamicCookies } from "./persistence/dynamic-cookie.ts";
import type { RuleEnvironment } from "./rules/environment.ts";
import { setProcessVariables } from "./rules/process-variables.ts";
import { compileBackendPrograms, compileFrontendPrograms } from "./rules/program.ts";
import { type CompiledSample, compileSample } from "./rules/sample.ts";
import { allServersOf, Backend, Frontend, type ListenerRuntime, type Runtime, Server } from "./runtime.ts";
import { backendKey, frontendKey, listenerKey, type SlotTable, serverKey } from "./slots.ts";
import type { SharedState } from "./state.ts";

export interface BuildOptions {
  readonly configuration: model.ProxyConfiguration;
  readonly state: SharedState;
  /** Has a slot for everything in the configuration. */
  readonly slots: SlotTable;
  readonly environment: RuleEnvironment;
  readonly previous: Runtime | null;
  /** The frontend's traffic log; null without one. */
  readonly createLog: (frontend: Frontend) => LogWriter | null;
}

export function buildRuntime(options: BuildOptions): Runtime {
  const { variables } = options.configuration.global;
  // They live on as what rules have made of them, unless the lines that set them are others now.
  if (textOf(variables) !== textOf(options.previous?.configuration.global.variables))
    setProcessVariables(variables, options.environment);
  const backends = buildBackends(options);
  const backendsByName = new Map(backends.map((backend) => [backend.name, backend]));
  const frontends = buildFrontends(options, backendsByName);
  for (const backend of backends) completeBackend(backend, options);
  adjustCase(options.configuration.global.headerNames, frontends, backends);
  return {
    configuration: options.configuration,
    state: options.state,
    frontends,
    backends,
    listeners: frontends.flatMap((frontend) => listenersOf(frontend, options.slots)),
    frontendsByName: new Map(frontends.map((frontend) => [frontend.name, frontend])),
    backendsByName,
    userlists: new Map(options.configuration.userlists.map((list) => [list.name, list])),
    generation: (options.previous?.generation ?? 0) + 1,
  };
}

function adjustCase(
  names: readonly string[],
  frontends: readonly Frontend[],
  backends: readonly Backend[],
): void {
  if (names.length === 0) return;
  const headerCase = new HeaderCase(names);
  for (const frontend of frontends)
    if (frontend.definition.options.h1CaseAdjustClient) frontend.headerCase = headerCase;
  for (const backend of backends)
    if (backend.definition.options.h1CaseAdjustServer) backend.headerCase = headerCase;
}

function buildBackends({ configuration, slots, state }: BuildOptions): Backend[] {
  const backends: Backend[] = [];
  for (const proxy of configuration.proxies) {
    if (proxy.backend === null || proxy.isDisabled) continue;
    const backend = new Backend(proxy, proxy.backend, slots[backendKey(proxy.name)]!, state);
    for (const [index, definition] of proxy.backend.servers.entries()) {
      const server = new Server(
        definition,
        backend,
        slots[serverKey(proxy.name, definition.name)]!,
        index,
        state,
      );
      backend.servers.push(server);
      backend.serversByName.set(definition.name, server);
      // Several servers may share a cookie value; the first one that is listed answers to it.
      const cookie = definition.cookie;
      if (cookie !== null && !backend.serversByCookie.has(cookie))
        backend.serversByCookie.set(cookie, server);
    }
    const { dispatch } = proxy.backend;
    if (dispatch !== null)
      backend.dispatch = new Server(
        dispatch,
        backend,
        slots[serverKey(proxy.name, dispatch.name)]!,
        -1,
        state,
      );
    backends.push(backend);
  }
  return backends;
}

function completeBackend(backend: Backend, options: BuildOptions): void {
  const { settings } = backend;
  const { environment, previous } = options;
  const key =
    settings.balance.algorithm === "hash" ? compileSample(settings.balance.sample, environment) : null;
  backend.programs = compileBackendPrograms(backend.definition, backend.settings, environment);
  backend.balancer = createBalancer(settings.balance, settings.hashType, backend, {
    random: () => environment.clock.random(),
    wallClockSeconds: () => Math.floor(environment.clock.wallClockMs / 1000),
    evaluateKey: key === null ? null : (stream) => key.read(stream) ?? null,
    fullconnDefault: fullconnDefault(backend, options.configuration),
  });
  assignDynamicCookies(backend);
  const before = previous?.backendsByName.get(backend.name);
  for (const server of allServersOf(backend)) {
    const old = server.isDispatch ? before?.dispatch : before?.serversByName.get(server.name);
    server.pool =
      old != null && isSameEndpoint(old.definition, server.definition) ? old.pool : new ServerPool(server);
    const sni = server.definition.tls?.sni ?? null;
    if (sni !== null) server.serverNameOf = nameOf(compileSample(sni, environment));
  }
}

/** The port of a `hdr(host)` is no part of a server name. */
function nameOf(sample: CompiledSample): NonNullable<Server["serverNameOf"]> {
  return (stream) => (sample.readText(stream) ?? "").replace(/:\d+$/, "");
}

function buildFrontends(options: BuildOptions, backends: ReadonlyMap<string, Backend>): Frontend[] {
  const frontends: Frontend[] = [];
  for (const proxy of options.configuration.proxies) {
    if (proxy.frontend === null || proxy.isDisabled) continue;
    const frontend = new Frontend(
      proxy,
      proxy.frontend,
      options.slots[frontendKey(proxy.name)]!,
      options.state,
    );
    const name = proxy.frontend.defaultBackend?.name ?? (proxy.backend === null ? null : proxy.name);
    frontend.defaultBackend = name === null ? null : (backends.get(name) ?? null);
    frontend.programs = compileFrontendPrograms(proxy, options.environment);
    frontend.log = options.createLog(frontend);
    frontends.push(frontend);
  }
  return frontends;
}

function listenersOf(frontend: Frontend, slots: SlotTable): ListenerRuntime[] {
  return frontend.settings.binds.map((definition) => ({
    definition,
    frontend,
    slot: slots[listenerKey(frontend.name, definition.id)]!,
  }));
}

/** A tenth of the maxconn of the frontends that lead here (manual: `fullconn`). */
function fullconnDefault(backend: Backend, configuration: model.ProxyConfiguration): number {
  let sum = 0;
  for (const { frontend } of configuration.proxies) {
    if (frontend === null) continue;
    const leadsHere =
      frontend.defaultBackend?.name === backend.name ||
      frontend.useBackend.some((rule) => rule.backend === backend.name);
    if (leadsHere) sum += frontend.maxconn ?? configuration.global.maxconn ?? 2000;
  }
  return Math.max(1, Math.ceil(sum / 10));
}

/** What lines say, wherever they stand. */
function textOf(variables: model.ProxyConfiguration["global"]["variables"] = []): string {
  return JSON.stringify(variables, (key, value) => (key === "span" ? undefined : value));
}

function isSameEndpoint(a: model.Server, b: model.Server): boolean {
  const essence = ({ address, tls, sendProxy, source }: model.Server) =>
    JSON.stringify({ address, tls, sendProxy, source });
  return essence(a) === essence(b);
}
