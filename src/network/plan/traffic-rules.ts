// What port groups say of traffic, as rules of the bridges: which packets of their machines may pass, and
// which are marked. As in the simulation, the first rule that matches decides, what no rule matches passes,
// and only packets are asked that a machine sends.
import {
  compareIps,
  familyOfIp,
  type Ip,
  type IpFamily,
  type IpRange,
  rangeOfSubnet,
} from "../../base/ip.ts";
import type { Endpoint, Located, PortGroup, Switch, TrafficRule } from "../../model/datacenter.ts";
import type { ResolvedDatacenter } from "../../model/resolved-datacenter.ts";
import { addressesText, type NftChain, portsText, quoted, setOf } from "./nft-table.ts";
import { type BridgePortRecord, isOneBridge, type Wiring } from "./wiring.ts";

export const TRAFFIC_TABLE = "sallyport_traffic";

/** IEEE 802.1D: bridges tell each other the spanning tree by frames to this address. */
const BPDU_MAC = "01:80:c2:00:00:00";
/** Messages by which IPv6 finds neighbours and routers: no rule about icmp means them. */
const NEIGHBOUR_DISCOVERY = "133-137";

export function addTrafficRules(wiring: Wiring): void {
  const ports = wiring.ports.filter(({ portGroup }) => portGroup !== null);
  const filtered = ports.filter(({ portGroup }) => portGroup!.filters.length > 0);
  // The same port group may be on two bridges, but it is one list of rules.
  const groups = [...Map.groupBy(filtered, ({ portGroup }) => portGroup!)];
  const guarded = ports.filter((port) => switchOf(port, wiring)?.features.some(isBpduFilter) === true);
  if (groups.length === 0 && guarded.length === 0) return;
  const chains = groups.map(
    ([group], index): NftChain => ({
      name: chainName(index),
      hook: null,
      rules: group.filters.flatMap((rule) => ruleLines(rule, wiring.resolved)),
    }),
  );
  const jumps = groups.flatMap(([, members], index) =>
    members.map(({ link }) => `${quoted(link)} : jump ${chainName(index)}`),
  );
  const names = guarded.map(({ link }) => quoted(link));
  chains.push({
    name: "sp_from_machine",
    // Behind the policies about MACs: what they drop is no traffic.
    hook: "type filter hook prerouting priority -200; policy accept;",
    rules: [
      ...(names.length === 0 ? [] : [`ether daddr ${BPDU_MAC} iifname ${setOf(names)} counter drop`]),
      ...(jumps.length === 0 ? [] : [`iifname vmap { ${jumps.join(", ")} }`]),
    ],
  });
  noteWhatIsLeftOut(
    groups.map(([group]) => group),
    wiring,
  );
  wiring.fabricTable("bridge", TRAFFIC_TABLE, { maps: [], chains });
}

function chainName(index: number): string {
  return `sp_group_${index + 1}`;
}

function isBpduFilter({ value }: { readonly value: string }): boolean {
  return value === "bpdu-filter";
}

function switchOf({ network }: BridgePortRecord, wiring: Wiring): Switch | undefined {
  const place = wiring.network(network)?.portGroup?.switch;
  return wiring.resolved.source.switches.find(({ name }) => name === place);
}

function noteWhatIsLeftOut(groups: readonly PortGroup[], { drafts, options, resolved }: Wiring): void {
  const filtering = resolved.source.switches.filter((one) => isOneBridge(one, options));
  const marking = groups.find(
    (group) =>
      group.filters.some(({ cos }) => cos !== null) &&
      filtering.some(({ portGroups }) => portGroups.includes(group)),
  );
  if (marking !== undefined)
    drafts.notes.push(
      `${marking.name} marks classes of service, which a bridge that filters VLANs does not write into its tags`,
    );
}

