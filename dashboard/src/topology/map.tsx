// The drawing: boxes and lines of a layout. Only what is in sight is there, and of very many only their
// shapes. By the keyboard it is one stop, in which arrows and letters lead from box to box.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { NodeState, TopologyAnswer, TopologyState } from "../../../src/model/dashboard-datacenter.ts";
import { CrowdOfBoxes, CrowdOfLinks } from "./crowd.tsx";
import type { Box, Layout } from "./elk-graph.ts";
import type { Drawn, DrawnLink, DrawnNode } from "./grouping.ts";
import { Legend } from "./legend.tsx";
import { LinkLabel, LinkLine, WayLine } from "./link-line.tsx";
import { type Measure, trafficOf } from "./link-words.ts";
import { BoxWords, NodeBox } from "./node-box.tsx";
import type { Way } from "./trace-way.ts";
import { useRoving } from "./use-roving.ts";
import { useView } from "./use-view.ts";
import { linksIn, nodeAt, nodesIn } from "./visible.ts";
import { litBy } from "./vlan-light.ts";
import "./map.css";

/** With more boxes lines are faint and without words, but for those of the chosen one. */
const DENSE = 250;
/** More boxes in sight than these are drawn as a crowd; fewer where nothing can be read anyway. */
const [CROWD, CROWD_WITHOUT_TEXT] = [700, 200];

