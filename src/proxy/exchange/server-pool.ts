// Idle connections of one server in this process, kept for reuse (`http-reuse`, manual section 4.2). Last in,
// first out, so that surplus connections age and are closed.
import type { Server } from "../runtime.ts";
import { CELL, COUNTER } from "../state.ts";
import type { ServerLink } from "./server-link.ts";

/** Most idle connections per server and process when `pool-max-conn` is not set. */
const IDLE_COUNT_MAX = 1024;

export class ServerPool {
  /** Raised by `closeAll`: connections that were opened before do not come back. */
  epoch = 0;
  /** How many bytes the server's recent responses had, newer ones counting more. */
  usualResponseBytes = 0;
  /** Most idle connections that this process has descriptors for. */
  countMax: number = IDLE_COUNT_MAX;
  readonly #idle: ServerLink[] = [];
  #server: Server;
  #isRetired = false;

  constructor(server: Server) {
    this.#server = server;
  }

  get size(): number {
    return this.#idle.length;
  }

  /**
   * An idle connection that was opened for `key`, or null. `isProvenOnly` gives only
   * one that has already been reused (http-reuse aggressive).
   */
  take(key: string, isProvenOnly: boolean): ServerLink | null {
    for (let i = this.#idle.length - 1; i >= 0; i--) {
      const link = this.#idle[i]!;
      if (link.key !== key || (isProvenOnly && link.exchangeCount < 2)) continue;
      if (i === this.#idle.length - 1) this.#idle.pop();
      else this.#idle.splice(i, 1);
      this.#countIdle(-1);
      link.isReused = true;
      return link;
    }
    return null;
  }

  noteResponse(byteCount: number): void {
    this.usualResponseBytes += (byteCount - this.usualResponseBytes) / 8;
  }

  /** Keeps a connection whose exchange is over; closes it when the pool is full. */
  put(link: ServerLink, nowMs: number): void {
    link.owner = null;
    const maximum = Math.min(this.#server.definition.poolMaxConnections ?? IDLE_COUNT_MAX, this.countMax);
    if (link.connection.isClosed) return;
    if (this.#isRetired || link.poolEpoch !== this.epoch || this.#idle.length >= maximum) {
      link.connection.close();
      return;
    }
    link.idleSinceMs = nowMs;
    this.#idle.push(link);
    this.#countIdle(1);
  }

  /** The link's connection is gone. */
  forget(link: ServerLink): void {
    const index = this.#idle.indexOf(link);
    if (index < 0) return;
    this.#idle.splice(index, 1);
    this.#countIdle(-1);
  }

  /** Closes what has been idle for longer than `pool-purge-delay`; half of it per call, as HAProxy does. */
  purge(nowMs: number): void {
    const oldest = nowMs - this.#server.definition.poolPurgeDelayMs;
    let surplus = Math.ceil(this.#idle.filter((link) => link.idleSinceMs < oldest).length / 2);
    while (surplus-- > 0) this.#closeOldest();
  }

  /** Also those that are in use, once they are not: for when they lead to the wrong place. */
  closeAll(): void {
    this.epoch++;
    while (this.#idle.length > 0) this.#closeOldest();
  }

  /**
   * Nobody takes from it any more: its server is gone from the configuration, or this process is stopping.
   */
  retire(): void {
    this.#isRetired = true;
    this.closeAll();
  }

  /** Goes on under the server's definition of a new generation. */
  moveTo(server: Server): void {
    this.#server = server;
  }

  #closeOldest(): void {
    const link = this.#idle.shift();
    if (link === undefined) return;
    this.#countIdle(-1);
    link.connection.close();
  }

  #countIdle(delta: number): void {
    this.#server.state.count(this.#server.slot, COUNTER.idleCur, delta);
    this.#server.state.add(this.#server.slot, CELL.idle, delta);
  }
}
