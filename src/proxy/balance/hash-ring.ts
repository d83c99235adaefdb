// The ring of consistent hashing: each server at (effective weight × 16) places that its id decides, so that
// a server that comes or goes moves only its own share of the keys. Places and search as in HAProxy 2.6,
// bounded loads (`hash-balance-factor`; Mirrokni, Thorup and Zadimoghaddam, arXiv:1608.01350) included.
import type { Server } from "../runtime.ts";
import { CELL, type SharedState } from "../state.ts";
import { avalanche } from "./hash.ts";
import type { ServerGroup } from "./server-group.ts";

/** Places that one server id can have. */
const PLACES_PER_ID = 4096;

export class HashRing {
  /** Ascending, unsigned. */
  keys: Uint32Array = new Uint32Array(0);
  /** Of each key: index into the group's servers. */
  owners: Uint16Array = new Uint16Array(0);
  readonly #group: ServerGroup;
  readonly #state: SharedState;
  readonly #balanceFactor: number;
  /** Of each server: weights of those before it. */
  #weightBefore: Int32Array = new Int32Array(0);

  constructor(group: ServerGroup, balanceFactor: number) {
    this.#group = group;
    this.#state = group.backend.state;
    this.#balanceFactor = balanceFactor;
  }

  rebuild(): void {
    const { servers, weights } = this.#group;
    const places: { readonly key: number; readonly owner: number }[] = [];
    servers.forEach((server, owner) => {
      for (let i = 0; i < weights[owner]!; i++)
        places.push({ key: avalanche(server.definition.id * PLACES_PER_ID + i), owner });
    });
    places.sort((a, b) => a.key - b.key);
    this.keys = Uint32Array.from(places, (place) => place.key);
    this.owners = Uint16Array.from(places, (place) => place.owner);
    this.#weightBefore = new Int32Array(servers.length);
    for (let i = 1; i < servers.length; i++)
      this.#weightBefore[i] = this.#weightBefore[i - 1]! + weights[i - 1]!;
  }

  /**
   * The server at the place closest to `hash`; from there on to one that is not `avoid` and not above its
   * share.
   */
  find(hash: number, avoid: Server | null): Server | null {
    const { keys, owners } = this;
    const servers = this.#group.servers;
    const count = keys.length;
    if (count === 0) return null;
    let at = this.#closest(hash);
    let server = servers[owners[at]!]!;
    let wraps = 0;
    while (server === avoid || (this.#balanceFactor !== 0 && !this.#isBelowShare(owners[at]!))) {
      at++;
      if (at === count) {
        at = 0;
        if (++wraps > 1) break;
      }
      server = servers[owners[at]!]!;
    }
    return server;
  }

  #closest(hash: number): number {
    const { keys } = this;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    const next = low === keys.length ? 0 : low;
    const previous = next === 0 ? keys.length - 1 : next - 1;
    const distanceBack = (hash - keys[previous]!) >>> 0;
    const distanceOn = (keys[next]! - hash) >>> 0;
    return distanceBack <= distanceOn ? previous : next;
  }

  /**
   * Shares add up to the factor (in percent) times all requests, this one included; nobody's share is below
   * one.
   */
  #isBelowShare(index: number): boolean {
    const { weights, totalWeight, servers } = this.#group;
    const shares = Math.floor(((this.#servedByBackend() + 1) * this.#balanceFactor + 99) / 100);
    const perWeight = Math.floor(shares / totalWeight);
    const rest = shares % totalWeight;
    const before = this.#weightBefore[index]!;
    const weight = weights[index]!;
    const ofRest =
      Math.floor(((before + weight) * rest) / totalWeight) - Math.floor((before * rest) / totalWeight);
    const share = Math.max(1, weight * perWeight + ofRest);
    return this.#state.read(servers[index]!.slot, CELL.served) < share;
  }

  #servedByBackend(): number {
    let served = 0;
    for (const server of this.#group.backend.servers) served += server.served;
    return served;
  }
}