export function TopologyMap({
  topology,
  state,
  drawn,
  layout,
  chosen,
  choose,
  way = null,
  marked = null,
  vlan,
  isolate,
  shown = null,
  isLegendOpen = true,
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
  /** The one that is looked at alone. */
  readonly vlan: number | null;
  isolate(vlan: number | null): void;
  /** Brought into sight when it becomes another one. */
  readonly shown?: string | null;
  /** At first. */
  readonly isLegendOpen?: boolean;
}) {
  const { vlans } = topology;
  const { frame, picture, layer, made, showAll, show, zoomMiddle, placeOf, pointers } = useView(layout);
  const roving = useRoving(drawn, layout, frame, show);
  const [hinted, setHinted] = useState<number | null>(null);
  const [measure, setMeasure] = useState<Measure>("bytes");
  useEffect(() => {
    const box = shown === null ? undefined : layout.boxes.get(shown);
    if (box !== undefined) show(box);
  }, [shown, layout, show]);
  const lit = useMemo(() => litBy(hinted ?? vlan, drawn), [hinted, vlan, drawn]);
  const hops = useMemo(() => hopsOf(way), [way]);
  const isDense = drawn.nodes.length > DENSE;
  const isCounted = state !== null && Object.keys(state.links).length > 0;

  const nodes = useMemo(() => nodesIn(drawn, layout, made.area), [drawn, layout, made.area]);
  const links = useMemo(
    () =>
      isDense
        ? drawn.links.filter((link) => isPicked(link, chosen) || (lit?.links.has(link.id) ?? false))
        : linksIn(drawn, layout, made.area),
    [isDense, drawn, layout, made.area, chosen, lit],
  );
  const isCrowd = nodes.length > (made.hasText ? CROWD : CROWD_WITHOUT_TEXT);
  const own = useMemo(() => {
    // The one that has, or can get, the keyboard is always there.
    const isAlways = ({ id }: DrawnNode) => id === roving.active || id === chosen || hops.has(id);
    if (isCrowd) return drawn.nodes.filter(isAlways);
    const missing = drawn.nodes.filter((node) => node.id === roving.active && !nodes.includes(node));
    return [...nodes, ...missing];
  }, [isCrowd, drawn, nodes, roving.active, chosen, hops]);
  const boxes = useMemo(() => {
    const boxOf = (node: DrawnNode) => (
      <NodeBox
        key={node.id}
        node={node}
        box={layout.boxes.get(node.id)!}
        vlans={vlans}
        state={state?.nodes[node.id] ?? null}
        marks={{
          isChosen: chosen === node.id,
          isMarked: marked === node.id,
          hops: hops.get(node.id) ?? null,
          isLit: lit === null || lit.nodes.has(node.id),
          isActive: roving.active === node.id,
        }}
        hasText={made.hasText && !isFence(node)}
        choose={choose}
        handleFocus={roving.handleFocus}
      />
    );
    const there = own.filter(({ id }) => layout.boxes.has(id));
    const fences = there.filter(isFence);
    return {
      fences: fences.map(boxOf),
      // Lines go through fences to what is inside; words lie above them.
      fenceWords: (made.hasText ? fences : []).map((node) => (
        <FenceWords
          key={node.id}
          node={node}
          box={layout.boxes.get(node.id)!}
          state={state?.nodes[node.id] ?? null}
          hops={hops.get(node.id) ?? null}
          isLit={lit === null || lit.nodes.has(node.id)}
        />
      )),
      others: there.filter((one) => !isFence(one)).map(boxOf),
    };
  }, [
    own,
    layout,
    vlans,
    state,
    chosen,
    marked,
    hops,
    lit,
    roving.active,
    made.hasText,
    choose,
    roving.handleFocus,
  ]);
  const lines = useMemo(() => {
    const counted = links.map((link) => ({ link, traffic: trafficOf(link, state, measure) }));
    const isLit = ({ id }: DrawnLink) => lit === null || lit.links.has(id);
    return {
      paths: counted.map(({ link, traffic }) => (
        <LinkLine
          key={link.id}
          {...{ link, layout, vlans, traffic, measure }}
          marks={{ isOfChosen: isPicked(link, chosen), isLit: isLit(link) }}
        />
      )),
      labels: made.hasText
        ? counted.map(({ link, traffic }) => (
            <LinkLabel key={link.id} {...{ link, layout, vlans, traffic, measure }} isLit={isLit(link)} />
          ))
        : [],
    };
  }, [links, layout, vlans, state, measure, chosen, lit, made.hasText]);

  const handleKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") zoomMiddle(1);
    else if (event.key === "-") zoomMiddle(-1);
    else if (event.key === "0") showAll();
    else if (event.key === "Escape" && vlan !== null) isolate(null);
    else if (!roving.handleKey(event.key)) return;
    event.preventDefault();
  };
  return (
    <div class="map">
      {/* biome-ignore lint/a11y/useSemanticElements: a drawing is no form. */}
      <div
        ref={frame}
        class="map-frame"
        role="group"
        aria-label={`The datacentre ${topology.name}, ${drawn.nodes.length} boxes: arrow keys lead from box to box, letters to names`}
        onKeyDown={handleKey}
        {...pointers}
        onClick={(event) => {
          const at = isCrowd ? nodeAt(layout, placeOf(event)) : null;
          if (at !== null && (event.target as Element).closest(".node") === null) choose(at);
        }}
      >
        {/* biome-ignore lint/a11y/noSvgWithoutTitle: the frame has its name. */}
        <svg ref={picture} class={`${way === null ? "" : "dim"} ${isDense ? "dense" : ""}`}>
          <g ref={layer}>
            {boxes.fences}
            {isDense && <CrowdOfLinks links={drawn.links} layout={layout} vlans={vlans} />}
            {lines.paths}
            {way !== null && <WayLine way={way} layout={layout} />}
            {isCrowd && <CrowdOfBoxes drawn={drawn} layout={layout} vlans={vlans} state={state} />}
            {boxes.fenceWords}
            {lines.labels}
            {boxes.others}
          </g>
        </svg>
      </div>
      <div class="map-tools">
        {isCounted && (
          <select
            aria-label="What is told of lines"
            value={measure}
            onChange={(event) => setMeasure(event.currentTarget.value as Measure)}
          >
            <option value="bytes">bytes/s</option>
            <option value="packets">packets/s</option>
          </select>
        )}
        <button type="button" aria-label="Larger" onClick={() => zoomMiddle(1)}>
          +
        </button>
        <button type="button" aria-label="Smaller" onClick={() => zoomMiddle(-1)}>
          −
        </button>
        <button type="button" onClick={showAll}>
          All
        </button>
      </div>
      <Legend
        vlans={vlans}
        isolated={vlan}
        isolate={isolate}
        hint={setHinted}
        measure={isCounted ? measure : null}
        isOpenAtFirst={isLegendOpen}
      />
    </div>
  );
}

function FenceWords({
  node,
  box,
  state,
  hops,
  isLit,
}: {
  readonly node: DrawnNode;
  readonly box: Box;
  readonly state: NodeState | null;
  readonly hops: readonly number[] | null;
  readonly isLit: boolean;
}) {
  return (
    <g class={isLit ? "node words" : "node words unlit"} transform={`translate(${box.x} ${box.y})`}>
      <BoxWords node={node} box={box} state={state} hops={hops} />
    </g>
  );
}

function isPicked({ from, to }: DrawnLink, chosen: string | null): boolean {
  return chosen === from || chosen === to;
}

function isFence({ node }: DrawnNode): boolean {
  return node?.kind === "fence";
}

/** Numbers of the hops at each box, as the list beside the drawing counts them. */
function hopsOf(way: Way | null): ReadonlyMap<string, readonly number[]> {
  const hops = new Map<string, number[]>();
  for (const id of way?.nodes ?? []) hops.set(id, []);
  way?.hops.forEach((id, index) => {
    if (id !== null) hops.get(id)?.push(index + 1);
  });
  return hops;
}
