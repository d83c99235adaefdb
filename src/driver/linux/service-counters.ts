// What the services of edges do now, as the kernel and their programs tell it: connections that an edge
// follows, since it filters and translates by them, and addresses that its DHCP has lent.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NetworkState } from "../../model/network-state.ts";
import type { NamespaceDoor } from "../../transport/namespace-door.ts";
import { NAMESPACE_FOLDER } from "./namespaces.ts";

export interface ServiceCount {
  /** Of leases the network, of all else the edge or fence. */
  readonly owner: string;
  /** Of a load balancer: sessions at its frontends, and requests in the last second. */
  readonly kind: "connections" | "leases" | "sessions" | "requests";
  readonly value: number;
  /** Most that there can be; null: nobody says. */
  readonly limit: number | null;
}

const COUNT = "/proc/sys/net/netfilter/nf_conntrack_count";
const LIMIT = "/proc/sys/net/netfilter/nf_conntrack_max";
/** What `network/plan` calls their namespaces and programs. */
const EDGE = /^(?:edge|fence) (.+)$/;
const DHCP = /^DHCP and DNS of (.+)$/;

/** `directory`: the state directory of the datacentre. What cannot be told is left out. */
export function readServiceCounts(
  { namespaces, processes }: NetworkState,
  directory: string,
  door: NamespaceDoor | null,
): ServiceCount[] {
  const connections = namespaces.flatMap(({ name, words }): ServiceCount[] => {
    const owner = EDGE.exec(words)?.[1];
    if (owner === undefined || name === null || door === null) return [];
    const counts = door.within(join(NAMESPACE_FOLDER, name), () => [numberIn(COUNT), numberIn(LIMIT)]);
    const [value = null, limit = null] = counts ?? [];
    return value === null ? [] : [{ owner, kind: "connections", value, limit }];
  });
  const leases = processes.flatMap(({ name, words }): ServiceCount[] => {
    const owner = DHCP.exec(words)?.[1];
    if (owner === undefined) return [];
    const value = leasesIn(join(directory, "programs", name, "leases"));
    return value === null ? [] : [{ owner, kind: "leases", value, limit: null }];
  });
  return [...connections, ...leases];
}

function numberIn(path: string): number | null {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    // A kernel that follows no connections.
    return null;
  }
}

/** dnsmasq writes a line for each lease, after its server's own identifier of DHCPv6. */
function leasesIn(path: string): number | null {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => /^\d+ [0-9a-f]/.test(line)).length;
  } catch {
    return null;
  }
}
