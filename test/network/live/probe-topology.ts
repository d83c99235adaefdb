// Questions about one datacentre that is running: asked of the kernel at once, watched at every cable,
// and held against what is explained, frame by frame; of some of them also rule by rule, as the kernel names
// them in each edge. What seems to disagree is asked again with more patience, since a busy machine may be
// late.
import { mkdtempSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ip } from "../../../src/base/ip.ts";
import { FrameCapture } from "../../../src/driver/linux/frame-capture.ts";
import { RuleTrace } from "../../../src/driver/linux/rule-trace.ts";
import type { IpProtocol } from "../../../src/model/datacenter.ts";
import type { ResolvedDatacenter } from "../../../src/model/resolved-datacenter.ts";
import type { Trace } from "../../../src/model/trace.ts";
import {
  compareRules,
  type RuleComparison,
  type TracedPacket,
} from "../../../src/network/explain/compare-rules.ts";
import {
  compareTrace,
  type Disagreement,
  type LiveCapture,
} from "../../../src/network/explain/compare-trace.ts";
import { compileNetwork, explain, type Network } from "../../../src/network/explain/explain.ts";
import { questionKeyOf, withoutRepeats } from "../../../src/network/explain/live-frames.ts";
import { type LivePlaces, livePlaces } from "../../../src/network/explain/live-places.ts";
import type { Desired } from "../../../src/network/plan/desired-state.ts";
import type { LoadedDatacenter } from "../../../src/server/datacenter/load-datacenter.ts";
import { readReference } from "../../../src/server/explain/packet-words.ts";
import type { AgentOutcome, AgentQuestion } from "./probe-agent.ts";
import { CLOSED_PORT, ProbeAgents, SOMEBODY_ELSE } from "./probe-agents.ts";
import { probeRequests } from "./probe-requests.ts";

const FIRST_KEY = 20_000;
const QUESTIONS_MAX = 700;
const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** Of so many questions the rules of one are asked for, too. */
const TRACED_EACH = 5;
/**
 * Before the first look: what nobody has explained has come by then, too. Each further look is later by as
 * much.
 */
const QUIET_MS = 600;
/** Of a busy machine: what was explained and has not come by then does not come. */
const PATIENCE_MS = 15_000;

interface Question extends AgentQuestion {
  readonly from: string;
}

export interface Verdict {
  /** In the words of `explain`. */
  readonly question: string;
  readonly explained: string;
  readonly disagreements: readonly (
    | Disagreement
    | { readonly explained: string; readonly captured: string }
    | RuleComparison
  )[];
}

export interface Agreement {
  readonly asked: number;
  readonly frames: number;
  /** Decisions of edges and fences for which the kernel has named its rule. */
  readonly rules: number;
  /** Of HTTP, through load balancers. */
  readonly requests: number;
  readonly verdicts: readonly Verdict[];
}

export type Usable = Pick<LoadedDatacenter, "loadBalancers" | "loadBalancerBinds"> & {
  readonly resolved: ResolvedDatacenter;
};

