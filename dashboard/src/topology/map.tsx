// The drawing: boxes and lines of a layout, moved and scaled by mouse, touch and keys. Only what is in sight
// is there.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { TopologyAnswer, TopologyState } from "../../../src/model/dashboard-datacenter.ts";
import { vlanClass } from "./colours.ts";
import type { Box, Layout, Point } from "./elk-graph.ts";
import type { Drawn, DrawnNode } from "./grouping.ts";
import { nextInDirection } from "./next-box.ts";
import type { Way } from "./trace-way.ts";
import "./topology.css";

interface View {
  /** Of the drawing's origin, in pixels. */
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

const [SCALE_MIN, SCALE_MAX] = [0.05, 2.5];
const MARGIN = 24;
const WHEEL_SPEED = 0.0015;
const KEY_STEP = 1.25;
/** A pointer that went further has moved the drawing, and chooses nothing where it is lifted. */
const CLICK_PIXELS_MAX = 4;
/** With more boxes lines are faint, but for those of the chosen one. */
const DENSE = 250;
/** Below it names cannot be read, and are not drawn. */
const READABLE = 0.38;

export function TopologyMap({
  topology,
  state,
  drawn,
  layout,
  chosen,
  choose,
  way = null,
  marked = null,
}: {
  readonly topology: TopologyAnswer;
  readonly state: TopologyState | null;
  readonly drawn: Drawn;
  readonly layout: Layout;
  readonly chosen: string | null;
  choose(id: string): void;
  readonly way?: Way | null;
  /** The drawn node that a step is about. */
  readonly marked?: string | null;
}) {
  const frame = useRef<SVGSVGElement>(null);
  const [view, setView] = useState<View>({ x: 0, y: 0, scale: 1 });
  const [size, setSize] = useState({ width: 0, height: 0 });
  const drag = useRef<Map<number, Point>>(new Map());
  const dragged = useRef(0);

  const isMoved = useRef(false);

  const fit = useCallback(() => {
    isMoved.current = false;
    const { clientWidth: width = 0, clientHeight: height = 0 } = frame.current ?? {};
    setSize({ width, height });
    setView(fitted(layout, width, height));
  }, [layout]);
  useLayoutEffect(fit, [fit]);
  useEffect(() => {
    // Who has moved the drawing keeps the place; who has not sees all of it.
    const watcher = new ResizeObserver(() => {
      if (!isMoved.current) fit();
      else setSize({ width: frame.current!.clientWidth, height: frame.current!.clientHeight });
    });
    watcher.observe(frame.current!);
    return () => watcher.disconnect();
  }, [fit]);

  const zoom = useCallback((factor: number, at: Point) => {
    isMoved.current = true;
    setView(({ x, y, scale }) => {
      const next = Math.min(SCALE_MAX, Math.max(SCALE_MIN, scale * factor));
      const ratio = next / scale;
      return { scale: next, x: at.x - (at.x - x) * ratio, y: at.y - (at.y - y) * ratio };
    });
  }, []);
  useEffect(() => {
    const element = frame.current!;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY * WHEEL_SPEED), {
        x: event.clientX - box.left,
        y: event.clientY - box.top,
      });
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, [zoom]);

  const move = (event: PointerEvent) => {
    const before = drag.current.get(event.pointerId);
    if (before === undefined) return;
    const now = { x: event.clientX, y: event.clientY };
    dragged.current += distance(before, now);
    isMoved.current ||= dragged.current > CLICK_PIXELS_MAX;
    const others = [...drag.current].filter(([id]) => id !== event.pointerId);
    drag.current.set(event.pointerId, now);
    const [other] = others;
    if (other === undefined)
      setView((view_) => ({ ...view_, x: view_.x + now.x - before.x, y: view_.y + now.y - before.y }));
    else {
      const box = frame.current!.getBoundingClientRect();
      const middle = { x: (now.x + other[1].x) / 2 - box.left, y: (now.y + other[1].y) / 2 - box.top };
      zoom(distance(now, other[1]) / Math.max(1, distance(before, other[1])), middle);
    }
  };
  const handleKey = (event: KeyboardEvent) => {
    const middle = { x: size.width / 2, y: size.height / 2 };
    if (event.key === "+" || event.key === "=") zoom(KEY_STEP, middle);
    else if (event.key === "-") zoom(1 / KEY_STEP, middle);
    else if (event.key === "0") fit();
    else if (event.key.startsWith("Arrow")) {
      const focused = document.activeElement?.getAttribute("data-id") ?? null;
      const next = nextInDirection(layout.boxes, focused, event.key.slice("Arrow".length));
      if (next === null) return;
      document.querySelector<SVGElement>(`[data-id="${CSS.escape(next)}"]`)?.focus();
    } else return;
    event.preventDefault();
  };

