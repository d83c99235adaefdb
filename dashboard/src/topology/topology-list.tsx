// All that the drawing tells, in words: a table for each kind of node, and one of the lines between them. For
// those who do not see the drawing, for narrow screens, and for whoever looks for a figure.
import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import type {
  LinkFlow,
  NodeState,
  TopologyAnswer,
  TopologyLink,
  TopologyNode,
  TopologyNodeKind,
  TopologyState,
} from "../../../src/model/dashboard-datacenter.ts";
import { Badge, Heads } from "../parts/small.tsx";
import { VirtualRows } from "../parts/virtual-rows.tsx";
import { formatBytesRate, formatCount, formatPlace, plural } from "../text/format.ts";
import { vlanLabel } from "./link-words.ts";
import { formatCounter, STATE_TONES } from "./node-panel.tsx";

const ROW_HEIGHT = 34;
const KINDS: readonly (readonly [kind: TopologyNodeKind, title: string])[] = [
  ["external", "Outside"],
  ["fabric", "Physical switches"],
  ["host", "Hosts"],
  ["switch", "Virtual switches"],
  ["network", "Networks"],
  ["edge", "Edges"],
  ["fence", "Fences"],
  ["machine", "Machines"],
];
/** What stands in a row; a column that has nothing for a whole table is left out of it. */
interface Column {
  readonly label: string;
  has(node: TopologyNode, state: NodeState | null): boolean;
  cell(node: TopologyNode, state: NodeState | null): ComponentChildren;
}

const COLUMNS: readonly Column[] = [
  {
    label: "State",
    has: (_, state) => state !== null,
    cell: (_, state) =>
      state !== null && (
        <>
          <Badge tone={STATE_TONES[state.state]}>{state.state}</Badge> {state.text}
        </>
      ),
  },
  { label: "What", has: ({ lines }) => lines.length > 0, cell: ({ lines }) => lines.join(" · ") },
  {
    label: "VLAN",
    has: ({ vlan }) => vlan !== null,
    cell: ({ vlan }) => vlanLabel({ vlan, carries: [] }),
  },
  {
    label: "Services and counters",
    has: ({ services }, state) => services.length > 0 || (state?.counters.length ?? 0) > 0,
    cell: ({ services }, state) => serviceWords(services, state),
  },
  {
    label: "Inside",
    has: ({ inside }) => inside !== null,
    cell: ({ inside }) => inside?.slice(inside.indexOf("/") + 1),
  },
  {
    label: "Line",
    has: () => true,
    cell: ({ span }) => <code>{formatPlace(span)}</code>,
  },
];
const LINK_HEADS = [
  ["From"],
  ["To"],
  ["Kind"],
  ["VLAN"],
  ["At its ends"],
  ["Sent", "number"],
  ["Received", "number"],
  ["Counted by"],
] as const;

export function TopologyList({
  topology,
  state,
  vlan,
  isolate,
  choose,
}: {
  readonly topology: TopologyAnswer;
  readonly state: TopologyState | null;
  /** Only what is of it; null: everything. */
  readonly vlan: number | null;
  isolate(vlan: number | null): void;
  choose(id: string): void;
}) {
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const names = useMemo(() => new Map(topology.nodes.map(({ id, name }) => [id, name])), [topology]);
  const nodes = useMemo(
    () => topology.nodes.filter((node) => (vlan === null || node.vlan === vlan) && hasWord(node, wanted)),
    [topology, vlan, wanted],
  );
  const links = useMemo(() => {
    const word = (id: string) => names.get(id)?.toLowerCase().includes(wanted) === true;
    return topology.links.filter(
      (link) => (vlan === null || link.vlan === vlan) && (word(link.from) || word(link.to)),
    );
  }, [topology, vlan, wanted, names]);
  const byKind = useMemo(() => Map.groupBy(nodes, ({ kind }) => kind), [nodes]);
  return (
    <div class="stack topology-list">
      <p>
        <input
          type="search"
          aria-label="Only with this word"
          placeholder="Only with this word"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />{" "}
        <span class="quiet" role="status">
          {plural(nodes.length, "node")}, {plural(links.length, "link")}
        </span>{" "}
        {vlan !== null && (
          <button type="button" aria-pressed="true" onClick={() => isolate(null)}>
            Only VLAN {vlanLabel({ vlan, carries: [] })}
          </button>
        )}
      </p>
      {KINDS.map(([kind, title]) => (
        <NodeTable key={kind} title={title} nodes={byKind.get(kind) ?? []} state={state} choose={choose} />
      ))}
      {links.length > 0 && (
        <section aria-label="Links">
          <h2>
            Links <span class="quiet small">{links.length}</span>
          </h2>
          <div class="table-scroll">
            <table aria-rowcount={links.length + 1}>
              <Heads columns={LINK_HEADS} />
              <VirtualRows
                rows={links}
                rowHeight={ROW_HEIGHT}
                columns={LINK_HEADS.length}
                render={(link) => <LinkRow key={link.id} {...{ link, names, state, choose }} />}
              />
            </table>
          </div>
        </section>
      )}
    </div>
  );
}

