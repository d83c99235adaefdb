// What is known of a connection when it begins: its place in the ring, its socket, and who is at the other
// end.
import type { SocketAddress } from "../../base/address.ts";
import type { FailureSide } from "../../base/failure.ts";

export interface ConnectionOrigin {
  readonly id: number;
  readonly slot: number;
  readonly fd: number;
  /** Which party is at the other end. */
  readonly side: FailureSide;
  readonly remote: SocketAddress;
  /** Known without asking the socket, or null. */
  readonly local: SocketAddress | null;
}
