// The datacentre as a drawing or as lists: what is connected with what, how it does, and which line of the
// file says so.
import { useCallback, useState } from "preact/hooks";
import type { TopologyState } from "../../../src/model/dashboard-datacenter.ts";
import { Badge, Empty, Fault, PageHead, type Tone } from "../parts/small.tsx";
import { goWith, place } from "../router.ts";
import { FindField } from "../topology/find-field.tsx";
import { TopologyMap } from "../topology/map.tsx";
import { GroupPanel, NodePanel } from "../topology/node-panel.tsx";
import { TopologyList } from "../topology/topology-list.tsx";
import { useLayout } from "../topology/use-layout.ts";
import { useTopology } from "../topology/use-topology.ts";
import "../topology/panel.css";

const APPLIED: Readonly<Record<TopologyState["applied"], readonly [words: string, tone: Tone]>> = {
  no: ["not made on this machine", "quiet"],
  yes: ["as it was made", "good"],
  changed: ["it has changed", "warning"],
  unknown: ["", "quiet"],
};

export default function TopologyPage() {
  const { query } = place.value;
  const chosen = query.get("node");
  const isList = query.get("view") === "list";
  const vlan = numberOf(query.get("vlan"));
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const { topology, state, drawn } = useTopology(opened, chosen === null ? [] : [chosen]);
  const laid = useLayout(isList ? null : drawn, chosen !== null);
  const { data, fault, again } = topology;
  const choose = useCallback((id: string) => {
    goWith({ node: place.value.query.get("node") === id ? "" : id });
  }, []);
  const isolate = useCallback((one: number | null) => goWith({ vlan: one === null ? "" : String(one) }), []);
  const shown = drawn?.nodes.find(({ id }) => id === (drawn.drawnBy.get(chosen ?? "") ?? chosen)) ?? null;
  const node = data?.nodes.find(({ id }) => id === chosen) ?? null;
  const open = (network: string) => setOpened(new Set([...opened, network]));
  return (
    <>
      <PageHead title="Topology">
        {data !== null && <span class="quiet">{data.name}</span>}
        <AppliedBadge state={state} />
        <fieldset class="choices" aria-label="Shown as">
          <button type="button" aria-pressed={!isList} onClick={() => goWith({ view: "" })}>
            Drawing
          </button>
          <button type="button" aria-pressed={isList} onClick={() => goWith({ view: "list" })}>
            List
          </button>
        </fieldset>
        <FindField nodes={data?.nodes ?? []} choose={({ id }) => goWith({ node: id })} />
      </PageHead>
      {fault !== null && data === null && <Fault fault={fault} again={again} />}
      {data !== null && !data.isUsable && (
        <p class="notice warning">
          The file has errors: <a href="/check">Check</a> shows them.
        </p>
      )}
      <Drift state={state} />
      <div class={shown === null ? "stack" : "split"}>
        {isList && data !== null ? (
          <TopologyList topology={data} state={state} vlan={vlan} isolate={isolate} choose={choose} />
        ) : data !== null && laid !== null ? (
          <TopologyMap
            topology={data}
            state={state}
            drawn={laid.drawn}
            layout={laid.layout}
            chosen={shown?.id ?? null}
            choose={choose}
            vlan={vlan}
            isolate={isolate}
            shown={shown?.id ?? null}
          />
        ) : (
          fault === null && <Empty>Drawing …</Empty>
        )}
        {shown !== null && data !== null && (
          <section class="card panel" aria-label="Details">
            {node !== null && <NodePanel node={node} topology={data} state={state} choose={choose} />}
            {node === null && (
              <GroupPanel group={shown} open={() => open(shown.id.slice("group/".length))} choose={choose} />
            )}
            {node !== null && shown.id === node.id && shown.members.length > 0 && (
              <GroupPanel group={shown} open={() => open(shown.id)} choose={choose} />
            )}
          </section>
        )}
      </div>
    </>
  );
}

function AppliedBadge({ state }: { readonly state: TopologyState | null }) {
  const [words, tone] = APPLIED[state?.applied ?? "unknown"];
  if (words === "") return null;
  return <Badge tone={tone}>{state?.isRootless === true ? `${words}, rootless` : words}</Badge>;
}

function Drift({ state }: { readonly state: TopologyState | null }) {
  if (state === null || state.drift.length === 0) return null;
  const isChanged = state.applied === "changed";
  return (
    <details class="notice warning">
      <summary>
        {isChanged ? "What differs from what was made" : "Whether it is made here cannot be told"}
      </summary>
      {state.drift.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </details>
  );
}

/** Null: there is none, or it is no number. */
function numberOf(text: string | null): number | null {
  return text !== null && /^\d{1,8}$/.test(text) ? Number(text) : null;
}
