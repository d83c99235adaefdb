// The datacentre as a drawing: what is connected with what, how it does, and which line of the file says so.
import { useMemo, useState } from "preact/hooks";
import type {
  NodeState,
  TopologyAnswer,
  TopologyNode,
  TopologyState,
} from "../../../src/model/dashboard-datacenter.ts";
import { session } from "../api/client.ts";
import { Badge, Empty, Fault, PageHead, type Tone } from "../parts/small.tsx";
import { goWith, place } from "../router.ts";
import { formatBytes, formatCount, formatPlace } from "../text/format.ts";
import type { DrawnNode } from "../topology/grouping.ts";
import { TopologyMap } from "../topology/map.tsx";
import { useLayout } from "../topology/use-layout.ts";
import { useTopology } from "../topology/use-topology.ts";

const APPLIED = {
  no: ["not made on this machine", "quiet"],
  yes: ["as it was made", "good"],
  changed: ["it has changed", "warning"],
  unknown: ["", "quiet"],
} as const;
const TONES: Readonly<Record<NodeState["state"], Tone>> = { up: "good", degraded: "warning", down: "bad" };
const LISTED_MAX = 100;

export default function TopologyPage() {
  const { query } = place.value;
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const { topology, state, drawn } = useTopology(opened);
  const laid = useLayout(drawn);
  const { data, fault, again } = topology;
  const chosen = query.get("node");
  const choose = (id: string) => goWith({ node: chosen === id ? "" : id });
  const shown = drawn?.nodes.find(({ id }) => id === (drawn.drawnBy.get(chosen ?? "") ?? chosen)) ?? null;
  const node = data?.nodes.find(({ id }) => id === chosen) ?? null;
  const find = (text: string) => {
    const found = data?.nodes.find(({ name }) => name === text);
    if (found !== undefined) goWith({ node: found.id });
  };
  const [word, tone] = APPLIED[state?.applied ?? "unknown"];
  return (
    <>
      <PageHead title="Topology">
        {data !== null && <span class="quiet">{data.name}</span>}
        {word !== "" && <Badge tone={tone}>{word}</Badge>}
        <input
          type="search"
          list="topology-names"
          aria-label="Find by name"
          placeholder="Find by name"
          onInput={(event) => find(event.currentTarget.value)}
        />
        <Names topology={data} />
      </PageHead>
      {fault !== null && data === null && <Fault fault={fault} again={again} />}
      {data !== null && !data.isUsable && (
        <p class="notice warning">
          The file has errors: <a href="/check">Check</a> shows them.
        </p>
      )}
      {state?.applied === "changed" && (
        <details class="notice warning">
          <summary>What differs from what was made</summary>
          {state.drift.map((line) => (
            <p key={line}>{line}</p>
          ))}
        </details>
      )}
      <div class={shown === null ? "stack" : "split"}>
        {data !== null && laid !== null ? (
          <TopologyMap
            topology={data}
            state={state}
            drawn={laid.drawn}
            layout={laid.layout}
            chosen={shown?.id ?? null}
            choose={choose}
          />
        ) : (
          fault === null && <Empty>Drawing …</Empty>
        )}
        {shown !== null && (
          <section class="card panel" aria-label="Details">
            {node === null ? (
              <Group
                group={shown}
                open={() => setOpened(new Set([...opened, shown.id.slice("group/".length)]))}
                choose={choose}
              />
            ) : (
              <>
                <Details node={node} state={state?.nodes[node.id] ?? null} />
                {shown.id === node.id && shown.members.length > 0 && (
                  <Group
                    group={shown}
                    open={() => setOpened(new Set([...opened, shown.id]))}
                    choose={choose}
                  />
                )}
              </>
            )}
          </section>
        )}
      </div>
      {laid !== null && <NodeList nodes={laid.drawn.nodes} state={state} choose={choose} />}
    </>
  );
}

