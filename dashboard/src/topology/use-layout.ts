// The layout, worked out beside the page (ELK in a worker), so that a large datacentre stops nobody's typing.
import type { ELK } from "elkjs/lib/elk-api";
import ElkApi from "elkjs/lib/elk-api.js";
import workerUrl from "elkjs/lib/elk-worker.min.js?url";
import { useEffect, useState } from "preact/hooks";
import { elkGraph, type Layout, layoutOf } from "./elk-graph.ts";
import { gridLayout } from "./grid-layout.ts";
import type { Drawn } from "./grouping.ts";

/** Above it the layered algorithm takes seconds, and soon minutes. */
const LAYERED_MAX = 250;

let layouter: ELK | null = null;

/** Null until it is there; the last one stays while the next is worked out. */
export function useLayout(drawn: Drawn | null): { readonly drawn: Drawn; readonly layout: Layout } | null {
  const [result, setResult] = useState<{ readonly drawn: Drawn; readonly layout: Layout } | null>(null);
  useEffect(() => {
    if (drawn === null) return;
    if (drawn.nodes.length > LAYERED_MAX) {
      setResult({ drawn, layout: gridLayout(drawn) });
      return;
    }
    layouter ??= new ElkApi({ workerFactory: () => new Worker(workerUrl) });
    let isWanted = true;
    layouter.layout(elkGraph(drawn)).then(
      (root) => {
        if (isWanted) setResult({ drawn, layout: layoutOf(root) });
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
