// `sallyport cluster` for people: the NLB clusters of an applied datacentre - who takes part and who has what
// - and taking members out and in again.
import { setTimeout as pause } from "node:timers/promises";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import type { Supervisor } from "../driver/linux/supervisor.ts";
import type { StateStore } from "../driver/state-store.ts";
import type { ProcessState } from "../model/network-state.ts";
import type { ResolvedCluster } from "../model/resolved-datacenter.ts";
import { agentOf } from "../network/cluster/member-settings.ts";
import { type Order, wishOf } from "../network/cluster/order.ts";
import {
  readStatus,
  type StatusRecord,
  writeForeignOrder,
  writeOrder,
} from "../server/cluster/member-files.ts";
import { clusterReports, reportText } from "./cluster-report.ts";
import { complainOfUsage } from "./command-line.ts";
import { loadUsable } from "./datacenter-file.ts";
import { isDatacenterFile } from "./is-datacenter-file.ts";
import { callOf, openStored, readLiveWords } from "./live-command.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport cluster status FILE [options]
       sallyport cluster drain|drainstop|stop|start FILE CLUSTER MEMBER [options]
       sallyport cluster agent|leave FILE MACHINE [--device NAME]

Shows the clusters of FILE that have members on this host: who takes part, who takes which share, and what is wrong. MEMBER
is the name of a machine. One on another host is told over the network, which needs a key at the cluster in FILE.

  drain      the member takes no new connections and keeps those it has; the others take over its share
  drainstop  the same, and stop once nobody is connected any more
  stop       the member takes nothing any more; its connections end
  start      it takes its share again

  agent      this host is a member itself; see sallyport cluster agent --help
  leave      it no longer is

What was ordered holds until the next order, also over a new apply. A member without order takes part. The agents of members
that apply has made are programs of the datacentre: sallyport program list.

Options:
  --rootless  the clusters in the network of your own
  --json      status as data
  -h, --help  show this

Examples:
  sallyport cluster status datacenter.yaml
  sallyport cluster drain --rootless datacenter.yaml web iis-2

