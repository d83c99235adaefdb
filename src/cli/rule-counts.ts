// `sallyport status FILE --rules`: what each rule of the edges' firewalls and NAT has decided, beside its
// line.
import { readRuleCounts } from "../driver/linux/rule-counters.ts";
import type { EdgeRules } from "../model/dashboard-datacenter.ts";
import type { NetworkState } from "../model/network-state.ts";
import { type CountedEdge, countedEdges } from "../server/datacenter/counted-rules.ts";
import type { OpenNetwork } from "./live-command.ts";
import { formatBytes } from "./status-table.ts";
import { columns } from "./terminal.ts";

const TEXT_MAX = 64;

/** A sentence when the kernel does not tell. */
export async function readEdgeRules(
  { usable, desired }: OpenNetwork,
  applied: NetworkState,
): Promise<EdgeRules[] | string> {
  const counts = await readRuleCounts(applied);
  if (typeof counts === "string") return counts;
  const lines = new Map(usable.sources.map(({ name, text }) => [name, text.split("\n")]));
  const edges = countedEdges(usable.resolved, desired.state, applied, counts);
  return edges.map(({ rules, ...edge }: CountedEdge) => ({
    ...edge,
    rules: rules.map(({ table, span: { file, line }, words, packets, bytes }) => {
      const text = lines.get(file)?.[line - 1]?.trim() ?? "";
      return { table, file, line, text, words, packets, bytes };
    }),
  }));
}

export function ruleRows(records: readonly EdgeRules[]): string[] {
  return records.flatMap(({ edge, isChanged, rules }) => {
    if (isChanged) return [`${edge}: its rules have been changed in the file, and not been applied since`];
    const rows = rules.map(({ table, line, text, words, packets, bytes }) => {
      const shown = text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 1)}…` : text;
      const rule = words === "" ? shown : words.startsWith("default") ? words : `${shown} (${words})`;
      return [`  ${table}`, `${packets}`, formatBytes(bytes), `:${line}`, rule];
    });
    return [`${edge}, first packets of connections and what was dropped:`, ...columns(rows)];
  });
}
