// Which bridge and VLAN every network is on, and the cables to it: one end in the namespace of a machine, the
// other a port of a bridge. Where bridges can filter VLANs a switch of the file is one bridge; else, and
// where it marks classes of service, each of its VLANs is one. A network without port group is a bridge of
// its own.
import type { Mac } from "../../base/mac.ts";
import type { PortGroup, Switch } from "../../model/datacenter.ts";
import type { BridgePort, NamespaceName, NftTable } from "../../model/network-state.ts";
import type {
  ResolvedDatacenter,
  ResolvedMachine,
  ResolvedNetwork,
} from "../../model/resolved-datacenter.ts";
import { versionOf } from "../switch-versions.ts";
import type { DesiredOptions, Drafts } from "./desired-state.ts";
import { aliasPrefix, linkName, tableName } from "./kernel-names.ts";
import { type NamespaceDraft, newLink } from "./namespace-draft.ts";
import { type NftTableContent, nftTable } from "./nft-table.ts";

export const MTU_DEFAULT = 1500;
const VLAN_LAST = 4094;

/** A bridge, and how a port on it is set up. */
interface Segment {
  readonly bridge: string;
  readonly mtu: number;
  readonly port: BridgePort;
  readonly portGroup: PortGroup | null;
  /** It reaches beyond this machine. */
  readonly hasUplink: boolean;
}

/** A port of a bridge, for rules about what may pass it. */
export interface BridgePortRecord {
  readonly link: string;
  readonly mac: Mac;
  readonly network: string;
  readonly portGroup: PortGroup | null;
  readonly machine: ResolvedMachine | null;
}

export class Wiring {
  readonly resolved: ResolvedDatacenter;
  readonly options: DesiredOptions;
  readonly drafts: Drafts;
  readonly ports: BridgePortRecord[] = [];
  readonly #networks: ReadonlyMap<string, ResolvedNetwork>;
  readonly #segments = new Map<string, Segment>();
  #fabric: NamespaceDraft | null = null;

  constructor(resolved: ResolvedDatacenter, options: DesiredOptions, drafts: Drafts) {
    this.resolved = resolved;
    this.options = options;
    this.drafts = drafts;
    this.#networks = new Map(resolved.networks.map((network) => [network.name, network]));
  }

  network(name: string): ResolvedNetwork | undefined {
    return this.#networks.get(name);
  }

  mtuOf(network: string): number {
    return this.#segmentOf(network).mtu;
  }

  hasUplink(network: string): boolean {
    return this.#segmentOf(network).hasUplink;
  }

  /** A table of the switches' ports. */
  fabricTable(family: NftTable["family"], plainName: string, content: NftTableContent): void {
    const { name: namespace, tables } = this.fabric();
    const name = tableName(plainName, namespace, this.resolved.source.name.value);
    tables.push(nftTable(family, name, content));
  }