Exit codes: 0 done, or all clusters have converged; 1 not, with the reason.
`;

const ACTIONS = ["status", "drain", "drainstop", "stop", "start"] as const;
/** `cluster.ts` has them already when they are written right. */
const WORDS: readonly string[] = [...ACTIONS, "agent", "leave"];
type Action = (typeof ACTIONS)[number];
/** A member can have to wait until it has missed five heartbeats of another. */
const WAIT_MS = 8000;
const POLL_MS = 50;

function isActionWord(word: string): word is Action {
  return (ACTIONS as readonly string[]).includes(word);
}

export async function clusterOrders(args: readonly string[], terminal: Terminal): Promise<number> {
  const complain = complainer(terminal);
  const [first = "", ...rest] = args;
  const isAction = isActionWord(first);
  if (!isAction && !first.startsWith("-") && !isDatacenterFile(first))
    return first === ""
      ? complain("status, drain, drainstop, stop or start?")
      : complain(`there is no cluster ${first}`, suggestWord(first, WORDS));
  if (isAction && rest.length === 0) return complain("which file?");
  // The action goes behind the file, where all commands of a running network have their words.
  const words = await readLiveWords("cluster", HELP, isAction ? [...rest, first] : args, [], terminal);
  if (typeof words === "number") return words;
  const { file, line } = words;
  const action = words.words.at(-1) ?? "status";
  const [clusterName, member, extra] = words.words.slice(0, -1);
  if (!isActionWord(action)) return complain(`there is no cluster ${action}`, suggestWord(action, ACTIONS));
  if (extra !== undefined) return complain(`what is ${extra}?`);
  return carryOut(
    action,
    { file, clusterName, member, isJson: line.has("json"), applying: callOf("apply", words) },
    terminal,
  );
}

interface Words {
  readonly file: string;
  readonly clusterName: string | undefined;
  readonly member: string | undefined;
  readonly isJson: boolean;
  /** The call that would make the file real. */
  readonly applying: string;
}

async function carryOut(
  action: Action,
  { file, clusterName, member, isJson, applying }: Words,
  terminal: Terminal,
): Promise<number> {
  const complain = complainer(terminal);
  const usable = loadUsable(file, terminal);
  if (usable === null) return 1;
  const open = openStored("cluster", usable.datacenter.name.value, terminal);
  if (open === null) return 1;
  const { driver, store } = open;
  const programs = store.readApplied()?.state.processes;
  const { supervisor } = driver;
  const { clusters } = usable.resolved;
  const agents = clusters.flatMap(({ members }) => members.map(({ machine }) => agentOf(machine)));
  if (programs === undefined && supervisor.running(agents).length === 0)
    return complain(`${file} is not applied, and no member runs here`, applying);
  const named = clusters.filter(({ name }) => clusterName === undefined || name === clusterName);
  const names = clusters.map(({ name }) => name);
  if (clusterName !== undefined && named.length === 0)
    return complain(`there is no cluster ${clusterName}`, suggestWord(clusterName, names));
  if (action === "status") {
    const reports = clusterReports(named, supervisor);
    terminal.write(isJson ? `${JSON.stringify(reports, null, 2)}\n` : reportText(reports, terminal));
    return reports.every(({ hasConverged }) => hasConverged) ? 0 : 1;
  }
  if (clusterName === undefined || member === undefined)
    return complain(`${action} which member of which cluster?`);
  const cluster = named[0]!;
  const order = action === "start" ? "run" : action;
  const machines = cluster.members.map(({ machine }) => machine);
  if (!machines.includes(member))
    return complain(`${member} is no member of ${cluster.name}`, suggestWord(member, machines));
  const own = supervisor.running([agentOf(member)])[0];
  const isOfApply = programs?.some(({ name }) => name === agentOf(member)) === true;
  if (own === undefined && isOfApply) return complain(`${member}: its agent does not run`, SEE_LIST);
  const outcome =
    own === undefined
      ? await sendOrder(cluster, member, order, supervisor)
      : await give(order, own, supervisor, store);
  if (typeof outcome === "string") return complain(`${member}: ${outcome}`);
  terminal.write(`${member}: ${doneText(outcome)}\n`);
  return 0;
}

function complainer(terminal: Terminal): (message: string, help?: string | null) => number {
  return (message, help = null) => complainOfUsage(terminal, "cluster", message, help);
}

const SEE_LIST = "sallyport program list";

/** What became of it, or what went wrong. Not while a change is being applied. */
async function give(
  order: Order,
  agent: ProcessState,
  supervisor: Supervisor,
  store: StateStore,
): Promise<StatusRecord | string> {
  const reason = store.lock();
  if (reason !== null) return reason;
  const directory = supervisor.directoryOf(agent.name);
  const from = Date.now();
  try {
    writeOrder(directory, order);
    const fault = supervisor.reload(agent);
    if (fault !== null) return fault;
  } catch (error) {
    return (error as Error).message;
  } finally {
    store.unlock();
  }
  let status: StatusRecord | null = null;
  for (let waited = 0; waited < WAIT_MS; waited += POLL_MS) {
    await pause(POLL_MS);
    status = readStatus(directory);
    if (status !== null && status.at >= from && isDone(order, status)) return status;
  }
  return status !== null && status.at >= from
    ? `it knows, but is ${status.state}${status.fault === null ? "" : `: ${status.fault}`}`
    : "its agent does not answer; see sallyport program logs";
}

function isDone(order: Order, { order: known, state }: StatusRecord): boolean {
  if (known !== order) return false;
  if (order === "stop") return state === "stopped";
  if (order === "run") return state === "converged";
  return state === "drained" || state === "stopped";
}

/** By way of an agent of this host that hears the member; its file says which. */
async function sendOrder(
  { name, members, source }: ResolvedCluster,
  machine: string,
  order: Order,
  supervisor: Supervisor,
): Promise<Outcome | string> {
  const { priority: to } = members.find((one) => one.machine === machine)!;
  const peerIn = (agent: ProcessState) =>
    readStatus(supervisor.directoryOf(agent.name))?.peers.find(({ member }) => member === to);
  const agent = supervisor
    .running(members.map((one) => agentOf(one.machine)))
    .find((one) => peerIn(one) !== undefined);
  if (agent === undefined) return "no agent here hears it: it does not run, or its network is cut";
  if (source.keyFile === null)
    return `it is on another host, and takes orders only with a \`key\` at cluster ${name} (docs/clusters.md)`;
  try {
    writeForeignOrder(supervisor.directoryOf(agent.name), { to, order, at: Date.now() });
    const fault = supervisor.reload(agent);
    if (fault !== null) return fault;
  } catch (error) {
    return (error as Error).message;
  }
  for (let waited = 0; waited < WAIT_MS; waited += POLL_MS) {
    await pause(POLL_MS);
    const peer = peerIn(agent);
    if (peer?.wish !== wishOf(order)) continue;
    const witness = readStatus(supervisor.directoryOf(agent.name))?.state;
    if (order === "run" ? peer.isReady && witness !== "converging" : peer.slots.length === 0)
      return {
        state: order === "run" ? "converged" : order === "stop" ? "stopped" : "drained",
        connections: null,
      };
  }
  return "it does not obey; has it the same key?";
}

/** What became of an order. Connections are counted only where they are. */
type Outcome = Pick<StatusRecord, "state" | "connections">;

function doneText({ state, connections }: Outcome): string {
  if (state === "converged") return "started, and has its share";
  if (state === "stopped") return "stopped";
  if (connections === null) return "drained";
  return connections === 0 ? "drained; nobody is connected" : `drained; ${connections} connections go on`;
}
