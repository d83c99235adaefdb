// What a datacenter.yaml says, as plain data: names and values with their places, nothing derived. Copies are
// not expanded, automatic addresses not chosen, publications not turned into rules: that is
// `network/resolve/`. Names that others refer to are kept as written; whether they exist is checked there
// too. Times are milliseconds, sizes bytes; null means "not said".
import type { Ip, IpRange, Subnet } from "../base/ip.ts";
import type { Mac } from "../base/mac.ts";
import type { Span } from "../diagnostic/span.ts";

declare const vlanBrand: unique symbol;

/** 1..4094 (IEEE 802.1Q-2018, 9.6). */
export type VlanId = number & { readonly [vlanBrand]: true };

/** A value and where it stands. */
export interface Located<T> {
  readonly value: T;
  readonly span: Span;
}

/** Something with a name of its own: `span` is the place of the name, the key of its entry. */
export interface Named {
  readonly name: string;
  readonly span: Span;
}

export interface Datacenter {
  readonly name: Located<string>;
  readonly hosts: readonly Host[];
  readonly fabric: readonly FabricSwitch[];
  readonly switches: readonly Switch[];
  readonly networks: readonly Network[];
  readonly edges: readonly Edge[];
  readonly machines: readonly Machine[];
  readonly vapps: readonly Vapp[];
  readonly clusters: readonly Cluster[];
  readonly consoles: Consoles | null;
  readonly publications: readonly Publication[];
  readonly expectations: readonly Expectation[];
}

// ---- Hosts: Linux machines that carry the network ----

export interface Host extends Named {
  readonly interfaces: readonly HostInterface[];
  readonly bonds: readonly Bond[];
  readonly vlans: readonly VlanInterface[];
  readonly bridges: readonly HostBridge[];
  readonly routes: readonly Route[];
  /** `forwarding: true`: it routes between its interfaces. */
  readonly forwarding: Located<boolean> | null;
}

/** What every interface of a host can have. */
interface InterfaceSettings extends Named {
  /** Addresses with their prefix length, as `ip address` has them. */
  readonly addresses: readonly Located<InterfaceAddress>[];
  /** Bytes; null: 1500. */
  readonly mtu: Located<number> | null;
}

export interface InterfaceAddress {
  readonly ip: Ip;
  readonly prefix: number;
}

/** A network card. */
export interface HostInterface extends InterfaceSettings {
  readonly mac: Located<Mac> | null;
  /** Mbit/s. */
  readonly speed: Located<number> | null;
}

/** Names of the kernel's seven modes (Documentation/networking/bonding.rst). */
export const BOND_MODES = [
  "balance-rr",
  "active-backup",
  "balance-xor",
  "broadcast",
  "802.3ad",
  "balance-tlb",
  "balance-alb",
] as const;
export type BondMode = (typeof BOND_MODES)[number];

export const BOND_HASHES = ["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"] as const;
export type BondHash = (typeof BOND_HASHES)[number];

export interface Bond extends InterfaceSettings {
  /** Names of interfaces of the same host. */
  readonly links: readonly Located<string>[];
  readonly mode: Located<BondMode> | null;
  /** `hash`: transmit hash policy; null: layer2, the kernel's default. */
  readonly hash: Located<BondHash> | null;
  readonly lacpRate: Located<"slow" | "fast"> | null;
  /** `mii-monitor`. */
  readonly miiMonitorMs: Located<number> | null;
  readonly upDelayMs: Located<number> | null;
  readonly downDelayMs: Located<number> | null;
  readonly minLinks: Located<number> | null;
  readonly primary: Located<string> | null;
  readonly arpIntervalMs: Located<number> | null;
  readonly arpTargets: readonly Located<Ip>[];
  readonly adSelect: Located<"stable" | "bandwidth" | "count"> | null;
}

export interface VlanInterface extends InterfaceSettings {
  /** An interface, bond, bridge or VLAN of the same host. */
  readonly link: Located<string>;
  readonly id: Located<VlanId>;
  /** Null: 802.1Q. */
  readonly protocol: Located<"802.1Q" | "802.1ad"> | null;
}

export interface HostBridge extends InterfaceSettings {
  readonly ports: readonly Located<string>[];
}