/** `only`: questions whose words contain it. */
export async function probeTopology(
  { resolved, loadBalancers, loadBalancerBinds }: Usable,
  desired: Desired,
  only: string | null = null,
): Promise<Agreement> {
  const network = compileNetwork(resolved, loadBalancerBinds);
  const folder = mkdtempSync("/run/probe-");
  const places = livePlaces(desired.state, network.topology)!;
  const all = questionsAbout({ resolved, loadBalancerBinds });
  const questions = only === null ? sampleOf(all) : all.filter((one) => wordsOf(one).includes(only));
  const capture = new FrameCapture(places.namespace);
  const failure = await capture.start();
  if (failure !== null) throw new Error(failure);
  const agents = new ProbeAgents();
  await agents.start(resolved, desired, folder);
  let [nextKey, ruleCount] = [FIRST_KEY, 0];
  /** Those of the questions whose frames or ends are not those explained, when patience is at its end. */
  const round = async (some: readonly Question[], tracedEach: number): Promise<Suspect[]> => {
    const asked = some.map((one): Asked => {
      const question = { ...one, key: nextKey++ };
      return { question, trace: traceOf(question, network), isTraced: question.key % tracedEach === 0 };
    });
    const traced = asked.filter(({ isTraced }) => isTraced).map(({ question }) => question.key);
    const traces = await startTraces(resolved, desired, traced);
    try {
      for (const [from, own] of Map.groupBy(asked, ({ question }) => question.from))
        agents.ask(
          from,
          own.map(({ question }) => question),
        );
      let suspects: Suspect[] = [];
      for (let pauseMs = QUIET_MS, waitedMs = 0; waitedMs < PATIENCE_MS; pauseMs = pauseMs + QUIET_MS) {
        await sleep(pauseMs);
        waitedMs += pauseMs;
        const packets = new Map([...traces].map(([name, trace]) => [name, trace.packets()]));
        const seen: Seen = { resolved, places, outcomes: agents.outcomes(), capture, packets };
        suspects = judge(asked, seen);
        ruleCount = [...packets.values()].flat().length;
        if (suspects.length === 0) break;
      }
      return suspects;
    } finally {
      await Promise.all([...traces.values()].map((trace) => trace.stop()));
    }
  };
  try {
    const suspects = await round(questions, TRACED_EACH);
    const rules = ruleCount;
    const again =
      suspects.length === 0
        ? []
        : await round(
            suspects.map(({ question }) => question),
            1,
          );
    const frames = capture.frames().filter(({ frame }) => questionKeyOf(frame) !== null).length;
    const requests = await probeRequests(network, loadBalancers, agents, () => nextKey++);
    const verdicts = [...again.map(({ verdict }) => verdict), ...requests.verdicts];
    return { asked: questions.length, frames, rules, requests: requests.asked, verdicts };
  } finally {
    agents.stop();
    await capture.stop();
  }
}

/** By the names of edges and fences. */
async function startTraces(
  { edges }: ResolvedDatacenter,
  { namespaceOf }: Desired,
  keys: readonly number[],
): Promise<ReadonlyMap<string, RuleTrace>> {
  const traces = edges.map(({ name }) => [name, new RuleTrace(namespaceOf.get(name)!)] as const);
  if (keys.length === 0) return new Map();
  const faults = await Promise.all(traces.map(([, trace]) => trace.start(keys)));
  const fault = faults.find((one) => one !== null);
  if (fault !== undefined) throw new Error(`the kernel names no rules: ${fault}`);
  return new Map(traces);
}

function wordsOf({ from, to, protocol, port }: Question): string {
  return `${from} to ${to} ${protocol}${protocol === "icmp" ? "" : ` ${port}`}`;
}

function questionsAbout({ resolved, loadBalancerBinds }: Omit<Usable, "loadBalancers">): Question[] {
  const stations = [...resolved.machines, ...resolved.edges];
  const addressesOf = ({ interfaces }: (typeof stations)[number]) =>
    interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
  const own = new Map(stations.map((one) => [one.name, new Set<string>(addressesOf(one))]));
  const unused = resolved.networks.flatMap(({ isExternal, subnets }) =>
    isExternal
      ? []
      : subnets.map(({ first, family }) => (family === 4 ? first.replace(/0$/, "99") : `${first}99`)),
  );
  const clusters = resolved.clusters.map(({ address }) => address);
  const clusterOf = new Map(resolved.machines.map(({ name, cluster }) => [name, cluster]));
  const isShared = new Set<string>(clusters);
  const targets = new Set<string>([
    ...stations.flatMap(addressesOf),
    ...unused,
    ...clusters,
    ...SOMEBODY_ELSE,
  ]);
  const askers = [
    ...resolved.machines.map(({ name }) => name),
    ...resolved.edges.filter(({ fence }) => fence === null).map(({ name }) => name),
    "internet",
  ];
  const kinds: readonly (readonly [IpProtocol, number])[] = [
    ["tcp", 80],
    ["tcp", CLOSED_PORT],
    ["tcp", 8001],
    ...(loadBalancerBinds.length === 0 ? [] : ([["tcp", loadBalancerBinds[0]!.port]] as const)),
    ["udp", 53],
    ["udp", 54],
    ["icmp", 0],
  ];
  return askers.flatMap((from) =>
    [...targets]
      .filter((to) => own.get(from)?.has(to) !== true)
      .filter((to) => from !== "internet" || !SOMEBODY_ELSE.includes(to as Ip))
      .flatMap((to) =>
        kinds
          // Members decide for themselves what of it they ask themselves: nothing of that is on a cable.
          .filter(() => !isShared.has(to) || clusterOf.get(from) == null)
          // All members answer a ping; of TCP the explanation says which of them does.
          .filter(([protocol]) => protocol === "tcp" || !isShared.has(to))
          .filter(([, port]) => port < 8000 || /^(203|10|2001)[.:]/.test(to))
          .map(([protocol, port]) => ({ from, to, protocol, port, key: 0, request: null })),
      ),
  );
}

