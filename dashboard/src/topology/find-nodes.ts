// Finding by a part of a name, or of what stands below it: addresses, modes.
import type { TopologyNode } from "../../../src/model/dashboard-datacenter.ts";

export interface Found {
  readonly hits: readonly TopologyNode[];
  /** All of them, also those that are not among the hits. */
  readonly count: number;
}

/** Names that are the text come first, then those that begin with it, have it, and other words that do. */
export function findNodes(nodes: readonly TopologyNode[], text: string, most: number): Found {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return { hits: [], count: 0 };
  const ranked: TopologyNode[][] = [[], [], [], []];
  for (const node of nodes) {
    const rank = rankOf(node, wanted);
    if (rank !== null) ranked[rank]!.push(node);
  }
  const all = ranked.flat();
  return { hits: all.slice(0, most), count: all.length };
}

function rankOf({ name, lines }: TopologyNode, wanted: string): number | null {
  const own = name.toLowerCase();
  if (own === wanted) return 0;
  if (own.startsWith(wanted)) return 1;
  if (own.includes(wanted)) return 2;
  return lines.some((line) => line.toLowerCase().includes(wanted)) ? 3 : null;
}

/**
 * For letters typed one after the other: the next one that begins so, after `from` and again from the start.
 */
export function nextBeginningWith(
  order: readonly { readonly id: string; readonly title: string }[],
  from: string | null,
  letters: string,
): string | null {
  const start = order.findIndex(({ id }) => id === from);
  // More letters of the same name stay where one is; a first letter goes on to the next.
  const first = letters.length > 1 ? Math.max(0, start) : start + 1;
  const turned = [...order.slice(first), ...order.slice(0, first)];
  return turned.find(({ title }) => title.toLowerCase().startsWith(letters.toLowerCase()))?.id ?? null;
}
