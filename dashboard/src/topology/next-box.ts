// Which box an arrow key leads to: along a line, when one leads in its direction, else the nearest that lies
// there.
import type { Box, Direction } from "./elk-graph.ts";

const DIRECTIONS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  Left: [-1, 0],
  Right: [1, 0],
  Up: [0, -1],
  Down: [0, 1],
};
/** What lies aside counts as farther away. */
const ASIDE = 3;

/**
 * `from` null: the first one. `neighbours`: those that it has lines to, asked sideways, since the drawing
 * runs from left to right. Null when there is none there.
 */
export function nextInDirection(
  boxes: ReadonlyMap<string, Box>,
  from: string | null,
  key: string,
  neighbours: readonly string[],
  along: Direction,
): string | null {
  const own = from === null ? undefined : boxes.get(from);
  if (own === undefined) return boxes.keys().next().value ?? null;
  const direction = DIRECTIONS[key] ?? [0, 0];
  const isAlong = (direction[0] !== 0) === (along === "RIGHT");
  const near = !isAlong ? [] : neighbours.flatMap((id) => entryOf(boxes, id));
  return (
    nearest(near, own, direction) ??
    nearest(
      [...boxes].filter(([id]) => id !== from),
      own,
      direction,
    )
  );
}

function entryOf(boxes: ReadonlyMap<string, Box>, id: string): [string, Box][] {
  const box = boxes.get(id);
  return box === undefined ? [] : [[id, box]];
}

function nearest(
  boxes: readonly (readonly [id: string, box: Box])[],
  own: Box,
  [dx, dy]: readonly [x: number, y: number],
): string | null {
  let [best, bestCost] = [null as string | null, Number.POSITIVE_INFINITY];
  for (const [id, box] of boxes) {
    const x = box.x + box.width / 2 - own.x - own.width / 2;
    const y = box.y + box.height / 2 - own.y - own.height / 2;
    const ahead = x * dx + y * dy;
    const cost = ahead + ASIDE * Math.abs(x * dy + y * dx);
    if (ahead <= 1 || cost >= bestCost) continue;
    [best, bestCost] = [id, cost];
  }
  return best;
}
