// What belongs to a VLAN: its networks and machines, its lines, and the lines and boxes that carry it with
// others.
import { vlanNumber } from "../../../src/network/topology/vlan-number.ts";
import type { Drawn, DrawnLink } from "./grouping.ts";

export interface Lit {
  readonly nodes: ReadonlySet<string>;
  readonly links: ReadonlySet<string>;
}

/** Null: nothing is looked at alone. */
export function litBy(vlan: number | null, { nodes, links }: Drawn): Lit | null {
  if (vlan === null) return null;
  const own = links.filter((link) => link.vlan === vlan || isCarried(link, vlan));
  return {
    links: new Set(own.map(({ id }) => id)),
    nodes: new Set([
      ...nodes.filter((node) => node.vlan === vlan).map(({ id }) => id),
      ...own.flatMap(({ from, to }) => [from, to]),
    ]),
  };
}

/** With two tags it is the outer one that others see. */
function isCarried({ carries }: DrawnLink, vlan: number): boolean {
  const outer = vlan < 4096 ? vlan : vlan >> 12;
  return carries.some((words) => {
    if (words === "all" || words === vlanNumber(vlan)) return true;
    const [first = 0, last = first] = words.split("-").map(Number);
    return first <= outer && outer <= last;
  });
}
