// What reads the PROXY header at the start of an accepted connection.
import type { SocketAddress } from "../../base/address.ts";
import type { Failure } from "../../base/failure.ts";

export type ProxyHeaderOutcome =
  | { readonly kind: "incomplete" }
  | { readonly kind: "failed"; readonly failure: Failure }
  | {
      readonly kind: "complete";
      /** Where the bytes behind the header start. */
      readonly next: number;
      readonly proxied: { readonly source: SocketAddress; readonly destination: SocketAddress } | null;
    };

export interface ProxyHeaderReader {
  receive(bytes: Uint8Array, start: number, end: number): ProxyHeaderOutcome;
}