/**
 * Of many, so many at the most as are asked and compared in seconds; scattered, and each time the same ones.
 */
function sampleOf(questions: readonly Question[]): readonly Question[] {
  const share = QUESTIONS_MAX / questions.length;
  // By the golden ratio: whatever goes round in the list, no kind of question is left out.
  return questions.filter((_, index) => (index * GOLDEN) % 1 < share);
}

// ---- Comparing ----

interface Asked {
  readonly question: Question;
  readonly trace: Trace;
  readonly isTraced: boolean;
}

interface Seen {
  readonly resolved: ResolvedDatacenter;
  readonly places: LivePlaces;
  readonly outcomes: ReadonlyMap<number, AgentOutcome["outcome"]>;
  readonly capture: FrameCapture;
  /** By the names of edges and fences. */
  readonly packets: ReadonlyMap<string, readonly TracedPacket[]>;
}

interface Suspect {
  readonly question: Question;
  readonly verdict: Verdict;
}

function traceOf(question: Question, network: Network): Trace {
  const { from, to, protocol, key } = question;
  const port = protocol === "icmp" ? null : question.port;
  const words = { from: readReference(from), to: to as Ip, protocol, port, sourcePort: key };
  const trace = explain(network, words, { back: true });
  if ("kind" in trace) throw new Error(`${wordsOf(question)}: ${trace.message}`);
  return trace;
}

function judge(asked: readonly Asked[], { resolved, places, outcomes, capture, packets }: Seen): Suspect[] {
  const { byLink } = places;
  const frames = capture.frames().flatMap(({ link, direction, frame }): LiveCapture[] => {
    const place = byLink.get(link);
    // What comes to the switch is what a node has sent.
    return place === undefined ? [] : [{ ...place, direction: direction === "in" ? "out" : "in", frame }];
  });
  const byKey = Map.groupBy(frames, ({ frame }) => questionKeyOf(frame));
  const listenedAt = [...byLink.values()];
  return asked.flatMap(({ question, trace, isTraced }): Suspect[] => {
    const { there, back } = trace;
    const hops = [...there.hops, ...(back?.hops ?? [])];
    const seen = withoutRepeats(byKey.get(question.key) ?? []);
    const [wanted, outcome] = [explainedOutcome(trace), outcomes.get(question.key) ?? null];
    const disagreements = [
      ...(wanted === outcome ? [] : [{ explained: `${wanted}`, captured: `${outcome}` }]),
      ...compareTrace({ hops }, seen, listenedAt),
      ...(isTraced ? compareRules(trace, resolved, question.key, packets) : []).filter(
        ({ agrees }) => !agrees,
      ),
    ];
    if (disagreements.length === 0) return [];
    const explained = `${there.disposition}: ${there.summary}; back: ${back?.summary ?? "nothing"}`;
    return [{ question, verdict: { question: wordsOf(question), explained, disagreements } }];
  });
}

function explainedOutcome({ question, there, back }: Trace): AgentOutcome["outcome"] | null {
  if (back?.disposition !== "delivered") return null;
  if (question.protocol !== "tcp") return "answered";
  return there.disposition === "refused" ? "refused" : "connected";
}