/** What is drawn, in words: for narrow screens and for those who do not see the drawing. */
function NodeList({
  nodes,
  state,
  choose,
}: {
  readonly nodes: readonly DrawnNode[];
  readonly state: TopologyState | null;
  choose(id: string): void;
}) {
  return (
    <details class="card">
      <summary>As a list: {nodes.length}</summary>
      <ul>
        {nodes.map(({ id, title, lines, node }) => (
          <li key={id}>
            <button type="button" class="link" onClick={() => choose(id)}>
              {title}
            </button>{" "}
            <span class="quiet small">
              {[node?.kind ?? "group", state?.nodes[id]?.state ?? "", ...lines, ...(node?.services ?? [])]
                .filter((word) => word !== "")
                .join(" · ")}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

export function Names({ topology }: { readonly topology: TopologyAnswer | null }) {
  const names = useMemo(() => topology?.nodes.map(({ name }) => name) ?? [], [topology]);
  return (
    <datalist id="topology-names">
      {names.slice(0, 2000).map((name) => (
        <option key={name} value={name} />
      ))}
    </datalist>
  );
}

function Details({ node, state }: { readonly node: TopologyNode; readonly state: NodeState | null }) {
  const { name, kind, reference, lines, services, details, span } = node;
  const hasConsoles = session.value?.features.consoles === true && kind === "machine";
  return (
    <>
      <h2>
        {name} <span class="quiet small">{kind}</span>
      </h2>
      {state !== null && (
        <p>
          <Badge tone={TONES[state.state]}>{state.state}</Badge> {state.text}
        </p>
      )}
      <p class="quiet">{lines.join(" · ")}</p>
      <p class="chips">
        {services.map((service) => (
          <Badge key={service} tone="plain">
            {service}
          </Badge>
        ))}
      </p>
      <dl>
        {details.map(({ label, value, span: at }) => (
          <div key={`${label}${value}`}>
            <dt>{label}</dt>
            <dd>
              {value} {at !== null && at.line > 0 && <code class="quiet">{formatPlace(at)}</code>}
            </dd>
          </div>
        ))}
        {state?.counters.map(({ label, value, unit }) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{unit === "bytes" ? formatBytes(value) : `${formatCount(value)} ${unit}`}</dd>
          </div>
        ))}
        <div>
          <dt>Line</dt>
          <dd>
            <code>{formatPlace(span)}</code>
          </dd>
        </div>
      </dl>
      <p class="chips">
        {reference !== null && (
          <>
            <a class="button" href={`/explain?from=${encodeURIComponent(reference)}`}>
              Explain from here
            </a>
            <a class="button" href={`/explain?to=${encodeURIComponent(reference)}`}>
              Explain to here
            </a>
          </>
        )}
        {state?.servers.map((server) => (
          <a key={server} class="button" href={`/servers?find=${encodeURIComponent(server)}`}>
            {server}
          </a>
        ))}
        {hasConsoles && (
          <a class="button" href={`/consoles?find=${encodeURIComponent(name)}`}>
            Console
          </a>
        )}
      </p>
    </>
  );
}

function Group({
  group,
  open,
  choose,
}: {
  readonly group: DrawnNode;
  open(): void;
  choose(id: string): void;
}) {
  const { title, members, node } = group;
  return (
    <>
      <h2>{node === null ? title : `Its machines: ${members.length}`}</h2>
      {members.length <= LISTED_MAX && (
        <button type="button" onClick={open}>
          Draw them all
        </button>
      )}
      <ul>
        {members.slice(0, LISTED_MAX).map(({ id, name, lines }) => (
          <li key={id}>
            <button type="button" class="link" onClick={() => choose(id)}>
              {name}
            </button>{" "}
            <span class="quiet small">{lines[0]}</span>
          </li>
        ))}
      </ul>
      {members.length > LISTED_MAX && (
        <p class="quiet">and {members.length - LISTED_MAX} more, found by their names above</p>
      )}
    </>
  );
}
