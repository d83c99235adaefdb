// The layout of what is too large for the other one: each layer a block of columns, from left to right, in
// the order of what they are connected with. It takes milliseconds for thousands of boxes.
import { type Box, type Layout, type Point, sizeOf } from "./elk-graph.ts";
import type { Drawn, DrawnNode } from "./grouping.ts";

const [GAP, LAYER_GAP] = [14, 120];
/** A block is about as high as the whole is wide. */
const SHAPE = 1.15;
const LABEL_ALONG = 0.75;

export function gridLayout({ nodes, links }: Drawn): Layout {
  const layers = [...Map.groupBy(nodes, ({ layer }) => layer)]
    .sort(([a], [b]) => a - b)
    .map(([, some]) => some);
  const rowsMax = Math.max(12, Math.ceil(Math.sqrt(nodes.length) * SHAPE));
  const boxes = new Map<string, Box>();
  const order = new Map<string, number>();
  const upper = Map.groupBy(links, ({ to }) => to);
  let left = 0;
  let height = 0;
  for (const layer of layers) {
    for (const column of chunks(inOrder(layer, upper, order), rowsMax)) {
      const sizes = column.map(sizeOf);
      const width = Math.max(...sizes.map((size) => size.width));
      let top = 0;
      column.forEach((node, index) => {
        boxes.set(node.id, { x: left, y: top, width, height: sizes[index]!.height });
        order.set(node.id, order.size);
        top += sizes[index]!.height + GAP;
      });
      height = Math.max(height, top - GAP);
      left += width + GAP;
    }
    left += LAYER_GAP - GAP;
  }
  // A layer with a box or two stands in the middle of the others.
  for (const layer of layers) {
    if (layer.length >= rowsMax) continue;
    const bottom = Math.max(...layer.map(({ id }) => boxes.get(id)!).map((box) => box.y + box.height));
    const down = (height - bottom) / 2;
    for (const { id } of layer) boxes.set(id, { ...boxes.get(id)!, y: boxes.get(id)!.y + down });
  }
  const ways = new Map(links.map(({ id, from, to }) => [id, straight(boxes.get(from), boxes.get(to))]));
  const labels = new Map([...ways].flatMap(([id, way]) => (way.length === 0 ? [] : [[id, middleOf(way)]])));
  return { direction: "RIGHT", width: Math.max(0, left - LAYER_GAP), height, boxes, ways, labels };
}

/** By the middle of what each is connected with before; equal ones as the file has them. */
function inOrder(
  layer: readonly DrawnNode[],
  upper: ReadonlyMap<string, readonly { readonly from: string }[]>,
  order: ReadonlyMap<string, number>,
): DrawnNode[] {
  const middle = ({ id }: DrawnNode) => {
    const places = (upper.get(id) ?? []).flatMap(({ from }) => order.get(from) ?? []);
    return places.length === 0 ? 0 : places.reduce((sum, one) => sum + one, 0) / places.length;
  };
  return layer.toSorted((a, b) => middle(a) - middle(b));
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

function straight(from: Box | undefined, to: Box | undefined): readonly Point[] {
  if (from === undefined || to === undefined) return [];
  return [
    { x: from.x + from.width, y: from.y + from.height / 2 },
    { x: to.x, y: to.y + to.height / 2 },
  ];
}

/** Nearer to the lower end, where lines have parted. */
function middleOf([from, to]: readonly Point[]): Point {
  const along = (a: number, b: number) => a + (b - a) * LABEL_ALONG;
  return { x: along(from!.x, to!.x), y: along(from!.y, to!.y) };
}
