// `balance leastconn`: the server with the fewest requests in relation to its weight, counted over all
// workers. Idle servers come before any other. Among equals the one after the server chosen last is taken, so
// that idle servers take turns as in HAProxy, where a server that is taken goes behind its equals.
import type { Backend, Server } from "../runtime.ts";
import { CELL, type SharedState } from "../state.ts";
import type { Stream } from "../stream.ts";
import type { Balancer } from "./balancer.ts";
import type { BalanceEnvironment } from "./environment.ts";
import { ServerGroup } from "./server-group.ts";

const WEIGHT_MAX = 4096;

export class LeastConnections implements Balancer {
  areAllFull = false;
  readonly #group: ServerGroup;
  readonly #state: SharedState;
  readonly #slot: number;

  constructor(backend: Backend, environment: BalanceEnvironment) {
    this.#group = new ServerGroup(backend, environment);
    this.#state = backend.state;
    this.#slot = backend.slot;
  }

  choose(_stream: Stream, avoid: Server | null): Server | null {
    const group = this.#group;
    group.refresh();
    if (group.onlyBackup !== null) return group.onlyBackup;
    const index = this.#leastLoaded(avoid);
    this.areAllFull = index < 0 && group.servers.length > 0;
    if (index < 0) return null;
    this.#state.write(this.#slot, CELL.position, index + 1);
    return group.servers[index]!;
  }

  /** -1 when no server has room. */
  #leastLoaded(avoid: Server | null): number {
    const { servers } = this.#group;
    const count = servers.length;
    let best = -1;
    let bestLoad = Number.POSITIVE_INFINITY;
    let avoided = -1;
    let index = count === 0 ? 0 : (this.#state.read(this.#slot, CELL.position) >>> 0) % count;
    for (let i = 0; i < count; i++) {
      const load = this.#load(index);
      if (load < bestLoad && this.#group.hasRoomOrQueue(index)) {
        if (servers[index] === avoid) avoided = index;
        else {
          best = index;
          bestLoad = load;
        }
      }
      index = index + 1 === count ? 0 : index + 1;
    }
    return best >= 0 ? best : avoided;
  }

  /**
   * (n + 1) / weight as an integer, so that a server is judged by what it would have, and 0 for an idle one.
   */
  #load(index: number): number {
    const slot = this.#group.servers[index]!.slot;
    const inFlight = this.#state.read(slot, CELL.served) + this.#state.read(slot, CELL.queued);
    return inFlight <= 0 ? 0 : Math.floor(((inFlight + 1) * WEIGHT_MAX) / this.#group.weights[index]!);
  }
}
