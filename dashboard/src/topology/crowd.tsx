// Very many boxes or lines as a few elements: one path for each colour. Thousands of elements would make each
// movement slow; what is pointed at is found by its place.
import { useMemo } from "preact/hooks";
import type { TopologyAnswer, TopologyState } from "../../../src/model/dashboard-datacenter.ts";
import { vlanClass } from "./colours.ts";
import type { Box, Layout } from "./elk-graph.ts";
import type { Drawn, DrawnLink, DrawnNode } from "./grouping.ts";
import { pathOf } from "./link-line.tsx";

type Vlans = TopologyAnswer["vlans"];

export function CrowdOfLinks({
  links,
  layout,
  vlans,
}: {
  readonly links: readonly DrawnLink[];
  readonly layout: Layout;
  readonly vlans: Vlans;
}) {
  return useMemo(() => {
    const byClass = Map.groupBy(links, ({ vlan }) => vlanClass(vlan, vlans));
    return (
      <>
        {[...byClass].map(([colour, some]) => (
          <path
            key={colour}
            class={`link crowd ${colour}`}
            d={some.map(({ id }) => pathOf(layout.ways.get(id) ?? [])).join("")}
          />
        ))}
      </>
    );
  }, [links, layout, vlans]);
}

export function CrowdOfBoxes({
  drawn,
  layout,
  vlans,
  state,
}: {
  readonly drawn: Drawn;
  readonly layout: Layout;
  readonly vlans: Vlans;
  readonly state: TopologyState | null;
}) {
  // Faults are seen from afar, wherever the rest is.
  const faults = useMemo(
    () =>
      drawn.nodes.filter(({ id }) => {
        const own = state?.nodes[id]?.state;
        return own === "down" || own === "degraded";
      }),
    [drawn, state],
  );
  // All of them, once: to choose those in sight anew at each move would take longer than to paint them.
  const boxes = useMemo(() => {
    const { nodes } = drawn;
    const byClass = Map.groupBy(nodes, ({ vlan }) => vlanClass(vlan, vlans));
    const rectangles = (some: readonly DrawnNode[], of: (box: Box) => Box) =>
      some
        .flatMap(({ id }) => layout.boxes.get(id) ?? [])
        .map((box) => rectangle(of(box)))
        .join("");
    return (
      <>
        <path class="crowd-boxes" d={rectangles(nodes, (box) => box)} />
        {[...byClass].map(([colour, some]) => (
          <path
            key={colour}
            class={`crowd-stripes ${colour}`}
            d={rectangles(some, ({ x, y, height }) => ({ x, y, width: 14, height }))}
          />
        ))}
      </>
    );
  }, [drawn, layout, vlans]);
  return (
    <g>
      {boxes}
      {faults.map(({ id }) => {
        const box = layout.boxes.get(id);
        return (
          box !== undefined && (
            <path key={id} class={`crowd-fault ${state?.nodes[id]?.state}`} d={rectangle(box)} />
          )
        );
      })}
    </g>
  );
}

function rectangle({ x, y, width, height }: Box): string {
  return `M${x} ${y}h${width}v${height}h${-width}z`;
}
