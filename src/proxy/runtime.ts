// One generation of a configuration, ready to run in one process: frontends, backends and servers as objects
// with their slots in the shared state. Built by `proxy/build.ts`; a reload builds a new generation and
// streams finish in the one that they began in. Data and small accessors only: decisions live in balance/,
// persistence/ and exchange/.
import { parseIpAddress } from "../base/address.ts";
import type * as model from "../model/proxy.ts";
import { isServiceName } from "../model/resolvers.ts";
import type { HeaderCase } from "../protocol/http1/header-case.ts";
import type { PreparedHeader } from "../protocol/http1/message-head.ts";
import type { TlsClientContext } from "../transport/contract.ts";
import type { Balancer } from "./balance/balancer.ts";
import type { ServerPool } from "./exchange/server-pool.ts";
import { EncodedText } from "./log/line-buffer.ts";
import type { LogWriter } from "./log/log-writer.ts";
import type { BackendPrograms, FrontendPrograms } from "./rules/programs.ts";
import { CELL, COUNTER, DRAIN_MASK, MAINTENANCE_MASK, SERVER_STATE, type SharedState } from "./state.ts";
import type { Stream } from "./stream.ts";

export class Server {
  readonly definition: model.Server;
  readonly backend: Backend;
  readonly slot: number;
  /** As log lines print it. */
  readonly nameText: EncodedText;
  /** Position in `backend.servers`. */
  readonly index: number;
  readonly state: SharedState;
  /** Address to connect to: the definition's, or what resolution or the runtime API put in its place. */
  host: string;
  port: number | null;
  /** Whose address it is, as far as that is known; null without a name. Kept by the master. */
  hostName: string | null;
  /** The definition's cookie value, or what `cookie … dynamic` makes of the address. */
  cookie: string | null;
  /** The Set-Cookie header that inserts it, where all clients get the same. Kept by persistence/. */
  insertedCookie: { readonly of: string | null; readonly header: PreparedHeader } | null = null;
  /** Null: clear, or TLS contexts not made (check mode). */
  tls: TlsClientContext | null = null;
  /** Idle connections of this process; handed on from the generation before when the address is the same. */
  pool!: ServerPool;
  /** Evaluates `sni` for a stream; null without one. */
  serverNameOf: ((stream: Stream) => string) | null = null;

  constructor(definition: model.Server, backend: Backend, slot: number, index: number, state: SharedState) {
    this.definition = definition;
    this.backend = backend;
    this.nameText = new EncodedText(definition.name);
    this.slot = slot;
    this.index = index;
    this.state = state;
    this.cookie = definition.cookie;
    this.host = definition.address.kind === "tcp" ? definition.address.host : definition.address.path;
    this.port = definition.address.kind === "tcp" ? definition.address.port : null;
    this.hostName = hostNameOf(definition);
  }

  get name(): string {
    return this.definition.name;
  }

  /** It is where `dispatch` or `option transparent` leads, and none of the backend's servers. */
  get isDispatch(): boolean {
    return this.index < 0;
  }

  get operational(): number {
    return this.state.read(this.slot, CELL.operational);
  }

  get admin(): number {
    return this.state.read(this.slot, CELL.admin);
  }

  /**
   * Takes traffic that persistence sends to it: up (or stopping by 404) and not in maintenance. Draining
   * counts.
   */
  get isUsable(): boolean {
    return (
      this.operational !== SERVER_STATE.down && (this.admin & MAINTENANCE_MASK) === 0 && this.host !== ""
    );
  }

  /** Takes new traffic by load balancing. */
  get isBalanced(): boolean {
    const operational = this.operational;
    return (
      (operational === SERVER_STATE.up || operational === SERVER_STATE.starting) &&
      (this.admin & (MAINTENANCE_MASK | DRAIN_MASK)) === 0 &&
      this.state.read(this.slot, CELL.effectiveWeight) > 0 &&
      // A worker may see that it has an address before it has been told which.
      this.host !== ""
    );
  }

