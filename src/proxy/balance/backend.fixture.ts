// Backends, servers and streams for tests, made from the few facts that a test is about.
import type { SocketAddress } from "../../base/address.ts";
import { NO_SPAN } from "../../diagnostic/span.ts";
import type * as model from "../../model/proxy.ts";
import { MessageHead } from "../../protocol/http1/message-head.ts";
import { Backend, type Runtime, Server } from "../runtime.ts";
import { CELL, SERVER_STATE, SharedState, WEIGHT_SCALE } from "../state.ts";
import { type Session, Stream } from "../stream.ts";

export interface ServerFacts extends Partial<Omit<model.Server, "name">> {
  readonly isDown?: boolean;
}

export interface BackendFacts {
  readonly name?: string;
  readonly settings?: Partial<model.BackendSettings>;
  readonly options?: Partial<model.ProxyOptions>;
  readonly proxy?: Partial<model.Proxy>;
  readonly state?: SharedState;
  readonly slot?: number;
}

export const HASH_DEFAULT: model.HashType = { method: "map-based", function: "sdbm", avalanche: false };

/** A backend whose servers (named by the keys) are up; slots count from `slot` + 1. */
export function makeBackend(
  servers: Readonly<Record<string, ServerFacts>>,
  facts: BackendFacts = {},
): Backend {
  const settings: model.BackendSettings = {
    balance: { algorithm: "roundrobin" },
    hashType: HASH_DEFAULT,
    hashBalanceFactor: 0,
    cookie: null,
    dynamicCookieKey: null,
    servers: Object.entries(servers).map(([name, server], index) => makeServer(name, index, server)),
    dispatch: null,
    useServer: [],
    persistRules: [],
    rdpCookieName: null,
    stickRules: [],
    retries: 3,
    retryOn: {
      connFailure: true,
      emptyResponse: false,
      junkResponse: false,
      responseTimeout: false,
      statuses: [],
    },
    keepAlive: null,
    fullconn: null,
    httpReuse: "safe",
    check: { kind: "tcp-connect" },
    sendNameHeader: null,
    source: null,
    ...facts.settings,
  };
  const slot = facts.slot ?? 1;
  const state = facts.state ?? SharedState.alone(64);
  const backend = new Backend(makeProxy(facts, settings), settings, slot, state);
  for (const [index, definition] of settings.servers.entries()) {
    const server = new Server(definition, backend, slot + 1 + index, index, state);
    backend.servers.push(server);
    backend.serversByName.set(server.name, server);
    if (definition.cookie !== null && !backend.serversByCookie.has(definition.cookie)) {
      backend.serversByCookie.set(definition.cookie, server);
    }
    setServer(server, { isDown: servers[definition.name]?.isDown ?? false, weight: definition.weight });
  }
  return backend;
}

export function setServer(
  server: Server,
  facts: { readonly isDown?: boolean; readonly weight?: number; readonly admin?: number },
): void {
  const { state, slot } = server;
  if (facts.isDown !== undefined)
    state.write(slot, CELL.operational, facts.isDown ? SERVER_STATE.down : SERVER_STATE.up);
  if (facts.admin !== undefined) state.write(slot, CELL.admin, facts.admin);
  if (facts.weight !== undefined) {
    state.write(slot, CELL.weight, facts.weight);
    state.write(slot, CELL.effectiveWeight, facts.weight * WEIGHT_SCALE);
  }
  state.raiseEpoch();
}

export interface RequestFacts {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly source?: string;
}

/** A stream with a request head in a session without a socket. */
export function makeStream(backend: Backend, facts: RequestFacts = {}): Stream {
  const source: SocketAddress = {
    family: facts.source?.includes(":") ? 6 : 4,
    host: facts.source ?? "192.0.2.1",
    port: 1024,
  };
  // Balancing and persistence read no more of a session than its source.
  const session = {
    source,
    destination: source,
    connectionSource: null,
    connectionDestination: null,
    frontend: null,
  } as unknown as Session;
  const stream = new Stream(session, null as unknown as Runtime);
  stream.backend = backend;
  stream.request = new MessageHead();
  stream.request.startRequest(facts.method ?? "GET", facts.target ?? "/");
  for (const [name, value] of facts.headers ?? []) stream.request.addHeader(name, value);
  return stream;
}

/** Names of the servers that so many streams get. */
export function chooseNames(backend: Backend, count: number, facts: RequestFacts = {}): string {
  const names: string[] = [];
  for (let i = 0; i < count; i++)
    names.push(backend.balancer.choose(makeStream(backend, facts), null)?.name ?? "-");
  return names.join(" ");
}

function makeServer(name: string, index: number, facts: ServerFacts): model.Server {
  const { isDown: _, ...rest } = facts;
  return {
    name,
    id: index + 1,
    address: { kind: "tcp", host: "127.0.0.1", port: 80, portOffset: 0 },
    addressText: "127.0.0.1:80",
    weight: 1,
    cookie: null,
    isBackup: false,
    isNonStick: false,
    isDisabled: false,
    isDynamic: false,
    maxconn: null,
    minconn: null,
    maxqueue: null,
    slowstartMs: null,
    check: null,
    agent: null,
    observe: null,
    onMarkedDown: null,
    onMarkedUp: null,
    rise: 2,
    tls: null,
    sendProxy: null,
    checkSendProxy: false,
    track: null,
    source: null,
    poolMaxConnections: null,
    poolPurgeDelayMs: 5000,
    initialAddress: [],
    resolution: null,
    span: NO_SPAN,
    ...rest,
  };
}

function makeProxy(facts: BackendFacts, backend: model.BackendSettings): model.Proxy {
  // Only what this folder and its siblings read; the rest of a Proxy belongs to frontends and rules.
  const options = {
    allbackups: false,
    persist: false,
    checkcache: false,
    redispatch: 0,
    logHealthChecks: false,
    ...facts.options,
  };
  const timeouts = { connectMs: 1000, serverMs: 1000, checkMs: null };
  return {
    kind: "backend",
    name: facts.name ?? "be",
    id: 2,
    mode: "http",
    options,
    backend,
    timeouts,
    ...facts.proxy,
  } as unknown as model.Proxy;
}
