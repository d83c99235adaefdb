// The destination translations of the file, each with the address that it leads to.
import type { Ip } from "../../base/ip.ts";
import type { Edge, NatRule } from "../../model/datacenter.ts";
import type { ResolvedEdge, ResolvedNatRule } from "../../model/resolved-datacenter.ts";
import type { CheckContext } from "./context.ts";

export type DestinationRule = Extract<NatRule, { kind: "dnat" | "one-to-one" }>;

export interface NatTarget {
  readonly edge: ResolvedEdge;
  readonly source: Edge;
  /** Its place in the edge's `nat` list. */
  readonly index: number;
  readonly rule: DestinationRule;
  readonly resolved: ResolvedNatRule;
  readonly target: Ip;
}

/** Those that could not be resolved have been reported, and are left out. */
export function natTargets({ datacenter, edges }: CheckContext): NatTarget[] {
  const found: NatTarget[] = [];
  for (const source of datacenter.edges) {
    const edge = edges.get(source.name);
    if (edge === undefined || edge.source !== source) continue;
    const made = new Map(
      edge.nat.filter(({ action }) => action.kind === "dnat").map((one) => [one.origin.span, one]),
    );
    for (const [index, rule] of source.nat.entries()) {
      if (rule.kind !== "dnat" && rule.kind !== "one-to-one") continue;
      const resolved = made.get(rule.span);
      if (resolved?.action.kind !== "dnat") continue;
      found.push({ edge, source, index, rule, resolved, target: resolved.action.to });
    }
  }
  return found;
}

/** The port that a client of the outside address ends at; null when all ports are translated. */
export function targetPort({ resolved }: NatTarget): number | null {
  if (resolved.action.kind !== "dnat") return null;
  return resolved.action.toPort ?? resolved.ports[0]?.first ?? null;
}
