// All questions about one datacentre that is running: asked of the kernel at once, watched at every cable,
// and held against what is explained, frame by frame. What seems to disagree is asked again with more
// patience, since a busy machine may be late.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Ip } from "../../../src/base/ip.ts";
import { FrameCapture } from "../../../src/driver/linux/frame-capture.ts";
import type { IpProtocol } from "../../../src/model/datacenter.ts";
import type { ResolvedDatacenter } from "../../../src/model/resolved-datacenter.ts";
import type { Trace } from "../../../src/model/trace.ts";
import {
  compareTrace,
  type Disagreement,
  type LiveCapture,
} from "../../../src/network/explain/compare-trace.ts";
import { compileNetwork, explain, type Network } from "../../../src/network/explain/explain.ts";
import { questionKeyOf, withoutRepeats } from "../../../src/network/explain/live-frames.ts";
import { type LivePlaces, livePlaces } from "../../../src/network/explain/live-places.ts";
import type { Desired } from "../../../src/network/plan/desired-state.ts";
import { readReference } from "../../../src/server/explain/packet-words.ts";
import type { AgentJob, AgentOutcome, AgentQuestion } from "./probe-agent.ts";

const AGENT = fileURLToPath(new URL("probe-agent.ts", import.meta.url));
const FIRST_KEY = 20_000;
const CLOSED_PORT = 81;
const OUTSIDE_PORTS: readonly number[] = [80, CLOSED_PORT, 8001, 8002];
/**
 * Before the first look: what nobody has explained has come by then, too. Each further look is later by as
 * much.
 */
const QUIET_MS = 600;
/** Of a busy machine: what was explained and has not come by then does not come. */
const PATIENCE_MS = 15_000;
const SOMEBODY_ELSE: readonly Ip[] = ["8.8.8.8" as Ip, "2001:db8:ffff::9" as Ip];

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
  )[];
}

export interface Agreement {
  readonly asked: number;
  readonly frames: number;
  readonly verdicts: readonly Verdict[];
}

/** `only`: questions whose words contain it. */
export async function probeTopology(
  resolved: ResolvedDatacenter,
  desired: Desired,
  only: string | null = null,
): Promise<Agreement> {
  const network = compileNetwork(resolved);
  const folder = mkdtempSync("/run/probe-");
  const places = livePlaces(desired.state, network.topology)!;
  const questions = questionsAbout(resolved).filter((one) => only === null || wordsOf(one).includes(only));
  const capture = new FrameCapture(places.namespace);
  const failure = await capture.start();
  if (failure !== null) throw new Error(failure);
  const agents = await startAgents(resolved, desired, folder);
  let nextKey = FIRST_KEY;
  /** Those of the questions whose frames or ends are not those explained, when patience is at its end. */
  const round = async (some: readonly Question[]): Promise<Suspect[]> => {
    const asked = some.map((one) => {
      const question = { ...one, key: nextKey++ };
      return { question, trace: traceOf(question, network) };
    });
    for (const [from, own] of Map.groupBy(asked, ({ question }) => question.from)) {
      const words = own.map(({ question }) => question);
      agents.get(from)!.child.stdin!.write(`${JSON.stringify(words)}\n`);
    }
    let suspects: Suspect[] = [];
    for (let pauseMs = QUIET_MS, waitedMs = 0; waitedMs < PATIENCE_MS; pauseMs = pauseMs + QUIET_MS) {
      await sleep(pauseMs);
      waitedMs += pauseMs;
      suspects = judge(asked, outcomesOf(agents), capture, places);
      if (suspects.length === 0) break;
    }
    return suspects;
  };
  try {
    const suspects = await round(questions);
    const again = suspects.length === 0 ? [] : await round(suspects.map(({ question }) => question));
    const frames = capture.frames().filter(({ frame }) => questionKeyOf(frame) !== null).length;
    return { asked: questions.length, frames, verdicts: again.map(({ verdict }) => verdict) };
  } finally {
    for (const { child } of agents.values()) child.kill("SIGKILL");
    await capture.stop();
  }
}

function wordsOf({ from, to, protocol, port }: Question): string {
  return `${from} to ${to} ${protocol}${protocol === "icmp" ? "" : ` ${port}`}`;
}

