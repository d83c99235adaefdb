// The servers that load balancing may choose from at the moment: the balanced active ones, else the first
// backup, else (allbackups) all backups. Every algorithm keeps one group and asks `refresh` first, which
// costs one load as long as nobody raised the epoch of the shared state. Also knows whether a server has room
// under its connection limit. Decisions are those of HAProxy 2.6's recount_servers and srv_dynamic_maxconn.
import type { Backend, Server } from "../runtime.ts";
import { CELL, COUNTER, SERVER_STATE, type SharedState } from "../state.ts";
import type { BalanceEnvironment } from "./environment.ts";

export class ServerGroup {
  readonly backend: Backend;
  /** In the order of the configuration. */
  servers: readonly Server[] = [];
  /** Of `servers`: effective weight × 16, above 0. */
  weights: Int32Array = new Int32Array(0);
  /** Of `servers`: user weight 0..256, for algorithms with static weights. */
  userWeights: Int32Array = new Int32Array(0);
  totalWeight = 0;
  /**
   * The one backup server that takes everything while no active server is left (no `allbackups`); else null.
   * HAProxy uses it without asking for room: the stream then queues at that server.
   */
  onlyBackup: Server | null = null;
  readonly #state: SharedState;
  readonly #environment: BalanceEnvironment;
  readonly #fullconn: number;
  #epoch = 0;
  /** Of `servers`: connection limits, 0 without one. */
  #maxconn: Int32Array = new Int32Array(0);
  #minconn: Int32Array = new Int32Array(0);

  constructor(backend: Backend, environment: BalanceEnvironment) {
    this.backend = backend;
    this.#state = backend.state;
    this.#environment = environment;
    this.#fullconn = backend.settings.fullconn ?? environment.fullconnDefault ?? 0;
  }

  /**
   * Follows changes of servers' states and weights. True when the group is not what it was: rebuild what
   * depends on it.
   */
  refresh(): boolean {
    const epoch = this.#state.epoch;
    return epoch !== this.#epoch && this.#rebuild(epoch);
  }

  /**
   * Whether the server at `index` may get one more: nobody waits for it and it serves less than its limit.
   */
  hasRoom(index: number): boolean {
    if (this.#maxconn[index] === 0) return true;
    const slot = this.servers[index]!.slot;
    const state = this.#state;
    return state.read(slot, CELL.queued) === 0 && state.read(slot, CELL.served) < this.#limit(index);
  }

  /** As `hasRoom`, but places in the server's own queue count as room. */
  hasRoomOrQueue(index: number): boolean {
    if (this.#maxconn[index] === 0) return true;
    const server = this.servers[index]!;
    const inFlight = this.#state.read(server.slot, CELL.served) + this.#state.read(server.slot, CELL.queued);
    return inFlight < this.#limit(index) + (server.definition.maxqueue ?? 0);
  }

  /** minconn and slow start make the limit follow the load of the backend and the age of the server. */
  #limit(index: number): number {
    const maxconn = this.#maxconn[index]!;
    const minconn = this.#minconn[index]!;
    let limit = maxconn;
    if (minconn !== maxconn) {
      const connections = this.#state.total(this.backend.slot, COUNTER.scur);
      if (connections < this.#fullconn)
        limit = Math.max(minconn, Math.floor((connections * maxconn) / this.#fullconn));
    }
    const server = this.servers[index]!;
    return server.operational === SERVER_STATE.starting ? this.#throttle(server, limit) : limit;
  }

  #throttle(server: Server, limit: number): number {
    const slowstartSeconds = Math.ceil((server.definition.slowstartMs ?? 0) / 1000);
    const age = this.#environment.wallClockSeconds() - this.#state.read(server.slot, CELL.lastChangeSeconds);
    if (slowstartSeconds === 0 || age < 0 || age >= slowstartSeconds) return limit;
    const percent = Math.floor((100 * age) / slowstartSeconds);
    return Math.max(1, Math.floor((limit * percent) / 100));
  }

  #rebuild(epoch: number): boolean {
    this.#epoch = epoch;
    const present = presentServers(this.backend);
    const servers = present.servers;
    const weights = Int32Array.from(servers, (server) => this.#state.read(server.slot, CELL.effectiveWeight));
    this.#readLimits(servers);
    const isSame =
      present.onlyBackup === this.onlyBackup &&
      servers.length === this.servers.length &&
      servers.every((server, i) => server === this.servers[i] && weights[i] === this.weights[i]);
    if (isSame) return false;
    this.servers = servers;
    this.onlyBackup = present.onlyBackup;
    this.weights = weights;
    this.userWeights = Int32Array.from(servers, (server) => this.#state.read(server.slot, CELL.weight));
    this.totalWeight = weights.reduce((sum, weight) => sum + weight, 0);
    return true;
  }

  #readLimits(servers: readonly Server[]): void {
    this.#maxconn = new Int32Array(servers.length);
    this.#minconn = new Int32Array(servers.length);
    servers.forEach((server, i) => {
      const limits = connectionLimits(server);
      this.#maxconn[i] = limits.maxconn;
      this.#minconn[i] = limits.minconn;
    });
  }
}

/** What the configuration and the runtime API say of a server's connections; 0 means unlimited. */
export function connectionLimits(server: Server): { readonly minconn: number; readonly maxconn: number } {
  const runtime =
    server.state.read(server.slot, CELL.isInitialised) === 1
      ? server.state.read(server.slot, CELL.maxconn)
      : -1;
  let maxconn = runtime >= 0 ? runtime : (server.definition.maxconn ?? 0);
  let minconn = server.definition.minconn ?? 0;
  if (minconn > maxconn && runtime < 0) maxconn = minconn;
  if (minconn === 0 || minconn > maxconn) minconn = maxconn;
  return { minconn, maxconn };
}

/** Active servers; without any, the first backup alone, or all backups with `option allbackups`. */
export function presentServers(backend: Backend): {
  readonly servers: readonly Server[];
  readonly onlyBackup: Server | null;
} {
  const balanced = backend.servers.filter((server) => server.isBalanced);
  const active = balanced.filter((server) => !server.definition.isBackup);
  if (active.length > 0) return { servers: active, onlyBackup: null };
  const first = balanced[0];
  if (backend.definition.options.allbackups || first === undefined)
    return { servers: balanced, onlyBackup: null };
  return { servers: [first], onlyBackup: first };
}
