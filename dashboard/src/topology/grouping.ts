// What is drawn of a datacentre: everything while it is small; of a network with many machines only their
// number, until somebody opens it; of many such networks not even a box of its own for that. So ten thousand
// machines are some hundred boxes. Those that somebody asks about are drawn by themselves, beside the others.
import type { TopologyAnswer, TopologyLink, TopologyNode } from "../../../src/model/dashboard-datacenter.ts";

export interface DrawnNode {
  readonly id: string;
  /** Null: it stands for many machines. */
  readonly node: TopologyNode | null;
  readonly title: string;
  readonly lines: readonly string[];
  readonly vlan: number | null;
  readonly inside: string | null;
  readonly layer: number;
  /** Of a group, and of a network in whose box they are counted. */
  readonly members: readonly TopologyNode[];
}

export interface DrawnLink {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly vlan: number | null;
  readonly kind: TopologyLink["kind"];
  /** VLANs with a tag, as they are written. */
  readonly carries: readonly string[];
  /** Those of the datacentre that it stands for: several cables side by side, or all of a group. */
  readonly members: readonly TopologyLink[];
}

export interface Drawn {
  readonly nodes: readonly DrawnNode[];
  readonly links: readonly DrawnLink[];
  /** Of each node of the datacentre: by which it is drawn. */
  readonly drawnBy: ReadonlyMap<string, string>;
}

/** So many machines of one network are still drawn one by one. */
export const SHOWN_MAX = 8;
/** With more networks than these, the number of its machines stands in a network's own box. */
const NETWORKS_WITH_GROUPS_MAX = 60;
/** Lines below a name. */
const LINES_MAX = 2;

/** `opened`: ids of networks whose machines are all drawn. `alone`: of machines that are in any case. */
export function drawnOf(
  { nodes, links }: TopologyAnswer,
  opened: ReadonlySet<string>,
  alone: ReadonlySet<string> = new Set(),
): Drawn {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const drawnBy = new Map(nodes.map(({ id }) => [id, id]));
  const groups: DrawnNode[] = [];
  const folded = new Map<string, readonly TopologyNode[]>();
  const crowds = loneMachines(nodes, links);
  const isDense = crowds.size > NETWORKS_WITH_GROUPS_MAX;
  for (const [network, all] of crowds) {
    if ((!isDense && all.length <= SHOWN_MAX) || opened.has(network)) continue;
    const members = all.filter(({ id }) => !alone.has(id));
    if (members.length === 0) continue;
    if (isDense) {
      folded.set(network, members);
      for (const member of members) drawnBy.set(member.id, network);
      continue;
    }
    const id = `group/${network}`;
    const place = byId.get(network)!;
    groups.push({
      id,
      node: null,
      title: members.length === all.length ? `${members.length} machines` : `${members.length} others`,
      lines: [`${members[0]!.name} … ${members.at(-1)!.name}`],
      vlan: place.vlan,
      inside: place.inside,
      layer: members[0]!.layer,
      members,
    });
    for (const member of members) drawnBy.set(member.id, id);
  }
  const shown = nodes
    .filter(({ id }) => drawnBy.get(id) === id)
    .map((node) => drawnNode(node, folded.get(node.id) ?? []));
  return { nodes: [...shown, ...groups], links: drawnLinks(links, byId, drawnBy), drawnBy };
}

function drawnNode(node: TopologyNode, members: readonly TopologyNode[]): DrawnNode {
  const { id, name, vlan, inside, layer } = node;
  const title = inside === null ? name : name.slice(name.lastIndexOf("/") + 1);
  const crowd = members.length === 0 ? [] : [`${members.length} machine${members.length === 1 ? "" : "s"}`];
  const lines = [...node.lines.slice(0, LINES_MAX - crowd.length), ...crowd];
  return { id, node, title, lines, vlan, inside, layer, members };
}

/** Machines with one cable, by the network that it leads to. */
function loneMachines(
  nodes: readonly TopologyNode[],
  links: readonly TopologyLink[],
): Map<string, TopologyNode[]> {
  const machines = new Map(nodes.filter(({ kind }) => kind === "machine").map((node) => [node.id, node]));
  const networksOf = new Map<string, string[]>();
  for (const { from, to } of links) {
    const [machine, other] = machines.has(from) ? [from, to] : [to, from];
    if (machines.has(machine)) networksOf.set(machine, [...(networksOf.get(machine) ?? []), other]);
  }
  const byNetwork = new Map<string, TopologyNode[]>();
  for (const [machine, [network, second]] of networksOf) {
    if (network === undefined || second !== undefined || !network.startsWith("network/")) continue;
    const members = byNetwork.get(network) ?? [];
    members.push(machines.get(machine)!);
    byNetwork.set(network, members);
  }
  return byNetwork;
}

function drawnLinks(
  links: readonly TopologyLink[],
  byId: ReadonlyMap<string, TopologyNode>,
  drawnBy: ReadonlyMap<string, string>,
): DrawnLink[] {
  const drawn = new Map<string, DrawnLink & { readonly members: TopologyLink[] }>();
  for (const link of links) {
    const { from, to, vlan, kind, carries } = link;
    // What is in a fence's box is connected with the fence by that.
    if (byId.get(from)?.inside === to || byId.get(to)?.inside === from) continue;
    const [a, b] = [drawnBy.get(from), drawnBy.get(to)];
    if (a === undefined || b === undefined || a === b) continue;
    const [upper, lower] = (byId.get(from)?.layer ?? 0) <= (byId.get(to)?.layer ?? 0) ? [a, b] : [b, a];
    const id = `${upper}→${lower}`;
    const known = drawn.get(id);
    // Two cables side by side are one line.
    if (known === undefined)
      drawn.set(id, { id, from: upper, to: lower, vlan, kind, carries, members: [link] });
    else known.members.push(link);
  }
  return [...drawn.values()];
}
