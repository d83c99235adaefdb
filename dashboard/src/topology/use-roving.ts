// The drawing is one stop of the Tab key: one of its boxes can be reached, and arrows, Home, End and letters
// make another one that.
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Box, Layout } from "./elk-graph.ts";
import { nextBeginningWith } from "./find-nodes.ts";
import type { Drawn } from "./grouping.ts";
import { nextInDirection } from "./next-box.ts";

/** Letters that follow each other faster are of one name. */
const TYPING_MS = 700;

export interface Roving {
  /** The box that Tab leads to. */
  readonly active: string | null;
  /** Whether one of the boxes has the keyboard. */
  readonly isFocused: boolean;
  setActive(id: string): void;
  handleFocus(id: string | null): void;
  /** False: the key means nothing here. */
  handleKey(key: string): boolean;
}

export function useRoving(
  drawn: Drawn,
  layout: Layout,
  frame: { readonly current: HTMLElement | null },
  show: (box: Box) => void,
): Roving {
  const [wanted, setActive] = useState<string | null>(null);
  const [isFocused, setFocused] = useState(false);
  const focusNext = useRef(false);
  const typed = useRef({ letters: "", atMs: 0 });
  const order = useMemo(() => inReadingOrder(drawn, layout), [drawn, layout]);
  const neighbours = useMemo(() => neighboursOf(drawn), [drawn]);
  const active = wanted !== null && layout.boxes.has(wanted) ? wanted : (order[0]?.id ?? null);
  useLayoutEffect(() => {
    if (!focusNext.current || active === null) return;
    focusNext.current = false;
    frame.current
      ?.querySelector<SVGElement>(`[data-id="${CSS.escape(active)}"]`)
      ?.focus({ preventScroll: true });
  });
  const goTo = (id: string | null) => {
    const box = id === null ? undefined : layout.boxes.get(id);
    if (id === null || box === undefined) return;
    focusNext.current = true;
    setActive(id);
    // Also for the one that is active already: it may be out of sight.
    setFocused(true);
    show(box);
  };
  const handleKey = (key: string): boolean => {
    if (key.startsWith("Arrow"))
      goTo(
        nextInDirection(
          layout.boxes,
          active,
          key.slice("Arrow".length),
          neighbours.get(active ?? "") ?? [],
          layout.direction,
        ),
      );
    else if (key === "Home") goTo(order[0]?.id ?? null);
    else if (key === "End") goTo(order.at(-1)?.id ?? null);
    else if (key.length === 1 && key !== " ") {
      const { letters, atMs } = typed.current;
      const now = performance.now();
      typed.current = { letters: (now - atMs < TYPING_MS ? letters : "") + key, atMs: now };
      goTo(nextBeginningWith(order, active, typed.current.letters));
    } else return false;
    return true;
  };
  const handleFocus = useCallback((id: string | null) => {
    setFocused(id !== null);
    if (id !== null) setActive(id);
  }, []);
  return { active, isFocused, setActive, handleFocus, handleKey };
}

/** Along the drawing, each column or row from its beginning. */
function inReadingOrder(
  { nodes }: Drawn,
  { boxes, direction }: Layout,
): { readonly id: string; readonly title: string }[] {
  const placed = nodes.flatMap(({ id, title }) => {
    const box = boxes.get(id);
    return box === undefined ? [] : [{ id, title, box }];
  });
  const [along, across] = direction === "RIGHT" ? (["x", "y"] as const) : (["y", "x"] as const);
  return placed.sort((a, b) => a.box[along] - b.box[along] || a.box[across] - b.box[across]);
}

function neighboursOf({ links }: Drawn): ReadonlyMap<string, readonly string[]> {
  const all = new Map<string, string[]>();
  const add = (from: string, to: string) => {
    const known = all.get(from);
    if (known === undefined) all.set(from, [to]);
    else known.push(to);
  };
  for (const { from, to } of links) {
    add(from, to);
    add(to, from);
  }
  return all;
}
