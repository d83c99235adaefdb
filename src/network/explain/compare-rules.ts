// A trace held against the rules that a running kernel says a packet has met in edges and fences: the line of
// the file that the explanation names must be the one that the kernel's own rule was made of. Pure; who asks
// the kernel gives its rules by the trace's nodes.
import type { Span } from "../../diagnostic/span.ts";
import type { ResolvedDatacenter, ResolvedEdge } from "../../model/resolved-datacenter.ts";
import type { Trace, TracePath, TraceStep } from "../../model/trace.ts";
import { FIREWALL_TABLE, firewallRuleOfChain } from "../plan/firewall-table.ts";
import { NAT_TABLE, natRuleOfComment } from "../plan/nat-table.ts";

/** A packet that begins a connection, or belongs to none, in one namespace. */
export interface TracedPacket {
  /** Source port or identifier of its question. */
  readonly key: number;
  readonly isAnswer: boolean;
  /** In the order in which the kernel went through them. */
  readonly steps: readonly TracedStep[];
}

export interface TracedStep {
  readonly table: string;
  readonly chain: string;
  /** As nft lists it; null: the policy of the chain. */
  readonly rule: string | null;
  /** "accept", "drop", "continue", "jump sp_ports_1". */
  readonly verdict: string;
  /** At the rule, or at the element of the map in which it has found the packet. */
  readonly comment: string | null;
}

export type RuleStage = "destination NAT" | "firewall" | "source NAT";

export interface RuleComparison {
  readonly node: string;
  readonly stage: RuleStage;
  /** What is explained, and the line that is named; null: nothing decides there. */
  readonly explained: Decision | null;
  /** `rule`: in nft's words. */
  readonly kernel: (Decision & { readonly rule: string }) | null;
  readonly agrees: boolean;
}

export interface Decision {
  readonly verdict: "passes" | "drops" | "translates";
  /** Null: a rule that is made of no line, such as that of answers that nobody has asked for. */
  readonly span: Span | null;
}

type KernelDecision = NonNullable<RuleComparison["kernel"]>;

/**
 * What decides in each edge and fence on the way, in the order of the trace. `traced`: by the name of the
 * node; nodes without an entry were not asked.
 */
export function compareRules(
  { there, back }: Trace,
  resolved: ResolvedDatacenter,
  key: number,
  traced: ReadonlyMap<string, readonly TracedPacket[]>,
): RuleComparison[] {
  const ways = back === null ? [there] : [there, back];
  return ways.flatMap((path) => {
    const names = new Set(path.hops.filter(({ node }) => traced.has(node.name)).map(({ node }) => node.name));
    return [...names].flatMap((name) => {
      const edge = resolved.edges.find((one) => one.name === name);
      if (edge === undefined) return [];
      const own = traced.get(name)!.filter((one) => one.key === key && one.isAnswer === (path === back));
      return compareAt(
        edge,
        explainedAt(path, name),
        own.flatMap((packet) => kernelDecisions(packet, edge)),
      );
    });
  });
}

function compareAt(
  edge: ResolvedEdge,
  explained: readonly (readonly [RuleStage, Decision])[],
  kernel: readonly (readonly [RuleStage, KernelDecision])[],
): RuleComparison[] {
  const { name } = edge;
  return STAGES.flatMap((stage) => {
    const ofStage = <T>(list: readonly (readonly [RuleStage, T])[]) =>
      list.filter(([one]) => one === stage).map(([, decision]) => decision);
    const [wanted, found] = [ofStage(explained), ofStage(kernel)];
    // What is sent again, or comes by a second time before it was answered, is asked again by the kernel.
    const count = Math.max(wanted.length, Math.min(found.length, 1));
    return Array.from({ length: count }, (_, index): RuleComparison => {
      const [left, right] = [wanted[index] ?? null, found[index] ?? null];
      return { node: name, stage, explained: left, kernel: right, agrees: isSame(left, right, edge) };
    });
  });
}

const STAGES = ["destination NAT", "firewall", "source NAT"] as const;

function isSame(left: Decision | null, right: Decision | null, edge: ResolvedEdge): boolean {
  if (left === null || right === null) return left === right;
  if (left.verdict !== right.verdict || left.span === null) return false;
  const { span } = left;
  if (right.span !== null) return isSameSpan(span, right.span);
  // Of no line: then what is named is the firewall as a whole, or something else that is no rule of the file.
  const isWhole = [edge.firewall.span, edge.span].some((one) => isSameSpan(one, span));
  return (
    isWhole || ![...edge.firewall.rules, ...edge.nat].some(({ origin }) => isSameSpan(origin.span, span))
  );
}

function isSameSpan(a: Span, b: Span): boolean {
  return a.file === b.file && a.line === b.line && a.column === b.column;
}

// ---- What is explained ----

function explainedAt(path: TracePath, name: string): (readonly [RuleStage, Decision])[] {
  return path.hops.flatMap(({ node, steps }, index) => {
    if (node.name !== name) return [];
    const isEnd = index === path.end && path.disposition === "dropped-by-firewall";
    return steps.flatMap((step) => decisionOf(step, isEnd) ?? []);
  });
}

/** Null: no rule is asked for it. What belongs to a known connection has no line. */
function decisionOf({ kind, span, facts }: TraceStep, isEnd: boolean): [[RuleStage, Decision]] | null {
  if (span === null) return null;
  if (kind === "nat")
    return [[facts["kind"] === "dnat" ? "destination NAT" : "source NAT", { verdict: "translates", span }]];
  if (kind === "firewall") return [["firewall", { verdict: "passes", span }]];
  return kind === "drop" && isEnd ? [["firewall", { verdict: "drops", span }]] : null;
}

// ---- What the kernel says ----

function kernelDecisions(
  { steps }: TracedPacket,
  { firewall, nat }: ResolvedEdge,
): (readonly [RuleStage, KernelDecision])[] {
  return steps.flatMap(({ table, chain, rule, verdict, comment }): [RuleStage, KernelDecision][] => {
    const isFinal = verdict === "accept" || verdict === "drop";
    if (!isFinal || (table !== NAT_TABLE && table !== FIREWALL_TABLE)) return [];
    if (table === NAT_TABLE) {
      if (rule === null) return [];
      const index = comment === null ? null : natRuleOfComment(comment);
      const span = index === null ? null : (nat[index]?.origin.span ?? null);
      const stage = chain === "sp_prerouting" ? "destination NAT" : "source NAT";
      return [[stage, { verdict: "translates", span, rule }]];
    }
    const index = firewallRuleOfChain(chain);
    const ruleSpan = index === null ? null : (firewall.rules[index]?.origin.span ?? null);
    const span = rule === null ? firewall.span : ruleSpan;
    const words = `${chain}: ${rule ?? `policy ${verdict}`}`;
    return [["firewall", { verdict: verdict === "accept" ? "passes" : "drops", span, rule: words }]];
  });
}
