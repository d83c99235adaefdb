// Where one looks at the drawing, and from how near: moved and scaled by mouse, touch and buttons. Moving
// only changes one attribute of the page; elements are made anew when what they were made for is left.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Box, Layout, Point } from "./elk-graph.ts";
import { areaFor, hasAnyIn, type Size, sightOf, type View, viewShowing } from "./visible.ts";

const [SCALE_MIN, SCALE_MAX] = [0.03, 2.5];
const MARGIN = 24;
/** Buttons lie there. */
const MARGIN_TOP = 54;
/** Larger than it is laid out, where there is room: on a wall. */
const [FIT_MAX, FIT_MAX_WIDE, WIDE] = [1.15, 1.9, 2000];
/** On a telephone not all is shown, but its beginning so that it can be read. */
const [NARROW, FIT_MIN_NARROW] = [600, 0.55];
const WHEEL_SPEED = 0.0015;
const KEY_STEP = 1.25;
/** A pointer that went further has moved the drawing, and chooses nothing where it is lifted. */
const CLICK_PIXELS_MAX = 4;
/** Below it names cannot be read, and are not drawn. */
const READABLE = 0.34;

const NOWHERE: Box = { x: 0, y: 0, width: 0, height: 0 };

/** What elements are made for. */
export interface Made {
  readonly area: Box;
  readonly hasText: boolean;
}

export function useView(layout: Layout) {
  /** What one looks through; the area that lies behind it; everything in the drawing's own measure. */
  const frame = useRef<HTMLDivElement>(null);
  const picture = useRef<SVGSVGElement>(null);
  const layer = useRef<SVGGElement>(null);
  const view = useRef<View>({ x: 0, y: 0, scale: 1 });
  const size = useRef<Size>({ width: 0, height: 0 });
  const isMoved = useRef(false);
  /** All of it shall be seen, however small. */
  const isWhole = useRef(false);
  const present = useRef<Made & { readonly scale: number }>({ area: NOWHERE, hasText: true, scale: 0 });
  const [made, setMade] = useState<Made>({ area: NOWHERE, hasText: true });

  const look = useCallback((next: View) => {
    const { x, y, scale } = next;
    view.current = next;
    const before = present.current;
    const area = areaFor(sightOf(next, size.current), before.area);
    const hasText = scale > READABLE;
    if (area !== before.area || scale !== before.scale) {
      picture.current?.setAttribute("width", `${area.width * scale}`);
      picture.current?.setAttribute("height", `${area.height * scale}`);
      layer.current?.setAttribute(
        "transform",
        `translate(${-area.x * scale} ${-area.y * scale}) scale(${scale})`,
      );
    }
    // Whole pixels: letters would tremble between them.
    const [left, top] = [Math.round(x + area.x * scale), Math.round(y + area.y * scale)];
    picture.current?.style.setProperty("transform", `translate(${left}px, ${top}px)`);
    present.current = { area, hasText, scale };
    if (area !== before.area || hasText !== before.hasText) setMade({ area, hasText });
  }, []);
  const fit = useCallback(() => {
    isMoved.current = false;
    const { clientWidth: width = 0, clientHeight: height = 0 } = frame.current ?? {};
    size.current = { width, height };
    look(fitted(layout, size.current, isWhole.current));
  }, [layout, look]);
  const showAll = useCallback(() => {
    isWhole.current = true;
    fit();
  }, [fit]);
  const zoom = useCallback(
    (factor: number, at: Point) => {
      isMoved.current = true;
      const { x, y, scale } = view.current;
      const next = Math.min(SCALE_MAX, Math.max(SCALE_MIN, scale * factor));
      const ratio = next / scale;
      look({ scale: next, x: at.x - (at.x - x) * ratio, y: at.y - (at.y - y) * ratio });
    },
    [look],
  );
  const zoomMiddle = useCallback(
    (direction: 1 | -1) =>
      zoom(KEY_STEP ** direction, { x: size.current.width / 2, y: size.current.height / 2 }),
    [zoom],
  );
  /** Brings a box into sight, as near as one can read it. */
  const show = useCallback(
    (box: Box) => {
      const { width, height } = size.current;
      const { scale } = view.current;
      // What is larger than the sight cannot be brought into it.
      const margin = Math.max(0, Math.min(MARGIN, (width - box.width * scale) / 2));
      const near = {
        scale: 1,
        x: width / 2 - (box.x + box.width / 2),
        y: height / 2 - (box.y + box.height / 2),
      };
      const next = scale > READABLE ? viewShowing(box, view.current, size.current, margin) : near;
      if (next.x === view.current.x && next.y === view.current.y) return;
      isMoved.current = true;
      look(next);
    },
    [look],
  );

  useLayoutEffect(() => {
    // Who has moved the drawing keeps the place, also when a layout follows; unless there is nothing any
    // more.
    const sight = sightOf(view.current, size.current);
    if (isMoved.current && hasAnyIn(layout, sight)) look(view.current);
    else fit();
  }, [fit, look, layout]);
  useEffect(() => {
    const element = frame.current!;
    const watcher = new ResizeObserver(() => {
      if (!isMoved.current) return fit();
      size.current = { width: element.clientWidth, height: element.clientHeight };
      look(view.current);
    });
    watcher.observe(element);
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY * WHEEL_SPEED), {
        x: event.clientX - box.left,
        y: event.clientY - box.top,
      });
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => {
      watcher.disconnect();
      element.removeEventListener("wheel", wheel);
    };
  }, [fit, look, zoom]);
  const move = useCallback(
    (x: number, y: number) => {
      isMoved.current = true;
      look({ ...view.current, x: view.current.x + x, y: view.current.y + y });
    },
    [look],
  );
  /** In the drawing's measure. */
  const placeOf = useCallback((event: MouseEvent): Point => {
    const box = frame.current!.getBoundingClientRect();
    const { x, y, scale } = view.current;
    return { x: (event.clientX - box.left - x) / scale, y: (event.clientY - box.top - y) / scale };
  }, []);
  const pointers = usePointers(frame, move, zoom);
  return { frame, picture, layer, made, showAll, show, zoomMiddle, placeOf, pointers };
}

