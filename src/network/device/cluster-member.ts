// What a member of an NLB cluster does with packets for the cluster's address: it takes those of its own
// buckets and drops the others in silence, since another member takes them.
import type { Ip } from "../../base/ip.ts";
import type { Span } from "../../diagnostic/span.ts";
import type { ResolvedCluster } from "../../model/resolved-datacenter.ts";
import { type Affinity, bucketOf, bucketOwners, clusterRuleFor, priorityOwner } from "../cluster/buckets.ts";
import { type Packet, portsOf } from "./packet.ts";

export interface ClusterVerdict {
  readonly isMine: boolean;
  /** Who takes it; null: nobody. */
  readonly owner: string | null;
  readonly text: string;
  readonly span: Span;
}

export function clusterVerdict(cluster: ResolvedCluster, member: string, packet: Packet): ClusterVerdict {
  const { source, destination } = portsOf(packet);
  const { kind } = packet.body;
  // ICMP is answered by all.
  if (kind === "icmp")
    return { isMine: true, owner: member, text: "every member answers a ping", span: cluster.span };
  const rule = clusterRuleFor(cluster, kind, destination);
  const span = rule?.span ?? cluster.span;
  const filtering = rule === null ? "single" : (rule.filtering?.value ?? "multiple");
  if (filtering === "disabled")
    return {
      isMine: false,
      owner: null,
      text: `port ${destination} is disabled in cluster ${cluster.name}`,
      span,
    };
  if (filtering === "single") {
    const owner = priorityOwner(cluster, rule);
    const why =
      rule === null ? `no port rule names port ${destination}, so` : `port ${destination} goes to one host:`;
    return {
      isMine: owner === member,
      owner,
      text: `${why} ${owner} takes it, which has the highest priority`,
      span,
    };
  }
  const affinity: Affinity = rule!.affinity?.value ?? "single";
  const bucket = bucketOf(affinity, packet.source, source);
  const owner = bucketOwners(cluster, rule!)[bucket] ?? null;
  const key = keyWords(affinity, packet.source, source);
  const text = `${key} is in bucket ${bucket} of 60, which is ${owner === null ? "nobody's" : `${owner}'s`}`;
  return { isMine: owner === member, owner, text, span };
}

function keyWords(affinity: Affinity, client: Ip, port: number): string {
  if (affinity === "none") return `client ${client} port ${port}`;
  return affinity === "single" ? `client ${client}` : `the network of client ${client}`;
}
