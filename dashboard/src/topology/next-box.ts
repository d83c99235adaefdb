// Which box an arrow key leads to: the nearest one that lies in its direction.
import type { Box } from "./elk-graph.ts";

const DIRECTIONS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  Left: [-1, 0],
  Right: [1, 0],
  Up: [0, -1],
  Down: [0, 1],
};
/** What lies aside counts as farther away. */
const ASIDE = 3;

/** `from` null: the first one. Null when there is none there. */
export function nextInDirection(
  boxes: ReadonlyMap<string, Box>,
  from: string | null,
  key: string,
): string | null {
  const own = from === null ? undefined : boxes.get(from);
  if (own === undefined) return boxes.keys().next().value ?? null;
  const [dx, dy] = DIRECTIONS[key] ?? [0, 0];
  let [best, bestCost] = [null as string | null, Number.POSITIVE_INFINITY];
  for (const [id, box] of boxes) {
    const x = box.x + box.width / 2 - own.x - own.width / 2;
    const y = box.y + box.height / 2 - own.y - own.height / 2;
    const ahead = x * dx + y * dy;
    const cost = ahead + ASIDE * Math.abs(x * dy + y * dx);
    if (id === from || ahead <= 1 || cost >= bestCost) continue;
    [best, bestCost] = [id, cost];
  }
  return best;
}
