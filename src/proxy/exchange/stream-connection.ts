// A stream of HTTP/2 as the exchange sees it: a client connection that takes responses as heads, so that they
// need not be written as HTTP/1.1 to be read again.
import type { MessageHead } from "../../protocol/http1/message-head.ts";
import type { Connection } from "../../transport/contract.ts";

export interface StreamConnection extends Connection {
  /**
   * A head, and what is here of its body: body[start, end), framed as in HTTP/1.1. Returns how many bytes
   * both have in HTTP/1.1.
   */
  sendHead(head: MessageHead, body: Uint8Array, start: number, end: number): number;
  /** The exchange is over, and another one may begin. */
  handleIdle(): void;
}

/** Null: a connection of HTTP/1. */
export function asStream(connection: Connection): StreamConnection | null {
  return isStream(connection) ? connection : null;
}

function isStream(connection: Connection): connection is StreamConnection {
  return "sendHead" in connection;
}