/** `{to: 10.0.0.0/8, via: 192.168.10.1}`; `to: default` is the whole family of `via`. */
export interface Route {
  readonly to: Located<Subnet>;
  readonly via: Located<Ip>;
  readonly span: Span;
}

// ---- Fabric: the physical switches at the other end ----

export interface FabricSwitch extends Named {
  readonly ports: readonly FabricPort[];
  readonly lags: readonly FabricLag[];
}

/** What frames a port or LAG carries. */
export interface FabricLink {
  /** VLANs that it carries with a tag. */
  readonly trunk: readonly Located<VlanRange>[];
  /** The VLAN of frames without a tag; null: none, they are dropped. */
  readonly native: Located<VlanId> | null;
  readonly mtu: Located<number> | null;
}

export interface VlanRange {
  readonly first: VlanId;
  readonly last: VlanId;
}

export interface FabricPort extends Named, FabricLink {
  /** What is plugged in: "web-host/eth0" or "tor-2/24"; null: nothing that the file knows. */
  readonly to: Located<string> | null;
  readonly lag: Located<string> | null;
  /** Mbit/s. */
  readonly speed: Located<number> | null;
}

export interface FabricLag extends Named, FabricLink {
  /** `off`: static aggregation. Null: active. */
  readonly lacp: Located<"active" | "passive" | "off"> | null;
  readonly lacpRate: Located<"slow" | "fast"> | null;
  readonly hash: Located<BondHash> | null;
}

// ---- Switches ----

export const SWITCH_VERSIONS = ["5.0", "5.1", "5.5", "6.0"] as const;
export type SwitchVersion = (typeof SWITCH_VERSIONS)[number];

/** What a switch can be told to do; which version each needs is in `network/switch-versions.ts`. */
export const SWITCH_FEATURES = [
  "netflow",
  "port-mirroring",
  "lldp",
  "network-io-control",
  "health-check",
  "lag",
  "config-backup",
  "bpdu-filter",
  "remote-mirroring",
  "multiple-lags",
  "lag-hashes",
  "traffic-filtering",
  "traffic-marking",
  "sr-iov",
  "port-capture",
  "igmp-snooping",
  "mld-snooping",
  "bandwidth-reservation",
] as const;
export type SwitchFeature = (typeof SWITCH_FEATURES)[number];

export interface Switch extends Named {
  /** Null: the newest. */
  readonly version: Located<SwitchVersion> | null;
  /** Interface or bond of each host that the switch spans. */
  readonly uplinks: readonly Uplink[];
  /** Null: 1500. */
  readonly mtu: Located<number> | null;
  /** `features: [lldp, igmp-snooping]`. */
  readonly features: readonly Located<SwitchFeature>[];
  readonly mirrors: readonly MirrorSession[];
  readonly portGroups: readonly PortGroup[];
}

export interface Uplink {
  readonly host: Located<string>;
  readonly link: Located<string>;
}

/** `{from: machine or port group, to: machine}`; with `remote`, RSPAN in a VLAN or ERSPAN to an address. */
export interface MirrorSession {
  readonly from: Located<string>;
  readonly to: Located<string> | null;
  readonly remote: Located<VlanId | Ip> | null;
  readonly span: Span;
}

/** What the frames of a port group carry on the uplinks. */
export type PortGroupVlan =
  | { readonly kind: "none" }
  | { readonly kind: "access"; readonly id: VlanId }
  | { readonly kind: "qinq"; readonly outer: VlanId; readonly inner: VlanId }
  /** Machines tag by themselves (virtual guest tagging). */
  | { readonly kind: "trunk"; readonly ranges: readonly VlanRange[] };

export interface PortGroup extends Named {
  readonly vlan: Located<PortGroupVlan> | null;
  /** Announce the MACs of machines by RARP at start and at failover. Null: true, as on vSphere. */
  readonly notifySwitches: Located<boolean> | null;
  readonly security: PortGroupSecurity;
  /** Rules of traffic filtering and marking, first match wins. */
  readonly filters: readonly TrafficRule[];
  /** Mbit/s guaranteed to each machine. */
  readonly reservation: Located<number> | null;
}

/** vSphere's three policies; null: reject, the default of distributed switches. */
export interface PortGroupSecurity {
  readonly promiscuous: Located<"accept" | "reject"> | null;
  readonly macChanges: Located<"accept" | "reject"> | null;
  readonly forgedTransmits: Located<"accept" | "reject"> | null;
}

