// A topology as boxes and lines with places: what the SVG and the text of Graphviz are printed from. Above
// the cables: physical switches, hosts and virtual switches; below what they carry: networks as bars in the
// colour of their VLAN, edges between them, machines and fences under their network. The same file always
// gives the same drawing.
import type { ResolvedDatacenter } from "../../model/resolved-datacenter.ts";
import { LogicalLayout } from "./logical-layout.ts";
import { type PlacedRows, physicalLayout } from "./physical-layout.ts";

export type DrawnKind =
  | "fabric"
  | "host"
  | "switch"
  | "network"
  | "external"
  | "edge"
  | "fence"
  | "machine"
  | "more";

export interface DrawnNode {
  readonly id: string;
  readonly kind: DrawnKind;
  /** The first is the name. */
  readonly lines: readonly DrawnLine[];
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** VLAN whose colour it has; null: none. */
  readonly vlan: number | null;
  /** What is told when the pointer rests on it. */
  readonly title: string;
  /** The fence that it is in. */
  readonly inside: string | null;
}

export interface DrawnLine {
  readonly text: string;
  readonly vlan: number | null;
}

export interface DrawnCable {
  readonly from: string;
  readonly to: string;
  readonly vlan: number | null;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Drawing {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly DrawnNode[];
  readonly cables: readonly DrawnCable[];
  /** VLANs that occur, ascending, for the legend. */
  readonly vlans: readonly number[];
}

const MARGIN = 24;
const STRIP_GAP = 36;
const WIDTH_MIN = 480;

export function drawTopology(resolved: ResolvedDatacenter): Drawing {
  const cables = physicalLayout(resolved, MARGIN, MARGIN);
  const top = cables.height === 0 ? MARGIN : MARGIN + cables.height + STRIP_GAP;
  const logical = new LogicalLayout(resolved, MARGIN, top).place();
  const physical = movedRight(cables, (rightOf(logical.nodes) - rightOf(cables.nodes)) / 2);
  const nodes = [...physical.nodes, ...logical.nodes];
  const vlans = new Set(nodes.flatMap(({ vlan, lines }) => [vlan, ...lines.map((line) => line.vlan)]));
  const right = Math.max(WIDTH_MIN, rightOf(nodes));
  const bottom = Math.max(0, ...nodes.map(({ y, height }) => y + height));
  return {
    name: resolved.source.name.value,
    width: Math.ceil(right + MARGIN),
    height: Math.ceil(bottom + MARGIN),
    nodes,
    cables: [...physical.cables, ...logical.cables],
    vlans: [...vlans].filter((vlan) => vlan !== null).sort((a, b) => a - b),
  };
}

/** The cables stand in the middle above what they carry. */
function movedRight(rows: PlacedRows, distance: number): PlacedRows {
  if (distance <= 0) return rows;
  return {
    ...rows,
    nodes: rows.nodes.map((node) => ({ ...node, x: node.x + distance })),
    cables: rows.cables.map((cable) => ({
      ...cable,
      points: cable.points.map(([x, y]) => [x + distance, y] as const),
    })),
  };
}

function rightOf(nodes: readonly DrawnNode[]): number {
  return Math.max(0, ...nodes.map(({ x, width }) => x + width));
}