  /** Requests (http) or connections (tcp) being served, over all workers. */
  get served(): number {
    return this.state.read(this.slot, CELL.served);
  }

  get queued(): number {
    return this.state.read(this.slot, CELL.queued);
  }

  /**
   * `maxconn` in force, lowered towards `minconn` while the backend is far from `fullconn`; Infinity without
   * one.
   */
  get connectionLimit(): number {
    const { maxconn, minconn } = this.definition;
    const override = this.state.read(this.slot, CELL.maxconn);
    const limit = override > 0 ? override : maxconn;
    if (limit === null || limit === 0) return Number.POSITIVE_INFINITY;
    const fullconn = this.backend.settings.fullconn;
    if (minconn === null || minconn >= limit || fullconn === null) return limit;
    const load = this.state.total(this.backend.slot, COUNTER.scur);
    return load >= fullconn ? limit : Math.max(minconn, Math.floor((limit * load) / fullconn));
  }

  get isFull(): boolean {
    return this.served >= this.connectionLimit;
  }
}

function hostNameOf({ address }: model.Server): string | null {
  if (address.kind !== "tcp" || parseIpAddress(address.host) !== null) return null;
  return isServiceName(address.host) ? null : address.host;
}

export class Backend {
  readonly definition: model.Proxy;
  readonly settings: model.BackendSettings;
  readonly slot: number;
  /** As log lines print it. */
  readonly nameText: EncodedText;
  readonly state: SharedState;
  readonly servers: Server[] = [];
  /** Takes what nothing binds to one of the servers, if there is one: no health, no row, no name in logs. */
  dispatch: Server | null = null;
  readonly serversByName: Map<string, Server> = new Map();
  /** By cookie value. */
  readonly serversByCookie: Map<string, Server> = new Map();
  balancer!: Balancer;
  programs!: BackendPrograms;
  /** For servers that want it (`option h1-case-adjust-bogus-server`). */
  headerCase: HeaderCase | null = null;

  constructor(definition: model.Proxy, settings: model.BackendSettings, slot: number, state: SharedState) {
    this.definition = definition;
    this.settings = settings;
    this.nameText = new EncodedText(definition.name);
    this.slot = slot;
    this.state = state;
  }

  get name(): string {
    return this.definition.name;
  }
}

/** Also the one that is not balanced. */
export function allServersOf({ servers, dispatch }: Backend): readonly Server[] {
  return dispatch === null ? servers : [...servers, dispatch];
}

export class Frontend {
  readonly definition: model.Proxy;
  readonly settings: model.FrontendSettings;
  readonly slot: number;
  /** As log lines print it. */
  readonly nameText: EncodedText;
  readonly state: SharedState;
  /** Where requests go that no use_backend rule took; null answers 503. */
  defaultBackend: Backend | null = null;
  programs!: FrontendPrograms;
  /** For clients that want it (`option h1-case-adjust-bogus-client`). */
  headerCase: HeaderCase | null = null;
  /** Null: no traffic log. */
  log: LogWriter | null = null;

  constructor(definition: model.Proxy, settings: model.FrontendSettings, slot: number, state: SharedState) {
    this.definition = definition;
    this.settings = settings;
    this.nameText = new EncodedText(definition.name);
    this.slot = slot;
    this.state = state;
  }

  get name(): string {
    return this.definition.name;
  }
}

/** A `bind` line that this process listens on. */
export interface ListenerRuntime {
  readonly definition: model.Bind;
  readonly frontend: Frontend;
  readonly slot: number;
}

export interface Runtime {
  readonly configuration: model.ProxyConfiguration;
  readonly state: SharedState;
  readonly frontends: readonly Frontend[];
  readonly backends: readonly Backend[];
  readonly listeners: readonly ListenerRuntime[];
  readonly frontendsByName: ReadonlyMap<string, Frontend>;
  readonly backendsByName: ReadonlyMap<string, Backend>;
  readonly userlists: ReadonlyMap<string, model.Userlist>;
  /** Raised by one for each generation. */
  readonly generation: number;
}