export interface TrafficRule {
  readonly action: Located<"allow" | "drop" | "mark">;
  readonly match: TrafficMatch;
  /** For `mark`: 0..63 and 0..7. */
  readonly dscp: Located<number> | null;
  readonly cos: Located<number> | null;
  readonly span: Span;
}

// ---- Networks ----

export interface Network extends Named {
  /** Outside the datacentre: anybody may be there. */
  readonly external: Located<boolean> | null;
  /** One for each family at most. */
  readonly subnets: readonly Located<Subnet>[];
  /** `dvs0/org`; null: a segment of its own that no other network shares. */
  readonly portGroup: Located<{ readonly switch: string; readonly portGroup: string }> | null;
  readonly gateways: readonly Located<Ip>[];
  /** Addresses for what asks for one: fences, publications, machines without address. */
  readonly pools: readonly Located<IpRange>[];
  readonly dhcp: DhcpSettings | null;
}

export interface DhcpSettings {
  readonly ranges: readonly Located<IpRange>[];
  /** Null: 12 h. */
  readonly leaseMs: Located<number> | null;
  readonly dns: readonly Located<Ip>[];
  readonly domain: Located<string> | null;
  /** The edge that answers; null: the one that has the network's gateway, else one made for it. */
  readonly server: Located<string> | null;
  readonly span: Span;
}

// ---- Edges ----

export interface Edge extends Named {
  readonly host: Located<string> | null;
  readonly interfaces: readonly EdgeInterface[];
  readonly routes: readonly Route[];
  readonly firewall: Firewall | null;
  readonly nat: readonly NatRule[];
  /** An haproxy.cfg that is served inside this edge; path relative to the file that says it. */
  readonly loadBalancer: Located<string> | null;
}

export interface EdgeInterface {
  /** The network it is in. */
  readonly network: Located<string>;
  readonly addresses: readonly Located<Ip>[];
  readonly mac: Located<Mac> | null;
  readonly span: Span;
}

export interface Firewall {
  /** Null: deny. */
  readonly default: Located<"allow" | "deny"> | null;
  /**
   * Whether rules compare addresses from before or after translation. Null: original, as vShield edges do.
   */
  readonly match: Located<"original" | "translated"> | null;
  /** First match wins. Answers to what was allowed always pass. */
  readonly rules: readonly FirewallRule[];
  readonly span: Span;
}

export interface FirewallRule {
  readonly action: Located<"allow" | "deny">;
  readonly match: TrafficMatch;
  readonly log: Located<boolean> | null;
  readonly span: Span;
}

/** What a rule compares; null or empty: anything. */
export interface TrafficMatch {
  readonly protocol: Located<IpProtocol> | null;
  readonly from: readonly Located<Endpoint>[];
  readonly to: readonly Located<Endpoint>[];
  /** Of the destination. Not for icmp. */
  readonly ports: readonly Located<PortRange>[];
}

export type IpProtocol = "tcp" | "udp" | "icmp";

export interface PortRange {
  /** 1..65535, `first` not above `last`. */
  readonly first: number;
  readonly last: number;
}

/**
 * Who is meant: `any`, an address, subnet or range, or the name of a network, machine, edge, vApp or cluster.
 */
export type Endpoint =
  | { readonly kind: "any" }
  | { readonly kind: "address"; readonly ip: Ip }
  | { readonly kind: "subnet"; readonly subnet: Subnet }
  | { readonly kind: "range"; readonly range: IpRange }
  | { readonly kind: "name"; readonly reference: Reference };

/** "internet", "web-001", "shop.test-a/web", "shop.test-a", "org-edge". */
export interface Reference {
  readonly text: string;
  /** The part before the dot, when there is a dot. */
  readonly vapp: string | null;
  readonly copy: string | null;
  /**
   * The last part: the name of anything when `vapp` is null, of a machine of the copy else; null for
   * "shop.test-a".
   */
  readonly name: string | null;
}

