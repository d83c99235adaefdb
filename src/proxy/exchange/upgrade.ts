// A connection of HTTP that becomes a tunnel (RFC 9110, 7.8 and 9.3.6), and comes back to its client at the
// end.
import type { Chunk } from "../../transport/contract.ts";
import type { Stream } from "../stream.ts";
import type { InputPiece } from "./held-input.ts";
import type { HttpClient } from "./http-client.ts";
import type { ServerLink } from "./server-link.ts";
import type { Termination } from "./termination.ts";
import { Tunnel } from "./tunnel.ts";

/**
 * What both sides had said already: pieces of the client, which are released, and chunk.bytes[start, end).
 */
export interface Received {
  readonly fromClient: readonly InputPiece[];
  readonly chunk: Chunk;
  readonly start: number;
  readonly end: number;
}

export function openTunnel(
  client: HttpClient,
  link: ServerLink,
  stream: Stream,
  { fromClient, chunk, start, end }: Received,
  onEnd: (termination: Termination | null) => void,
): void {
  const { context, connection } = client;
  context.engine.timers.disarm(client.timer);
  const tunnel = new Tunnel(context, connection, link, stream, (termination) => {
    connection.handler = client;
    onEnd(termination);
    // The tunnel had the connection's last event; the client has to hear of it.
    if (connection.isClosed) client.handleClose(connection, null);
  });
  tunnel.takeOver(fromClient, chunk, start, end);
  if (client.isEnded) tunnel.handleEnd(connection);
}