  /** Where the bridges are: with uplinks beside the network cards, else apart from everything. */
  fabric(): NamespaceDraft {
    if (this.#fabric !== null) return this.#fabric;
    if (this.options.host !== null) {
      this.#fabric = this.drafts.own();
      return this.#fabric;
    }
    this.#fabric = this.drafts.namespace("switches", "the switches");
    // Bridges forward frames; addresses of their own would only answer where nobody should.
    this.#fabric.sysctl("net/ipv6/conf/all/disable_ipv6", 1);
    this.#fabric.sysctl("net/ipv6/conf/default/disable_ipv6", 1);
    return this.#fabric;
  }

  alias(words: string): string {
    return aliasPrefix(this.drafts.datacenter) + words.replaceAll(/[^\w./:-]/g, "_");
  }

  /**
   * A cable from a device in `draft` to the network's bridge. `owner`: the machine or edge, for the names of
   * the bridge's port.
   */
  connect(
    draft: NamespaceDraft,
    device: string,
    owner: string,
    interfaceName: string,
    network: string,
    settings: {
      readonly mac: Mac;
      readonly isDhcpClient?: boolean;
      readonly machine?: ResolvedMachine;
      /** The device is a port of it, and the MAC is that of something behind it. */
      readonly bridge?: string;
    },
  ): void {
    const segment = this.#segmentOf(network);
    const fabric = this.fabric();
    const suffix = interfaceName === "eth0" ? "" : `.${interfaceName}`;
    const port = linkName("p", `${owner.replaceAll("/", ".")}${suffix}`);
    const alias = this.alias(`${owner}/${interfaceName}`);
    const { mtu } = segment;
    const end = (namespace: NamespaceName, name: string) =>
      ({ kind: "veth", peer: { namespace, name } }) as const;
    draft.links.push(
      newLink({
        name: device,
        kind: end(fabric.name, port),
        alias,
        mtu,
        isDhcpClient: settings.isDhcpClient === true,
        ...(settings.bridge === undefined
          ? { mac: settings.mac }
          : { master: settings.bridge, port: { isLearning: true, vlans: [] } }),
      }),
    );
    fabric.links.push(
      newLink({
        name: port,
        kind: end(draft.name, device),
        alias,
        mtu,
        master: segment.bridge,
        port: segment.port,
      }),
    );
    const machine = settings.machine ?? null;
    this.ports.push({ link: port, mac: settings.mac, network, portGroup: segment.portGroup, machine });
  }

  /** Something that is there already, behind a network card. */
  attach(machine: ResolvedMachine, card: string): void {
    const [one] = machine.interfaces;
    if (this.options.host === null || one === undefined) {
      this.drafts.notes.push(`${machine.name} is behind ${card} of a host, which this machine is not`);
      return;
    }
    const segment = this.#segmentOf(one.network);
    this.fabric().links.push(
      newLink({
        name: card,
        kind: { kind: "physical" },
        alias: null,
        mtu: segment.mtu,
        master: segment.bridge,
        port: segment.port,
      }),
    );
  }

  #segmentOf(network: string): Segment {
    const { portGroup: place } = this.#networks.get(network) ?? { portGroup: null };
    const wantedSwitch = this.resolved.source.switches.find(({ name }) => name === place?.switch);
    const portGroup = wantedSwitch?.portGroups.find(({ name }) => name === place?.portGroup);
    const key =
      wantedSwitch === undefined || portGroup === undefined
        ? `network ${network}`
        : `switch ${wantedSwitch.name} ${vlanWords(portGroup)}`;
    // Two port groups of one VLAN are one segment with different rules for their ports.
    let segment = this.#segments.get(key);
    if (segment === undefined) {
      segment =
        wantedSwitch === undefined || portGroup === undefined
          ? this.#bridgeFor(network, `network_${network}`, MTU_DEFAULT)
          : this.#switchSegment(wantedSwitch, portGroup);
      this.#segments.set(key, segment);
    }
    return { ...segment, portGroup: portGroup ?? null };
  }

