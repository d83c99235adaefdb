// From a resolved datacentre to nodes and cables. Where the file says nothing of the physical switches, all
// uplinks meet in one that carries everything.
import type { Host, PortGroup, Switch } from "../../model/datacenter.ts";
import type {
  ResolvedCluster,
  ResolvedDatacenter,
  ResolvedEdge,
  ResolvedMachine,
  ResolvedNetwork,
} from "../../model/resolved-datacenter.ts";
import { nodeIdOf } from "../device/recorder.ts";
import { BridgeDraft } from "./bridge-draft.ts";
import { externalStation } from "./external-station.ts";
import { addFabric, type FabricBuilder } from "./fabric.ts";
import { hostSpec } from "./host-spec.ts";
import type {
  AttachedStation,
  BridgePortRole,
  NodeSpec,
  PortPlace,
  StackInterface,
  StackSpec,
  Topology,
} from "./topology.ts";
import { vlanOf } from "./vlan-number.ts";

export const MTU_DEFAULT = 1500;

export function buildTopology(resolved: ResolvedDatacenter): Topology {
  const builder = new TopologyBuilder(resolved);
  return builder.build();
}

/** Collects nodes and cables; the parts of the topology add theirs. */
export class TopologyBuilder {
  readonly resolved: ResolvedDatacenter;
  readonly nodes: Map<string, NodeSpec> = new Map();
  readonly bridges: Map<string, BridgeDraft> = new Map();
  readonly #peers = new Map<string, PortPlace>();
  readonly #switchesByName: ReadonlyMap<string, Switch>;
  readonly #hostsByName: ReadonlyMap<string, Host>;
  readonly #networksByName: ReadonlyMap<string, ResolvedNetwork>;
  readonly #clustersByName: ReadonlyMap<string, ResolvedCluster>;
  /** Virtual switches on each host, once something there is attached to them. */
  readonly #hostSwitches = new Map<string, Map<string, string>>();
  fabric: FabricBuilder | null = null;

  constructor(resolved: ResolvedDatacenter) {
    this.resolved = resolved;
    const { switches, hosts } = resolved.source;
    this.#switchesByName = new Map(switches.map((one) => [one.name, one]));
    this.#hostsByName = new Map(hosts.map((one) => [one.name, one]));
    this.#networksByName = new Map(resolved.networks.map((one) => [one.name, one]));
    this.#clustersByName = new Map(resolved.clusters.map((one) => [one.name, one]));
  }

  build(): Topology {
    const { resolved } = this;
    for (const { name, uplinks } of resolved.source.switches)
      for (const { host } of uplinks) if (this.#hostsByName.has(host.value)) this.#switchOn(name, host.value);
    for (const machine of resolved.machines) this.#addMachine(machine);
    for (const edge of resolved.edges) this.#addEdge(edge);
    if (resolved.source.hosts.length > 0) this.fabric = addFabric(this);
    for (const host of resolved.source.hosts) {
      const spec = hostSpec(host, this.#hostSwitches.get(host.name) ?? new Map(), resolved.source);
      this.nodes.set(nodeIdOf(spec), spec);
    }
    for (const network of resolved.networks) if (network.isExternal) this.#addExternal(network);
    for (const [id, draft] of this.bridges) this.nodes.set(id, draft.finish());
    return {
      resolved,
      nodes: this.nodes,
      peerOf: (node, port) => this.#peers.get(`${node} ${port}`) ?? null,
    };
  }

  connect(a: PortPlace, b: PortPlace): void {
    this.#peers.set(`${a.node} ${a.port}`, b);
    this.#peers.set(`${b.node} ${b.port}`, a);
  }

  bridge(kind: "switch" | "fabric", name: string, mtu: number): BridgeDraft {
    const id = nodeIdOf({ kind, name });
    let draft = this.bridges.get(id);
    if (draft === undefined) {
      draft = new BridgeDraft(kind, name, mtu);
      this.bridges.set(id, draft);
    }
    return draft;
  }

  /**
   * The part of a virtual switch that is on a host; with one host, or none, it bears the switch's own name.
   */
  #switchOn(name: string, host: string | null): BridgeDraft {
    const source = this.#switchesByName.get(name)!;
    const isSeveral = this.resolved.source.hosts.length > 1;
    const fullName = isSeveral && host !== null ? `${name}@${host}` : name;
    const id = nodeIdOf({ kind: "switch", name: fullName });
    const isNew = !this.bridges.has(id);
    const draft = this.bridge("switch", fullName, source.mtu?.value ?? MTU_DEFAULT);
    const uplink = host === null ? undefined : source.uplinks.find((one) => one.host.value === host);
    if (isNew && uplink !== undefined) {
      const port = `uplink ${uplink.link.value}`;
      draft.add({ name: port, role: { kind: "uplink" }, lag: null, mtu: draft.mtu, span: uplink.link.span });
      this.connect({ node: id, port }, { node: nodeIdOf({ kind: "host", name: host! }), port: name });
      const map = this.#hostSwitches.get(host!) ?? new Map<string, string>();
      map.set(name, uplink.link.value);
      this.#hostSwitches.set(host!, map);
    }
    return draft;
  }

  /** Where a station in a network is plugged in: the switch and what the port is like. */
  #attachmentOf(
    network: ResolvedNetwork,
    host: string | null,
  ): { draft: BridgeDraft; portGroup: PortGroup | null } | null {
    const { portGroup } = network;
    if (portGroup === null)
      return { draft: this.bridge("switch", `network ${network.name}`, MTU_DEFAULT), portGroup: null };
    const group = this.#switchesByName
      .get(portGroup.switch)
      ?.portGroups.find(({ name }) => name === portGroup.portGroup);
    return group === undefined ? null : { draft: this.#switchOn(portGroup.switch, host), portGroup: group };
  }

  #attach(owner: StackSpec, one: StackInterface, host: string | null): void {
    const network = one.network === null ? undefined : this.#networksByName.get(one.network);
    const attachment = network === undefined ? null : this.#attachmentOf(network, host);
    if (attachment === null) return;
    const { draft, portGroup } = attachment;
    const isAlone = owner.interfaces.length === 1;
    const port = isAlone ? owner.name : `${owner.name}:${one.name}`;
    const station: AttachedStation = {
      name: owner.name,
      mac: one.mac,
      effectiveMac: effectiveMacOf(owner, one),
    };
    draft.add({ name: port, role: roleOf(portGroup, station), lag: null, mtu: draft.mtu, span: one.span });
    this.connect({ node: nodeIdOf(owner), port: one.name }, { node: draft.id, port });
  }

