// `balance random(N)`: N random places on the ring of consistent hashing, of which the server with the lowest
// load for its weight is taken. If that one is full the stream queues at the backend.
import type { Backend, Server } from "../runtime.ts";
import { CELL, type SharedState } from "../state.ts";
import type { Stream } from "../stream.ts";
import type { Balancer } from "./balancer.ts";
import type { BalanceEnvironment } from "./environment.ts";
import { HashRing } from "./hash-ring.ts";
import { ServerGroup } from "./server-group.ts";

const HASH_RANGE = 2 ** 32;

export class Random implements Balancer {
  areAllFull = false;
  readonly #group: ServerGroup;
  readonly #ring: HashRing;
  readonly #draws: number;
  readonly #environment: BalanceEnvironment;
  readonly #state: SharedState;

  constructor(draws: number, backend: Backend, environment: BalanceEnvironment) {
    this.#group = new ServerGroup(backend, environment);
    this.#ring = new HashRing(this.#group, backend.settings.hashBalanceFactor);
    this.#draws = draws;
    this.#environment = environment;
    this.#state = backend.state;
  }

  choose(_stream: Stream, avoid: Server | null): Server | null {
    const group = this.#group;
    if (group.refresh()) this.#ring.rebuild();
    this.areAllFull = false;
    let best: Server | null = group.onlyBackup;
    if (best === null) {
      for (let draw = 0; draw < this.#draws; draw++) {
        best = this.#lessLoaded(
          best,
          this.#ring.find(Math.floor(this.#environment.random() * HASH_RANGE), avoid),
        );
      }
    }
    if (best !== null && group.hasRoom(group.servers.indexOf(best))) return best;
    this.areAllFull = best !== null;
    return null;
  }

  #lessLoaded(previous: Server | null, drawn: Server | null): Server | null {
    if (previous === null || drawn === null || previous === drawn) return drawn;
    const isWorse = drawn.served * this.#weight(previous) > previous.served * this.#weight(drawn);
    return isWorse ? previous : drawn;
  }

  #weight(server: Server): number {
    return this.#state.read(server.slot, CELL.effectiveWeight);
  }
}
