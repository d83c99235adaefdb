// What the steps of resolving share: the file, its names, the addresses that are taken, and what has been
// worked out so far. Each step reads what the earlier ones have put here and adds its own.
import { familyOfIp, type Ip, type IpFamily, type IpRange, subnetHas } from "../../base/ip.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { Datacenter, Located, Publication } from "../../model/datacenter.ts";
import type {
  Origin,
  ResolvedCluster,
  ResolvedEdge,
  ResolvedMachine,
  ResolvedNetwork,
} from "../../model/resolved-datacenter.ts";
import type { Findings } from "./findings.ts";
import type { Names } from "./names.ts";
import { AddressPool } from "./pool.ts";

/** What a load balancer listens on inside an edge; from the haproxy.cfg that the edge names. */
export interface LoadBalancerBind {
  readonly edge: string;
  /** Null: on all addresses. */
  readonly ip: Ip | null;
  readonly port: number;
  readonly span: Span;
}

export interface Resolution {
  readonly datacenter: Datacenter;
  readonly findings: Findings;
  readonly names: Names;
  readonly loadBalancerBinds: readonly LoadBalancerBind[];
  /** By the text that names the machine. */
  readonly publicationsOf: ReadonlyMap<string, readonly Publication[]>;
  /**
   * Addresses that nobody is given, by network of the file. Inside a fence are those of the parent: whoever
   * is inside must be told from who is outside.
   */
  readonly taken: Map<string, Set<Ip>>;
  /** What machines of vApps have been given inside fences, the same in every copy: by "shop/web/eth0". */
  readonly chosenInside: Map<string, readonly Ip[]>;
  readonly networks: Map<string, ResolvedNetwork>;
  /** Addresses that no internal network has; there when the networks are. */
  readonly outside: IpRange[];
  readonly machines: Map<string, ResolvedMachine>;
  readonly edges: Map<string, ResolvedEdge>;
  readonly clusters: Map<string, ResolvedCluster>;
}

export function fromFile(span: Span): Origin {
  return { kind: "file", text: "as written", span };
}

export function takenIn(resolution: Resolution, network: string): Set<Ip> {
  let taken = resolution.taken.get(network);
  if (taken === undefined) {
    taken = new Set();
    resolution.taken.set(network, taken);
  }
  return taken;
}

/** The network of that name, if the file has it; else that is reported at the place of the name. */
export function networkOf(resolution: Resolution, { value, span }: Located<string>): ResolvedNetwork | null {
  const network = resolution.networks.get(value);
  if (network !== undefined) return network;
  resolution.findings.unknown("network", value, span, resolution.names.networks.keys());
  return null;
}

/**
 * Prefix length of an address in a network: that of its subnet, else of the first one of its family, else a
 * host's.
 */
export function prefixIn(network: ResolvedNetwork, ip: Ip): number {
  const family = familyOfIp(ip);
  const subnet =
    network.subnets.find((one) => subnetHas(one, ip)) ?? network.subnets.find((one) => one.family === family);
  return subnet?.prefix ?? (family === 4 ? 32 : 128);
}

/** What of the `pool` of a network of the file is of a family; nothing when it has none. */
export function poolOf(resolution: Resolution, network: string, family: IpFamily): AddressPool {
  const source = resolution.names.networks.get(network);
  const ranges = source?.pools.map(({ value }) => value) ?? [];
  return new AddressPool(
    ranges.filter(({ first }) => familyOfIp(first) === family),
    takenIn(resolution, network),
  );
}

/** The host that something runs on: the one that is named, else the only one; null when the file has none. */
export function hostOf(
  { datacenter, findings }: Resolution,
  wanted: Located<string> | null,
  span: Span,
): string | null {
  const names = datacenter.hosts.map(({ name }) => name);
  if (wanted !== null) {
    if (names.includes(wanted.value)) return wanted.value;
    findings.unknown("host", wanted.value, wanted.span, names);
    return names[0] ?? null;
  }
  if (names.length > 1) {
    findings.error("which-host", span, "there are several hosts: on which of them does this run?", {
      help: `Say \`host: ${names[0]}\`, or another of ${names.join(", ")}.`,
    });
  }
  return names[0] ?? null;
}
