// Walks round a fixed order of servers with a position that all workers share. Used by the round robins, and
// by hash algorithms for streams without a key.
import type { Server } from "../runtime.ts";
import type { SharedState } from "../state.ts";
import type { ServerGroup } from "./server-group.ts";

export class Turns {
  /** Indexes into `group.servers`. */
  order: Uint16Array = new Uint16Array(0);
  readonly #group: ServerGroup;
  readonly #cells: Int32Array;
  readonly #positionIndex: number;
  /** Of each server: the walk in which it was last seen, so that a walk ends when all have been. */
  #seenInWalk: Uint32Array = new Uint32Array(0);
  #walk = 0;

  constructor(group: ServerGroup, state: SharedState, slot: number, cell: number) {
    this.#group = group;
    this.#cells = state.cells;
    this.#positionIndex = state.cell(slot, cell);
  }

  /**
   * The next server that has room and is not `avoid`; `avoid` when nothing else has room; null when nothing
   * has.
   */
  take(avoid: Server | null): Server | null {
    const order = this.order;
    if (order.length === 0) return null;
    const index = order[this.#advance() % order.length]!;
    const server = this.#group.servers[index]!;
    if (server !== avoid && this.#group.hasRoom(index)) return server;
    return this.#walkOn(index, avoid);
  }

  #walkOn(first: number, avoid: Server | null): Server | null {
    const { servers } = this.#group;
    if (this.#seenInWalk.length !== servers.length) this.#seenInWalk = new Uint32Array(servers.length);
    this.#walk = (this.#walk + 1) >>> 0;
    let avoided: Server | null = null;
    let unseen = servers.length;
    let index = first;
    for (;;) {
      if (this.#seenInWalk[index] !== this.#walk) {
        this.#seenInWalk[index] = this.#walk;
        unseen--;
        if (this.#group.hasRoom(index)) {
          const server = servers[index]!;
          if (server !== avoid) return server;
          avoided = server;
        }
        if (unseen === 0) return avoided;
      }
      index = this.order[this.#advance() % this.order.length]!;
    }
  }

  #advance(): number {
    return Atomics.add(this.#cells, this.#positionIndex, 1) >>> 0;
  }
}
