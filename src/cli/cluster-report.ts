// What `sallyport cluster status` says: put together of what each member's agent has written down, and told
// as a table.
import type { Supervisor } from "../driver/linux/supervisor.ts";
import type { ResolvedCluster } from "../model/resolved-datacenter.ts";
import { LEASE_MS } from "../network/cluster/agreement.ts";
import { agentOf, sharedRules } from "../network/cluster/member-settings.ts";
import { BUCKET_COUNT, slotOwners } from "../network/cluster/shares.ts";
import {
  type PeerRecord,
  readStatus,
  type SlotCount,
  type StatusRecord,
} from "../server/cluster/member-files.ts";
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
    const here = witnesses(cluster, supervisor);
    const members = cluster.members.map((one) => memberReport(cluster, one, supervisor, here));
    return { cluster: name, address, mode, mac, hasConverged: hasConverged(members), members };
  });
}

/** What agents of this host have said of late: they hear those of others. */
interface Witness {
  readonly machine: string;
  readonly status: StatusRecord;
}

function witnesses({ members }: ResolvedCluster, supervisor: Supervisor): Witness[] {
  return members.flatMap(({ machine }) => {
    const status = readStatus(supervisor.directoryOf(agentOf(machine)));
    return status === null || Date.now() - status.at > LEASE_MS ? [] : [{ machine, status }];
  });
}

function memberReport(
  cluster: ResolvedCluster,
  { machine, priority }: ResolvedCluster["members"][number],
  supervisor: Supervisor,
  here: readonly Witness[],
): MemberReport {
  const agent = agentOf(machine);
  const status = readStatus(supervisor.directoryOf(agent));
  const isRunning = supervisor.running([agent]).length > 0;
  // What it has left behind here says nothing when it is heard from another host.
  const isHeard = here.some(({ status: { peers } }) => peers.some(({ member }) => member === priority));
  if (!isRunning && (status === null || isHeard)) return foreignReport(cluster, machine, priority, here);
  // An agent writes each second. Behind its lease the kernel takes nothing new any more.
  const isLost = status === null || !isRunning || Date.now() - status.at > LEASE_MS;
  return {
    machine,
    priority,
    state: isLost ? "lost" : status.state,
    order: status?.order ?? null,
    connections: isLost ? null : status.connections,
    shares: sharesOf(cluster, isLost ? [] : status.slots),
    faults: isLost ? ["its agent says nothing; see sallyport program logs"] : faultsOf(cluster, status),
  };
}

function sharesOf(cluster: ResolvedCluster, slots: readonly SlotCount[]): MemberReport["shares"] {
  const counts = new Map(slots.map(({ rule, count }) => [rule, count]));
  return sharedRules(cluster).map(({ name, kind }) => ({
    rule: name,
    share: counts.get(name) ?? 0,
    of: kind === "multiple" ? BUCKET_COUNT : 1,
  }));
}

/** A member on another host, as an agent of this one hears it. */
function foreignReport(
  cluster: ResolvedCluster,
  machine: string,
  priority: number,
  here: readonly Witness[],
): MemberReport {
  const about = { machine, priority, order: null, connections: null };
  const [first] = here;
  if (first === undefined)
    return { ...about, state: "elsewhere", shares: [], faults: ["no agent runs here"] };
  for (const { status } of here) {
    const peer = status.peers.find(({ member }) => member === priority);
    if (peer === undefined) continue;
    const faults = peer.hasOtherRules ? [OTHER_RULES] : [];
    return {
      ...about,
      state: heardState(cluster, peer, status),
      shares: sharesOf(cluster, peer.slots),
      faults,
    };
  }
  return {
    ...about,
    state: "lost",
    shares: sharesOf(cluster, []),
    faults: [`${first.machine} does not hear it; on its host: sallyport cluster agent FILE ${machine}`],
  };
}

/** It says what it has a datagram later than it has it: until that is its share, it is on the way there. */
function heardState(
  cluster: ResolvedCluster,
  { member, wish, isReady, slots }: PeerRecord,
  { state, active }: StatusRecord,
): StatusRecord["state"] {
  if (wish === "stop") return "stopped";
  if (wish === "drain") return slots.length === 0 ? "drained" : "converging";
  if (!isReady) return "listening";
  const isSettled = /^(converged|drained|stopped)$/.test(state);
  const hasShare = sharedRules(cluster).every((rule) => {
    const due = slotOwners(rule, new Set(active)).filter((owner) => owner === member).length;
    return due === (slots.find((one) => one.rule === rule.name)?.count ?? 0);
  });
  return isSettled && hasShare ? "converged" : "converging";
}

const OTHER_RULES = "it has other port rules; apply there too";

function faultsOf({ members }: ResolvedCluster, { fault, peers, strangers }: StatusRecord): string[] {
  const nameOf = (member: number) =>
    members.find(({ priority }) => priority === member)?.machine ?? `${member}`;
  const others = peers.filter(({ hasOtherRules }) => hasOtherRules).map(({ member }) => nameOf(member));
  return [
    ...(fault === null ? [] : [fault]),
    ...strangers.map(
      (member) => `it hears another ${nameOf(member)}: started on two hosts, or with another key`,
    ),
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
