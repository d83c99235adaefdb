// A server whose address comes from nameservers: what is known of it here, and what is told of its changes.
// What follows from them (maintenance, log lines, workers) is the business of who gets the events.
import { parseIpAddress } from "../../base/address.ts";
import type { Server } from "../../model/proxy.ts";
import { isServiceName, type ServerResolution } from "../../model/resolvers.ts";
import { type AddressWishes, wishesOf } from "./choose-address.ts";

export interface FollowedServer {
  readonly backend: string;
  readonly name: string;
  readonly settings: ServerResolution;
  readonly wishes: AddressWishes;
  /** The service whose records lead to a host name; null when the file names the host. */
  readonly service: string | null;
  /** Whose address it has; null without a name, and while the service has no record for it. */
  hostName: string | null;
  /** Of the service's record; null when the file says it. */
  port: number | null;
  /** Counts up with each record that a server of a service loses: who is free longest takes the next one. */
  freeSince: number;
  /** "": none. */
  address: string;
  /**
   * What nameservers have said, while the runtime API has sent it elsewhere: it stays there for as long as
   * they go on saying so. Null: it is where they say.
   */
  replacedAddress: string | null;
}

export type ResolutionEvent =
  /** `by`: "dns/one", "DNS cache" or "DNS additional record", as log lines have it. */
  | { readonly kind: "address"; readonly server: FollowedServer; readonly by: string }
  /** A record of its service: host name and port may be others now. */
  | { readonly kind: "target"; readonly server: FollowedServer }
  /** Likewise; 0 to 256. */
  | { readonly kind: "weight"; readonly server: FollowedServer; readonly weight: number }
  /** It has an address. `isAnswer`: a nameserver was asked for it. */
  | { readonly kind: "available"; readonly server: FollowedServer; readonly isAnswer: boolean }
  /** It has none (any more). */
  | { readonly kind: "unavailable"; readonly server: FollowedServer; readonly cause: string };

/** `start`: address and port to begin with. Null for a server whose name nobody follows. */
export function followedServerOf(
  backend: string,
  definition: Server,
  start: { readonly address: string; readonly port: number | null },
): FollowedServer | null {
  const { name, address, resolution } = definition;
  if (resolution === null || address.kind !== "tcp") return null;
  const isService = isServiceName(address.host);
  return {
    backend,
    name,
    settings: resolution,
    wishes: wishesOf(resolution),
    service: isService ? address.host : null,
    hostName: isService || parseIpAddress(address.host) !== null ? null : address.host,
    port: isService ? start.port : null,
    freeSince: 0,
    address: start.address,
    replacedAddress: null,
  };
}
