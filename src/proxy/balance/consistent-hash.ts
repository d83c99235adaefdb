// Hashing with `hash-type consistent`: the place on the ring that is closest to the hash. A server that is
// full is chosen all the same (the stream queues there), unless `hash-balance-factor` moves the key on.
import type { HashType } from "../../model/proxy.ts";
import type { Backend, Server } from "../runtime.ts";
import { CELL } from "../state.ts";
import type { Stream } from "../stream.ts";
import type { Balancer } from "./balancer.ts";
import type { BalanceEnvironment } from "./environment.ts";
import { createKeyHash, type HashingDefinition, type KeyHash, NO_KEY } from "./hash-key.ts";
import { HashRing } from "./hash-ring.ts";
import { ServerGroup } from "./server-group.ts";
import { Turns } from "./turns.ts";

export class ConsistentHash implements Balancer {
  areAllFull = false;
  readonly #group: ServerGroup;
  readonly #ring: HashRing;
  /** For streams without a key: round the places of the ring. */
  readonly #turns: Turns;
  readonly #hash: KeyHash;
  readonly #needsKey: boolean;

  constructor(
    definition: HashingDefinition,
    hashType: HashType,
    backend: Backend,
    environment: BalanceEnvironment,
  ) {
    this.#group = new ServerGroup(backend, environment);
    this.#ring = new HashRing(this.#group, backend.settings.hashBalanceFactor);
    this.#turns = new Turns(this.#group, backend.state, backend.slot, CELL.position);
    this.#hash = createKeyHash(definition, hashType, environment.evaluateKey);
    this.#needsKey = definition.algorithm === "url_param" || definition.algorithm === "rdp-cookie";
  }

  choose(stream: Stream, avoid: Server | null): Server | null {
    const group = this.#group;
    if (group.refresh()) {
      this.#ring.rebuild();
      this.#turns.order = this.#ring.owners;
    }
    this.areAllFull = false;
    if (group.onlyBackup !== null) return group.onlyBackup;
    const hash = group.servers.length === 1 && !this.#needsKey ? 0 : this.#hash(stream);
    if (hash !== NO_KEY) return this.#ring.find(hash, avoid);
    const server = this.#turns.take(avoid);
    this.areAllFull = server === null && group.servers.length > 0;
    return server;
  }
}
