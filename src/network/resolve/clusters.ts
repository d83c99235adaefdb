// NLB clusters: the shared MAC of each mode, and what each member hides it behind.
import { bytesOfIp, familyOfIp, type Ip } from "../../base/ip.ts";
import { type Mac, macOfBytes } from "../../base/mac.ts";
import type { Cluster } from "../../model/datacenter.ts";
import type { ResolvedCluster } from "../../model/resolved-datacenter.ts";
import type { Resolution } from "./resolution.ts";

export function resolveClusters(resolution: Resolution): void {
  for (const cluster of resolution.datacenter.clusters) {
    const resolved = resolveCluster(cluster, resolution);
    if (resolved !== null && !resolution.clusters.has(cluster.name))
      resolution.clusters.set(cluster.name, resolved);
  }
}

function resolveCluster(
  cluster: Cluster,
  { machines, findings, networks }: Resolution,
): ResolvedCluster | null {
  const address = cluster.address.value;
  const bytes = bytesOfIp(address);
  const members = cluster.machines.flatMap(({ value, span }, index) => {
    if (!machines.has(value)) {
      findings.unknown("machine", value, span, machines.keys());
      return [];
    }
    return [{ machine: value, priority: index + 1, maskMac: maskMac(index + 1, bytes) }];
  });
  for (const rule of cluster.rules) {
    const named = [...rule.weights, ...rule.priorities];
    const names = cluster.machines.map(({ value }) => value);
    for (const { machine } of named)
      if (!names.includes(machine.value)) findings.unknown("member", machine.value, machine.span, names);
  }
  const [first] = members;
  const network = first === undefined ? undefined : machines.get(first.machine)!.interfaces[0]?.network;
  if (network === undefined || !networks.has(network)) {
    findings.error("cluster-empty", cluster.span, `\`${cluster.name}\` has no member that is in a network`);
    return null;
  }
  const mode = cluster.mode?.value ?? "unicast";
  return {
    name: cluster.name,
    source: cluster,
    network,
    address,
    mode,
    mac: clusterMac(mode, address),
    members,
    rules: cluster.rules,
    span: cluster.span,
  };
}

/**
 * 02-bf and the address (unicast), 03-bf and the address (multicast), 01-00-5e-7f and its last two bytes
 * (IGMP). Of an IPv6 address the last four bytes; its groups have 33-33 before them (RFC 2464, 7).
 */
export function clusterMac(mode: ResolvedCluster["mode"], address: Ip): Mac {
  const bytes = bytesOfIp(address).slice(-4);
  if (mode === "igmp" && familyOfIp(address) === 6) return macOfBytes(Uint8Array.of(0x33, 0x33, ...bytes));
  if (mode === "igmp") return macOfBytes(Uint8Array.of(0x01, 0x00, 0x5e, 0x7f, bytes[2]!, bytes[3]!));
  return macOfBytes(Uint8Array.of(mode === "unicast" ? 0x02 : 0x03, 0xbf, ...bytes));
}

/** 02, the host's priority, and the address. */
function maskMac(priority: number, bytes: Uint8Array): Mac {
  return macOfBytes(Uint8Array.of(0x02, priority, ...bytes.slice(-4)));
}