function questionsAbout(resolved: ResolvedDatacenter): Question[] {
  const stations = [...resolved.machines, ...resolved.edges];
  const addressesOf = ({ interfaces }: (typeof stations)[number]) =>
    interfaces.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
  const own = new Map(stations.map((one) => [one.name, new Set<string>(addressesOf(one))]));
  const unused = resolved.networks.flatMap(({ isExternal, subnets }) =>
    isExternal
      ? []
      : subnets.map(({ first, family }) => (family === 4 ? first.replace(/0$/, "99") : `${first}99`)),
  );
  const targets = new Set<string>([...stations.flatMap(addressesOf), ...unused, ...SOMEBODY_ELSE]);
  const askers = [
    ...resolved.machines.map(({ name }) => name),
    ...resolved.edges.filter(({ fence }) => fence === null).map(({ name }) => name),
    "internet",
  ];
  const kinds: readonly (readonly [IpProtocol, number])[] = [
    ["tcp", 80],
    ["tcp", CLOSED_PORT],
    ["tcp", 8001],
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
          .filter(([, port]) => port < 8000 || to.startsWith("203.") || to.startsWith("10."))
          .map(([protocol, port]) => ({ from, to, protocol, port, key: 0 })),
      ),
  );
}

// ---- Asking ----

interface Agent {
  readonly child: ChildProcess;
  readonly lines: string[];
}

async function startAgents(
  resolved: ResolvedDatacenter,
  { namespaceOf }: Desired,
  folder: string,
): Promise<Map<string, Agent>> {
  const jobs = new Map<string, AgentJob>(
    resolved.edges.map(({ name }) => [name, { tcpPorts: [], udpPlaces: [] }]),
  );
  for (const { name, interfaces, source } of resolved.machines) {
    const ports = (protocol: string) =>
      source.services.filter(({ value }) => value.protocol === protocol).map(({ value }) => value.port);
    const addresses = interfaces.flatMap((one) => one.addresses.map(({ ip }) => ip));
    const udpPlaces = addresses.flatMap((address) => ports("udp").map((port) => ({ address, port })));
    jobs.set(name, { tcpPorts: ports("tcp"), udpPlaces });
  }
  const hasIpv6 = resolved.networks.some(({ subnets }) => subnets.some(({ family }) => family === 6));
  const outside = SOMEBODY_ELSE.filter((ip) => hasIpv6 || !ip.includes(":"));
  const udpPlaces = outside.flatMap((address) => [53, 54].map((port) => ({ address, port })));
  jobs.set("internet", { tcpPorts: OUTSIDE_PORTS, udpPlaces });
  const agents = new Map<string, Agent>();
  for (const [name, job] of jobs) {
    const file = join(folder, `${agents.size}.json`);
    writeFileSync(file, JSON.stringify(job));
    const words = [`--net=/run/netns/${namespaceOf.get(name)}`, process.execPath, AGENT, file];
    const child = spawn("nsenter", words, { stdio: ["pipe", "pipe", "inherit"] });
    const lines: string[] = [];
    let rest = "";
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      lines.push(...parts);
    });
    agents.set(name, { child, lines });
  }
  while ([...agents.values()].some(({ lines }) => lines.length === 0)) {
    const ended = [...agents].find(([, { child }]) => child.exitCode !== null);
    if (ended !== undefined) throw new Error(`nobody listens in ${ended[0]}`);
    await sleep(20);
  }
  return agents;
}

function outcomesOf(agents: ReadonlyMap<string, Agent>): ReadonlyMap<number, string> {
  const lines = [...agents.values()].flatMap((agent) => agent.lines.slice(1));
  return new Map(
    lines.map((line) => JSON.parse(line) as AgentOutcome).map(({ key, outcome }) => [key, outcome]),
  );
}

// ---- Comparing ----

interface Asked {
  readonly question: Question;
  readonly trace: Trace;
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

function judge(
  asked: readonly Asked[],
  outcomes: ReadonlyMap<number, string>,
  capture: FrameCapture,
  { byLink }: LivePlaces,
): Suspect[] {
  const frames = capture.frames().flatMap(({ link, direction, frame }): LiveCapture[] => {
    const place = byLink.get(link);
    // What comes to the switch is what a node has sent.
    return place === undefined ? [] : [{ ...place, direction: direction === "in" ? "out" : "in", frame }];
  });
  const byKey = Map.groupBy(frames, ({ frame }) => questionKeyOf(frame));
  const listenedAt = [...byLink.values()];
  return asked.flatMap(({ question, trace }): Suspect[] => {
    const { there, back } = trace;
    const hops = [...there.hops, ...(back?.hops ?? [])];
    const seen = withoutRepeats(byKey.get(question.key) ?? []);
    const [wanted, outcome] = [explainedOutcome(trace), outcomes.get(question.key) ?? null];
    const disagreements = [
      ...(wanted === outcome ? [] : [{ explained: `${wanted}`, captured: `${outcome}` }]),
      ...compareTrace({ hops }, seen, listenedAt),
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