/** One finger moves, two scale; after a move no box is chosen. */
function usePointers(
  frame: { readonly current: HTMLElement | null },
  move: (x: number, y: number) => void,
  zoom: (factor: number, at: Point) => void,
) {
  const down = useRef<Map<number, Point>>(new Map());
  const dragged = useRef(0);
  return useMemo(
    () => ({
      onPointerDown: (event: PointerEvent) => {
        if (down.current.size === 0) dragged.current = 0;
        down.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
      },
      onPointerMove: (event: PointerEvent) => {
        const before = down.current.get(event.pointerId);
        if (before === undefined) return;
        const now = { x: event.clientX, y: event.clientY };
        dragged.current += distance(before, now);
        const other = [...down.current].find(([id]) => id !== event.pointerId)?.[1];
        down.current.set(event.pointerId, now);
        if (dragged.current <= CLICK_PIXELS_MAX && other === undefined) return;
        if (other === undefined) return move(now.x - before.x, now.y - before.y);
        const box = frame.current!.getBoundingClientRect();
        const middle = { x: (now.x + other.x) / 2 - box.left, y: (now.y + other.y) / 2 - box.top };
        zoom(distance(now, other) / Math.max(1, distance(before, other)), middle);
      },
      onPointerUp: (event: PointerEvent) => void down.current.delete(event.pointerId),
      onPointerCancel: (event: PointerEvent) => void down.current.delete(event.pointerId),
      onPointerLeave: (event: PointerEvent) => void down.current.delete(event.pointerId),
      onClickCapture: (event: MouseEvent) => {
        if (dragged.current > CLICK_PIXELS_MAX) event.stopPropagation();
        dragged.current = 0;
      },
    }),
    [frame, move, zoom],
  );
}

function fitted({ width, height, direction, boxes }: Layout, room: Size, isWhole: boolean): View {
  const most = room.width > WIDE ? FIT_MAX_WIDE : FIT_MAX;
  const scale = Math.min(
    most,
    (room.width - 2 * MARGIN) / Math.max(1, width),
    (room.height - MARGIN_TOP - MARGIN) / Math.max(1, height),
  );
  const bounded = Math.max(room.width < NARROW && !isWhole ? FIT_MIN_NARROW : SCALE_MIN, scale);
  const aside = (room.width - width * bounded) / 2;
  const above = (room.height - height * bounded) / 2;
  if (aside >= 0) return { scale: bounded, x: aside, y: Math.max(MARGIN_TOP, above) };
  // What does not go in is looked at from where it begins, which need not be its corner.
  const isDown = direction === "DOWN";
  const first = [...boxes.values()].reduce(
    (least, box) => ((isDown ? box.y < least.y : box.x < least.x) ? box : least),
    { ...NOWHERE, [isDown ? "y" : "x"]: Number.POSITIVE_INFINITY },
  );
  const middle = (start: number, size: number, all: number) => all / 2 - (start + size / 2) * bounded;
  return isDown
    ? { scale: bounded, x: middle(first.x, first.width, room.width), y: Math.max(MARGIN_TOP, above) }
    : { scale: bounded, x: MARGIN, y: middle(first.y, first.height, room.height) };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
