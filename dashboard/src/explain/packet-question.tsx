// A packet through the datacentre: its way on the drawing, and beside it what decided at each hop, there and
// back; where it leads to a load balancer, through that and on to the server.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { PacketExplanation, TopologyAnswer } from "../../../src/model/dashboard-datacenter.ts";
import { CopyLine } from "../parts/copy-line.tsx";
import { RequestTraceView } from "../parts/request-trace.tsx";
import { Badge, Empty, Fault } from "../parts/small.tsx";
import { go, place } from "../router.ts";
import { useLoaded } from "../state/loaded.ts";
import { TopologyMap } from "../topology/map.tsx";
import { onlyWays } from "../topology/trace-way.ts";
import { useLayout } from "../topology/use-layout.ts";
import { useTopology } from "../topology/use-topology.ts";
import { exampleQuestions } from "./example-questions.ts";
import { Hops } from "./hops.tsx";
import { legsOf, metBy, wayOfLegs } from "./legs.ts";
import { PacketForm } from "./packet-form.tsx";
import { type PacketFields, packetCommand, protocolWords, requestWords } from "./question-words.ts";
import { requestFieldsOf } from "./request-form.tsx";

/** Of larger drawings only what is met is drawn, so that it can be read, until somebody wants all of it. */
const WHOLE_MAX = 20;
const NOTHING_OPENED: ReadonlySet<string> = new Set();

export function PacketQuestion() {
  const { query } = place.value;
  const question = questionOf(query);
  const { data, fault, again } = useLoaded<PacketExplanation>(question);
  const answered = question === null ? null : data;
  const wanted = useMemo(() => (answered === null ? [] : metBy(answered)), [answered]);
  const { topology, state, drawn } = useTopology(NOTHING_OPENED, wanted);
  const [isOnly, setOnly] = useState<boolean | null>(null);
  const isNarrowed = isOnly ?? (drawn?.nodes.length ?? 0) > WHOLE_MAX;
  const narrowed = useMemo(() => {
    if (!isNarrowed || drawn === null || answered === null) return drawn;
    const ways = (["there", "back"] as const).map((one) => wayOfLegs(legsOf(answered, one), drawn));
    return onlyWays(
      drawn,
      ways.filter((way) => way !== null),
    );
  }, [isNarrowed, drawn, answered]);
  const laid = useLayout(narrowed, answered !== null);
  const [which, setWhich] = useState<"there" | "back">("there");
  const [marked, setMarked] = useState<string | null>(null);
  const [vlan, setVlan] = useState<number | null>(null);
  useEffect(() => {
    setWhich("there");
    setMarked(null);
  }, [question]);
  const legs = useMemo(() => (answered === null ? [] : legsOf(answered, which)), [answered, which]);
  const way = useMemo(() => (laid === null ? null : wayOfLegs(legs, laid.drawn)), [legs, laid]);
  const mark = (id: string | null) => setMarked(id === null ? null : (laid?.drawn.drawnBy.get(id) ?? null));
  return (
    <>
      <PacketForm topology={topology.data} />
      {fault !== null && <Fault fault={fault} again={again} />}
      {question === null && (
        <Empty>
          <p>Say from where to where: names of the file, or addresses. Nothing is sent.</p>
          <Examples topology={topology.data} />
        </Empty>
      )}
      <div class={answered === null ? "stack" : "split explained"}>
        {topology.data !== null && laid !== null && (
          <TopologyMap
            key={`${question} ${isNarrowed}`}
            topology={topology.data}
            state={state}
            drawn={laid.drawn}
            layout={laid.layout}
            chosen={null}
            choose={goToNode}
            way={fault === null ? way : null}
            marked={marked}
            vlan={vlan}
            isolate={setVlan}
            shown={marked}
            isLegendOpen={false}
          />
        )}
        {answered !== null && (
          <section class="card panel" aria-label="Explanation">
            <Verdict answer={answered} />
            <p class="chips">
              <button type="button" aria-pressed={isNarrowed} onClick={() => setOnly(!isNarrowed)}>
                Draw only the way
              </button>
            </p>
            {answered.trace.back !== null && (
              <fieldset class="choices" aria-label="Which way">
                {(["there", "back"] as const).map((one) => (
                  <button key={one} type="button" aria-pressed={which === one} onClick={() => setWhich(one)}>
                    {one === "there" ? "There" : "Back"}
                  </button>
                ))}
              </fieldset>
            )}
            {legs.map(({ title, path, first }, index) => (
              <section key={`${which}${title}`} class="leg" aria-label={title || undefined}>
                {title !== "" && <h2>{title}</h2>}
                <Hops path={path} first={first} mark={mark} />
                {index === 0 && which === "there" && answered.beyond !== null && (
                  <>
                    <h2>At the load balancer of {answered.beyond.edge}</h2>
                    <RequestTraceView trace={answered.beyond.request} />
                  </>
                )}
              </section>
            ))}
            <Elsewhere query={query} topology={topology.data} />
          </section>
        )}
      </div>
    </>
  );
}

function Examples({ topology }: { readonly topology: TopologyAnswer | null }) {
  const examples = topology === null ? [] : exampleQuestions(topology);
  return (
    <p class="chips">
      {examples.map(({ words, query }) => (
        <a key={query} class="button" href={`/explain?${query}`}>
          {words}
        </a>
      ))}
    </p>
  );
}

function goToNode(id: string): void {
  go(`/topology?node=${encodeURIComponent(id)}`);
}

function packetFieldsOf(query: URLSearchParams): PacketFields {
  const value = (name: string) => query.get(name) ?? "";
  const protocol = value("protocol") || "tcp";
  return { from: value("from"), to: value("to"), protocol, port: protocol === "icmp" ? "" : value("port") };
}

/** Null: it is not whole yet. */
function questionOf(query: URLSearchParams): string | null {
  const packet = packetFieldsOf(query);
  if (packet.from === "" || packet.to === "") return null;
  const [protocol, port] = protocolWords(packet);
  const { url, method, headers } = requestWords(requestFieldsOf(query));
  const words = new URLSearchParams({ from: packet.from, to: packet.to, back: "true" });
  if (protocol !== undefined) words.set("protocol", protocol);
  if (port !== undefined) words.set("port", port);
  if (url !== "") words.set("url", url);
  if (method !== null) words.set("method", method);
  for (const header of headers) words.append("header", header);
  return `/explain/packet?${words}`;
}

function Verdict({ answer: { trace, arrives } }: { readonly answer: PacketExplanation }) {
  const { there, back } = trace;
  return (
    <>
      <p role="status">
        <Badge tone={arrives ? "good" : "bad"}>{there.disposition}</Badge> {there.summary}
      </p>
      {!arrives && back !== null && back.disposition !== "delivered" && (
        <p class="bad-text">The answer: {back.summary}.</p>
      )}
    </>
  );
}

/** The same question in a terminal and in somebody else's browser. */
function Elsewhere({
  query,
  topology,
}: {
  readonly query: URLSearchParams;
  readonly topology: TopologyAnswer | null;
}) {
  const request = requestWords(requestFieldsOf(query));
  return (
    <div class="copy-lines">
      {topology !== null && (
        <CopyLine label="As a command" text={packetCommand(topology.file, packetFieldsOf(query), request)} />
      )}
      <CopyLine label="As a link" text={`${location.origin}/explain?${query}`} />
    </div>
  );
}
