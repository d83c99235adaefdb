// A datacentre file with everything worked out that it leaves to be derived. Pure, and never throws: what
// cannot be is reported and left out, so that the rest can still be looked at.
import type { Diagnostic } from "../../diagnostic/diagnostic.ts";
import type { Datacenter } from "../../model/datacenter.ts";
import type { ResolvedDatacenter, ResolvedDhcp } from "../../model/resolved-datacenter.ts";
import { takeWrittenAddresses } from "./addresses.ts";
import { resolveClusters } from "./clusters.ts";
import { addEdgeRules, placeEdges } from "./edges.ts";
import { addFenceRules, resolveFences } from "./fences.ts";
import { Findings } from "./findings.ts";
import { resolveMachines } from "./machines.ts";
import { collectNames } from "./names.ts";
import { resolveNetworks } from "./networks.ts";
import { resolvePublications } from "./publications.ts";
import type { LoadBalancerBind, Resolution } from "./resolution.ts";

export interface ResolveOptions {
  /** What load balancers listen on, so that nothing else is published there. */
  readonly loadBalancerBinds?: readonly LoadBalancerBind[];
}

export function resolveDatacenter(
  datacenter: Datacenter,
  { loadBalancerBinds = [] }: ResolveOptions = {},
): { readonly resolved: ResolvedDatacenter; readonly diagnostics: readonly Diagnostic[] } {
  const findings = new Findings();
  const resolution: Resolution = {
    datacenter,
    findings,
    names: collectNames(datacenter, findings),
    loadBalancerBinds,
    publicationsOf: Map.groupBy(datacenter.publications, ({ machine }) => machine.value.text),
    taken: new Map(),
    chosenInside: new Map(),
    networks: new Map(),
    outside: [],
    machines: new Map(),
    edges: new Map(),
    clusters: new Map(),
  };
  takeWrittenAddresses(resolution);
  resolveNetworks(resolution);
  placeEdges(resolution);
  resolveMachines(resolution);
  resolveClusters(resolution);
  resolveFences(resolution);
  addEdgeRules(resolution);
  addFenceRules(resolution);
  const publications = resolvePublications(resolution);
  addReservations(resolution);
  return {
    resolved: {
      source: datacenter,
      networks: [...resolution.networks.values()],
      edges: [...resolution.edges.values()],
      machines: [...resolution.machines.values()],
      clusters: [...resolution.clusters.values()],
      publications,
    },
    diagnostics: findings.diagnostics,
  };
}

/**
 * Every machine of a network with DHCP has its address reserved, so that it stays the one that everybody else
 * knows.
 */
function addReservations({ networks, machines }: Resolution): void {
  const byNetwork = new Map<string, ResolvedDhcp["reservations"][number][]>();
  for (const machine of machines.values()) {
    for (const { network, mac, addresses } of machine.interfaces) {
      if (networks.get(network)?.dhcp == null) continue;
      const list = byNetwork.get(network) ?? [];
      byNetwork.set(network, list);
      for (const { ip, origin } of addresses) list.push({ machine: machine.name, mac, ip, origin });
    }
  }
  for (const [name, reservations] of byNetwork) {
    const network = networks.get(name)!;
    networks.set(name, { ...network, dhcp: { ...network.dhcp!, reservations } });
  }
}
