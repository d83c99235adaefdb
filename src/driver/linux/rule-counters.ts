// What the rules of edges and fences have decided, as the kernel has counted it: of a connection its first
// packet, since the others belong to what is known.
import type { NetworkState } from "../../model/network-state.ts";
import { DEFAULT_COMMENT, FIREWALL_TABLE, firewallRuleOfChain } from "../../network/plan/firewall-table.ts";
import { NAT_TABLE, natRuleOfComment } from "../../network/plan/nat-table.ts";
import { runCommand } from "./command.ts";
import { parseJson } from "./records.ts";

export interface RuleCount {
  /** Name of the edge or fence. */
  readonly owner: string;
  readonly table: "firewall" | "nat";
  /** Of its list of such rules; null: the firewall's default. */
  readonly index: number | null;
  readonly packets: number;
  readonly bytes: number;
}

/** What `network/plan` calls their namespaces. */
const OWNER = /^(?:edge|fence) (.+)$/;

/**
 * Of what was applied, a record for each place where a rule counts; a sentence when the kernel does not tell.
 */
export async function readRuleCounts({ namespaces }: NetworkState): Promise<RuleCount[] | string> {
  const counts: RuleCount[] = [];
  for (const { name, words, tables } of namespaces) {
    const owner = OWNER.exec(words)?.[1];
    const isCounting = tables.some((table) => table.name === FIREWALL_TABLE || table.name === NAT_TABLE);
    if (owner === undefined || name === null || !isCounting) continue;
    const inside = ["nsenter", `--net=/run/netns/${name}`];
    const { status, output, errors } = await runCommand([...inside, "nft", "-j", "list", "ruleset"]);
    if (status !== 0) return errors.split("\n")[0] ?? "nft cannot be run";
    counts.push(...countsIn(output).map((count) => ({ owner, ...count })));
  }
  return counts;
}

interface Counter {
  readonly packets: number;
  readonly bytes: number;
}

/** What nft lists, as far as it is looked at (libnftables-json(5)). */
interface Listed {
  readonly rule?: {
    readonly table: string;
    readonly chain: string;
    readonly comment?: string;
    readonly expr: readonly { readonly counter?: Counter }[];
  };
  readonly map?: {
    readonly table: string;
    readonly elem?: readonly (readonly [key: { readonly elem?: ListedElement }, value: unknown])[];
  };
}

interface ListedElement {
  readonly comment?: string;
  readonly counter?: Counter;
}

/** `json`: of `nft -j list ruleset`. */
export function countsIn(json: string): Omit<RuleCount, "owner">[] {
  const listed = parseJson<{ readonly nftables: readonly Listed[] }>(json).nftables;
  return listed.flatMap(({ rule, map }) => {
    if (rule?.table === FIREWALL_TABLE) return firewallCount(rule);
    if (rule?.table === NAT_TABLE) return natCount(rule.comment, counterOf(rule));
    if (map?.table !== NAT_TABLE) return [];
    return (map.elem ?? []).flatMap(([{ elem }]) => natCount(elem?.comment, elem?.counter));
  });
}

function firewallCount(rule: NonNullable<Listed["rule"]>): Omit<RuleCount, "owner">[] {
  const counter = counterOf(rule);
  const index = firewallRuleOfChain(rule.chain);
  if (counter === undefined || (index === null && rule.comment !== DEFAULT_COMMENT)) return [];
  return [{ table: "firewall", index, ...counter }];
}

function natCount(comment: string | undefined, counter: Counter | undefined): Omit<RuleCount, "owner">[] {
  const index = comment === undefined ? null : natRuleOfComment(comment);
  return index === null || counter === undefined ? [] : [{ table: "nat", index, ...counter }];
}

function counterOf({ expr }: NonNullable<Listed["rule"]>): Counter | undefined {
  return expr.find(({ counter }) => counter !== undefined)?.counter;
}
