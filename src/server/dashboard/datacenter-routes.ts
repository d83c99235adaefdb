// Routes about the datacentre: its topology, what is alive of it, and the ways of packets.
import { suggestWord } from "../../diagnostic/nearest-word.ts";
import type { PacketExplanation, TopologyAnswer } from "../../model/dashboard-datacenter.ts";
import type { TracePath } from "../../model/trace.ts";
import { topologyView } from "../../network/draw/topology-view.ts";
import { explain } from "../../network/explain/explain.ts";
import { traceJson } from "../../network/explain/trace-text.ts";
import { goBeyond } from "../explain/beyond-balancer.ts";
import { readPacketWords } from "../explain/packet-words.ts";
import { type Answer, answer, refusal } from "./answer.ts";
import type { DatacenterFile } from "./datacenter-file.ts";
import type { Route } from "./route.ts";
import { copyWithoutSecrets } from "./secrets.ts";
import type { DashboardState } from "./state.ts";

const NO_DATACENTER: Answer = refusal(
  404,
  "no-datacenter",
  "this dashboard has no datacentre",
  "Start it with --datacenter FILE.",
);
const ARRIVES: ReadonlySet<string> = new Set(["delivered", "load-balanced", "answered-by-router"]);

export function datacenterRoutes(state: DashboardState): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/topology",
      role: "viewer",
      summary: "The datacentre as nodes and links, with the lines of the file that they come from",
      parameters: [],
      takes: null,
      gives: "TopologyAnswer",
      run: () => withDatacenter(state, (datacenter) => answer(topologyOf(datacenter))),
    },
    {
      method: "GET",
      path: "/topology/state",
      role: "viewer",
      summary:
        "What of the datacentre is alive: as applied on this machine, and as the load balancer's checks see it",
      parameters: [],
      takes: null,
      gives: "TopologyState",
      run: async () => {
        if (state.topologyState === null) return NO_DATACENTER;
        return answer(await state.topologyState.read());
      },
    },
    {
      method: "GET",
      path: "/topology/edges/{edge}/rules",
      role: "viewer",
      summary: "How often each rule of an edge's firewall and NAT has decided, where it is applied",
      parameters: [{ name: "edge", in: "path", about: "its name, or that of a fenced copy" }],
      takes: null,
      gives: "EdgeRulesAnswer",
      run: async ({ path }) => {
        if (state.topologyState === null) return NO_DATACENTER;
        return answer(await state.topologyState.rulesOf(path["edge"]!));
      },
    },
    {
      method: "GET",
      path: "/explain/packet",
      role: "viewer",
      summary: "The way of a packet, hop by hop, and what decided each; nothing is sent",
      parameters: [
        {
          name: "from",
          in: "query",
          about: "who sends: the name of a machine, edge, host or external network",
        },
        { name: "to", in: "query", about: "an address or a name, with :PORT if wanted" },
        { name: "protocol", in: "query", about: "tcp, udp or icmp" },
        { name: "port", in: "query", about: "of tcp and udp" },
        { name: "back", in: "query", about: "true: also the way of the answer" },
        { name: "url", in: "query", about: "what is asked of a load balancer on the way" },
        { name: "method", in: "query", about: "of that request; GET without it" },
        { name: "header", in: "query", about: "NAME: VALUE of that request; may be repeated" },
      ],
      takes: null,
      gives: "PacketExplanation",
      run: ({ query }) => withDatacenter(state, (datacenter) => explainPacket(query, datacenter)),
    },
  ];
}

function withDatacenter({ datacenter }: DashboardState, run: (datacenter: DatacenterFile) => Answer): Answer {
  return datacenter === null ? NO_DATACENTER : run(datacenter);
}

function topologyOf(datacenter: DatacenterFile): TopologyAnswer {
  const { network, version, isUsable, path, loaded } = datacenter;
  const name = loaded.datacenter?.name.value ?? "";
  const view = network === null ? { nodes: [], links: [], vlans: [] } : topologyView(network.topology);
  return { name, file: path, version, isUsable, ...view };
}

function explainPacket(query: URLSearchParams, datacenter: DatacenterFile): Answer {
  const { network, loaded } = datacenter;
  if (network === null)
    return refusal(409, "unusable-datacenter", "too little of the file can be read", "GET /check says why.");
  const word = (name: string) => query.get(name) ?? "";
  const words = [word("from"), "to", word("to"), word("protocol"), word("port")].filter(
    (text) => text !== "",
  );
  const asked = readPacketWords(words);
  if (word("from") === "" || word("to") === "" || asked.kind !== "packet") {
    const message = asked.kind === "wrong" ? asked.message : "from whom, and to whom?";
    return refusal(400, "wrong-question", message, asked.kind === "wrong" ? asked.help : null);
  }
  const back = word("back") === "true";
  const trace = explain(network, asked.question, { back });
  if ("kind" in trace)
    return refusal(404, "unknown-name", trace.message, suggestWord(trace.name, trace.known));
  const wordOrNull = (name: string) => (word(name) === "" ? null : word(name));
  const beyond = goBeyond(loaded.loadBalancers, network, trace, {
    url: wordOrNull("url"),
    method: wordOrNull("method"),
    headers: query.getAll("header"),
    back,
  });
  if (typeof beyond === "string") return refusal(400, "wrong-question", beyond);
  const arrives = (path: TracePath | null | undefined) => path == null || ARRIVES.has(path.disposition);
  const body: PacketExplanation = {
    trace: traceJson(trace) as PacketExplanation["trace"],
    beyond:
      beyond === null
        ? null
        : {
            edge: beyond.edge,
            request: copyWithoutSecrets(beyond.request),
            onward: beyond.onward === null ? null : (traceJson(beyond.onward) as PacketExplanation["trace"]),
          },
    arrives: [trace.there, trace.back, beyond?.onward?.there, beyond?.onward?.back].every(arrives),
  };
  return answer(body);
}
