// Where a trace runs on the drawing: its hops by the nodes that are drawn, and the links between them - where
// two hops follow each other that have no link, the shortest way over others.
import type { JsonOf } from "../../../src/model/dashboard-datacenter.ts";
import { topologyIdOf } from "../../../src/model/dashboard-datacenter.ts";
import type { Trace, TracePath } from "../../../src/model/trace.ts";
import type { Drawn } from "./grouping.ts";

export type PathJson = JsonOf<TracePath>;
export type TraceJson = JsonOf<Trace>;

export interface Way {
  /** Drawn nodes in the order of the packet. */
  readonly nodes: readonly string[];
  /** Drawn links in that order; `isReverse`: from their lower end. */
  readonly links: readonly { readonly id: string; readonly isReverse: boolean }[];
  /** The drawn node of each hop of `hopsToEnd`; null: it is not in the drawing. */
  readonly hops: readonly (string | null)[];
}

/** Indexes of the hops from the first to the one where it ended; what was flooded elsewhere is left out. */
export function hopsToEnd({ hops, end }: PathJson): number[] {
  const indexes: number[] = [];
  for (
    let at: number | null = end;
    at !== null && at >= 0 && indexes.length <= hops.length;
    at = hops[at]?.parent ?? null
  )
    indexes.unshift(at);
  return indexes;
}

export function wayOf(path: PathJson, drawn: Drawn): Way {
  const hops = hopsToEnd(path).map((index) => {
    const { kind, name } = path.hops[index]!.node;
    return drawn.drawnBy.get(topologyIdOf(kind, name)) ?? null;
  });
  const neighbours = neighboursOf(drawn);
  const nodes: string[] = [];
  const links: { id: string; isReverse: boolean }[] = [];
  for (const id of hops) {
    if (id === null) continue;
    const last = nodes.at(-1);
    if (last === id) continue;
    if (last !== undefined) {
      for (const step of shortest(last, id, neighbours)) {
        links.push({ id: step.link, isReverse: step.isReverse });
        nodes.push(step.to);
      }
    }
    if (nodes.at(-1) !== id) nodes.push(id);
  }
  return { nodes, links, hops };
}

/** The drawing without all that no packet meets: of ten thousand machines what one question is about. */
export function onlyWays(drawn: Drawn, ways: readonly Way[]): Drawn {
  const kept = new Set(ways.flatMap(({ nodes }) => nodes));
  for (const { id, inside } of drawn.nodes) if (kept.has(id) && inside !== null) kept.add(inside);
  return {
    nodes: drawn.nodes.filter(({ id }) => kept.has(id)),
    links: drawn.links.filter(({ from, to }) => kept.has(from) && kept.has(to)),
    drawnBy: drawn.drawnBy,
  };
}

interface Neighbour {
  readonly to: string;
  readonly link: string;
  readonly isReverse: boolean;
}

function neighboursOf({ links, nodes }: Drawn): Map<string, Neighbour[]> {
  const all = new Map<string, Neighbour[]>();
  const add = (from: string, neighbour: Neighbour) => all.set(from, [...(all.get(from) ?? []), neighbour]);
  for (const { id, from, to } of links) {
    add(from, { to, link: id, isReverse: false });
    add(to, { to: from, link: id, isReverse: true });
  }
  // Into and out of a box one comes without a line.
  for (const { id, inside } of nodes) {
    if (inside === null) continue;
    add(id, { to: inside, link: "", isReverse: false });
    add(inside, { to: id, link: "", isReverse: false });
  }
  return all;
}

function shortest(
  from: string,
  to: string,
  neighbours: ReadonlyMap<string, readonly Neighbour[]>,
): Neighbour[] {
  const cameBy = new Map<string, { readonly before: string; readonly by: Neighbour }>();
  const queue = [from];
  for (let at = 0; at < queue.length && !cameBy.has(to); at++) {
    for (const by of neighbours.get(queue[at]!) ?? []) {
      if (by.to === from || cameBy.has(by.to)) continue;
      cameBy.set(by.to, { before: queue[at]!, by });
      queue.push(by.to);
    }
  }
  const steps: Neighbour[] = [];
  for (let at = to; at !== from; ) {
    const came = cameBy.get(at);
    if (came === undefined) return [];
    steps.unshift(came.by);
    at = came.before;
  }
  return steps;
}
