// The half of the dashboard's contract that is about a datacentre: its topology, the ways of packets, and the
// consoles of its machines. The other half is in dashboard-api.ts.
import type { Span } from "../diagnostic/span.ts";
import type { RequestTrace } from "./request-trace.ts";
import type { Trace, TraceNodeKind } from "./trace.ts";

/** What JSON makes of a type: bytes become hexadecimal text. */
export type JsonOf<T> = T extends Uint8Array
  ? string
  : T extends readonly (infer Item)[]
    ? readonly JsonOf<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: JsonOf<T[Key]> }
      : T;

// ---- Topology ----

/** GET /api/v1/topology. 404 without `--datacenter`. */
export interface TopologyAnswer {
  readonly name: string;
  /** As it was named. */
  readonly file: string;
  /** Changes when the file does; the event `datacenter` tells it. */
  readonly version: string;
  /** False: it has errors, which `check` shows; what could be read is here. */
  readonly isUsable: boolean;
  readonly nodes: readonly TopologyNode[];
  readonly links: readonly TopologyLink[];
  readonly vlans: readonly {
    readonly vlan: number;
    readonly label: string;
    readonly networks: readonly string[];
  }[];
}

export type TopologyNodeKind =
  | "external"
  | "fabric"
  | "host"
  | "switch"
  | "network"
  | "edge"
  | "fence"
  | "machine";

export interface TopologyNode {
  /**
   * "KIND/NAME", unique. Hops of a trace name their node by the same kind and name, apart from networks,
   * which are in a trace the switch "NAME" where they are on no switch of the file.
   */
  readonly id: string;
  readonly kind: TopologyNodeKind;
  readonly name: string;
  /** 0: outside; then the fabric, hosts, switches, networks, edges, and machines at the bottom. */
  readonly layer: number;
  /** Id of the fence that it is in; null outside of all. */
  readonly inside: string | null;
  /** What `explain` takes as from and to; null for what cannot be asked. */
  readonly reference: string | null;
  /** Whose colour it has; QinQ: outer * 4096 + inner. Null: none. */
  readonly vlan: number | null;
  /** Under the name: addresses, subnets, modes. */
  readonly lines: readonly string[];
  /** "NAT", "firewall", "DHCP", "load balancer", "cluster farm" … */
  readonly services: readonly string[];
  readonly details: readonly { readonly label: string; readonly value: string; readonly span: Span | null }[];
  readonly span: Span;
}

export interface TopologyLink {
  readonly id: string;
  /** Ids of nodes. */
  readonly from: string;
  readonly to: string;
  readonly kind: "cable" | "bond" | "uplink" | "port-group" | "interface";
  /** Whose colour it has; null: none, or many. */
  readonly vlan: number | null;
  /** VLANs whose frames pass it with a tag, as they are written: "5", "10-20", "100.20", "all". */
  readonly carries: readonly string[];
  readonly label: string;
  readonly span: Span | null;
}

/** GET /api/v1/topology/state: what is alive of it. Absent nodes are unknown. */
export interface TopologyState {
  readonly atMs: number;
  /** Whether `sallyport apply` has made it on this machine, and whether it still is as it was made. */
  readonly applied: "no" | "yes" | "changed" | "unknown";
  /** True: by `--rootless`, in a network of its user's own. */
  readonly isRootless: boolean;
  /** What differs, in words; with "unknown" why it is. */
  readonly drift: readonly string[];
  readonly nodes: Readonly<Record<string, NodeState>>;
  /** By the ids of links; absent: nobody counts there. */
  readonly links: Readonly<Record<string, LinkTraffic>>;
}

export interface NodeState {
  readonly state: "up" | "degraded" | "down";
  /** One sentence. */
  readonly text: string;
  /** Servers of the running load balancer that have this machine's address. */
  readonly servers: readonly string[];
  readonly counters: readonly {
    readonly label: string;
    readonly value: number;
    readonly unit: "packets" | "bytes" | "sessions" | "per second" | "connections" | "leases";
    /** The word of `services` that it is about; null: the node itself. */
    readonly service: string | null;
  }[];
}

