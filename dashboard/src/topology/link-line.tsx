// Lines of the drawing: each in the colour of its VLAN with its number beside it, thicker the more passes it;
// and the way of a packet over them.
import type { TopologyAnswer } from "../../../src/model/dashboard-datacenter.ts";
import { vlanClass } from "./colours.ts";
import type { Layout, Point } from "./elk-graph.ts";
import type { DrawnLink } from "./grouping.ts";
import {
  busyness,
  type DrawnTraffic,
  type Measure,
  rateLabel,
  trafficWords,
  vlanLabel,
} from "./link-words.ts";
import type { Way } from "./trace-way.ts";

const [LETTER, PADDING, HEIGHT] = [6.1, 10, 15];

export interface LineMarks {
  readonly isOfChosen: boolean;
  readonly isLit: boolean;
}

export function LinkLine({
  link,
  layout,
  vlans,
  traffic,
  measure,
  marks: { isOfChosen, isLit },
}: {
  readonly link: DrawnLink;
  readonly layout: Layout;
  readonly vlans: TopologyAnswer["vlans"];
  readonly traffic: DrawnTraffic | null;
  readonly measure: Measure;
  readonly marks: LineMarks;
}) {
  const classes = [
    "link",
    link.kind,
    vlanClass(link.vlan, vlans),
    `busy-${busyness(traffic, measure)}`,
    isOfChosen ? "of-chosen" : "",
    isLit ? "" : "unlit",
  ];
  return (
    <path
      class={classes.filter((one) => one !== "").join(" ")}
      data-link={link.id}
      d={pathOf(layout.ways.get(link.id) ?? [])}
    />
  );
}

/** Nothing where neither a VLAN nor a rate is known. */
export function LinkLabel({
  link,
  layout,
  vlans,
  traffic,
  measure,
  isLit,
}: {
  readonly link: DrawnLink;
  readonly layout: Layout;
  readonly vlans: TopologyAnswer["vlans"];
  readonly traffic: DrawnTraffic | null;
  readonly measure: Measure;
  readonly isLit: boolean;
}) {
  const at = layout.labels.get(link.id);
  const [vlan, rate] = [vlanLabel(link), rateLabel(traffic, measure)];
  if (at === undefined || (vlan === "" && rate === "")) return null;
  const text = [vlan, rate].filter((one) => one !== "").join("  ");
  const width = text.length * LETTER + PADDING;
  return (
    <g
      class={`link-label ${vlanClass(link.vlan, vlans)} ${isLit ? "" : "unlit"}`}
      transform={`translate(${at.x} ${at.y})`}
    >
      <title>{linkWords(link, traffic, measure)}</title>
      <rect x={-width / 2} y={-HEIGHT / 2} width={width} height={HEIGHT} rx={7.5} />
      <text y={4}>
        {vlan !== "" && <tspan class="vlan">{vlan}</tspan>}
        {vlan !== "" && rate !== "" && "  "}
        {rate}
      </text>
    </g>
  );
}

export function linkWords(link: DrawnLink, traffic: DrawnTraffic | null, measure: Measure): string {
  const vlan = vlanLabel(link);
  const names = link.members.map(({ label }) => label).filter((label) => label !== "");
  return [
    link.members.length > 4 ? `${link.members.length} ${link.kind}s` : `${link.kind} ${names.join(", ")}`,
    vlan === "" ? "" : link.vlan === null ? `carries VLANs ${link.carries.join(", ")}` : `VLAN ${vlan}`,
    traffic === null ? "" : trafficWords(traffic, measure),
  ]
    .filter((one) => one !== "")
    .join("\n");
}

/** The packet's way: one line through the links it takes, drawn from its beginning to its end. */
export function WayLine({ way, layout }: { readonly way: Way; readonly layout: Layout }) {
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

export function pathOf(points: readonly Point[]): string {
  return points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x} ${y}`).join("");
}
