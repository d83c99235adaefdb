// A Linux network as plain data: what a kernel has, and what it should have, in one shape, so that the
// difference of the two is the plan. Only what is compared is here; what a kernel decides by itself (indexes,
// link-local addresses, connected routes) is not.
import type { Ip, Subnet } from "../base/ip.ts";
import type { Mac } from "../base/mac.ts";

export interface NetworkState {
  /** The host's own first, when something of it is ours. Names are unique. */
  readonly namespaces: readonly NamespaceState[];
  readonly processes: readonly ProcessState[];
}

/** Name of a network namespace, as `ip netns` has it; null: the one that the program itself is in. */
export type NamespaceName = string | null;

export interface NamespaceState {
  readonly name: NamespaceName;
  /** What it stands for, in words: "machine web-001". Not compared. */
  readonly words: string;
  readonly links: readonly LinkState[];
  readonly addresses: readonly AddressState[];
  readonly routes: readonly RouteState[];
  /** Policy routing, by priority. */
  readonly rules: readonly RoutingRule[];
  readonly sysctls: readonly Sysctl[];
  readonly tables: readonly NftTable[];
}

export interface LinkState {
  /** At most 15 bytes (IFNAMSIZ). */
  readonly name: string;
  readonly kind: LinkKind;
  /** Null: whatever the kernel chose. */
  readonly mac: Mac | null;
  readonly mtu: number;
  readonly isUp: boolean;
  /** By it we know our own: "sallyport:company web-001/eth0". Null for devices that are not ours to name. */
  readonly alias: string | null;
  /** Bridge or bond that it is a port of. */
  readonly master: string | null;
  readonly port: BridgePort | null;
  /** Addresses and routes come by DHCP: those it has are not compared. */
  readonly isDhcpClient: boolean;
}

export type LinkKind =
  /** There already: a network card, or something of somebody else's. Never made and never removed. */
  | { readonly kind: "physical" }
  /** `peer` null: it is known to be one, not to whom. */
  | {
      readonly kind: "veth";
      readonly peer: { readonly namespace: NamespaceName; readonly name: string } | null;
    }
  | { readonly kind: "bridge"; readonly isVlanAware: boolean; readonly protocol: VlanProtocol }
  | {
      readonly kind: "vlan";
      readonly link: string;
      readonly id: number;
      readonly protocol: VlanProtocol;
    }
  /** Options by their names in `ip link`, values as text. */
  | { readonly kind: "bond"; readonly options: readonly (readonly [string, string])[] }
  | { readonly kind: "tap" }
  | { readonly kind: "dummy" }
  | { readonly kind: "macvlan"; readonly link: string; readonly mode: "private" | "bridge" | "passthru" };

export type VlanProtocol = "802.1Q" | "802.1ad";

export interface BridgePort {
  /** False: the bridge never learns a MAC here. */
  readonly isLearning: boolean;
  /** On a VLAN-aware bridge. */
  readonly vlans: readonly PortVlan[];
}

export interface PortVlan {
  readonly first: number;
  readonly last: number;
  /** Frames without a tag belong to it, coming and going. */
  readonly isNative: boolean;
}

export interface AddressState {
  readonly link: string;
  readonly ip: Ip;
  readonly prefix: number;
  /** Without the connected route that the kernel would add. */
  readonly isBare: boolean;
  /** Asked by others, but not chosen for what is sent: of IPv6 the kernel would choose the newest. */
  readonly isDeprecated: boolean;
}

export interface RouteState {
  readonly to: Subnet;
  readonly via: Ip | null;
  readonly link: string;
  readonly table: number;
  readonly source: Ip | null;
  /** The router need not be in a connected subnet. */
  readonly isOnlink: boolean;
  /** What is unreachable has "lo" as link, as IPv6 has it. */
  readonly type: RouteType;
}

export type RouteType = "unicast" | "local" | "unreachable";

export interface RoutingRule {
  readonly priority: number;
  readonly inLink: string | null;
  readonly mark: number | null;
  readonly table: number;
}

export interface Sysctl {
  /** Path below /proc/sys: "net/ipv4/ip_forward". */
  readonly key: string;
  readonly value: string;
}

export interface NftTable {
  readonly family: "ip" | "ip6" | "inet" | "bridge" | "netdev";
  readonly name: string;
  /** All of it as `nft -f` takes it; null when what is there is not what was put there. */
  readonly text: string | null;
  /** Of the text; compared instead of it. */
  readonly hash: string;
}

/** A program that runs for the network, supervised: started again, with a growing pause, when it ends. */
export interface ProcessState {
  /** Unique, and the name of its directory: "machine-web-001", "dhcp-org". */
  readonly name: string;
  readonly words: string;
  readonly namespace: string;
  /** "{directory}" in a word stands for the directory that has its files. */
  readonly command: readonly string[];
  readonly workingDirectory: string | null;
  /** Own mount and process namespaces: what it leaves behind ends with it. */
  readonly isIsolated: boolean;
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** When only this and files behind the first differ, it gets the signal instead of being started anew. */
  readonly reload: { readonly signal: "HUP"; readonly hash: string } | null;
}
