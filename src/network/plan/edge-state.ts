// The namespace of an edge: it routes between its networks, translates and filters.
import type { ResolvedEdge } from "../../model/resolved-datacenter.ts";
import { firewallTable } from "./firewall-table.ts";
import { linkName } from "./kernel-names.ts";
import type { NamespaceDraft, Place } from "./namespace-draft.ts";
import { natTables } from "./nat-table.ts";
import { quoted } from "./nft-table.ts";
import type { Wiring } from "./wiring.ts";

/** The device of an edge in a network. */
export function edgeDevice(network: string): string {
  return linkName("n", network);
}

export function addEdge(edge: ResolvedEdge, wiring: Wiring): NamespaceDraft {
  const draft = wiring.drafts.namespace(edge.name, `edge ${edge.name}`);
  routingSysctls(draft);
  const places: Place[] = [];
  for (const { network, addresses, mac } of edge.interfaces) {
    const device = edgeDevice(network);
    wiring.connect(draft, device, edge.name, network, network, { mac });
    interfaceSysctls(draft, device);
    for (const { ip, prefix } of addresses) draft.address(device, ip, prefix);
    places.push({ link: device, addresses });
  }
  draft.routesBy(edge.routes, places);
  const deviceOf = (network: string) =>
    edge.interfaces.some((one) => one.network === network) ? edgeDevice(network) : null;
  draft.tables.push(
    firewallTable(edge.firewall, {
      deviceOf,
      forwardRules: [],
      inputRules: dhcpInputRules(edge, wiring),
    }),
    ...natTables(edge.nat, deviceOf),
  );
  return draft;
}

/** A router that does what the simulation does: no filter by reverse path, no redirects. */
export function routingSysctls(draft: NamespaceDraft): void {
  draft.sysctl("net/ipv4/ip_forward", 1);
  draft.sysctl("net/ipv6/conf/all/forwarding", 1);
  draft.sysctl("net/ipv4/conf/all/rp_filter", 0);
  draft.sysctl("net/ipv4/conf/all/send_redirects", 0);
}

export function interfaceSysctls(draft: NamespaceDraft, device: string): void {
  draft.sysctl(`net/ipv4/conf/${device}/rp_filter`, 0);
  draft.sysctl(`net/ipv4/conf/${device}/send_redirects`, 0);
}

/** Whoever asks for an address has none yet, so no rule of the file could let it in. */
function dhcpInputRules(edge: ResolvedEdge, { resolved }: Wiring): string[] {
  return resolved.networks
    .filter(({ dhcp }) => dhcp?.server === edge.name)
    .map(({ name }) => `iifname ${quoted(edgeDevice(name))} udp dport { 53, 67 } accept`);
}
