// Nodes and the cables between their ports. Plain data about what is there; what nodes do with frames is in
// `device/`.
import type { Mac } from "../../base/mac.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { Bond, BondHash, Host, PortGroup, VlanRange } from "../../model/datacenter.ts";
import type {
  ResolvedAddress,
  ResolvedCluster,
  ResolvedDatacenter,
  ResolvedEdge,
  ResolvedMachine,
  ResolvedNetwork,
  ResolvedRoute,
} from "../../model/resolved-datacenter.ts";

export type NodeSpec = BridgeSpec | HostSpec | StackSpec;

/** A virtual switch, a physical one, or the segment of a network that is on no switch. */
export interface BridgeSpec {
  readonly kind: "switch" | "fabric";
  readonly name: string;
  readonly ports: ReadonlyMap<string, BridgePort>;
  readonly lags: ReadonlyMap<string, BridgeLag>;
  /**
   * Ports that may carry a VLAN, so that a flood need not ask all: by VLAN for access ports, and the others.
   */
  readonly accessPorts: ReadonlyMap<number, readonly BridgePort[]>;
  readonly otherPorts: readonly BridgePort[];
  readonly mtu: number;
}

export interface BridgePort {
  readonly name: string;
  readonly role: BridgePortRole;
  /** The LAG that it is a member of. */
  readonly lag: string | null;
  /** Bytes of a packet. */
  readonly mtu: number;
  readonly span: Span;
}

/**
 * How frames of a port and VLANs belong together. A VLAN is a number: 0 without one, 1..4094, and for QinQ
 * outer * 4096 + inner.
 */
export type BridgePortRole =
  /** Frames are in one VLAN and bear no tag: machines. */
  | {
      readonly kind: "access";
      readonly vlan: number;
      readonly portGroup: PortGroup | null;
      readonly station: AttachedStation | null;
    }
  /** Machines that tag by themselves. */
  | {
      readonly kind: "guest-trunk";
      readonly ranges: readonly VlanRange[];
      readonly station: AttachedStation | null;
    }
  /** From a virtual switch to the host below: everything, tagged. */
  | { readonly kind: "uplink" }
  /** A physical port. */
  | {
      readonly kind: "physical";
      /** Null: everything (a fabric that the file does not describe). */
      readonly trunk: readonly { readonly range: VlanRange; readonly span: Span }[] | null;
      readonly native: { readonly vlan: number; readonly span: Span } | null;
    };

/** What a port group's policy compares frames with. */
export interface AttachedStation {
  readonly name: string;
  /** The MAC that the file gives it. */
  readonly mac: Mac;
  /** The MAC that it answers to: that of its cluster in unicast mode. */
  readonly effectiveMac: Mac;
}

export interface BridgeLag {
  readonly name: string;
  readonly hash: BondHash;
  readonly members: readonly string[];
  /** Why no frame passes: the two ends do not agree. Null: it is up. */
  readonly fault: LagFault | null;
  readonly span: Span;
}

export interface LagFault {
  readonly message: string;
  readonly span: Span;
}

/**
 * A Linux machine that carries virtual switches: its cards, bonds and VLAN devices, and its own addresses.
 */
export interface HostSpec {
  readonly kind: "host";
  readonly name: string;
  readonly source: Host;
  /** Virtual switches by the link that they use. */
  readonly switches: readonly { readonly name: string; readonly link: string }[];
  readonly bondFaults: ReadonlyMap<string, LagFault>;
  /** Bonds whose partner does not speak LACP, so that they use one link only. */
  readonly bondsAlone: ReadonlySet<string>;
  /** What it does with what is for itself; null: it has no addresses. */
  readonly stack: StackSpec | null;
}

export interface StackSpec {
  readonly kind: "machine" | "edge" | "fence" | "host" | "external";
  readonly name: string;
  readonly interfaces: readonly StackInterface[];
  /** Default routes and others, in the order of the file. */
  readonly routes: readonly ResolvedRoute[];
  readonly isForwarding: boolean;
  readonly edge: ResolvedEdge | null;
  readonly machine: ResolvedMachine | null;
  readonly cluster: ResolvedCluster | null;
  /** Of an external station: it stands for everybody there who is not in the file. */
  readonly standsFor: ResolvedNetwork | null;
  readonly span: Span;
}

export interface StackInterface {
  readonly name: string;
  readonly mac: Mac;
  readonly addresses: readonly ResolvedAddress[];
  readonly network: string | null;
  readonly mtu: number;
  readonly wantsDhcp: boolean;
  readonly span: Span;
}

export interface PortPlace {
  readonly node: string;
  readonly port: string;
}

export interface Topology {
  readonly resolved: ResolvedDatacenter;
  readonly nodes: ReadonlyMap<string, NodeSpec>;
  /** What is at the other end of the cable; null: nothing. `node` is a node's identity (`nodeIdOf`). */
  peerOf(node: string, port: string): PortPlace | null;
}

/** Settings of a bond that the file leaves out: those of the kernel. */
export function bondModeOf(bond: Bond): NonNullable<Bond["mode"]>["value"] {
  return bond.mode?.value ?? "balance-rr";
}

export function bondHashOf(bond: Bond): BondHash {
  return bond.hash?.value ?? "layer2";
}

/** A VLAN in words: "VLAN 20", "QinQ 100.20", "no VLAN". */
export function describeVlan(vlan: number): string {
  if (vlan === 0) return "no VLAN";
  return vlan < 4096 ? `VLAN ${vlan}` : `QinQ ${vlan >> 12}.${vlan & 0xfff}`;
}
