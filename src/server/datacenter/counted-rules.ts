// Counts of rules beside the lines of the file that the rules come from. A line that became several rules has
// their sum. Only where the kernel has what the file says now: else a number could be another line's.
import type { Span } from "../../diagnostic/span.ts";
import type { RuleCount } from "../../driver/linux/rule-counters.ts";
import type { NetworkState } from "../../model/network-state.ts";
import type { ResolvedDatacenter, ResolvedEdge } from "../../model/resolved-datacenter.ts";
import { FIREWALL_TABLE } from "../../network/plan/firewall-table.ts";
import { NAT_TABLE } from "../../network/plan/nat-table.ts";

export interface CountedEdge {
  readonly edge: string;
  /**
   * The file has been changed since it was applied, and its rules may be others; then there are none here.
   */
  readonly isChanged: boolean;
  readonly rules: readonly CountedRule[];
}

export interface CountedRule {
  readonly table: RuleCount["table"];
  /**
   * What the rule comes from, where that is no line of its own: "published as 203.0.113.10:8001", "default:
   * deny".
   */
  readonly words: string;
  readonly span: Span;
  /** First packets of connections, and those that were dropped. */
  readonly packets: number;
  readonly bytes: number;
}

/** `desired`: of the file as it is now. `applied`: of when the counts were begun. */
export function countedEdges(
  { edges }: ResolvedDatacenter,
  desired: NetworkState,
  applied: NetworkState,
  counts: readonly RuleCount[],
): CountedEdge[] {
  const byOwner = Map.groupBy(counts, ({ owner }) => owner);
  return [...byOwner].flatMap(([owner, own]): CountedEdge[] => {
    const edge = edges.find(({ name }) => name === owner);
    const isChanged = edge === undefined || tablesOf(desired, owner) !== tablesOf(applied, owner);
    return [{ edge: owner, isChanged, rules: isChanged ? [] : countedRules(edge, own) }];
  });
}

/** What tells the tables of an edge from any others. */
function tablesOf({ namespaces }: NetworkState, owner: string): string {
  const words = [`edge ${owner}`, `fence ${owner}`];
  const tables = namespaces.filter((one) => words.includes(one.words)).flatMap((one) => one.tables);
  const counting = tables.filter(({ name }) => name === FIREWALL_TABLE || name === NAT_TABLE);
  return counting.map(({ family, name, hash }) => `${family} ${name} ${hash}`).join("\n");
}

/** In the order in which they are tried, the default behind all of its firewall. */
function countedRules({ firewall, nat }: ResolvedEdge, counts: readonly RuleCount[]): CountedRule[] {
  const places = [
    ...nat.map(({ origin }, index) => ({ table: "nat" as const, index, origin })),
    ...firewall.rules.map(({ origin }, index) => ({ table: "firewall" as const, index, origin })),
  ];
  const byLine = Map.groupBy(places, ({ table, origin: { span } }) => `${table} ${span.file}:${span.line}`);
  const byPlace = Map.groupBy(counts, ({ table, index }) => `${table} ${index}`);
  const sum = (keys: readonly string[]) => {
    const own = keys.flatMap((key) => byPlace.get(key) ?? []);
    return {
      packets: own.reduce((all, { packets }) => all + packets, 0),
      bytes: own.reduce((all, { bytes }) => all + bytes, 0),
    };
  };
  const rules = [...byLine.values()].map((ofLine): CountedRule => {
    const [{ table, origin }] = ofLine as [(typeof ofLine)[number]];
    const total = sum(ofLine.map(({ index }) => `${table} ${index}`));
    return { table, words: origin.kind === "file" ? "" : origin.text, span: origin.span, ...total };
  });
  const words = `default: ${firewall.default}`;
  return [...rules, { table: "firewall", words, span: firewall.span, ...sum(["firewall null"]) }];
}
