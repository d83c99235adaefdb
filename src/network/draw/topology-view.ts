// A datacentre as nodes and links without places, for the dashboard, which lays them out itself: everything
// that can be pointed at, with the lines of the file that it comes from. Cables are those of the simulation,
// so that the way of a packet can be drawn over them.
import { formatSubnet } from "../../base/ip.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { TopologyAnswer, TopologyLink, TopologyNode } from "../../model/dashboard-datacenter.ts";
import type { Host, Switch } from "../../model/datacenter.ts";
import type {
  ResolvedDatacenter,
  ResolvedEdge,
  ResolvedInterface,
  ResolvedMachine,
  ResolvedNetwork,
} from "../../model/resolved-datacenter.ts";
import { nodeIdOf } from "../device/recorder.ts";
import {
  type BridgePort,
  type BridgeSpec,
  bondModeOf,
  type NodeSpec,
  type Topology,
} from "../topology/topology.ts";
import { vlanNumber, vlanOf } from "../topology/vlan-number.ts";
import { firstAndCount } from "./boxes.ts";
import { edgeServices, vlanWords } from "./logical-layout.ts";

type View = Pick<TopologyAnswer, "nodes" | "links" | "vlans">;
type Detail = TopologyNode["details"][number];

const LAYERS = {
  external: 0,
  fabric: 1,
  host: 2,
  switch: 3,
  network: 4,
  edge: 5,
  fence: 6,
  machine: 7,
} as const;

export function topologyView({ resolved, nodes: specs, peerOf }: Topology): View {
  const vlans = new Map(resolved.networks.map((network) => [network.name, vlanOfNetwork(network, resolved)]));
  const externals = new Set(resolved.networks.flatMap(({ name, isExternal }) => (isExternal ? [name] : [])));
  const fabrics = [...specs.values()].filter((spec): spec is BridgeSpec => spec.kind === "fabric");
  const nodes = [
    ...fabrics.map((fabric) => fabricNode(fabric, resolved)),
    ...resolved.source.hosts.map((host) =>
      hostNode(host, specs.get(nodeIdOf({ kind: "host", name: host.name }))),
    ),
    ...resolved.source.switches.map(switchNode),
    ...resolved.networks.map((network) => networkNode(network, vlans.get(network.name) ?? null)),
    ...resolved.edges.map((edge) => edgeNode(edge, resolved)),
    ...resolved.machines.map((machine) => machineNode(machine, vlans)),
  ];
  const links = [
    ...fabrics.flatMap((fabric) => cablesOf(fabric, peerOf)),
    ...resolved.source.switches.flatMap(uplinksOf),
    ...resolved.networks.flatMap((network) => portGroupOf(network, vlans.get(network.name) ?? null)),
    ...resolved.edges.flatMap((edge) => interfacesOf(edge.kind, edge, externals, vlans)),
    ...resolved.machines.flatMap((machine) => interfacesOf("machine", machine, externals, vlans)),
  ];
  return { nodes, links, vlans: legendOf(resolved.networks, vlans) };
}

function node(
  kind: TopologyNode["kind"],
  name: string,
  span: Span,
  more: Partial<Omit<TopologyNode, "id" | "kind" | "name" | "layer" | "span">>,
): TopologyNode {
  return {
    id: `${kind}/${name}`,
    kind,
    name,
    layer: LAYERS[kind],
    inside: null,
    reference: null,
    vlan: null,
    lines: [],
    services: [],
    details: [],
    span,
    ...more,
  };
}

function fabricNode({ name, ports, lags }: BridgeSpec, { source }: ResolvedDatacenter): TopologyNode {
  const written = source.fabric.find((one) => one.name === name);
  const counts = [`${ports.size} ports`, lags.size === 0 ? "" : `${lags.size} LAG`];
  const details = [...lags.values()].map(({ name: lag, members, fault, span }) => ({
    label: `LAG ${lag}`,
    value: fault === null ? `${members.join(" + ")}, up` : fault.message,
    span,
  }));
  const span = written?.span ?? source.name.span;
  return node("fabric", name, span, { lines: [counts.filter((text) => text !== "").join(", ")], details });
}

function hostNode(host: Host, spec: NodeSpec | undefined): TopologyNode {
  const bonds = host.bonds.map((bond) => ({
    label: bond.name,
    value: `${bond.links.map(({ value }) => value).join(" + ")}, ${bondModeOf(bond)}`,
    span: bond.span,
  }));
  const lines = bonds.map(({ label, value }) => `${label}: ${value}`);
  // One that only carries others has no address to ask from.
  const canAsk = spec !== undefined && "stack" in spec && spec.stack !== null;
  const reference = canAsk ? host.name : null;
  return node("host", host.name, host.span, { lines, details: bonds, reference });
}

