// What all balancing algorithms have in common.
import type { Server } from "../runtime.ts";
import type { Stream } from "../stream.ts";

export interface Balancer {
  /**
   * The server for a new stream among those that take balanced traffic, or null when there is none. `avoid`
   * is the server that just failed this stream (redispatch): used only if nothing else is left. Servers at
   * their maxconn are skipped as HAProxy does for the algorithm; when all usable ones are full, null with
   * `areAllFull` true: the stream queues at the backend.
   */
  choose(stream: Stream, avoid: Server | null): Server | null;
  /** After `choose` returned null: true if there were usable servers, all at their maxconn. */
  readonly areAllFull: boolean;
}
