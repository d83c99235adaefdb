// What the network that was applied has counted: at the ports of its switches, by their rules, and in the
// services of its edges.
import { type CountedPorts, readPortCounters } from "../../driver/linux/port-counters.ts";
import { readServiceCounts, type ServiceCount } from "../../driver/linux/service-counters.ts";
import type { Applied } from "../../driver/state-store.ts";
import { openNamespaceDoor } from "../../io/namespace-door.ts";
import { readBalancerCounts } from "./balancer-counters.ts";

export interface LiveCounters extends CountedPorts {
  readonly services: readonly ServiceCount[];
  /** Whose cards they are; null: none of the file's hosts is this machine. */
  readonly host: string | null;
}

/**
 * `directory`: the state directory of the datacentre of that name. A sentence when the kernel does not tell.
 */
export async function readLiveCounters(
  name: string,
  { state, host = null }: Applied,
  directory: string,
): Promise<LiveCounters | string> {
  const counted = await readPortCounters(state, name);
  if (typeof counted === "string") return counted;
  const services = readServiceCounts(state, directory, openNamespaceDoor());
  return { ...counted, host, services: [...services, ...(await readBalancerCounts(state))] };
}
