// The server connections of one client connection: the one that the present exchange uses, and the one that
// belongs to this client for good (http-reuse never, NTLM). Decides where a connection goes when its exchange
// is over.
import type { Server } from "../runtime.ts";
import type { ServerLink } from "./server-link.ts";

export class ServerLinks {
  /** In use by the present exchange. */
  current: ServerLink | null = null;
  /** Whatever was seen of the present exchange lets its connection live on. */
  isKept = false;
  /** Idle, and for the next request of this client only. */
  #own: ServerLink | null = null;

  /** The client's own connection when it leads to this server. */
  takeOwn(server: Server, key: string): ServerLink | null {
    const link = this.#own;
    if (link === null || link.server.slot !== server.slot || link.connection.isClosed) return null;
    if (link.key !== key) return null;
    this.#own = null;
    link.isReused = true;
    return link;
  }

  /** The present exchange is over: back to the pool, to this client, or away. */
  giveBack(isRequestDone: boolean, responseBytes: number, nowMs: number): void {
    const link = this.current;
    if (link === null) return;
    this.current = null;
    link.exchangeCount++;
    if (!this.isKept || !isRequestDone || link.connection.isClosed) {
      link.discard();
      return;
    }
    link.pool.noteResponse(responseBytes);
    // The next response is likely as large: then its head and body come in one piece.
    link.connection.expectBulk(link.pool.usualResponseBytes);
    link.connection.resume();
    if (link.isPrivate || link.server.backend.settings.httpReuse === "never") this.#keep(link);
    else link.pool.put(link, nowMs);
  }

  /** The present exchange has come to a bad end. */
  drop(): void {
    const link = this.current;
    this.current = null;
    if (link !== null && !link.connection.isClosed) link.abort();
  }

  /** The client is gone for good. */
  dispose(): void {
    this.#own?.discard();
    this.#own = null;
  }

  #keep(link: ServerLink): void {
    this.#own?.discard();
    link.owner = null;
    this.#own = link;
  }
}
