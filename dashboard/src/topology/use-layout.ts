// The layout, worked out beside the page (ELK in a worker), so that a large datacentre stops nobody's typing.
import type { ELK } from "elkjs/lib/elk-api";
import ElkApi from "elkjs/lib/elk-api.js";
import workerUrl from "elkjs/lib/elk-worker.min.js?url";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Direction, elkGraph, type Layout, layoutOf } from "./elk-graph.ts";
import { gridLayout } from "./grid-layout.ts";
import type { Drawn } from "./grouping.ts";

/** Above it the layered algorithm takes seconds, and soon minutes. */
const LAYERED_MAX = 250;

/** What is smaller than this part of its size is laid out the other way too, and the larger one is taken. */
const GOOD_ENOUGH = 0.75;
/** Of a window: beside and above the drawing, and of the panel beside it. */
const [ASIDE, ABOVE, PANEL, NARROW] = [250, 290, 376, 1100];

let layouter: ELK | null = null;

/**
 * Null until it is there; the last one stays while the next is worked out. `hasPanel`: there is less room.
 */
export function useLayout(
  drawn: Drawn | null,
  hasPanel: boolean,
): { readonly drawn: Drawn; readonly layout: Layout } | null {
  const [result, setResult] = useState<{ readonly drawn: Drawn; readonly layout: Layout } | null>(null);
  const room = useRef(hasPanel);
  room.current = hasPanel;
  useEffect(() => {
    if (drawn === null) return;
    if (drawn.nodes.length > LAYERED_MAX) {
      setResult({ drawn, layout: gridLayout(drawn) });
      return;
    }
    let isWanted = true;
    layered(drawn, room.current).then(
      (layout) => {
        if (isWanted) setResult({ drawn, layout });
      },
      (fault: unknown) => {
        // Without a layout in layers there is still one in rows.
        console.error(fault);
        if (isWanted) setResult({ drawn, layout: gridLayout(drawn) });
      },
    );
    return () => {
      isWanted = false;
    };
  }, [drawn]);
  return result;
}

async function layered(drawn: Drawn, hasPanel: boolean): Promise<Layout> {
  const right = await laidOut(drawn, "RIGHT");
  if (scaleOf(right, hasPanel) >= GOOD_ENOUGH) return right;
  const down = await laidOut(drawn, "DOWN");
  return scaleOf(down, hasPanel) > scaleOf(right, hasPanel) ? down : right;
}

async function laidOut(drawn: Drawn, direction: Direction): Promise<Layout> {
  layouter ??= new ElkApi({ workerFactory: () => new Worker(workerUrl) });
  return layoutOf(await layouter.layout(elkGraph(drawn, direction)), direction);
}

/** How large it would be in this window, about. */
function scaleOf({ width, height }: Layout, hasPanel: boolean): number {
  const isWide = innerWidth > NARROW;
  const aside = isWide ? ASIDE + (hasPanel ? PANEL : 0) : 40;
  const below = isWide ? innerHeight - ABOVE : innerHeight * 0.5;
  return Math.min((innerWidth - aside) / width, below / height);
}
