// `sallyport cluster` for people: the NLB clusters of an applied datacentre - who takes part and who has what
// - and taking members out and in again.
import { setTimeout as pause } from "node:timers/promises";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import type { Supervisor } from "../driver/linux/supervisor.ts";
import type { StateStore } from "../driver/state-store.ts";
import type { ProcessState } from "../model/network-state.ts";
import type { ResolvedCluster } from "../model/resolved-datacenter.ts";
import { agentOf } from "../network/cluster/member-settings.ts";
import { type Order, readStatus, type StatusRecord, writeOrder } from "../server/cluster/member-files.ts";
import { openDriver } from "../server/datacenter/live-network.ts";
import { clusterReports, reportText } from "./cluster-report.ts";
import { complainOfUsage } from "./command-line.ts";
import { loadUsable } from "./datacenter-file.ts";
import { isDatacenterFile } from "./is-datacenter-file.ts";
import { readLiveWords } from "./live-command.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport cluster status FILE [options]
       sallyport cluster drain|drainstop|stop|start FILE CLUSTER MEMBER [options]

Shows the clusters that sallyport apply has made of FILE: who takes part, who takes which share, and what is wrong. MEMBER is
the name of a machine.

  drain      the member takes no new connections and keeps those it has; the others take over its share
  drainstop  the same, and stop once nobody is connected any more
  stop       the member takes nothing any more; its connections end
  start      it takes its share again

What was ordered holds until the next order, also over a new apply. A member without order takes part. Each member's agent
is a program of the datacentre (sallyport program list): sallyport cluster agent DIRECTORY, which apply starts.

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
      : complain(`there is no cluster ${first}`, suggestWord(first, ACTIONS));
  if (isAction && rest.length === 0) return complain("which file?");
  // The action goes behind the file, where all commands of a running network have their words.
  const words = await readLiveWords("cluster", HELP, isAction ? [...rest, first] : args, [], terminal);
  if (typeof words === "number") return words;
  const { file, line } = words;
  const action = words.words.at(-1) ?? "status";
  const [clusterName, member, extra] = words.words.slice(0, -1);
  if (!isActionWord(action)) return complain(`there is no cluster ${action}`, suggestWord(action, ACTIONS));
  if (extra !== undefined) return complain(`what is ${extra}?`);
  return carryOut(action, { file, clusterName, member, isJson: line.has("json") }, terminal);
}

interface Words {
  readonly file: string;
  readonly clusterName: string | undefined;
  readonly member: string | undefined;
  readonly isJson: boolean;
}

async function carryOut(
  action: Action,
  { file, clusterName, member, isJson }: Words,
  terminal: Terminal,
): Promise<number> {
  const complain = complainer(terminal);
  const usable = loadUsable(file, terminal);
  if (usable === null) return 1;
  const { driver, store } = openDriver(usable.datacenter.name.value);
  const programs = store.readApplied()?.state.processes;
  if (programs === undefined) return complain(`${file} is not applied`, `sallyport apply ${file}`);
  const { supervisor } = driver;
  const { clusters } = usable.resolved;
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
  const one = agentIn(named[0]!, member, programs);
  const machines = named[0]!.members.map(({ machine }) => machine);
  if (typeof one === "string") return complain(one, suggestWord(member, machines));
  const outcome = await give(action === "start" ? "run" : action, one, supervisor, store);
  if (typeof outcome === "string") return complain(`${member}: ${outcome}`);
  terminal.write(`${member}: ${doneText(outcome)}\n`);
  return 0;
}

function complainer(terminal: Terminal): (message: string, help?: string | null) => number {
  return (message, help = null) => complainOfUsage(terminal, "cluster", message, help);
}

/** The agent of a member, or why there is none. */
function agentIn(
  { name, members }: ResolvedCluster,
  machine: string,
  programs: readonly ProcessState[],
): ProcessState | string {
  if (!members.some((one) => one.machine === machine)) return `${machine} is no member of ${name}`;
  return (
    programs.find((one) => one.name === agentOf(machine)) ??
    `${machine} has no agent here: it is on another host, or is no machine of this program's`
  );
}

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
    if (supervisor.running([agent.name]).length === 0)
      return "its agent does not run; see sallyport program list";
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

function doneText({ state, connections }: StatusRecord): string {
  if (state === "converged") return "started, and has its share";
  if (state === "stopped") return "stopped";
  return connections === null || connections === 0
    ? "drained; nobody is connected"
    : `drained; ${connections} connections go on`;
}
