// For the tests of rules and logs: a runtime without servers of its own, built from the text of an
// haproxy.cfg, and streams made of the bytes of requests and responses.
import { readConfiguration } from "../src/language/haproxy/reader.ts";
import type { ProxyConfiguration } from "../src/model/proxy.ts";
import { MessageHead } from "../src/protocol/http1/message-head.ts";
import { parseRequestHead } from "../src/protocol/http1/request-parser.ts";
import { parseResponseHead } from "../src/protocol/http1/response-parser.ts";
import { SharedCache } from "../src/proxy/cache/shared-cache.ts";
import type { RuleEnvironment } from "../src/proxy/rules/environment.ts";
import { PatternLists } from "../src/proxy/rules/patterns/pattern-lists.ts";
import { compileBackendPrograms, compileFrontendPrograms } from "../src/proxy/rules/program.ts";
import { Backend, Frontend, type Runtime, Server } from "../src/proxy/runtime.ts";
import { CELL, SERVER_ADMIN, SERVER_STATE, SharedState, WEIGHT_SCALE } from "../src/proxy/state.ts";
import { StickTable } from "../src/proxy/stick-table/stick-table.ts";
import { Session, Stream } from "../src/proxy/stream.ts";
import type { Connection, ConnectionHandler, TlsFacts } from "../src/transport/contract.ts";

export interface Stage {
  readonly runtime: Runtime;
  readonly environment: RuleEnvironment;
  readonly clock: { nowMs: number; wallClockMs: number; random(): number };
}

export interface StageFacts {
  readonly files?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly hostname?: string;
}

/** Throws if the text has errors. Servers are up unless they are disabled. */
export function stageOf(text: string, facts: StageFacts = {}): Stage {
  const hostname = facts.hostname ?? "machine";
  const { configuration, diagnostics } = readConfiguration([{ name: "test.cfg", text }], {
    variables: facts.variables ?? {},
    readFile: (path) => {
      const content = facts.files?.[path];
      return content === undefined ? null : Buffer.from(content, "latin1");
    },
    hostname,
    cpuCount: 1,
  });
  if (configuration === null) {
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    throw new Error(errors.map(({ span, message }) => `${span.line}: ${message}`).join("\n"));
  }
  const clock = { nowMs: 1000, wallClockMs: Date.UTC(2026, 10, 23, 3, 13, 9, 123), random: () => 0.5 };
  const environment: RuleEnvironment = {
    configuration,
    patterns: new PatternLists(configuration.patternLists),
    stickTables: StickTable.allAlone(configuration.stickTables),
    caches: SharedCache.allAlone(configuration.caches),
    hostname,
    pid: 4242,
    processVariables: facts.variables ?? {},
    workerIndex: 1,
    workerCount: 1,
    clock,
    variables: new Map(),
    requestCount: { value: 0 },
  };
  return { runtime: buildRuntime(configuration, environment), environment, clock };
}

function buildRuntime(configuration: ProxyConfiguration, environment: RuleEnvironment): Runtime {
  const state = SharedState.alone(256);
  let slot = 0;
  const frontends: Frontend[] = [];
  const backends: Backend[] = [];
  for (const proxy of configuration.proxies) {
    if (proxy.backend !== null) {
      const backend = new Backend(proxy, proxy.backend, slot++, state);
      for (const definition of proxy.backend.servers) {
        const server = new Server(definition, backend, slot++, backend.servers.length, state);
        state.write(server.slot, CELL.operational, SERVER_STATE.up);
        if (definition.isDisabled) state.write(server.slot, CELL.admin, SERVER_ADMIN.maintenanceConfigured);
        state.write(server.slot, CELL.weight, definition.weight);
        state.write(server.slot, CELL.effectiveWeight, definition.weight * WEIGHT_SCALE);
        backend.servers.push(server);
        backend.serversByName.set(server.name, server);
      }
      backend.programs = compileBackendPrograms(proxy, proxy.backend, environment);
      backends.push(backend);
    }
    if (proxy.frontend !== null) {
      const frontend = new Frontend(proxy, proxy.frontend, slot++, state);
      frontend.programs = compileFrontendPrograms(proxy, environment);
      frontends.push(frontend);
    }
  }
  const backendsByName = new Map(backends.map((backend) => [backend.name, backend]));
  for (const frontend of frontends) {
    const name = frontend.settings.defaultBackend?.name ?? frontend.name;
    frontend.defaultBackend = backendsByName.get(name) ?? null;
  }
  return {
    configuration,
    state,
    frontends,
    backends,
    listeners: [],
    frontendsByName: new Map(frontends.map((frontend) => [frontend.name, frontend])),
    backendsByName,
    userlists: new Map(configuration.userlists.map((userlist) => [userlist.name, userlist])),
    generation: 1,
  };
}

export interface StreamFacts {
  readonly frontend?: string;
  readonly tls?: TlsFacts;
  readonly source?: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}

/** A stream on a new connection of the first frontend, without a request. */
export function streamOn(stage: Stage, facts: StreamFacts = {}): Stream {
  const { runtime, clock } = stage;
  const frontend =
    facts.frontend === undefined ? runtime.frontends[0]! : runtime.frontendsByName.get(facts.frontend)!;
  const connection = quietConnection(facts);
  const session = new Session(
    connection,
    frontend,
    frontend.settings.binds[0]!,
    clock.nowMs,
    clock.wallClockMs,
  );
  session.requestCount = 1;
  const stream = new Stream(session, runtime);
  stream.startMs = clock.nowMs;
  stream.startDateMs = clock.wallClockMs;
  return stream;
}

/** A stream with this request, given as the lines of its head. */
export function requestOn(stage: Stage, lines: readonly string[], facts: StreamFacts = {}): Stream {
  const stream = streamOn(stage, facts);
  stream.request = parseHead(lines, parseRequestHead);
  return stream;
}

export function addResponse(stream: Stream, lines: readonly string[]): void {
  stream.response = parseHead(lines, (head, bytes, start, end) =>
    parseResponseHead(head, bytes, start, end, "GET"),
  );
  stream.status = stream.response.status;
}

function parseHead(
  lines: readonly string[],
  parse: (head: MessageHead, bytes: Uint8Array, start: number, end: number) => number,
): MessageHead {
  const bytes = Uint8Array.from(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
  const head = new MessageHead();
  const result = parse(head, bytes, 0, bytes.length);
  if (result !== bytes.length) throw new Error(`the head cannot be parsed: ${result}`);
  return head;
}

/** A connection that nothing happens on. */
function quietConnection(facts: StreamFacts): Connection {
  const nothing = () => {};
  const host = facts.source ?? "127.0.0.1";
  return {
    id: 1,
    handler: null as unknown as ConnectionHandler,
    remote: { family: host.includes(":") ? 6 : 4, host, port: facts.sourcePort ?? 40_000 },
    local: { family: 4, host: "127.0.0.1", port: facts.destinationPort ?? 8080 },
    proxied: null,
    tls: facts.tls ?? null,
    pendingBytes: 0,
    isClosed: false,
    send: nothing,
    pause: nothing,
    resume: nothing,
    expectBulk: nothing,
    shutdown: nothing,
    close: nothing,
    reset: nothing,
  };
}
