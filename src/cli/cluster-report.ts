// What `sallyport cluster status` says: put together of what each member's agent has written down, and told
// as a table.
import type { Supervisor } from "../driver/linux/supervisor.ts";
import type { ResolvedCluster } from "../model/resolved-datacenter.ts";
import { LEASE_MS } from "../network/cluster/agreement.ts";
import { agentOf, sharedRules } from "../network/cluster/member-settings.ts";
import { BUCKET_COUNT } from "../network/cluster/shares.ts";
import { readStatus, type StatusRecord } from "../server/cluster/member-files.ts";
import { colour, columns, type Terminal, type TextRole } from "./terminal.ts";

export interface ClusterReport {
  readonly cluster: string;
  readonly address: string;
  readonly mode: ResolvedCluster["mode"];
  readonly mac: string;
  /** All that are to take part do, and agree; every bucket is somebody's. */
  readonly hasConverged: boolean;
  readonly members: readonly MemberReport[];
}

export interface MemberReport {
  readonly machine: string;
  readonly priority: number;
  readonly state: StatusRecord["state"] | "lost" | "elsewhere";
  readonly order: string | null;
  readonly connections: number | null;
  /** Buckets by rule; of a rule that goes to one member, whether it has it. */
  readonly shares: readonly { readonly rule: string; readonly share: number; readonly of: number }[];
  /** What is wrong, in words. */
  readonly faults: readonly string[];
}

export function clusterReports(
  clusters: readonly ResolvedCluster[],
  supervisor: Supervisor,
): ClusterReport[] {
  return clusters.map((cluster) => {
    const { name, address, mode, mac } = cluster;
    const members = cluster.members.map((one) => memberReport(cluster, one, supervisor));
    return { cluster: name, address, mode, mac, hasConverged: hasConverged(members), members };
  });
}

function memberReport(
  cluster: ResolvedCluster,
  { machine, priority }: ResolvedCluster["members"][number],
  supervisor: Supervisor,
): MemberReport {
  const agent = agentOf(machine);
  const status = readStatus(supervisor.directoryOf(agent));
  const isRunning = supervisor.running([agent]).length > 0;
  if (status === null && !isRunning)
    return {
      machine,
      priority,
      state: "elsewhere",
      order: null,
      connections: null,
      shares: [],
      faults: ["no agent runs here"],
    };
  // An agent writes each second. Behind its lease the kernel takes nothing new any more.
  const isLost = status === null || !isRunning || Date.now() - status.at > LEASE_MS;
  const counts = new Map(status?.slots.map(({ rule, count }) => [rule, count]));
  const shares = sharedRules(cluster).map(({ name, kind }) => ({
    rule: name,
    share: isLost ? 0 : (counts.get(name) ?? 0),
    of: kind === "multiple" ? BUCKET_COUNT : 1,
  }));
  return {
    machine,
    priority,
    state: isLost ? "lost" : status.state,
    order: status?.order ?? null,
    connections: isLost ? null : status.connections,
    shares,
    faults: isLost ? ["its agent says nothing; see sallyport program logs"] : faultsOf(cluster, status),
  };
}

function faultsOf({ members }: ResolvedCluster, { fault, peers }: StatusRecord): string[] {
  const nameOf = (member: number) =>
    members.find(({ priority }) => priority === member)?.machine ?? `${member}`;
  const others = peers.filter(({ hasOtherRules }) => hasOtherRules).map(({ member }) => nameOf(member));
  return [
    ...(fault === null ? [] : [fault]),
    ...(others.length === 0 ? [] : [`${others.join(" and ")} has other port rules; apply there too`]),
  ];
}

/** Those on other hosts are seen by what is missing here. */
function hasConverged(members: readonly MemberReport[]): boolean {
  const here = members.filter(({ state }) => state !== "elsewhere");
  return (
    here.length > 0 &&
    here.every(({ state, faults }) => faults.length === 0 && /^(converged|drained|stopped)$/.test(state)) &&
    here.some(({ state }) => state === "converged")
  );
}

const ROLES: Readonly<Record<MemberReport["state"], TextRole>> = {
  converged: "good",
  converging: "warning",
  listening: "warning",
  drained: "notice",
  stopped: "notice",
  lost: "error",
  elsewhere: "faint",
};

export function reportText(reports: readonly ClusterReport[], terminal: Terminal): string {
  const { isColour } = terminal;
  if (reports.length === 0) return "there is no cluster\n";
  return reports
    .map(({ cluster, address, mode, mac, hasConverged: isWell, members }) => {
      const verdict = isWell
        ? colour(isColour, "good", "converged")
        : colour(isColour, "error", "not converged");
      const head = `${colour(isColour, "title", cluster)}: ${address}, ${mode} ${mac}, ${verdict}`;
      const rules = members.find(({ shares }) => shares.length > 0)?.shares ?? [];
      const titles = ["member", "state", "connections", ...rules.map(({ rule }) => rule)];
      const rows = members.map(({ machine, state, connections, shares, faults }) => [
        machine,
        colour(isColour, ROLES[state], state),
        connections === null ? "" : String(connections),
        ...rules.map((_, index) => shareText(shares[index])),
        colour(isColour, "error", faults.join("; ")),
      ]);
      return `${[head, ...columns([titles, ...rows]).map((row) => `  ${row.trimEnd()}`)].join("\n")}\n`;
    })
    .join("\n");
}

function shareText(share: MemberReport["shares"][number] | undefined): string {
  if (share === undefined) return "";
  return share.of === 1 ? (share.share === 1 ? "all" : "-") : `${share.share} of ${share.of}`;
}
