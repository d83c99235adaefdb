// Hashing with `hash-type map-based`: the hash modulo the length of the server map. Smooth and fast; nearly
// all keys move when a server comes or goes. A server that is full is chosen all the same: the stream queues
// there.
import type { HashType } from "../../model/proxy.ts";
import type { Backend, Server } from "../runtime.ts";
import { CELL } from "../state.ts";
import type { Stream } from "../stream.ts";
import type { Balancer } from "./balancer.ts";
import type { BalanceEnvironment } from "./environment.ts";
import { createKeyHash, type HashingDefinition, type KeyHash, NO_KEY } from "./hash-key.ts";
import { ServerGroup } from "./server-group.ts";
import { buildServerMap, commonDivisor } from "./server-map.ts";
import { mapWeights } from "./static-round-robin.ts";
import { Turns } from "./turns.ts";

export class MapHash implements Balancer {
  areAllFull = false;
  readonly #group: ServerGroup;
  /** For streams without a key. Its order is the server map. */
  readonly #turns: Turns;
  readonly #hash: KeyHash;
  readonly #needsKey: boolean;
  readonly #divisor: number;

  constructor(
    definition: HashingDefinition,
    hashType: HashType,
    backend: Backend,
    environment: BalanceEnvironment,
  ) {
    this.#group = new ServerGroup(backend, environment);
    this.#turns = new Turns(this.#group, backend.state, backend.slot, CELL.position);
    this.#hash = createKeyHash(definition, hashType, environment.evaluateKey);
    this.#needsKey = definition.algorithm === "url_param" || definition.algorithm === "rdp-cookie";
    this.#divisor = commonDivisor(backend.servers.map((server) => server.definition.weight));
  }

  choose(stream: Stream, avoid: Server | null): Server | null {
    const group = this.#group;
    if (group.refresh()) this.#turns.order = buildServerMap(mapWeights(group, this.#divisor));
    this.areAllFull = false;
    const { order } = this.#turns;
    if (order.length === 0) return null;
    // A lone server is taken without looking for a key, and so without regard to its limit.
    if (group.servers.length === 1 && !this.#needsKey) return group.servers[0]!;
    const hash = this.#hash(stream);
    if (hash !== NO_KEY) return group.servers[order[hash % order.length]!]!;
    const server = this.#turns.take(avoid);
    this.areAllFull = server === null;
    return server;
  }
}