export type NatRule = { readonly span: Span; readonly kind: NatKind } & (
  | {
      readonly kind: "snat";
      readonly from: Located<Endpoint>;
      readonly to: Located<Ip>;
      /** Only what leaves to this network; null: the network of `to`. */
      readonly out: Located<string> | null;
    }
  | {
      readonly kind: "masquerade";
      readonly from: Located<Endpoint>;
      readonly out: Located<string>;
    }
  | {
      readonly kind: "dnat";
      readonly address: Located<Ip>;
      /** Null: all protocols and ports. */
      readonly protocol: Located<IpProtocol> | null;
      readonly ports: Located<PortRange> | null;
      readonly to: Located<Endpoint>;
      /** The first port there; null: as it came. */
      readonly toPort: Located<number> | null;
      /** Also translate the source of inside clients that use the outside address. */
      readonly hairpin: Located<boolean> | null;
    }
  | {
      /** `{one-to-one: OUTSIDE, to: INSIDE}`: both directions. */
      readonly kind: "one-to-one";
      readonly address: Located<Ip>;
      readonly to: Located<Endpoint>;
      readonly hairpin: Located<boolean> | null;
    }
);
export type NatKind = "snat" | "masquerade" | "dnat" | "one-to-one";

// ---- Machines ----

export interface Machine extends Named {
  readonly host: Located<string> | null;
  /**
   * In the file either `network`, `address` and `mac` of the machine itself, or several under `interfaces`.
   */
  readonly interfaces: readonly MachineInterface[];
  /** Default gateway instead of the network's; `none` for one without. */
  readonly gateway: Located<Ip | "none"> | null;
  readonly routes: readonly Route[];
  /** `forwarding: true`: it routes between its interfaces. */
  readonly forwarding: Located<boolean> | null;
  /** `listen: [80, tcp 443, udp 53]`: what it is known to serve. */
  readonly services: readonly Located<Service>[];
  readonly kind: MachineKind;
}

export interface MachineInterface {
  /** "eth0" when the file says none. */
  readonly name: string;
  /** Null inside a vApp: the vApp's network. */
  readonly network: Located<string> | null;
  /** Empty: one from the pool. */
  readonly addresses: readonly Located<Ip | "dhcp">[];
  readonly mac: Located<Mac> | null;
  readonly span: Span;
}

