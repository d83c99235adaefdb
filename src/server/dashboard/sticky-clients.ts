// How many visitors a cookie still brings back to a server: what an operator waits for while it drains.
// Nobody tells a balancer that a visitor has left, so those count who came within the last minute. They are
// told apart by address and browser, and only a hash of these is kept.
import type { StickySessions } from "../../model/dashboard-api.ts";
import type { EndedRequest } from "../messages.ts";

const WINDOW_MS = 60_000;
const CLIENTS_MAX = 10_000;

interface Visitors {
  /** When each was last seen, in that order. */
  readonly lastSeenMs: Map<number, number>;
  lastMs: number;
}

export class StickyClients {
  readonly #byServer = new Map<string, Visitors>();

  /** `nowMs`: when they are told, so that a long one counts as a visit that has just ended. */
  note(requests: readonly EndedRequest[], nowMs: number): void {
    for (const { isPersistent, backend, server, clientHost, http } of requests) {
      if (!isPersistent || backend === null || server === null) continue;
      const browser = http?.headers.find(([name]) => name === "user-agent")?.[1] ?? "";
      this.#see(`${backend}/${server}`, hashOf(`${clientHost} ${browser}`), nowMs);
    }
  }

  /** Of a server whose backend knows a cookie. */
  of(id: string, nowMs: number): StickySessions {
    const visitors = this.#byServer.get(id);
    if (visitors === undefined)
      return { clients: 0, isMore: false, windowSeconds: WINDOW_MS / 1000, lastSeenMs: null };
    for (const [client, seenMs] of visitors.lastSeenMs) {
      if (nowMs - seenMs <= WINDOW_MS) break;
      visitors.lastSeenMs.delete(client);
    }
    return {
      clients: visitors.lastSeenMs.size,
      isMore: visitors.lastSeenMs.size >= CLIENTS_MAX,
      windowSeconds: WINDOW_MS / 1000,
      lastSeenMs: Math.round(visitors.lastMs),
    };
  }

  #see(id: string, client: number, atMs: number): void {
    let visitors = this.#byServer.get(id);
    if (visitors === undefined) {
      visitors = { lastSeenMs: new Map(), lastMs: atMs };
      this.#byServer.set(id, visitors);
    }
    visitors.lastMs = Math.max(visitors.lastMs, atMs);
    // Taken out and put in again, so that the map stays in the order of the last visits.
    visitors.lastSeenMs.delete(client);
    if (visitors.lastSeenMs.size < CLIENTS_MAX) visitors.lastSeenMs.set(client, atMs);
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
