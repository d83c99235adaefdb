// `balance static-rr`: round robin over the server map. The order is a fixed table; weights other than the
// configured one and zero are not applied.
import type { Backend, Server } from "../runtime.ts";
import { CELL } from "../state.ts";
import type { Stream } from "../stream.ts";
import type { Balancer } from "./balancer.ts";
import type { BalanceEnvironment } from "./environment.ts";
import { ServerGroup } from "./server-group.ts";
import { buildServerMap, commonDivisor } from "./server-map.ts";
import { Turns } from "./turns.ts";

export class StaticRoundRobin implements Balancer {
  areAllFull = false;
  readonly #group: ServerGroup;
  readonly #turns: Turns;
  readonly #divisor: number;

  constructor(backend: Backend, environment: BalanceEnvironment) {
    this.#group = new ServerGroup(backend, environment);
    this.#turns = new Turns(this.#group, backend.state, backend.slot, CELL.position);
    this.#divisor = commonDivisor(backend.servers.map((server) => server.definition.weight));
  }

  choose(_stream: Stream, avoid: Server | null): Server | null {
    const group = this.#group;
    if (group.refresh()) this.#turns.order = buildServerMap(mapWeights(group, this.#divisor));
    const server = this.#turns.take(avoid);
    this.areAllFull = server === null && group.servers.length > 0;
    return server;
  }
}

/** User weights over the common divisor, rounded up: 1 for each server when all have the same weight. */
export function mapWeights(group: ServerGroup, divisor: number): Int32Array {
  return group.userWeights.map((weight) => Math.ceil(weight / divisor));
}
