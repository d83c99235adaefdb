// What became of a packet, as plain data: the result of `network/explain`, printed by the terminal, as JSON
// and by the dashboard's drawing, written as a pcap, and compared with what a live kernel did. Never holds
// references into the simulation.
import type { Ip } from "../base/ip.ts";
import type { Mac } from "../base/mac.ts";
import type { Span } from "../diagnostic/span.ts";
import type { IpProtocol, Reference } from "./datacenter.ts";

/** What was asked: who sends what to whom. */
export interface TraceQuestion {
  readonly from: Reference;
  /** An address, or somebody with a name. */
  readonly to: Ip | Reference;
  readonly protocol: IpProtocol;
  /** Destination port, 1..65535; null for icmp. */
  readonly port: number | null;
  /** Source port; null: the first of the ephemeral range. */
  readonly sourcePort: number | null;
}

export interface Trace {
  readonly question: TraceQuestion;
  /** Conversations that had to happen first (DHCP, RARP, learning), in order. Mostly empty. */
  readonly before: readonly TracePath[];
  readonly there: TracePath;
  /** The answer's way; null when there is none, or when it was not asked for. */
  readonly back: TracePath | null;
}

export interface TracePath {
  /** In the order of events. A frame that is flooded goes on in several hops with one parent. */
  readonly hops: readonly TraceHop[];
  readonly disposition: Disposition;
  /** The hop where it ended that way; an index of `hops`. -1 when nothing could be sent. */
  readonly end: number;
  /** One sentence: what became of it and why. */
  readonly summary: string;
  /** The line that decided; null when none did. */
  readonly span: Span | null;
}

export type TraceNodeKind = "machine" | "switch" | "fabric" | "edge" | "fence" | "host" | "external";

export interface TraceHop {
  readonly node: { readonly kind: TraceNodeKind; readonly name: string };
  /** The hop that sent the frame here; an index of `hops`, null for the first. */
  readonly parent: number | null;
  /** Where the frame came in; null where it began. */
  readonly ingress: string | null;
  /** Where it, or what became of it, went out. */
  readonly egress: readonly string[];
  /** Milliseconds of virtual time since the question. */
  readonly atMs: number;
  readonly steps: readonly TraceStep[];
  /** The frames as they are on the cable at this node's ports. */
  readonly captures: readonly TraceCapture[];
}

export interface TraceCapture {
  readonly port: string;
  readonly direction: "in" | "out";
  readonly atMs: number;
  /** A whole Ethernet frame without FCS. */
  readonly frame: Uint8Array;
}

/** How much somebody wants to know: `brief` steps are always shown, `full` ones only when all is. */
export type TraceLevel = "brief" | "normal" | "full";

export const TRACE_STEP_KINDS = [
  "send", // the packet is made
  "receive",
  "route", // which route, by which table
  "neighbour", // ARP or NDP: cached, asked, answered, proxied
  "vlan", // a tag put on, taken off, or refused
  "lag", // which member of a bond or LAG, and by which hash
  "learn", // a MAC address learnt at a port
  "forward", // to the port where the MAC was learnt
  "flood", // to all ports, since nobody knows the MAC
  "policy", // port group security and traffic rules
  "conntrack", // new, established, which entry
  "nat", // before and after
  "firewall", // verdict and rule
  "cluster", // whose bucket it is
  "load-balancer",
  "dhcp",
  "mtu",
  "ttl",
  "deliver",
  "drop",
] as const;
export type TraceStepKind = (typeof TRACE_STEP_KINDS)[number];

export interface TraceStep {
  readonly kind: TraceStepKind;
  readonly level: TraceLevel;
  /** One sentence in the words of a network engineer, small first letter, no full stop. */
  readonly text: string;
  /** The line that decided; null for what the protocol itself demands. */
  readonly span: Span | null;
  /** Facts behind the text, for programs: names in camelCase, values plain. */
  readonly facts: Readonly<Record<string, string | number | boolean | null | Ip | Mac>>;
}

/** A closed set: every path ends in exactly one. */
export const DISPOSITIONS = [
  "delivered",
  "load-balanced", // delivered to a load balancer, which goes on with a connection of its own
  "answered-by-router", // a router itself was meant, and answers
  "dropped-by-firewall",
  "dropped-by-policy", // port group security or a traffic rule
  "dropped-by-cluster", // no member of the cluster takes it
  "no-address", // the sender has no address: DHCP is needed
  "no-route",
  "arp-unanswered", // nobody answers for the address, or for the gateway
  "vlan-mismatch", // a VLAN that one end of a link does not carry
  "link-down", // no usable link: LAG not agreed, uplink missing
  "mtu-exceeded",
  "ttl-expired",
  "looped",
  "flooded", // went to everybody, and nobody took it
  "not-for-us", // reached an address that is nobody's
  "refused", // reached the machine, which serves nothing there
  "source-unreachable", // of an answer: it goes to the wrong place, or past the NAT
] as const;
export type Disposition = (typeof DISPOSITIONS)[number];
