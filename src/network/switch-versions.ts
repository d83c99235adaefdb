// Which version of a switch may do what: one table for checks, explanations and upgrades. An upgrade goes one
// way, as on vSphere; what the file looked like before is kept beside it.
import type { Span } from "../diagnostic/span.ts";
import {
  type Datacenter,
  SWITCH_VERSIONS,
  type Switch,
  type SwitchFeature,
  type SwitchVersion,
} from "../model/datacenter.ts";
import type { DocumentEdit } from "../model/document-edit.ts";

interface FeatureFacts {
  readonly since: SwitchVersion;
  /** In words, to stand after "uses". */
  readonly words: string;
}

export const FEATURE_FACTS: Readonly<Record<SwitchFeature, FeatureFacts>> = {
  netflow: { since: "5.0", words: "NetFlow/IPFIX" },
  "port-mirroring": { since: "5.0", words: "port mirroring" },
  lldp: { since: "5.0", words: "LLDP" },
  "network-io-control": { since: "5.0", words: "network I/O control pools" },
  "health-check": { since: "5.1", words: "the health check of VLAN, MTU and teaming" },
  lag: { since: "5.1", words: "a LAG" },
  "config-backup": { since: "5.1", words: "backup, restore and rollback of its configuration" },
  "bpdu-filter": { since: "5.1", words: "the BPDU filter" },
  "remote-mirroring": { since: "5.1", words: "remote mirroring (RSPAN, ERSPAN)" },
  "multiple-lags": { since: "5.5", words: "several LAGs on one host" },
  "lag-hashes": { since: "5.5", words: "a LAG hash beyond source and destination" },
  "traffic-filtering": { since: "5.5", words: "traffic filtering" },
  "traffic-marking": { since: "5.5", words: "traffic marking (CoS, DSCP)" },
  "sr-iov": { since: "5.5", words: "SR-IOV" },
  "port-capture": { since: "5.5", words: "capture at ports" },
  "igmp-snooping": { since: "6.0", words: "IGMP snooping" },
  "mld-snooping": { since: "6.0", words: "MLD snooping" },
  "bandwidth-reservation": { since: "6.0", words: "bandwidth reservation for each machine" },
};

/** LAGs of one host at most, by version. */
export const LAGS_MAX: Readonly<Record<SwitchVersion, number>> = { "5.0": 0, "5.1": 1, "5.5": 64, "6.0": 64 };

const NEWEST: SwitchVersion = "6.0";

export interface UsedFeature {
  readonly feature: SwitchFeature;
  readonly span: Span;
}

export function versionOf({ version }: Switch): SwitchVersion {
  return version?.value ?? NEWEST;
}

/** Negative, zero or positive, as `a` is older than, equal to or newer than `b`. */
export function compareVersions(a: SwitchVersion, b: SwitchVersion): number {
  return SWITCH_VERSIONS.indexOf(a) - SWITCH_VERSIONS.indexOf(b);
}

/**
 * What a switch uses, each with the first line that uses it: said under `features`, or by what it is told to
 * do.
 */
export function featuresUsed(
  one: Switch,
  { hosts, clusters, networks, machines }: Datacenter,
): UsedFeature[] {
  const used: UsedFeature[] = one.features.map(({ value, span }) => ({ feature: value, span }));
  for (const { remote, span } of one.mirrors)
    used.push({
      feature: remote === null ? "port-mirroring" : "remote-mirroring",
      span: remote?.span ?? span,
    });
  for (const { filters, reservation } of one.portGroups) {
    for (const { action, span } of filters)
      used.push({ feature: action.value === "mark" ? "traffic-marking" : "traffic-filtering", span });
    if (reservation !== null) used.push({ feature: "bandwidth-reservation", span: reservation.span });
  }
  for (const { host, link } of one.uplinks) {
    const bond = hosts.find(({ name }) => name === host.value)?.bonds.find(({ name }) => name === link.value);
    if (bond?.mode?.value === "802.3ad") used.push({ feature: "lag", span: link.span });
  }
  for (const cluster of clusters) {
    const member = machines.find(({ name }) => name === cluster.machines[0]?.value);
    const network = networks.find(({ name }) => name === member?.interfaces[0]?.network?.value);
    if (cluster.mode?.value === "igmp" && network?.portGroup?.value.switch === one.name)
      used.push({ feature: "igmp-snooping", span: cluster.mode.span });
  }
  return [...Map.groupBy(used, ({ feature }) => feature).values()].map(([first]) => first!);
}

export interface SwitchUpgrade {
  readonly from: SwitchVersion;
  readonly to: SwitchVersion;
  /** What the switch can do from then on, in words. */
  readonly gains: readonly string[];
  /** What is done in a second step of its own, because it touches links. */
  readonly later: readonly string[];
  readonly edits: readonly DocumentEdit[];
}

/** The upgrade of a switch of the file; a sentence when it cannot be. */
export function planUpgrade(datacenter: Datacenter, name: string, to: string): SwitchUpgrade | string {
  const one = datacenter.switches.find((each) => each.name === name);
  if (one === undefined) return `there is no switch ${name}`;
  const wanted = SWITCH_VERSIONS.find((version) => version === to);
  if (wanted === undefined)
    return `there is no switch version ${to}: there are ${SWITCH_VERSIONS.join(", ")}`;
  const from = versionOf(one);
  const order = compareVersions(wanted, from);
  if (order === 0) return `${name} has version ${from} already`;
  if (order < 0)
    return `${name} has version ${from}, and there is no way back to ${wanted}: restore the backup instead`;
  const gained = Object.values(FEATURE_FACTS).filter(
    ({ since }) => compareVersions(since, from) > 0 && compareVersions(since, wanted) <= 0,
  );
  const usesLag = featuresUsed(one, datacenter).some(({ feature }) => feature === "lag");
  const isLagConverted = usesLag && LAGS_MAX[from] < 2 && LAGS_MAX[wanted] >= 2;
  const { file } = one.version?.span ?? one.span;
  return {
    from,
    to: wanted,
    gains: gained.map(({ words }) => words),
    later: isLagConverted ? [`the LAG becomes one of up to ${LAGS_MAX[wanted]}`] : [],
    edits: [{ kind: "set", file, path: ["switches", name, "version"], value: wanted }],
  };
}
