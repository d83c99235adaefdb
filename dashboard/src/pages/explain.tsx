// Where a packet or a request goes, and which line decided it: asked in a form, shown on the drawing, told
// step by step; the address of the page is the question.
import { useEffect, useState } from "preact/hooks";
import type { JsonOf, PacketExplanation, TopologyAnswer } from "../../../src/model/dashboard-datacenter.ts";
import { topologyIdOf } from "../../../src/model/dashboard-datacenter.ts";
import type { RequestTrace } from "../../../src/model/request-trace.ts";
import type { TracePath } from "../../../src/model/trace.ts";
import { type ApiFault, post, session } from "../api/client.ts";
import { RequestTraceView } from "../parts/request-trace.tsx";
import { Badge, Empty, Fault, PageHead } from "../parts/small.tsx";
import { go, place } from "../router.ts";
import { useLoaded } from "../state/loaded.ts";
import { formatPlace } from "../text/format.ts";
import { TopologyMap } from "../topology/map.tsx";
import { hopsToEnd, wayOf } from "../topology/trace-way.ts";
import { useLayout } from "../topology/use-layout.ts";
import { useTopology } from "../topology/use-topology.ts";
import { Names } from "./topology.tsx";

const NOTHING_OPENED: ReadonlySet<string> = new Set();

export default function ExplainPage() {
  const hasDatacenter = session.value?.features.datacenter === true;
  const isRequest = !hasDatacenter || place.value.query.get("of") === "request";
  return (
    <>
      <PageHead title="Explain">
        {hasDatacenter && (
          <fieldset class="choices" aria-label="What">
            <button type="button" aria-pressed={!isRequest} onClick={() => go("/explain")}>
              A packet
            </button>
            <button type="button" aria-pressed={isRequest} onClick={() => go("/explain?of=request")}>
              A request
            </button>
          </fieldset>
        )}
      </PageHead>
      {isRequest ? <RequestQuestion /> : <PacketQuestion />}
    </>
  );
}

// ---- A packet through the datacentre ----

const FIELDS = ["from", "to", "protocol", "port", "url"] as const;

function PacketQuestion() {
  const { query } = place.value;
  const { topology, state, drawn } = useTopology(NOTHING_OPENED);
  const laid = useLayout(drawn);
  const [from, to] = [query.get("from") ?? "", query.get("to") ?? ""];
  const words = FIELDS.flatMap((name) => {
    const value = query.get(name) ?? "";
    return value === "" ? [] : [`${name}=${encodeURIComponent(value)}`];
  });
  const question = from === "" || to === "" ? null : `/explain/packet?${words.join("&")}&back=true`;
  const { data, fault, again } = useLoaded<PacketExplanation>(question);
  const [which, setWhich] = useState<"there" | "back">("there");
  const [marked, setMarked] = useState<string | null>(null);
  useEffect(() => {
    setWhich("there");
    setMarked(null);
  }, [question]);
  const path =
    data === null ? null : which === "back" && data.trace.back !== null ? data.trace.back : data.trace.there;
  const way = path === null || laid === null ? null : wayOf(path, laid.drawn);
  return (
    <>
      <PacketForm topology={topology.data} />
      {fault !== null && <Fault fault={fault} again={again} />}
      {question === null && <Empty>Say from where to where: names of the file, or addresses.</Empty>}
      <div class={data === null ? "stack" : "split explained"}>
        {topology.data !== null && laid !== null && (
          <TopologyMap
            topology={topology.data}
            state={state}
            drawn={laid.drawn}
            layout={laid.layout}
            chosen={null}
            choose={(id) => go(`/topology?node=${encodeURIComponent(id)}`)}
            way={fault === null ? way : null}
            marked={marked}
          />
        )}
        {data !== null && path !== null && (
          <section class="card panel" aria-label="Explanation">
            <p role="status">
              <Badge tone={data.arrives ? "good" : "bad"}>{data.trace.there.disposition}</Badge>{" "}
              {data.trace.there.summary}
            </p>
            {!data.arrives && data.trace.back !== null && data.trace.back.disposition !== "delivered" && (
              <p class="bad-text">The answer: {data.trace.back.summary}.</p>
            )}
            {data.trace.back !== null && (
              <fieldset class="choices" aria-label="Which way">
                <button type="button" aria-pressed={which === "there"} onClick={() => setWhich("there")}>
                  There
                </button>
                <button type="button" aria-pressed={which === "back"} onClick={() => setWhich("back")}>
                  Back
                </button>
              </fieldset>
            )}
            <Hops
              path={path}
              mark={(id) => setMarked(id === null ? null : (laid?.drawn.drawnBy.get(id) ?? null))}
            />
            {data.beyond !== null && which === "there" && (
              <>
                <h2>At the load balancer of {data.beyond.edge}</h2>
                <RequestTraceView trace={data.beyond.request} />
                {data.beyond.onward !== null && (
                  <>
                    <h2>On to the server</h2>
                    <Hops
                      path={data.beyond.onward.there}
                      mark={(id) => setMarked(id === null ? null : (laid?.drawn.drawnBy.get(id) ?? null))}
                    />
                  </>
                )}
              </>
            )}
          </section>
        )}
      </div>
    </>
  );
}

