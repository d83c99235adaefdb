// What of a drawing is in sight: only that becomes elements of the page. A bit more is taken than is seen, so
// that the drawing can be moved for a while before anything has to be made.
import type { Box, Layout, Point } from "./elk-graph.ts";
import type { Drawn, DrawnLink, DrawnNode } from "./grouping.ts";

export interface View {
  /** Of the drawing's origin, in pixels. */
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** On each side, as a part of what is seen. */
const BEYOND = 0.35;
/** An area of more than so many times the sight is made anew, smaller: it is painted as a whole. */
const WASTE_MAX = 6;

/** In the drawing's own measure. */
export function sightOf({ x, y, scale }: View, { width, height }: Size): Box {
  return { x: -x / scale, y: -y / scale, width: width / scale, height: height / scale };
}

/** The area to make elements for: `made` as long as it holds what is seen. */
export function areaFor(sight: Box, made: Box | null): Box {
  const isGood =
    made !== null && holds(made, sight) && made.width * made.height <= WASTE_MAX * sight.width * sight.height;
  if (isGood) return made;
  const [aside, above] = [sight.width * BEYOND, sight.height * BEYOND];
  return {
    x: sight.x - aside,
    y: sight.y - above,
    width: sight.width + 2 * aside,
    height: sight.height + 2 * above,
  };
}

export function nodesIn({ nodes }: Drawn, { boxes }: Layout, area: Box): DrawnNode[] {
  return nodes.filter(({ id }) => {
    const box = boxes.get(id);
    return box !== undefined && overlaps(box, area);
  });
}

export function hasAnyIn({ boxes }: Layout, area: Box): boolean {
  return boxes.values().some((box) => overlaps(box, area));
}

/** By the box around its corners: some that only pass by are taken too. */
export function linksIn({ links }: Drawn, { ways }: Layout, area: Box): DrawnLink[] {
  return links.filter(({ id }) => {
    const corners = ways.get(id);
    return corners !== undefined && corners.length > 0 && overlaps(boxAround(corners), area);
  });
}

/** The box at a place; the smallest, where one lies in another. */
export function nodeAt({ boxes }: Layout, { x, y }: Point): string | null {
  let [found, least] = [null as string | null, Number.POSITIVE_INFINITY];
  for (const [id, box] of boxes) {
    const isHit = x >= box.x && y >= box.y && x <= box.x + box.width && y <= box.y + box.height;
    if (!isHit || box.width * box.height >= least) continue;
    [found, least] = [id, box.width * box.height];
  }
  return found;
}

/** The view in which a box is seen, moved as little as can be. */
export function viewShowing(box: Box, view: View, size: Size, margin: number): View {
  const shift = (start: number, length: number, room: number) =>
    start < margin ? margin - start : Math.min(0, room - margin - (start + length));
  const left = box.x * view.scale + view.x;
  const top = box.y * view.scale + view.y;
  return {
    scale: view.scale,
    x: view.x + shift(left, box.width * view.scale, size.width),
    y: view.y + shift(top, box.height * view.scale, size.height),
  };
}

function boxAround(points: readonly Point[]): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

function overlaps(a: Box, b: Box): boolean {
  return a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height;
}

function holds(outer: Box, inner: Box): boolean {
  return (
    outer.x <= inner.x &&
    outer.y <= inner.y &&
    outer.x + outer.width >= inner.x + inner.width &&
    outer.y + outer.height >= inner.y + inner.height
  );
}