export interface Service {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

export type MachineKind =
  /** Nothing runs: it is only in the model. */
  | { readonly kind: "model" }
  /** A namespace that runs a command. */
  | { readonly kind: "run"; readonly command: Located<string> }
  | {
      readonly kind: "qemu";
      readonly image: Located<string> | null;
      /** Null: 256 MiB. */
      readonly memoryBytes: Located<number> | null;
      readonly cpus: Located<number> | null;
      /** Null: where the machine has it. */
      readonly kvm: Located<boolean> | null;
      readonly span: Span;
    }
  /** Something that is there already, behind an interface of a host. */
  | { readonly kind: "attach"; readonly host: Located<string> | null; readonly interface: Located<string> };

// ---- vApps ----

/** An application whose machines are the same in every copy: same addresses, same MACs. */
export interface Vapp extends Named {
  readonly network: VappNetwork;
  readonly machines: readonly Machine[];
  /** Empty: one copy, named like the vApp. */
  readonly copies: readonly VappCopy[];
  /** Null: ip-translation. */
  readonly nat: Located<"ip-translation" | "port-forwarding"> | null;
  readonly firewall: Firewall | null;
  /** Keep outside addresses and MAC over redeployment. Null: false. */
  readonly retain: Located<boolean> | null;
}

export interface VappNetwork {
  readonly parent: Located<string>;
  /** Null: false: the machines stand in the parent network itself. */
  readonly fenced: Located<boolean> | null;
  readonly span: Span;
}

/** A copy may pin its outside addresses; what it does not say comes from the parent's pool. */
export interface VappCopy extends Named {
  /** Of its edge. */
  readonly address: Located<Ip> | null;
  /** Outside addresses by the name of the machine. */
  readonly outside: readonly { readonly machine: Located<string>; readonly address: Located<Ip> }[];
}

// ---- Clusters ----

/** Machines that answer for one address, each taking its share (network load balancing). */
export interface Cluster extends Named {
  readonly machines: readonly Located<string>[];
  readonly address: Located<Ip>;
  /** Null: unicast. */
  readonly mode: Located<"unicast" | "multicast" | "igmp"> | null;
  /** File with the secret by which members know each other. Null: they believe everybody in their network. */
  readonly keyFile: Located<string> | null;
  readonly rules: readonly ClusterRule[];
}

export interface ClusterRule {
  /** Empty: all. */
  readonly ports: readonly Located<PortRange>[];
  /** Null: both. */
  readonly protocol: Located<"tcp" | "udp"> | null;
  /** Null: multiple. */
  readonly filtering: Located<"multiple" | "single" | "disabled"> | null;
  /** Null: single. */
  readonly affinity: Located<"none" | "single" | "class-c"> | null;
  /** Load weight by machine, 0..100; who is not named has 50. */
  readonly weights: readonly { readonly machine: Located<string>; readonly weight: Located<number> }[];
  /** For `single`: lower goes first. */
  readonly priorities: readonly { readonly machine: Located<string>; readonly priority: Located<number> }[];
  readonly span: Span;
}

// ---- Consoles, publications, expectations ----

export interface Consoles {
  readonly portal: ConsoleEndpoint | null;
  readonly proxy: ConsoleEndpoint | null;
  readonly backends: readonly ConsoleBackend[];
  /** File with the keys that sign tickets. Null: `consoles.key` beside the file. */
  readonly key: Located<string> | null;
  /** File with names and hashes of passwords. Null: nobody can log in by a password. */
  readonly users: Located<string> | null;
  readonly signOn: ConsoleSignOn | null;
  /** Null: every user may open every console. */
  readonly rights: readonly ConsoleRight[] | null;
  /** File for one line of JSON per event. Null: standard output. */
  readonly audit: Located<string> | null;
  /** Unix socket for `console list` and `kick`. Null: `consoles.sock` beside the file. */
  readonly control: Located<string> | null;
  /** Without keyboard or mouse. Null: 15 minutes; 0: no limit. */
  readonly idleMs: Located<number> | null;
  /** Null: 8 hours; 0: no limit. */
  readonly sessionMs: Located<number> | null;
  readonly span: Span;
}

/** Where the console of a machine is. The span is that of the machine's name. */
export interface ConsoleBackend {
  readonly machine: Located<string>;
  readonly vnc: Located<ConsoleAddress> | null;
  readonly serial: Located<ConsoleAddress> | null;
  /** File whose first line is the password that the VNC server wants. */
  readonly passwordFile: Located<string> | null;
  /** Of the certificate behind `tls:`, SHA-256: 64 hexadecimal digits in lower case. */
  readonly fingerprint: Located<string> | null;
}

/** What one user may do; `*`: those who have no entry of their own. Machines by name or pattern, `web-*`. */
export interface ConsoleRight {
  readonly user: Located<string>;
  readonly open: readonly Located<string>[];
  /** Without keyboard and mouse. */
  readonly look: readonly Located<string>[];
  readonly span: Span;
}

export type ConsoleAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp" | "tls"; readonly host: string; readonly port: number };

/** A proxy in front of the portal that knows who somebody is, and says it in a header. */
export interface ConsoleSignOn {
  /** In lower case. */
  readonly header: Located<string>;
  /** Who may say it. */
  readonly from: readonly Located<Subnet>[];
}

export interface ConsoleEndpoint {
  readonly address: Located<{ readonly ip: Ip; readonly port: number }>;
  readonly certificate: Located<string> | null;
  /** What browsers are told when a NAT is in front: "consoles.company.com:443". */
  readonly public: Located<string> | null;
  readonly span: Span;
}

/** `{machine: shop.test-a/web, port: 80, at: "203.0.113.10:8001"}` */
export interface Publication {
  readonly machine: Located<Reference>;
  readonly port: Located<number>;
  /** Null: tcp. */
  readonly protocol: Located<"tcp" | "udp"> | null;
  /** Null: an address of the edge and a free port are chosen. `port` null: the machine's own. */
  readonly at: Located<{ readonly ip: Ip; readonly port: number | null }> | null;
  readonly span: Span;
}

/** "internet reaches tcp 203.0.113.10:8001 at shop.test-a/web", "a cannot reach b". */
export interface Expectation {
  readonly text: string;
  readonly from: Located<Reference>;
  readonly isReached: boolean;
  /** An address, or the name of a machine, edge or cluster. */
  readonly to: Located<Endpoint>;
  readonly protocol: IpProtocol;
  /** Null: for icmp. */
  readonly port: number | null;
  /** `at …`: who must get it; null: whoever has the address. */
  readonly at: Located<Reference> | null;
  readonly span: Span;
}
