// Requests to the load balancers of a datacentre that is running: who serves what must be the server that is
// explained, through firewall, NAT and the rules of the haproxy.cfg.
import { setTimeout as sleep } from "node:timers/promises";
import type { Ip } from "../../../src/base/ip.ts";
import { explain, type Network } from "../../../src/network/explain/explain.ts";
import type { LoadBalancerFile } from "../../../src/server/datacenter/load-datacenter.ts";
import { goBeyond } from "../../../src/server/explain/beyond-balancer.ts";
import { readReference } from "../../../src/server/explain/packet-words.ts";
import type { AgentQuestion } from "./probe-agent.ts";
import type { ProbeAgents } from "./probe-agents.ts";
import type { Verdict } from "./probe-topology.ts";

const PATHS: readonly string[] = [
  "/?id=0",
  "/api?id=1",
  "/api/users?id=2",
  "/a/b.php?id=3",
  "/b?id=4",
  "/a?id=5",
];
const USERS: readonly string[] = ["1", "28", "maria"];
/** Of an outcome that is explained: a busy machine may be late. */
const [LOOKS_MAX, LOOK_MS] = [200, 50];

interface Asked {
  readonly from: string;
  readonly question: AgentQuestion;
  readonly explained: string;
}

/** What is explained for each path, asked by everybody who reaches the place, and what came. */
export async function probeRequests(
  network: Network,
  loadBalancers: readonly LoadBalancerFile[],
  agents: ProbeAgents,
  nextKey: () => number,
): Promise<{ readonly asked: number; readonly verdicts: readonly Verdict[] }> {
  const { machines } = network.topology.resolved;
  const askers = ["internet", ...machines.map(({ name }) => name)];
  const asked = network.loadBalancerBinds.flatMap(({ ip, port }) =>
    ip === null
      ? []
      : askers.flatMap((from, index) =>
          PATHS.flatMap((path): Asked[] => {
            const request = { path, user: USERS[index % USERS.length]! };
            const question = { key: nextKey(), to: ip, protocol: "tcp", port, request } as const;
            const explained = explainedAnswer(network, loadBalancers, from, question);
            return explained === null ? [] : [{ from, question, explained }];
          }),
        ),
  );
  for (const [from, own] of Map.groupBy(asked, (one) => one.from))
    agents.ask(
      from,
      own.map(({ question }) => question),
    );
  let wrong: readonly Asked[] = asked;
  for (let look = 0; wrong.length > 0 && look < LOOKS_MAX; look++) {
    await sleep(LOOK_MS);
    const outcomes = agents.outcomes();
    wrong = asked.filter(({ question, explained }) => outcomes.get(question.key) !== explained);
  }
  const outcomes = agents.outcomes();
  const verdicts = wrong.map(({ from, question, explained }): Verdict => {
    const captured = `${outcomes.get(question.key) ?? null}`;
    const words = `${from} asks ${question.to}:${question.port} for ${question.request?.path}`;
    return { question: words, explained, disagreements: [{ explained, captured }] };
  });
  return { asked: asked.length, verdicts };
}

/** Null: the question does not come as far as the balancer, or its answer not back. */
function explainedAnswer(
  network: Network,
  loadBalancers: readonly LoadBalancerFile[],
  from: string,
  { key, to, port, request }: AgentQuestion,
): string | null {
  const words = { from: readReference(from), to: to as Ip, protocol: "tcp", port, sourcePort: key } as const;
  const trace = explain(network, words, { back: true });
  if ("kind" in trace || trace.back?.disposition !== "delivered") return null;
  const beyond = goBeyond(loadBalancers, network, trace, {
    url: `http://company.com:${port}${request?.path}`,
    method: null,
    headers: [`X-User: ${request?.user}`],
    back: true,
  });
  if (beyond === null) return null;
  if (typeof beyond === "string") return beyond;
  const { server, requestHead, responseHead } = beyond.request;
  if (server === null) return statusIn(responseHead?.[0]?.text);
  if (beyond.onward?.back?.disposition !== "delivered") return "503";
  return `${server.name} ${requestHead?.[0]?.text.split(" ")[1]}`;
}

function statusIn(line: string | undefined): string {
  return line?.split(" ")[1] ?? "nothing";
}