  #addMachine(machine: ResolvedMachine): void {
    const cluster = machine.cluster === null ? null : (this.#clustersByName.get(machine.cluster) ?? null);
    const spec: StackSpec = {
      kind: "machine",
      name: machine.name,
      interfaces: machine.interfaces.map((one) => ({ ...one, mtu: this.#mtuOf(one.network) })),
      routes: [...machine.routes, ...machine.gateways.map(({ ip, span }) => defaultRoute(ip, span))],
      isForwarding: machine.isForwarding,
      edge: null,
      machine,
      cluster,
      standsFor: null,
      span: machine.span,
    };
    this.nodes.set(nodeIdOf(spec), spec);
    for (const one of spec.interfaces) this.#attach(spec, one, machine.host);
  }

  #addEdge(edge: ResolvedEdge): void {
    const spec: StackSpec = {
      kind: edge.kind,
      name: edge.name,
      interfaces: edge.interfaces.map((one) => ({ ...one, mtu: this.#mtuOf(one.network) })),
      routes: edge.routes,
      isForwarding: true,
      edge,
      machine: null,
      cluster: null,
      standsFor: null,
      span: edge.span,
    };
    this.nodes.set(nodeIdOf(spec), spec);
    for (const one of spec.interfaces) this.#attach(spec, one, edge.host);
  }

  #addExternal(network: ResolvedNetwork): void {
    const spec = externalStation(network);
    const [one] = spec.interfaces;
    this.nodes.set(nodeIdOf(spec), spec);
    const hosts = this.resolved.source.hosts;
    const attachment = this.#attachmentOf(network, hosts[0]?.name ?? null);
    if (attachment === null) return;
    const { portGroup } = attachment;
    const hasUplinks =
      network.portGroup !== null && this.#switchesByName.get(network.portGroup.switch)!.uplinks.length > 0;
    if (portGroup !== null && hasUplinks && this.fabric !== null) {
      const place = this.fabric.attachOutside(network.name, vlanOf(portGroup), network.span);
      this.connect({ node: nodeIdOf(spec), port: one!.name }, place);
    } else this.#attach(spec, one!, hosts[0]?.name ?? null);
  }

  #mtuOf(network: string | null): number {
    const portGroup = network === null ? null : this.#networksByName.get(network)?.portGroup;
    if (portGroup == null) return MTU_DEFAULT;
    return this.#switchesByName.get(portGroup.switch)?.mtu?.value ?? MTU_DEFAULT;
  }
}

function roleOf(portGroup: PortGroup | null, station: AttachedStation): BridgePortRole {
  const vlan = portGroup?.vlan?.value;
  if (vlan?.kind === "trunk") return { kind: "guest-trunk", ranges: vlan.ranges, station };
  return { kind: "access", vlan: portGroup === null ? 0 : vlanOf(portGroup), portGroup, station };
}

/** A member of a unicast cluster takes the cluster's MAC for its own. */
function effectiveMacOf({ cluster }: StackSpec, one: StackInterface): StackInterface["mac"] {
  const isMember = cluster !== null && cluster.mode === "unicast" && cluster.network === one.network;
  return isMember ? cluster.mac : one.mac;
}

function defaultRoute(
  via: ResolvedMachine["gateways"][number]["ip"],
  span: StackSpec["span"],
): StackSpec["routes"][number] {
  const family = via.includes(":") ? 6 : 4;
  return { to: { family, first: (family === 4 ? "0.0.0.0" : "::") as typeof via, prefix: 0 }, via, span };
}
