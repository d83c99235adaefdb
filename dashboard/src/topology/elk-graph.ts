// The layout's question and its answer: boxes with sizes go to ELK's layered algorithm, places come back.
import type { ElkExtendedEdge, ElkLabel, ElkNode } from "elkjs/lib/elk-api";
import { chipsIn, widthForChips } from "./chips.ts";
import type { Drawn, DrawnLink, DrawnNode } from "./grouping.ts";
import { vlanLabel } from "./link-words.ts";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where the lower ends of lines are. */
export type Direction = "RIGHT" | "DOWN";

export interface Layout {
  readonly direction: Direction;
  readonly width: number;
  readonly height: number;
  readonly boxes: ReadonlyMap<string, Box>;
  /** Corners of each link, from its upper end. */
  readonly ways: ReadonlyMap<string, readonly Point[]>;
  /** Middle of each link's label. */
  readonly labels: ReadonlyMap<string, Point>;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

const LETTER = 7.4;
const SMALL_LETTER = 6.3;
const [WIDTH_MIN, WIDTH_MAX] = [104, 232];
const TITLE_HEIGHT = 28;
export const LINE_HEIGHT = 15;
const CHIPS_BELOW = 8;
/** Room for "1.21 MiB/s" beside the VLAN, whether it is known yet or not: nothing moves when it comes. */
const [LABEL_LETTER, RATE_WIDTH, LABEL_HEIGHT] = [6.4, 62, 16];

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.spacing.nodeNode": "9",
  "elk.layered.spacing.nodeNodeBetweenLayers": "26",
  "elk.layered.spacing.edgeNodeBetweenLayers": "14",
  "elk.spacing.edgeEdge": "8",
  "elk.spacing.edgeLabel": "2",
  "elk.layered.nodePlacement.strategy": "LINEAR_SEGMENTS",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
} as const;

const ON_THE_LINE = { "elk.edgeLabels.inline": "true", "elk.edgeLabels.placement": "CENTER" };

export function sizeOf(node: DrawnNode): { readonly width: number; readonly height: number } {
  const { title, lines } = node;
  const longest = Math.max(title.length * LETTER, ...lines.map((line) => line.length * SMALL_LETTER)) + 30;
  const wanted = Math.max(WIDTH_MIN, longest, widthForChips(node) + 28);
  const width = Math.round(Math.min(WIDTH_MAX, wanted));
  const chips = chipsIn(node, width - 24).height;
  const text = TITLE_HEIGHT + lines.length * LINE_HEIGHT;
  return { width, height: text + (chips === 0 ? 0 : chips + CHIPS_BELOW) };
}

/** From a box's top to its chips. */
export function chipsTop({ lines }: DrawnNode): number {
  return TITLE_HEIGHT + lines.length * LINE_HEIGHT - 1;
}

/** Null: nothing will ever stand at it. */
function labelOf(link: DrawnLink): ElkLabel[] {
  const text = vlanLabel(link);
  // Port groups are no place to count at, but where something outside is plugged in.
  const hasRate = link.kind !== "port-group" || link.to.startsWith("external/");
  if (text === "" && !hasRate) return [];
  const width = (text === "" ? 0 : text.length * LABEL_LETTER + 12) + (hasRate ? RATE_WIDTH : 0);
  return [{ text, width, height: LABEL_HEIGHT, layoutOptions: ON_THE_LINE }];
}

export function elkGraph({ nodes, links }: Drawn, direction: Direction): ElkNode {
  const children = Map.groupBy(nodes, ({ inside }) => inside);
  const ids = new Set(nodes.map(({ id }) => id));
  const insides = new Map(
    nodes.map(({ id, inside }) => [id, inside !== null && ids.has(inside) ? inside : "root"]),
  );
  // Within a box ELK finds no place for labels: there is room kept between its columns instead.
  const edges = Map.groupBy(links, ({ from, to }) => {
    const inside = insides.get(from);
    return inside !== undefined && inside === insides.get(to) ? inside : "root";
  });
  const edgesOf = (id: string) =>
    (edges.get(id) ?? []).map((link) => ({
      id: link.id,
      sources: [link.from],
      targets: [link.to],
      labels: id === "root" ? labelOf(link) : [],
    }));
  const elkNode = (node: DrawnNode): ElkNode => {
    const inner = children.get(node.id);
    const size = sizeOf(node);
    if (inner === undefined) return { id: node.id, ...size };
    return {
      id: node.id,
      children: inner.map(elkNode),
      edges: edgesOf(node.id),
      layoutOptions: {
        "elk.padding": `[top=${size.height + 6},left=12,bottom=12,right=12]`,
        "elk.layered.spacing.nodeNodeBetweenLayers": "96",
        "elk.nodeSize.constraints": "MINIMUM_SIZE",
        // Which ELK turns with the drawing, as it should not.
        "elk.nodeSize.minimum":
          direction === "RIGHT" ? `(${size.width},${size.height})` : `(${size.height},${size.width})`,
      },
    };
  };
  // What lies in a box that is not there stands by itself.
  const roots = nodes.filter(({ inside }) => inside === null || !ids.has(inside));
  return {
    id: "root",
    layoutOptions: { ...OPTIONS, "elk.direction": direction },
    children: roots.map(elkNode),
    edges: edgesOf("root"),
  };
}

/** Places in one system of coordinates, whatever box they are in. */
export function layoutOf(root: ElkNode, direction: Direction): Layout {
  const boxes = new Map<string, Box>();
  const ways = new Map<string, readonly Point[]>();
  const labels = new Map<string, Point>();
  const origins = new Map<string, Point>([["root", { x: 0, y: 0 }]]);
  const edges: ElkExtendedEdge[] = [];
  const place = (node: ElkNode, origin: Point) => {
    edges.push(...(node.edges ?? []));
    for (const child of node.children ?? []) {
      const at = { x: origin.x + (child.x ?? 0), y: origin.y + (child.y ?? 0) };
      boxes.set(child.id, { ...at, width: child.width ?? 0, height: child.height ?? 0 });
      origins.set(child.id, at);
      place(child, at);
    }
  };
  place(root, { x: 0, y: 0 });
  for (const edge of edges) {
    const container = (edge as { readonly container?: string }).container ?? "root";
    const origin = origins.get(container) ?? { x: 0, y: 0 };
    const points = (edge.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) => [
      startPoint,
      ...bendPoints,
      endPoint,
    ]);
    const way = points.map(({ x, y }) => ({ x: x + origin.x, y: y + origin.y }));
    ways.set(edge.id, way);
    const [before, end] = way.slice(-2);
    if (before !== undefined && end !== undefined)
      labels.set(edge.id, { x: (before.x + end.x) / 2, y: (before.y + end.y) / 2 });
    for (const { x = 0, y = 0, width = 0, height = 0 } of edge.labels ?? [])
      labels.set(edge.id, { x: x + origin.x + width / 2, y: y + origin.y + height / 2 });
  }
  return { direction, width: root.width ?? 0, height: root.height ?? 0, boxes, ways, labels };
}