function NodeTable({
  title,
  nodes,
  state,
  choose,
}: {
  readonly title: string;
  readonly nodes: readonly TopologyNode[];
  readonly state: TopologyState | null;
  choose(id: string): void;
}) {
  if (nodes.length === 0) return null;
  const stateOf = ({ id }: TopologyNode) => state?.nodes[id] ?? null;
  const columns = COLUMNS.filter(({ has }) => nodes.some((node) => has(node, stateOf(node))));
  return (
    <section aria-label={title}>
      <h2>
        {title} <span class="quiet small">{nodes.length}</span>
      </h2>
      <div class="table-scroll">
        <table aria-rowcount={nodes.length + 1}>
          <Heads columns={[["Name"], ...columns.map(({ label }): [string] => [label])]} />
          <VirtualRows
            rows={nodes}
            rowHeight={ROW_HEIGHT}
            columns={columns.length + 1}
            render={(node) => (
              <tr key={node.id}>
                <th scope="row">
                  <NameButton id={node.id} name={node.name} choose={choose} />
                </th>
                {columns.map(({ label, cell }) => (
                  <td key={label}>{cell(node, stateOf(node))}</td>
                ))}
              </tr>
            )}
          />
        </table>
      </div>
    </section>
  );
}

function NameButton({
  id,
  name,
  choose,
}: {
  readonly id: string;
  readonly name: string | undefined;
  choose(id: string): void;
}) {
  return (
    <button type="button" class="link" onClick={() => choose(id)}>
      {name}
    </button>
  );
}

function LinkRow({
  link,
  names,
  state,
  choose,
}: {
  readonly link: TopologyLink;
  readonly names: ReadonlyMap<string, string>;
  readonly state: TopologyState | null;
  choose(id: string): void;
}) {
  const traffic = state?.links[link.id];
  return (
    <tr>
      <td>
        <NameButton id={link.from} name={names.get(link.from)} choose={choose} />
      </td>
      <td>
        <NameButton id={link.to} name={names.get(link.to)} choose={choose} />
      </td>
      <td>{link.kind}</td>
      <td>{link.vlan === null ? link.carries.join(", ") : vlanLabel(link)}</td>
      <td>{link.label}</td>
      <td class="number">{flowWords(traffic?.sent)}</td>
      <td class="number">{flowWords(traffic?.received)}</td>
      <td>{traffic?.countedBy.replace("-", " ")}</td>
    </tr>
  );
}

/** "NAT: 12 connections known to NAT · firewall · sessions 3". */
function serviceWords(services: readonly string[], state: NodeState | null): string {
  const counters = state?.counters ?? [];
  const words = (service: string | null) =>
    counters
      .filter((one) => one.service === service)
      .map(({ value, unit, label }) =>
        service === null
          ? `${label} ${formatCounter(value, unit)}`
          : `${formatCounter(value, unit)} ${label}`,
      )
      .join(", ");
  return [
    ...services.map((service) => {
      const counted = words(service);
      return counted === "" ? service : `${service}: ${counted}`;
    }),
    words(null),
  ]
    .filter((one) => one !== "")
    .join(" · ");
}

function flowWords(flow: LinkFlow | undefined): string {
  if (flow === undefined || flow.bytesPerSecond === null) return "";
  const packets =
    flow.packetsPerSecond === null ? "" : `, ${formatCount(Math.round(flow.packetsPerSecond))} p/s`;
  return `${formatBytesRate(flow.bytesPerSecond)}${packets}`;
}

function hasWord({ name, kind, lines, services }: TopologyNode, wanted: string): boolean {
  return wanted === "" || [name, kind, ...lines, ...services].join(" ").toLowerCase().includes(wanted);
}