/** One line for each family and protocol that a rule is about. */
function ruleLines(rule: TrafficRule, resolved: ResolvedDatacenter): string[] {
  return ([4, 6] as const).flatMap((family) => {
    const from = addressesOf(rule.match.from, family, resolved);
    const to = addressesOf(rule.match.to, family, resolved);
    if (from?.length === 0 || to?.length === 0) return [];
    const ip = family === 4 ? "ip" : "ip6";
    const { protocol, ports } = rule.match;
    const line = [
      `ether type ${ip}`,
      ...(from === null ? [] : [`${ip} saddr ${addressesText(from)}`]),
      ...(to === null ? [] : [`${ip} daddr ${addressesText(to)}`]),
      ...protocolWords(protocol?.value ?? null, family),
      // Ports without a protocol are those of both that have some.
      ...(protocol === null && ports.length > 0 ? ["meta l4proto { tcp, udp }"] : []),
      ...(ports.length === 0 ? [] : [`th dport ${portsText(ports.map(({ value }) => value))}`]),
      "counter",
      ...verdictWords(rule, ip),
    ];
    return [line.join(" ")];
  });
}

function protocolWords(protocol: "tcp" | "udp" | "icmp" | null, family: IpFamily): string[] {
  if (protocol === null) return [];
  if (protocol !== "icmp") return [`meta l4proto ${protocol}`];
  return [family === 4 ? "ip protocol icmp" : `icmpv6 type != ${NEIGHBOUR_DISCOVERY}`];
}

function verdictWords({ action, dscp, cos }: TrafficRule, ip: "ip" | "ip6"): string[] {
  if (action.value !== "mark") return [action.value === "drop" ? "drop" : "accept"];
  return [
    ...(dscp === null ? [] : [`${ip} dscp set ${dscp.value}`]),
    // VLAN devices write it into the tag; plain numbers would also mean the kernel's own priorities.
    ...(cos === null ? [] : [`meta priority set ${COS_MAJOR}:${cos.value}`]),
    "accept",
  ];
}

/** Of the priority that stands for a class of service, above its 16 bits. */
export const COS_MAJOR = 1;

/** Null: any address. Empty: none of this family. Names that nobody has were found by the check. */
function addressesOf(
  list: readonly Located<Endpoint>[],
  family: IpFamily,
  resolved: ResolvedDatacenter,
): IpRange[] | null {
  if (list.length === 0) return null;
  const ranges: IpRange[] = [];
  for (const { value } of list) {
    const own = rangesOf(value, resolved);
    if (own === null) return null;
    ranges.push(...own);
  }
  return withoutOverlap(ranges.filter(({ first }) => familyOfIp(first) === family));
}

/** nft refuses a set whose ranges overlap. */
function withoutOverlap(ranges: readonly IpRange[]): IpRange[] {
  const merged: IpRange[] = [];
  for (const range of ranges.toSorted((a, b) => compareIps(a.first, b.first))) {
    const last = merged.at(-1);
    if (last === undefined || compareIps(range.first, last.last) > 0) merged.push(range);
    else if (compareIps(range.last, last.last) > 0) merged.splice(-1, 1, { ...last, last: range.last });
  }
  return merged;
}

function rangesOf(endpoint: Endpoint, resolved: ResolvedDatacenter): readonly IpRange[] | null {
  switch (endpoint.kind) {
    case "any":
      return null;
    case "address":
      return [single(endpoint.ip)];
    case "subnet":
      return [rangeOfSubnet(endpoint.subnet)];
    case "range":
      return [endpoint.range];
    case "name":
      return rangesOfName(endpoint.reference.text, resolved);
  }
}

function rangesOfName(
  text: string,
  { networks, clusters, machines, edges }: ResolvedDatacenter,
): IpRange[] | null {
  const network = networks.find(({ name }) => name === text);
  if (network !== undefined) return network.isExternal ? null : network.subnets.map(rangeOfSubnet);
  const owners = [...machines, ...edges].filter(
    ({ name }) => name === text || name.startsWith(`${text}/`) || name.startsWith(`${text}.`),
  );
  return [
    ...clusters.filter(({ name }) => name === text).map(({ address }) => single(address)),
    ...owners.flatMap(({ interfaces }) =>
      interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => single(ip))),
    ),
  ];
}

function single(ip: Ip): IpRange {
  return { first: ip, last: ip };
}
