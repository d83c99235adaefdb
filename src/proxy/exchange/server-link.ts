// A connection to a server, from connect to its end: used by one stream at a time, idle in its server's pool
// between two requests. Forwards events to its owner; without an owner it is idle, and anything that happens
// ends it.
import { type Failure, failure } from "../../base/failure.ts";
import type { Chunk, Connection, ConnectionHandler } from "../../transport/contract.ts";
import type { Server } from "../runtime.ts";
import { COUNTER } from "../state.ts";
import type { ServerPool } from "./server-pool.ts";

/** What a link tells the stream that uses it. Same order of calls as a ConnectionHandler's. */
export interface LinkOwner {
  handleLinkOpen(link: ServerLink): void;
  handleLinkData(link: ServerLink, chunk: Chunk, start: number, end: number): void;
  handleLinkDrain(link: ServerLink): void;
  handleLinkEnd(link: ServerLink): void;
  /** The link is gone; it has no owner any more. */
  handleLinkClose(link: ServerLink, failure: Failure | null): void;
}

export class ServerLink implements ConnectionHandler {
  readonly server: Server;
  readonly pool: ServerPool;
  connection!: Connection;
  owner: LinkOwner | null;
  /** Complete exchanges so far. A link that served one is known to stay open between requests. */
  exchangeCount = 0;
  /** What it was opened for (`reuseKey`): only streams that want the same may reuse it. */
  key = "";
  /** Belongs to one client connection for good (NTLM, http-reuse never). */
  isPrivate = false;
  /** The connection was lent out at least once before the present stream. */
  isReused = false;
  isOpen = false;
  idleSinceMs = 0;
  /** Of the pool when this was opened. */
  readonly poolEpoch: number;

  constructor(server: Server, pool: ServerPool, owner: LinkOwner) {
    this.server = server;
    this.pool = pool;
    this.poolEpoch = pool.epoch;
    this.owner = owner;
  }

  handleOpen(_connection: Connection): void {
    this.isOpen = true;
    this.owner?.handleLinkOpen(this);
  }

  handleData(connection: Connection, chunk: Chunk, start: number, end: number): void {
    if (this.owner !== null) this.owner.handleLinkData(this, chunk, start, end);
    // Bytes that nobody asked for: a response to nothing would poison the next request.
    else connection.reset();
  }

  handleDrain(_connection: Connection): void {
    this.owner?.handleLinkDrain(this);
  }

  handleEnd(connection: Connection): void {
    if (this.owner !== null) this.owner.handleLinkEnd(this);
    else connection.close();
  }

  handleClose(_connection: Connection, cause: Failure | null): void {
    const owner = this.owner;
    this.owner = null;
    this.pool.forget(this);
    owner?.handleLinkClose(this, cause);
  }

  /** The stream has no more use for the connection and it must not be used again. */
  discard(): void {
    this.owner = null;
    this.connection.close();
  }

  /** As `discard`, at once and without sending what is queued. */
  abort(): void {
    this.owner = null;
    this.connection.reset();
  }

  /** Counts this link as one in use; the pool counts idle ones. */
  countUse(): void {
    const state = this.server.state;
    state.count(this.server.slot, this.isReused ? COUNTER.reuse : COUNTER.connect);
  }
}

/** For connects that cannot even be tried. */
export function unresolvedAddress(server: Server): Failure {
  return failure(
    "unreachable",
    "server",
    `the address of server ${server.backend.name}/${server.name} is not known`,
  );
}
