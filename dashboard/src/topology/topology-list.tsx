// All that the drawing tells, in words: a table for each kind of node, and one of the lines between them. For
// those who do not see the drawing, for narrow screens, and for whoever looks for a figure.
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
const NODE_HEADS = [
  ["Name"],
  ["State"],
  ["What"],
  ["VLAN"],
  ["Services and counters"],
  ["Inside"],
  ["Line"],
] as const;
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
  choose,
}: {
  readonly topology: TopologyAnswer;
  readonly state: TopologyState | null;
  /** Only what is of it; null: everything. */
  readonly vlan: number | null;
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
        </span>
      </p>
      {KINDS.map(([kind, title]) => {
        const some = byKind.get(kind) ?? [];
        if (some.length === 0) return null;
        return (
          <section key={kind} aria-label={title}>
            <h2>
              {title} <span class="quiet small">{some.length}</span>
            </h2>
            <div class="table-scroll">
              <table aria-rowcount={some.length + 1}>
                <Heads columns={NODE_HEADS} />
                <VirtualRows
                  rows={some}
                  rowHeight={ROW_HEIGHT}
                  columns={NODE_HEADS.length}
                  render={(node) => (
                    <NodeRow
                      key={node.id}
                      node={node}
                      state={state?.nodes[node.id] ?? null}
                      choose={choose}
                    />
                  )}
                />
              </table>
            </div>
          </section>
        );
      })}
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
                render={(link) => <LinkRow key={link.id} link={link} names={names} state={state} />}
              />
            </table>
          </div>
        </section>
      )}
    </div>
  );
}

function NodeRow({
  node: { id, name, lines, vlan, services, inside, span },
  state,
  choose,
}: {
  readonly node: TopologyNode;
  readonly state: NodeState | null;
  choose(id: string): void;
}) {
  return (
    <tr>
      <th scope="row">
        <button type="button" class="link" onClick={() => choose(id)}>
          {name}
        </button>
      </th>
      <td>{state !== null && <Badge tone={STATE_TONES[state.state]}>{state.state}</Badge>}</td>
      <td>{lines.join(" · ")}</td>
      <td>{vlanLabel({ vlan, carries: [] })}</td>
      <td>{serviceWords(services, state)}</td>
      <td>{inside?.slice(inside.indexOf("/") + 1)}</td>
      <td>
        <code>{formatPlace(span)}</code>
      </td>
    </tr>
  );
}

function LinkRow({
  link,
  names,
  state,
}: {
  readonly link: TopologyLink;
  readonly names: ReadonlyMap<string, string>;
  readonly state: TopologyState | null;
}) {
  const traffic = state?.links[link.id];
  return (
    <tr>
      <td>{names.get(link.from)}</td>
      <td>{names.get(link.to)}</td>
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