function switchNode(one: Switch): TopologyNode {
  const details = one.portGroups.map((group) => {
    const vlan = vlanOf(group);
    return {
      label: group.name,
      value: vlan === 0 ? "no VLAN of its own" : vlanWords(vlan),
      span: group.span,
    };
  });
  const version = one.version === null ? [] : [`version ${one.version.value}`];
  const services = one.features.map(({ value }) => value);
  return node("switch", one.name, one.span, {
    lines: [...version, `${one.portGroups.length} port groups`],
    services,
    details,
  });
}

function networkNode(network: ResolvedNetwork, vlan: number | null): TopologyNode {
  const { name, span, isExternal, subnets, gateways, dhcp, portGroup } = network;
  const details: Detail[] = [
    ...subnets.map((subnet) => ({ label: "subnet", value: formatSubnet(subnet), span })),
    ...gateways.map((ip) => ({ label: "gateway", value: ip, span })),
    ...(portGroup === null
      ? []
      : [{ label: "port group", value: `${portGroup.switch}/${portGroup.portGroup}`, span }]),
    ...(dhcp === null ? [] : [{ label: "DHCP", value: `served by ${dhcp.server}`, span: dhcp.span }]),
  ];
  return node(isExternal ? "external" : "network", name, span, {
    vlan,
    lines: [...subnets.map(formatSubnet), ...(vlan === null ? [] : [vlanWords(vlan)])],
    services: dhcp === null ? [] : ["DHCP"],
    details,
    inside: network.kind === "fence-inside" ? `fence/${name}` : null,
    reference: isExternal ? name : null,
  });
}

function edgeNode(edge: ResolvedEdge, resolved: ResolvedDatacenter): TopologyNode {
  const { fence, firewall, nat, span } = edge;
  const details: Detail[] = [
    ...edge.interfaces.flatMap(interfaceDetails),
    ...(fence?.pairs ?? []).map(({ machine, inside, outside, origin }) => ({
      label: machine,
      value: `${inside} inside, ${outside} outside`,
      span: origin.span,
    })),
    {
      label: "firewall",
      value: `${firewall.rules.length} rules, else ${firewall.default}`,
      span: firewall.span,
    },
    { label: "NAT", value: `${nat.length} rules`, span: nat[0]?.origin.span ?? null },
    ...(edge.loadBalancer === null
      ? []
      : [{ label: "load balancer", value: edge.loadBalancer.path, span: edge.loadBalancer.span }]),
  ];
  const lines =
    fence === null
      ? edge.interfaces.map(
          ({ network, addresses }) => `${network} ${firstAndCount(addresses.map(({ ip }) => ip))}`,
        )
      : [`outside ${fence.address}`, fence.mode];
  return node(edge.kind, edge.name, span, {
    lines,
    services: edgeServices(edge, resolved),
    details,
    reference: edge.name,
  });
}

function machineNode(machine: ResolvedMachine, vlans: ReadonlyMap<string, number | null>): TopologyNode {
  const { source, copy, interfaces, gateways, cluster } = machine;
  const addresses = interfaces.flatMap((one) => one.addresses.map(({ ip }) => ip));
  const isDhcp = interfaces.some(({ wantsDhcp }) => wantsDhcp);
  const services = source.services.map(({ value }) => `${value.protocol} ${value.port}`);
  const details: Detail[] = [
    ...interfaces.flatMap(interfaceDetails),
    ...gateways.map(({ ip, span }) => ({ label: "gateway", value: ip, span })),
    ...source.services.map(({ value, span }) => ({
      label: "listens",
      value: `${value.protocol} ${value.port}`,
      span,
    })),
    {
      label: "is",
      value: source.kind.kind === "model" ? "only in the file" : source.kind.kind,
      span: source.span,
    },
    ...(machine.host === null ? [] : [{ label: "host", value: machine.host, span: machine.span }]),
  ];
  const [first] = interfaces;
  return node("machine", machine.name, machine.span, {
    lines: [addresses.length === 0 ? "no address" : `${firstAndCount(addresses)}${isDhcp ? " (DHCP)" : ""}`],
    services: cluster === null ? services : [...services, `cluster ${cluster}`],
    vlan: first === undefined ? null : (vlans.get(first.network) ?? null),
    inside:
      copy !== null && vlans.has(`${copy.vapp}.${copy.copy}`) ? `fence/${copy.vapp}.${copy.copy}` : null,
    details,
    reference: machine.name,
  });
}

