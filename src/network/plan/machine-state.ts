// The namespace of a machine: its interfaces, addresses and routes, and what a member of a cluster needs.
import { familyOfIp, type Ip, type Subnet, subnetOf } from "../../base/ip.ts";
import type { Mac } from "../../base/mac.ts";
import type { ResolvedCluster, ResolvedInterface, ResolvedMachine } from "../../model/resolved-datacenter.ts";
import { addClusterMember } from "./cluster-member-state.ts";
import { linkName } from "./kernel-names.ts";
import type { NamespaceDraft, Place } from "./namespace-draft.ts";
import type { Wiring } from "./wiring.ts";

export function addMachine(machine: ResolvedMachine, wiring: Wiring): NamespaceDraft {
  const draft = wiring.drafts.namespace(machine.name, `machine ${machine.name}`);
  const cluster = clusterOf(machine, wiring);
  const places: Place[] = [];
  for (const one of machine.interfaces) {
    const device = deviceOf(one);
    wiring.connect(draft, device, machine.name, one.name, one.network, {
      mac: macOf(one, machine, wiring),
      isDhcpClient: one.wantsDhcp,
      machine,
    });
    // Those by DHCP are only foretold.
    const addresses = one.addresses.filter(({ origin }) => !one.wantsDhcp || origin.kind === "file");
    for (const { ip, prefix } of addresses) draft.address(device, ip, prefix);
    if (!one.wantsDhcp) places.push({ link: device, addresses });
    if (cluster?.network === one.network) addClusterMember(cluster, machine, device, draft, wiring);
  }
  draft.routesBy(machine.routes, places);
  // With a router of a family of which it has no address it would send from its link-local one, which no
  // router passes on.
  const families = new Set(places.flatMap(({ addresses }) => addresses.map(({ ip }) => familyOfIp(ip))));
  const routers = machine.gateways.filter(({ ip }) => families.has(familyOfIp(ip)));
  const gateways = routers.map(({ ip, span }) => ({ to: everything(ip), via: ip, span }));
  if (places.length > 0) draft.routesBy(gateways, places);
  if (machine.isForwarding) {
    draft.sysctl("net/ipv4/ip_forward", 1);
    draft.sysctl("net/ipv6/conf/all/forwarding", 1);
  }
  return draft;
}

export function clusterOf(machine: ResolvedMachine, { resolved }: Wiring): ResolvedCluster | undefined {
  return resolved.clusters.find(({ name }) => name === machine.cluster);
}

/** Its own, or the one that all members of its cluster have. */
export function macOf(one: ResolvedInterface, machine: ResolvedMachine, wiring: Wiring): Mac {
  const cluster = clusterOf(machine, wiring);
  const isShared = cluster?.mode === "unicast" && cluster.network === one.network;
  return isShared ? cluster.mac : one.mac;
}

/** As the file names it, unless no device can have that name. */
export function deviceOf({ name }: ResolvedInterface): string {
  return /^[a-z][a-z0-9._-]{0,14}$/i.test(name) ? name : linkName("e", name);
}

/** The whole family of `ip`. */
export function everything(ip: Ip): Subnet {
  return subnetOf(ip, 0);
}
