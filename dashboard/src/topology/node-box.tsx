// A box of the drawing: what it is, its services with what they count, and how it does.
import type { NodeState, TopologyAnswer } from "../../../src/model/dashboard-datacenter.ts";
import { chipCount, chipsIn, chipWords, servicesShown } from "./chips.ts";
import { vlanClass } from "./colours.ts";
import { type Box, chipsTop, LINE_HEIGHT } from "./elk-graph.ts";
import type { DrawnNode } from "./grouping.ts";
import { vlanLabel } from "./link-words.ts";

export interface BoxMarks {
  readonly isChosen: boolean;
  readonly isMarked: boolean;
  /** Of the way: which of its hops are here, from 1; null: it does not come here. */
  readonly hops: readonly number[] | null;
  /** False: something else is looked at. */
  readonly isLit: boolean;
  /** The one that the Tab key leads to. */
  readonly isActive: boolean;
}

const TITLE_LETTER = 7.2;

export function NodeBox({
  node,
  box,
  vlans,
  state,
  marks,
  hasText,
  choose,
  handleFocus,
}: {
  readonly node: DrawnNode;
  readonly box: Box;
  readonly vlans: TopologyAnswer["vlans"];
  readonly state: NodeState | null;
  readonly marks: BoxMarks;
  readonly hasText: boolean;
  choose(id: string): void;
  handleFocus(id: string | null): void;
}) {
  const kind = node.node?.kind ?? "group";
  const { isChosen, isMarked, hops, isLit, isActive } = marks;
  const classes = [
    "node",
    kind,
    vlanClass(node.vlan, vlans),
    isChosen ? "chosen" : "",
    hops === null ? "" : "on-way",
    isMarked ? "marked" : "",
    isLit ? "" : "unlit",
  ];
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing has no buttons of HTML.
    <g
      class={classes.filter((one) => one !== "").join(" ")}
      data-id={node.id}
      role="button"
      tabIndex={isActive ? 0 : -1}
      aria-label={wordsOf(node, state, hops)}
      aria-pressed={isChosen}
      transform={`translate(${box.x} ${box.y})`}
      onClick={() => choose(node.id)}
      onFocus={() => handleFocus(node.id)}
      onBlur={() => handleFocus(null)}
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
      {state !== null && <StateMark state={state.state} x={box.width - 13} />}
      {hasText && <BoxWords node={node} box={box} state={state} hops={hops} />}
    </g>
  );
}

/** At the box's corner. */
export function BoxWords({
  node,
  box,
  state,
  hops,
}: {
  readonly node: DrawnNode;
  readonly box: Box;
  readonly state: NodeState | null;
  readonly hops: readonly number[] | null;
}) {
  const { chips } = chipsIn(node, box.width - 24);
  return (
    <>
      <text class="title" x={14} y={19}>
        {`${shortened(node.title, box.width - (state === null ? 22 : 38))} `}
      </text>
      {node.lines.map((line, index) => (
        <text key={line} class="line" x={14} y={34 + index * LINE_HEIGHT}>
          {`${shortened(line, (box.width - 20) * 1.12)} `}
        </text>
      ))}
      {chips.length > 0 && (
        <g transform={`translate(12 ${chipsTop(node)})`}>
          {chips.map(({ service, x, y, width }) => {
            const count = chipCount(service, state);
            return (
              <g key={service} class={count === "" ? "chip" : "chip counted"}>
                <title>{chipWords(service, state)}</title>
                <rect x={x} y={y} width={width} height={17} rx={8.5} />
                <text x={x + width / 2} y={y + 12.5}>
                  {service} <tspan class="count">{`${count} `}</tspan>
                </text>
              </g>
            );
          })}
        </g>
      )}
      {hops !== null && hops.length > 0 && <HopNumber text={hops.join(" ")} />}
    </>
  );
}

/** Told by its shape too: a disc is up, a triangle degraded, a cross down. */
function StateMark({ state, x }: { readonly state: NodeState["state"]; readonly x: number }) {
  switch (state) {
    case "up":
      return <circle class="state up" cx={x} cy={15} r={5} />;
    case "degraded":
      return <path class="state degraded" d={`M${x} 9l6 11h-12z`} />;
    case "down":
      return <path class="state down" d={`M${x - 5} 10l10 10m0 -10l-10 10`} />;
  }
}

function HopNumber({ text }: { readonly text: string }) {
  const width = Math.max(18, text.length * 7 + 8);
  return (
    <g class="hop-number" transform={`translate(${-width / 2} -9)`}>
      <rect width={width} height={18} rx={9} />
      <text x={width / 2} y={13}>
        {text}
      </text>
    </g>
  );
}

function wordsOf(node: DrawnNode, state: NodeState | null, hops: readonly number[] | null): string {
  const kind = node.node?.kind ?? "group";
  const vlan = vlanLabel({ vlan: node.vlan, carries: [] });
  const words = [
    `${kind} ${node.title}`,
    ...node.lines,
    // What is seen, in its order and by its words: who says them to his machine shall be understood.
    ...servicesShown(node).map((service) => `${service} ${chipCount(service, state)}`.trim()),
    hops === null || hops.length === 0 ? "" : `${hops.join(" ")} as its hops`,
    vlan === "" || node.lines.some((line) => line.startsWith("VLAN")) ? "" : `VLAN ${vlan}`,
    ...(node.node?.services ?? []).map((service) => chipWords(service, state)),
    state?.state ?? "",
  ];
  return words.filter((one) => one !== "").join(", ");
}

function shortened(text: string, width: number): string {
  const letters = Math.floor(width / TITLE_LETTER);
  return text.length <= letters ? text : `${text.slice(0, Math.max(1, letters - 1))}…`;
}