  const visible = useMemo(() => visibleNodes(drawn, layout, view, size), [drawn, layout, view, size]);
  const onWay = new Set(way?.nodes ?? []);
  const isDim = way !== null;
  const stateOf = (id: string) => state?.nodes[id]?.state ?? null;
  const boxOf = (node: DrawnNode) => (
    <NodeBox
      key={node.id}
      node={node}
      box={layout.boxes.get(node.id)!}
      vlans={topology.vlans}
      state={stateOf(node.id)}
      isChosen={chosen === node.id}
      isOnWay={onWay.has(node.id)}
      isMarked={marked === node.id}
      hasText={view.scale > READABLE}
      choose={choose}
    />
  );
  return (
    <div class="map">
      {/* biome-ignore lint/a11y/useSemanticElements: a drawing is no form. */}
      <svg
        ref={frame}
        class={`${isDim ? "dim" : ""} ${drawn.nodes.length > DENSE ? "dense" : ""}`}
        role="group"
        aria-label={`The datacentre ${topology.name}; arrow keys go from box to box`}
        onPointerDown={(event) => {
          if (drag.current.size === 0) dragged.current = 0;
          drag.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
        }}
        onClickCapture={(event) => {
          if (dragged.current > CLICK_PIXELS_MAX) event.stopPropagation();
          dragged.current = 0;
        }}
        onPointerMove={move}
        onPointerUp={(event) => drag.current.delete(event.pointerId)}
        onPointerLeave={(event) => drag.current.delete(event.pointerId)}
        onKeyDown={handleKey}
      >
        <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
          {visible.filter(isFence).map(boxOf)}
          {drawn.links.map((link) => (
            <path
              key={link.id}
              class={`link ${vlanClass(link.vlan, topology.vlans)} ${link.kind} ${
                chosen === link.from || chosen === link.to ? "of-chosen" : ""
              }`}
              d={pathOf(layout.ways.get(link.id) ?? [])}
            />
          ))}
          {visible.filter((node) => !isFence(node)).map(boxOf)}
          {way !== null && <WayLine way={way} layout={layout} />}
        </g>
      </svg>
      <div class="map-tools">
        <button
          type="button"
          aria-label="Larger"
          onClick={() => zoom(KEY_STEP, { x: size.width / 2, y: size.height / 2 })}
        >
          +
        </button>
        <button
          type="button"
          aria-label="Smaller"
          onClick={() => zoom(1 / KEY_STEP, { x: size.width / 2, y: size.height / 2 })}
        >
          −
        </button>
        <button type="button" onClick={fit}>
          All
        </button>
      </div>
      {topology.vlans.length > 0 && (
        <ul class="map-legend" aria-label="VLANs">
          {topology.vlans.slice(0, 12).map(({ vlan, label }) => (
            <li key={vlan} class={vlanClass(vlan, topology.vlans)}>
              {label}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function NodeBox({
  node,
  box,
  vlans,
  state,
  isChosen,
  isOnWay,
  isMarked,
  hasText,
  choose,
}: {
  readonly node: DrawnNode;
  readonly box: Box;
  readonly vlans: TopologyAnswer["vlans"];
  readonly state: "up" | "degraded" | "down" | null;
  readonly isChosen: boolean;
  readonly isOnWay: boolean;
  readonly isMarked: boolean;
  readonly hasText: boolean;
  choose(id: string): void;
}) {
  const kind = node.node?.kind ?? "group";
  const classes = [
    "node",
    kind,
    vlanClass(node.vlan, vlans),
    isChosen ? "chosen" : "",
    isOnWay ? "on-way" : "",
    isMarked ? "marked" : "",
  ];
  const services = node.node?.services ?? [];
  const words = [`${kind} ${node.title}`, ...node.lines, ...services, state ?? ""].filter(
    (one) => one !== "",
  );
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing has no buttons of HTML.
    <g
      class={classes.join(" ")}
      data-id={node.id}
      role="button"
      tabIndex={0}
      aria-label={words.join(", ")}
      aria-pressed={isChosen}
      transform={`translate(${box.x} ${box.y})`}
      onClick={() => choose(node.id)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose(node.id);
      }}
    >
      <rect class="box" width={box.width} height={box.height} rx={kind === "network" ? 14 : 6} />
      {kind !== "fence" && (
        <rect class="stripe" x={0} y={6} width={4} height={Math.max(4, box.height - 12)} rx={2} />
      )}
      {hasText && (
        <>
          <text class="title" x={14} y={20}>
            {shortened(node.title, box.width - (state === null ? 22 : 38))}
          </text>
          {node.lines.map((line, index) => (
            <text key={line} class="line" x={14} y={36 + index * 16}>
              {shortened(line, (box.width - 20) * 1.12)}
            </text>
          ))}
        </>
      )}
      {state !== null && <circle class={`state ${state}`} cx={box.width - 13} cy={15} r={5} />}
    </g>
  );
}

/** The packet's way: one line through the links it takes, drawn from its beginning to its end. */
function WayLine({ way, layout }: { readonly way: Way; readonly layout: Layout }) {
  const points = way.links.flatMap(({ id, isReverse }) => {
    const corners = layout.ways.get(id) ?? [];
    return isReverse ? corners.toReversed() : corners;
  });
  const d = pathOf(points);
  return (
    <>
      <path class="way-bed" d={d} />
      <path class="way" d={d} pathLength={100} />
    </>
  );
}

function isFence({ node }: DrawnNode): boolean {
  return node?.kind === "fence";
}

function visibleNodes(
  { nodes }: Drawn,
  { boxes }: Layout,
  { x, y, scale }: View,
  { width, height }: { readonly width: number; readonly height: number },
): DrawnNode[] {
  return nodes.filter(({ id }) => {
    const box = boxes.get(id);
    if (box === undefined) return false;
    const [left, top] = [box.x * scale + x, box.y * scale + y];
    return left < width && top < height && left + box.width * scale > 0 && top + box.height * scale > 0;
  });
}

function fitted({ width, height }: Layout, frameWidth: number, frameHeight: number): View {
  const scale = Math.min(
    1.15,
    (frameWidth - 2 * MARGIN) / Math.max(1, width),
    (frameHeight - 2 * MARGIN) / Math.max(1, height),
  );
  const bounded = Math.max(SCALE_MIN, scale);
  return { scale: bounded, x: (frameWidth - width * bounded) / 2, y: (frameHeight - height * bounded) / 2 };
}

function pathOf(points: readonly Point[]): string {
  return points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join("");
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function shortened(text: string, width: number): string {
  const letters = Math.floor(width / 7.2);
  return text.length <= letters ? text : `${text.slice(0, Math.max(1, letters - 1))}…`;
}
