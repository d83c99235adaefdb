// A datacentre with everything worked out that its file leaves to be derived: copies expanded, addresses and
// MACs chosen, publications and fences turned into NAT and firewall rules, names turned into addresses. What
// simulation, checks, drawings and drivers work on. Made by `network/resolve/`; every derived thing names the
// line it comes from.
import type { Ip, IpRange, Subnet } from "../base/ip.ts";
import type { Mac } from "../base/mac.ts";
import type { Span } from "../diagnostic/span.ts";
import type {
  Cluster,
  ClusterRule,
  Datacenter,
  Edge,
  IpProtocol,
  Machine,
  Network,
  PortRange,
  Publication,
  Vapp,
  VappCopy,
} from "./datacenter.ts";

export interface ResolvedDatacenter {
  readonly source: Datacenter;
  /** The file's networks, then the insides of fenced copies. Names are unique. */
  readonly networks: readonly ResolvedNetwork[];
  /** Edges of the file, then the fences' edges, then edges made for DHCP alone. Names are unique. */
  readonly edges: readonly ResolvedEdge[];
  /** Machines of the file, then those of copies: "shop.test-a/web". Names are unique. */
  readonly machines: readonly ResolvedMachine[];
  readonly clusters: readonly ResolvedCluster[];
  readonly publications: readonly ResolvedPublication[];
}

/** Why something is there: what was written, or what it was derived from. */
export interface Origin {
  readonly kind: "file" | "publication" | "fence" | "pool" | "dhcp" | "name" | "default";
  /** In words, such as "from the pool of org", "published as 203.0.113.10:8001". */
  readonly text: string;
  readonly span: Span;
}

export interface ResolvedAddress {
  readonly ip: Ip;
  readonly prefix: number;
  readonly origin: Origin;
}

export interface ResolvedNetwork {
  /** "org", or "shop.test-a" for the inside of a fenced copy. */
  readonly name: string;
  readonly kind: "network" | "fence-inside";
  readonly isExternal: boolean;
  readonly subnets: readonly Subnet[];
  /** At most one of each family. For the inside of a fence: the parent's, which the fence answers for. */
  readonly gateways: readonly Ip[];
  /** Null: a segment of its own. */
  readonly portGroup: { readonly switch: string; readonly portGroup: string } | null;
  /** The parent of a fence's inside. */
  readonly parent: string | null;
  readonly dhcp: ResolvedDhcp | null;
  readonly source: Network | VappCopy | Vapp;
  readonly span: Span;
}

export interface ResolvedDhcp {
  /** Name of the edge that answers. */
  readonly server: string;
  readonly ranges: readonly IpRange[];
  readonly leaseMs: number;
  readonly dns: readonly Ip[];
  readonly domain: string | null;
  /**
   * Machines of this network, by MAC. Those with `address: dhcp` get theirs from the range, the same each
   * time.
   */
  readonly reservations: readonly {
    readonly machine: string;
    readonly mac: Mac;
    readonly ip: Ip;
    readonly origin: Origin;
  }[];
  readonly span: Span;
}

export interface ResolvedMachine {
  readonly name: string;
  readonly source: Machine;
  /** Name of the host that it runs on; null when the file has no hosts: this machine. */
  readonly host: string | null;
  readonly copy: { readonly vapp: string; readonly copy: string } | null;
  readonly interfaces: readonly ResolvedInterface[];
  /** Default gateways, at most one for each family. */
  readonly gateways: readonly { readonly ip: Ip; readonly span: Span }[];
  readonly routes: readonly ResolvedRoute[];
  readonly isForwarding: boolean;
  /** Cluster that it is a member of. */
  readonly cluster: string | null;
  readonly span: Span;
}

export interface ResolvedInterface {
  readonly name: string;
  /** Name of a resolved network. */
  readonly network: string;
  /** Empty when it needs DHCP and nobody serves it. */
  readonly addresses: readonly ResolvedAddress[];
  readonly mac: Mac;
  /** `address: dhcp` was said. */
  readonly wantsDhcp: boolean;
  readonly span: Span;
}

export interface ResolvedRoute {
  readonly to: Subnet;
  readonly via: Ip;
  readonly span: Span;
}