  #switchSegment(one: Switch, portGroup: PortGroup): Segment {
    const mtu = one.mtu?.value ?? MTU_DEFAULT;
    const vlan = portGroup.vlan?.value ?? { kind: "none" };
    const uplink = one.uplinks.find(({ host }) => host.value === this.options.host)?.link.value ?? null;
    if (isOneBridge(one, this.options) && (vlan.kind === "access" || vlan.kind === "trunk")) {
      const bridge = this.#vlanAwareBridge(one, uplink, mtu);
      const vlans =
        vlan.kind === "access"
          ? [{ first: vlan.id, last: vlan.id, isNative: true }]
          : vlan.ranges.map(({ first, last }) => ({ first, last, isNative: false }));
      const port = { isLearning: true, vlans };
      return { bridge, mtu, port, portGroup, hasUplink: uplink !== null };
    }
    const words = vlanWords(portGroup);
    const segment = this.#bridgeFor(`${one.name}.${words}`, `${one.name}_${words}:${versionOf(one)}`, mtu);
    if (uplink === null) return segment;
    const device = this.#vlanOfUplink(uplink, vlan, mtu, one);
    if (device === null) return segment;
    const fabric = this.fabric();
    const port = fabric.links.find(({ name }) => name === device)!;
    fabric.links[fabric.links.indexOf(port)] = { ...port, master: segment.bridge, port: segment.port };
    return { ...segment, hasUplink: true };
  }

  #bridgeFor(name: string, words: string, mtu: number): Segment {
    const bridge = linkName("b", name);
    this.fabric().links.push(
      newLink({
        name: bridge,
        kind: { kind: "bridge", isVlanAware: false, protocol: "802.1Q" },
        alias: this.alias(words),
        mtu,
      }),
    );
    return { bridge, mtu, port: { isLearning: true, vlans: [] }, portGroup: null, hasUplink: false };
  }

  /** One bridge for the whole switch, whose uplink carries every VLAN with its tag. */
  #vlanAwareBridge(one: Switch, uplink: string | null, mtu: number): string {
    const bridge = linkName("b", one.name);
    const fabric = this.fabric();
    if (fabric.links.some(({ name }) => name === bridge)) return bridge;
    fabric.links.push(
      newLink({
        name: bridge,
        kind: { kind: "bridge", isVlanAware: true, protocol: "802.1Q" },
        alias: this.alias(`${one.name}:${versionOf(one)}`),
        mtu,
      }),
    );
    if (uplink !== null) {
      const at = fabric.links.findIndex(({ name }) => name === uplink);
      const port = { isLearning: true, vlans: [{ first: 1, last: VLAN_LAST, isNative: false }] };
      const own = at === -1 ? null : fabric.links[at]!;
      const link = own ?? newLink({ name: uplink, kind: { kind: "physical" }, alias: null, mtu });
      if (at === -1) fabric.links.push({ ...link, master: bridge, port });
      else fabric.links[at] = { ...link, master: bridge, port };
    }
    return bridge;
  }

  /** The device that gives a bridge its VLAN of the uplink; null when the kernel has none. */
  #vlanOfUplink(
    uplink: string,
    vlan: NonNullable<PortGroup["vlan"]>["value"] | { readonly kind: "none" },
    mtu: number,
    one: Switch,
  ): string | null {
    const fabric = this.fabric();
    if (!fabric.links.some(({ name }) => name === uplink))
      fabric.links.push(newLink({ name: uplink, kind: { kind: "physical" }, alias: null, mtu }));
    if (vlan.kind === "none" || vlan.kind === "trunk") return uplink;
    if (!this.options.hasVlanDevices) {
      this.drafts.notes.push(
        `this kernel has no VLAN devices: ${one.name} is not connected to its uplink ${uplink}`,
      );
      return null;
    }
    const device = (id: number, link: string, protocol: "802.1Q" | "802.1ad") => {
      const name = linkName("v", `${link}.${id}`);
      if (!fabric.links.some((other) => other.name === name)) {
        const alias = this.alias(`${link}.${id}`);
        fabric.links.push(newLink({ name, kind: { kind: "vlan", link, id, protocol }, alias, mtu }));
      }
      return name;
    };
    if (vlan.kind === "access") return device(vlan.id, uplink, "802.1Q");
    return device(vlan.inner, device(vlan.outer, uplink, "802.1ad"), "802.1Q");
  }
}

/**
 * A bridge that filters VLANs puts tags on without a class of service; VLAN devices have one. But they leave
 * nothing to machines that tag by themselves, which go before.
 */
export function isOneBridge({ portGroups, uplinks }: Switch, { isVlanAware, host }: DesiredOptions): boolean {
  const hasTags = uplinks.some((one) => one.host.value === host);
  const marksClasses = portGroups.some(({ filters }) => filters.some(({ cos }) => cos !== null));
  const letsTag = portGroups.some(({ vlan }) => vlan?.value.kind === "trunk");
  return isVlanAware && !(hasTags && marksClasses && !letsTag);
}

function vlanWords({ name, vlan }: PortGroup): string {
  const value = vlan?.value ?? { kind: "none" };
  switch (value.kind) {
    case "none":
      return "untagged";
    case "access":
      return `${value.id}`;
    case "qinq":
      return `${value.outer}.${value.inner}`;
    case "trunk":
      return name;
  }
}