function PacketForm({ topology }: { readonly topology: TopologyAnswer | null }) {
  const { query } = place.value;
  const value = (name: string) => query.get(name) ?? "";
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const next = new URLSearchParams();
    for (const name of FIELDS) {
      const text = String(fields.get(name) ?? "").trim();
      if (text !== "") next.set(name, text);
    }
    go(`/explain?${next}`);
  };
  return (
    <form key={query.toString()} class="explain-form" onSubmit={submit}>
      <Names topology={topology} />
      <label>
        From
        <input name="from" list="topology-names" required defaultValue={value("from") || "internet"} />
      </label>
      <label>
        To
        <input
          name="to"
          list="topology-names"
          required
          placeholder="name or address"
          defaultValue={value("to")}
        />
      </label>
      <label>
        Protocol
        <select name="protocol" defaultValue={value("protocol") || "tcp"}>
          <option>tcp</option>
          <option>udp</option>
          <option>icmp</option>
        </select>
      </label>
      <label>
        Port
        <input name="port" inputMode="numeric" pattern="\d{1,5}" size={6} defaultValue={value("port")} />
      </label>
      <label>
        URL, beyond a load balancer
        <input name="url" size={26} placeholder="https://company.com/" defaultValue={value("url")} />
      </label>
      <button type="submit" class="primary">
        Explain
      </button>
    </form>
  );
}

function Hops({ path, mark }: { readonly path: JsonOf<TracePath>; mark(id: string | null): void }) {
  const [isFull, setFull] = useState(false);
  return (
    <>
      <ol class="hops">
        {hopsToEnd(path).map((index) => {
          const { node, steps } = path.hops[index]!;
          const id = topologyIdOf(node.kind, node.name);
          const shown = steps.filter(({ level }) => isFull || level !== "full");
          return (
            <li key={index} class="hop" onPointerEnter={() => mark(id)} onPointerLeave={() => mark(null)}>
              <button type="button" class="link" onFocus={() => mark(id)} onBlur={() => mark(null)}>
                {node.name}
              </button>{" "}
              <span class="quiet small">{node.kind}</span>
              <ul>
                {shown.map((step, at) => (
                  <li key={`${at}${step.text}`} class={step.kind === "drop" ? "bad-text" : undefined}>
                    {step.text}{" "}
                    {step.span !== null && step.span.line > 0 && (
                      <code class="quiet" title={step.span.file}>
                        {formatPlace(step.span)}
                      </code>
                    )}
                  </li>
                ))}
              </ul>
            </li>
          );
        })}
      </ol>
      <p>
        {path.summary}{" "}
        {path.span !== null && path.span.line > 0 && <code class="quiet">{formatPlace(path.span)}</code>}
      </p>
      <button type="button" aria-pressed={isFull} onClick={() => setFull(!isFull)}>
        {isFull ? "Only what matters" : "Every step"}
      </button>
    </>
  );
}

// ---- A request through the load balancer ----

function RequestQuestion() {
  const { query } = place.value;
  const url = query.get("url") ?? "";
  const question = query.toString();
  const [trace, setTrace] = useState<RequestTrace | null>(null);
  const [fault, setFault] = useState<ApiFault | null>(null);
  useEffect(() => {
    const asked = new URLSearchParams(question);
    const wanted = asked.get("url") ?? "";
    if (wanted === "") return;
    let isWanted = true;
    const from = asked.get("from") ?? "";
    const headers = (asked.get("headers") ?? "").split("\n").filter((line) => line.trim() !== "");
    post<RequestTrace>("/explain/request", {
      url: wanted,
      method: asked.get("method") ?? "GET",
      ...(headers.length === 0 ? {} : { headers }),
      ...(from === "" ? {} : { from }),
    }).then(
      (answer) => {
        if (!isWanted) return;
        setTrace(answer);
        setFault(null);
      },
      (error: unknown) => {
        if (!isWanted) return;
        setTrace(null);
        setFault(error as ApiFault);
      },
    );
    return () => {
      isWanted = false;
    };
  }, [question]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const next = new URLSearchParams({ of: "request" });
    for (const [name, text] of fields) if (String(text).trim() !== "") next.set(name, String(text).trim());
    go(`/explain?${next}`);
  };
  return (
    <>
      <form key={question} class="explain-form" onSubmit={submit}>
        <label>
          Method
          <input name="method" size={8} defaultValue={query.get("method") ?? "GET"} />
        </label>
        <label>
          URL
          <input name="url" size={36} required placeholder="https://company.com/login" defaultValue={url} />
        </label>
        <label>
          Headers, a line each
          <textarea name="headers" rows={2} cols={32} defaultValue={query.get("headers") ?? ""} />
        </label>
        <label>
          From
          <input name="from" size={18} placeholder="198.51.100.7" defaultValue={query.get("from") ?? ""} />
        </label>
        <button type="submit" class="primary">
          Explain
        </button>
      </form>
      {fault !== null && <Fault fault={fault} />}
      {trace === null && fault === null && <Empty>Say which request: it is not sent, only explained.</Empty>}
      {trace !== null && (
        <section class="card" aria-label="Explanation">
          <RequestTraceView trace={trace} />
        </section>
      )}
    </>
  );
}
