// `sallyport status`: what runs here and how it is doing.
import { setTimeout as pause } from "node:timers/promises";
import { askMaster } from "../server/admin/ask-master.ts";
import { listRegistry, type RegistryEntry } from "../server/registry.ts";
import { chooseMaster } from "./admin-client.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { isDatacenterFile } from "./is-datacenter-file.ts";
import { formatDuration, readStatistics, type StatisticsLine, statusTable } from "./status-table.ts";
import { colour, type Terminal } from "./terminal.ts";
import { EVERY_FAULT, readEvery } from "./watch-every.ts";

const HELP = `Usage: sallyport status [options]
       sallyport status FILE.yaml [--rootless] [--json] [--ports] [--rules] [--watch]

Shows the load balancers that run on this machine for this user, with their frontends, backends and servers: state,
sessions (and their limit), new sessions per second, requests, bytes, the last check, weight. With a datacentre file that
is applied, it shows what of its network is not as it was made, and which of its programs keep ending.

Options:
  --json      an array of objects; the statistics have HAProxy's column names
  --watch     again and again, until Ctrl-C; of a network with --json a line each time
  --every N   seconds from one time to the next of --watch (default: 2)
  --pid N     only this process
  --ports     of a network: what has passed each port of its switches, what their rules have dropped, and what services
              do: connections that edges follow, addresses that DHCP has lent, requests of load balancers
  --rules     of a network: what each rule of its firewalls and NAT has decided, beside its line of the file; of a
              connection its first packet counts
  -h, --help  show this

Examples:
  sallyport status --watch
  sallyport status --json | jq -r '.[].rows[] | select(.status == "DOWN") | .svname'

Exit codes: 0 shown, 1 nothing is running or it did not answer; of a network 1 when it is not as it was made
or a program keeps ending.
`;

const OPTIONS = [
  { name: "json", takesValue: false },
  { name: "watch", takesValue: false },
  { name: "every", takesValue: true },
  { name: "pid", takesValue: true },
] as const;

const CLEAR_SCREEN = "\x1b[H\x1b[2J";

interface MasterStatus {
  readonly entry: RegistryEntry;
  readonly rows: readonly StatisticsLine[];
}

export async function status(args: readonly string[], terminal: Terminal): Promise<number> {
  if (args.some((word) => !word.startsWith("-") && isDatacenterFile(word)))
    return (await import("./network-status.ts")).networkStatus(args, HELP, terminal);
  const reading = readCommandLine(args, OPTIONS);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  if (reading.kind === "wrong") return complainOfUsage(terminal, "status", reading.message, reading.help);
  const { line } = reading;
  if (line.words.length > 0) return complainOfUsage(terminal, "status", `what is ${line.words[0]}?`);
  const everyMs = readEvery(line);
  if (everyMs === null) return complainOfUsage(terminal, "status", EVERY_FAULT);
  const show = () => showOnce(line.valueOf("pid"), line.has("json"), line.has("watch"), terminal);
  let code = await show();
  while (line.has("watch") && code === 0) {
    await pause(everyMs);
    code = await show();
  }
  return code;
}

async function showOnce(
  pid: string | null,
  isJson: boolean,
  clears: boolean,
  terminal: Terminal,
): Promise<number> {
  const entries = mastersMeant(pid);
  if (typeof entries === "string") return complain(terminal, entries);
  const asked = await Promise.allSettled(entries.map(askStatus));
  const statuses = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  if (isJson) terminal.write(`${JSON.stringify(statuses.map(statusRecord), null, 2)}\n`);
  else {
    const text = statuses.map((one) => describeMaster(one, terminal.isColour)).join("\n");
    terminal.write(`${clears && terminal.isColour ? CLEAR_SCREEN : ""}${text}`);
  }
  for (const one of asked) if (one.status === "rejected") complain(terminal, (one.reason as Error).message);
  return statuses.length === asked.length ? 0 : 1;
}

/** Those that are meant, or why there are none. */
function mastersMeant(pid: string | null): RegistryEntry[] | string {
  const entries = pid === null ? listRegistry() : [];
  if (entries.length > 0) return entries;
  const chosen = chooseMaster(pid);
  return typeof chosen === "string" ? chosen : [chosen];
}

async function askStatus(entry: RegistryEntry): Promise<MasterStatus> {
  return { entry, rows: readStatistics(await askMaster(entry, "show stat json")) };
}

function statusRecord({ entry, rows }: MasterStatus): Record<string, unknown> {
  const { pid, files, adminPath, startedAtMs } = entry;
  return { pid, files, adminPath, startedAt: new Date(startedAtMs).toISOString(), rows };
}

function describeMaster({ entry, rows }: MasterStatus, isColour: boolean): string {
  const upTime = formatDuration(Date.now() - entry.startedAtMs);
  const title = `${colour(isColour, "title", entry.files.join(" "))}  pid ${entry.pid}, up ${upTime}`;
  return `${title}\n${statusTable(rows, isColour)
    .map((text) => `  ${text}\n`)
    .join("")}`;
}

function complain(terminal: Terminal, message: string): 1 {
  terminal.error(`${colour(terminal.isErrorColour, "error", "error")}: ${message}\n`);
  return 1;
}