export interface ResolvedEdge {
  /** "org-edge", or "shop.test-a" for the edge of a fenced copy. */
  readonly name: string;
  readonly kind: "edge" | "fence";
  readonly host: string | null;
  /** A fence has two: "in" and "out", both with the parent's subnet; on "in" it has no address of its own. */
  readonly interfaces: readonly ResolvedInterface[];
  readonly routes: readonly ResolvedRoute[];
  readonly firewall: ResolvedFirewall;
  /** In the order in which they are tried, within each stage. */
  readonly nat: readonly ResolvedNatRule[];
  readonly loadBalancer: { readonly path: string; readonly span: Span } | null;
  readonly fence: ResolvedFence | null;
  readonly source: Edge | VappCopy | Vapp | Network;
  readonly span: Span;
}

/** How a fenced copy appears outside. */
export interface ResolvedFence {
  readonly vapp: string;
  readonly copy: string;
  readonly mode: "ip-translation" | "port-forwarding";
  /** The edge's own outside address. */
  readonly address: Ip;
  /** Inside and outside address of each machine; with port-forwarding all have the edge's. */
  readonly pairs: readonly {
    readonly machine: string;
    readonly inside: Ip;
    readonly outside: Ip;
    readonly origin: Origin;
  }[];
}

export interface ResolvedFirewall {
  readonly default: "allow" | "deny";
  readonly match: "original" | "translated";
  /** In the order in which they are tried. */
  readonly rules: readonly ResolvedFirewallRule[];
  /** Of the `firewall` entry; of the edge when there is none. */
  readonly span: Span;
}

/** Null: anything. */
export type AddressSet = readonly IpRange[] | null;

export interface ResolvedFirewallRule {
  readonly action: "allow" | "deny";
  /** Names of networks that the packet comes from and leaves to; null: any. What `from: internet` becomes. */
  readonly in: string | null;
  readonly out: string | null;
  readonly protocol: IpProtocol | null;
  readonly from: AddressSet;
  readonly to: AddressSet;
  /** Empty: all. */
  readonly ports: readonly PortRange[];
  readonly isLogged: boolean;
  readonly origin: Origin;
}

/** One line of a NAT table; `stage` is the kernel's hook: dstnat before routing, srcnat behind it. */
export interface ResolvedNatRule {
  readonly stage: "prerouting" | "postrouting";
  /** Names of networks that the packet comes from and leaves to; null: any. */
  readonly in: string | null;
  readonly out: string | null;
  readonly protocol: IpProtocol | null;
  readonly from: AddressSet;
  readonly to: AddressSet;
  /** Destination ports; empty: all. */
  readonly ports: readonly PortRange[];
  /** Of dnat, `toPort` is what the first of `ports` becomes, the others after it; null: as they came. */
  readonly action:
    | { readonly kind: "dnat"; readonly to: Ip; readonly toPort: number | null }
    | { readonly kind: "snat"; readonly to: Ip }
    | { readonly kind: "masquerade" };
  readonly origin: Origin;
}

export interface ResolvedCluster {
  readonly name: string;
  readonly source: Cluster;
  readonly network: string;
  readonly address: Ip;
  readonly mode: "unicast" | "multicast" | "igmp";
  /** The shared MAC: 02:bf, 03:bf or 01:00:5e:7f and the address. */
  readonly mac: Mac;
  readonly members: readonly ResolvedClusterMember[];
  readonly rules: readonly ClusterRule[];
  readonly span: Span;
}

export interface ResolvedClusterMember {
  readonly machine: string;
  /** 1..32, by the order in the file: the host priority. */
  readonly priority: number;
  /** In unicast mode: the source MAC that hides the shared one, 02:PRIORITY and the address. */
  readonly maskMac: Mac;
}

/** One step of a publication's way inwards. */
export interface PublicationStep {
  readonly edge: string;
  readonly from: { readonly ip: Ip; readonly port: number };
  readonly to: { readonly ip: Ip; readonly port: number };
}

export interface ResolvedPublication {
  readonly source: Publication;
  readonly machine: string;
  readonly protocol: "tcp" | "udp";
  readonly at: { readonly ip: Ip; readonly port: number; readonly origin: Origin };
  /**
   * From the outermost edge to the machine; each has its NAT rule and firewall opening among the edge's
   * rules.
   */
  readonly steps: readonly PublicationStep[];
}
