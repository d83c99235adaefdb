// The layout's question and its answer: boxes with sizes go to ELK's layered algorithm, places come back.
import type { ElkNode } from "elkjs/lib/elk-api";
import type { Drawn, DrawnNode } from "./grouping.ts";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: ReadonlyMap<string, Box>;
  /** Corners of each link, from its upper end. */
  readonly ways: ReadonlyMap<string, readonly Point[]>;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

const LETTER = 7.4;
const SMALL_LETTER = 6.3;
const [WIDTH_MIN, WIDTH_MAX] = [104, 232];
const TITLE_HEIGHT = 30;
const LINE_HEIGHT = 16;

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "RIGHT",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.spacing.nodeNode": "14",
  "elk.layered.spacing.nodeNodeBetweenLayers": "44",
  "elk.layered.spacing.edgeNodeBetweenLayers": "18",
  "elk.spacing.edgeEdge": "8",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
} as const;

export function sizeOf({ title, lines }: DrawnNode): { readonly width: number; readonly height: number } {
  const longest = Math.max(title.length * LETTER, ...lines.map((line) => line.length * SMALL_LETTER)) + 30;
  return {
    width: Math.round(Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, longest))),
    height: TITLE_HEIGHT + lines.length * LINE_HEIGHT,
  };
}

export function elkGraph({ nodes, links }: Drawn): ElkNode {
  const children = Map.groupBy(nodes, ({ inside }) => inside);
  const ids = new Set(nodes.map(({ id }) => id));
  const elkNode = (node: DrawnNode): ElkNode => {
    const inner = children.get(node.id);
    const size = sizeOf(node);
    if (inner === undefined) return { id: node.id, ...size };
    return {
      id: node.id,
      children: inner.map(elkNode),
      layoutOptions: {
        "elk.padding": `[top=${size.height + 6},left=12,bottom=12,right=12]`,
        "elk.nodeSize.constraints": "MINIMUM_SIZE",
        "elk.nodeSize.minimum": `(${size.width},${size.height})`,
      },
    };
  };
  // What lies in a box that is not there stands by itself.
  const roots = nodes.filter(({ inside }) => inside === null || !ids.has(inside));
  return {
    id: "root",
    layoutOptions: { ...OPTIONS },
    children: roots.map(elkNode),
    edges: links.map(({ id, from, to }) => ({ id, sources: [from], targets: [to] })),
  };
}

/** Places in one system of coordinates, whatever box they are in. */
export function layoutOf(root: ElkNode): Layout {
  const boxes = new Map<string, Box>();
  const ways = new Map<string, readonly Point[]>();
  const origins = new Map<string, Point>([["root", { x: 0, y: 0 }]]);
  const place = (node: ElkNode, origin: Point) => {
    for (const child of node.children ?? []) {
      const at = { x: origin.x + (child.x ?? 0), y: origin.y + (child.y ?? 0) };
      boxes.set(child.id, { ...at, width: child.width ?? 0, height: child.height ?? 0 });
      origins.set(child.id, at);
      place(child, at);
    }
  };
  place(root, { x: 0, y: 0 });
  for (const edge of root.edges ?? []) {
    const container = (edge as { readonly container?: string }).container ?? "root";
    const origin = origins.get(container) ?? { x: 0, y: 0 };
    const points = (edge.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) => [
      startPoint,
      ...bendPoints,
      endPoint,
    ]);
    ways.set(
      edge.id,
      points.map(({ x, y }) => ({ x: x + origin.x, y: y + origin.y })),
    );
  }
  return { width: root.width ?? 0, height: root.height ?? 0, boxes, ways };
}