function interfaceDetails({ name, network, addresses, mac, span }: ResolvedInterface): Detail[] {
  return [
    { label: name, value: `${network} ${mac}`, span },
    ...addresses.map(({ ip, prefix, origin }) => ({
      label: "address",
      value: origin.kind === "file" ? `${ip}/${prefix}` : `${ip}/${prefix}, ${origin.text}`,
      span: origin.span,
    })),
  ];
}

/** From a physical switch to hosts, to other switches and to what is outside. */
function cablesOf({ name, ports }: BridgeSpec, peerOf: Topology["peerOf"]): TopologyLink[] {
  const id = nodeIdOf({ kind: "fabric", name });
  return [...ports.values()].flatMap((port): TopologyLink[] => {
    const peer = peerOf(id, port.name);
    if (peer === null) return [];
    // Between two physical switches it would be found from both ends.
    if (peer.node.startsWith("fabric:") && peer.node < id) return [];
    const [from, to] = peer.node.startsWith("external:") ? [peer.node, id] : [id, peer.node];
    return [
      {
        id: `cable ${id} ${port.name}`,
        from: from.replace(":", "/"),
        to: to.replace(":", "/"),
        kind: "cable",
        vlan: null,
        carries: carriedBy(port),
        label: `${port.name} ${peer.port}`,
        span: port.span,
      },
    ];
  });
}

/** A port without a trunk is in its native VLAN, and its frames bear no tag. */
function carriedBy({ role }: BridgePort): string[] {
  if (role.kind !== "physical") return [];
  if (role.trunk === null) return ["all"];
  return role.trunk.map(({ range: { first, last } }) => (first === last ? `${first}` : `${first}-${last}`));
}

/** All VLANs of a switch go up together. */
function uplinksOf({ name, uplinks, portGroups }: Switch): TopologyLink[] {
  const vlans = [...new Set(portGroups.map(vlanOf))].filter((vlan) => vlan !== 0).sort((a, b) => a - b);
  const carries = vlans.map(vlanNumber);
  return uplinks.map(({ host, link }) => ({
    id: `uplink ${name} ${host.value}`,
    from: `host/${host.value}`,
    to: `switch/${name}`,
    kind: "uplink",
    vlan: null,
    carries,
    label: link.value,
    span: link.span,
  }));
}

function portGroupOf(
  { name, portGroup, isExternal, span }: ResolvedNetwork,
  vlan: number | null,
): TopologyLink[] {
  // What is outside has its cable to the physical switches, and meets the edges through its port group.
  if (portGroup === null) return [];
  return [
    {
      id: `port-group ${name}`,
      from: `switch/${portGroup.switch}`,
      to: `${isExternal ? "external" : "network"}/${name}`,
      kind: "port-group",
      vlan,
      carries: [],
      label: portGroup.portGroup,
      span,
    },
  ];
}

function interfacesOf(
  kind: "machine" | "edge" | "fence",
  { name, interfaces }: ResolvedMachine | ResolvedEdge,
  externals: ReadonlySet<string>,
  vlans: ReadonlyMap<string, number | null>,
): TopologyLink[] {
  return interfaces.map((one) => ({
    id: `interface ${kind} ${name} ${one.name}`,
    from: `${externals.has(one.network) ? "external" : "network"}/${one.network}`,
    to: `${kind}/${name}`,
    kind: "interface",
    vlan: vlans.get(one.network) ?? null,
    carries: [],
    label: firstAndCount(one.addresses.map(({ ip }) => ip)),
    span: one.span,
  }));
}

function legendOf(
  networks: readonly ResolvedNetwork[],
  vlans: ReadonlyMap<string, number | null>,
): TopologyAnswer["vlans"] {
  const numbers = [...new Set(vlans.values())].filter((vlan) => vlan !== null).sort((a, b) => a - b);
  return numbers.map((vlan) => ({
    vlan,
    label: vlanWords(vlan),
    networks: networks.filter(({ name }) => vlans.get(name) === vlan).map(({ name }) => name),
  }));
}

function vlanOfNetwork({ portGroup }: ResolvedNetwork, { source }: ResolvedDatacenter): number | null {
  const group = source.switches
    .find(({ name }) => name === portGroup?.switch)
    ?.portGroups.find(({ name }) => name === portGroup?.portGroup);
  const vlan = group === undefined ? 0 : vlanOf(group);
  return vlan === 0 ? null : vlan;
}