export interface LinkTraffic {
  /** The kernel counts all that passes the port, the load balancer what it exchanges with the machine. */
  readonly countedBy: "kernel" | "load-balancer";
  /** By the machine or edge at the link's lower end. */
  readonly sent: LinkFlow;
  readonly received: LinkFlow;
}

export interface LinkFlow {
  readonly bytes: number;
  /** Null: only bytes are counted. */
  readonly packets: number | null;
  /** Mean since the look before; null at the first one, and when counting began anew. */
  readonly bytesPerSecond: number | null;
  readonly packetsPerSecond: number | null;
}

/**
 * GET /api/v1/topology/edges/{edge}/rules: what each rule of an edge or fence has decided since it was loaded
 * into this machine's kernel; of a connection its first packet counts.
 */
export interface EdgeRulesAnswer {
  /** "changed": the file has other rules by now, which nobody has counted. */
  readonly state: "counted" | "changed" | "not-applied" | "unknown";
  /** Why it is unknown; else empty. */
  readonly text: string;
  readonly rules: readonly EdgeRule[];
}

/** What `sallyport status --rules --json` says of an edge or fence. */
export interface EdgeRules {
  readonly edge: string;
  /** The file has other rules by now; then there are none here. */
  readonly isChanged: boolean;
  readonly rules: readonly EdgeRule[];
}

export interface EdgeRule {
  readonly table: "firewall" | "nat";
  readonly file: string;
  readonly line: number;
  /** The line of the file. */
  readonly text: string;
  /** What the rule is where the line does not say so itself; else empty. */
  readonly words: string;
  readonly packets: number;
  readonly bytes: number;
}

/**
 * GET /api/v1/explain/packet?from=F&to=T&protocol=tcp&port=80&back=true&url=U&method=M&header=H: the words of
 * `sallyport explain`; protocol and port may be left out. 404 for a name that is not in the file, with the
 * nearest one in `help`.
 */
export interface PacketExplanation {
  readonly trace: JsonOf<Trace>;
  /** Where the way ends at a load balancer, how it goes on. */
  readonly beyond: {
    readonly edge: string;
    readonly request: RequestTrace;
    readonly onward: JsonOf<Trace> | null;
  } | null;
  /** True: it arrives, there, back, and behind the load balancer. */
  readonly arrives: boolean;
}

/**
 * The id of a trace's node among the topology's. A trace has switches where frames are, one on each host and
 * one for each network that is on no switch of the file. Two nodes that follow each other in a trace may have
 * nodes between them in the topology: the shortest way over its links leads there.
 */
export function topologyIdOf(kind: TraceNodeKind, name: string): string {
  if (kind === "switch" && name.startsWith("network ")) return `network/${name.slice("network ".length)}`;
  return `${kind}/${kind === "switch" ? name.split("@", 1)[0] : name}`;
}

// ---- Consoles ----

/** GET /api/v1/consoles. */
export interface ConsolesAnswer {
  /** False: the file names no consoles. */
  readonly isConfigured: boolean;
  /** Whether `sallyport console serve` runs for the file; null: it could not be found out. */
  readonly isServed: boolean | null;
  /** Of the pages of consoles; null: not configured. */
  readonly origin: string | null;
  readonly machines: readonly ConsoleMachine[];
}

export interface ConsoleMachine {
  readonly machine: string;
  /** What whoever asks may do with it; null: nothing. */
  readonly access: "open" | "look" | null;
  readonly kinds: readonly ("vnc" | "serial")[];
  readonly viewers: readonly ConsoleViewer[];
}

export interface ConsoleViewer {
  readonly id: string;
  readonly user: string;
  readonly kind: "vnc" | "serial";
  readonly isViewOnly: boolean;
  readonly client: string;
  readonly seconds: number;
}

/** POST /api/v1/consoles/{machine}/tickets; role operator, viewers only with `isViewOnly`. */
export interface TicketQuestion {
  readonly kind: "vnc" | "serial";
  readonly isViewOnly: boolean;
}

export interface TicketAnswer {
  /** Good once, within 60 seconds, from the address that asked. */
  readonly url: string;
}

/** DELETE /api/v1/consoles/viewers/{id}; role operator. */
export interface KickAnswer {
  readonly kicked: number;
}
