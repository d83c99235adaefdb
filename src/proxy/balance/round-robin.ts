// `balance roundrobin`: servers take turns, by weight. The order in which HAProxy's weighted round robin
// starts from a clean state is worked out once for the present servers; the place in it is one atomic number
// in the shared state, so all workers go round together and a reload goes on where it was. A turn is one
// atomic add and a table access (about 20 ns); full servers use up their turns.
import type { Backend, Server } from "../runtime.ts";
import { CELL } from "../state.ts";
import type { Stream } from "../stream.ts";
import type { Balancer } from "./balancer.ts";
import type { BalanceEnvironment } from "./environment.ts";
import { ServerGroup } from "./server-group.ts";
import { Turns } from "./turns.ts";
import { weightedOrder } from "./weighted-order.ts";

export class RoundRobin implements Balancer {
  areAllFull = false;
  readonly #group: ServerGroup;
  readonly #turns: Turns;

  constructor(backend: Backend, environment: BalanceEnvironment) {
    this.#group = new ServerGroup(backend, environment);
    this.#turns = new Turns(this.#group, backend.state, backend.slot, CELL.position);
  }

  choose(_stream: Stream, avoid: Server | null): Server | null {
    const group = this.#group;
    if (group.refresh()) this.#turns.order = weightedOrder(group.weights);
    if (group.onlyBackup !== null) return group.onlyBackup;
    const server = this.#turns.take(avoid);
    this.areAllFull = server === null && group.servers.length > 0;
    return server;
  }
}
