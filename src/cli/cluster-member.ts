// `sallyport cluster agent FILE MACHINE`: this host, or the Linux inside a virtual machine, takes part in a
// cluster; and `cluster leave`, which puts back what it had before. `apply` does the same for its namespaces.
import { dirname, resolve } from "node:path";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import type { Supervisor } from "../driver/linux/supervisor.ts";
import type { ProcessState } from "../model/network-state.ts";
import type { ResolvedDatacenter } from "../model/resolved-datacenter.ts";
import { agentOf, memberSettings } from "../network/cluster/member-settings.ts";
import { contentHash } from "../network/plan/kernel-names.ts";
import { deviceOf } from "../network/plan/machine-state.ts";
import { runAgent } from "../server/cluster/agent.ts";
import {
  complaintAbout,
  type HostMembership,
  setUpHost,
  takeDownHost,
} from "../server/cluster/host-member.ts";
import { loadDatacenter } from "../server/datacenter/load-datacenter.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { loadUsable } from "./datacenter-file.ts";
import { openStored } from "./live-command.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport cluster agent FILE MACHINE [--device NAME]
       sallyport cluster leave FILE MACHINE

Makes this host the member MACHINE of the cluster that FILE has it in, and takes part until it is ended. It is for members
that sallyport apply does not run: real hosts, and the Linux inside of virtual machines. All members have the same FILE.

One device gets the cluster's address and, in unicast mode, its MAC. When the agent is ended the others take its share over;
connections that are open go on, and it can be started again. leave ends them and puts back what the device had before.
SIGHUP reads FILE again.

Options:
  --device NAME  the device in the cluster's network; default: as the file names the interface
  -h, --help     show this

Examples:
  sallyport cluster agent datacenter.yaml iis-2 --device ens3
  sallyport cluster leave datacenter.yaml iis-2

Exit codes: 0 ended as told; 1 it cannot be that member, with the reason.
`;

export async function clusterMember(
  action: "agent" | "leave",
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const complain = (message: string, help: string | null = null) =>
    complainOfUsage(terminal, "cluster agent", message, help);
  const reading = readCommandLine(args, [{ name: "device", takesValue: true }]);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  if (reading.kind === "wrong") return complain(reading.message, reading.help);
  const [file, machine, extra] = reading.line.words;
  if (file === undefined) return complain("which file?");
  if (machine === undefined) return complain("which machine is this?");
  if (extra !== undefined) return complain(`what is ${extra}?`);
  const usable = loadUsable(file, terminal);
  if (usable === null) return 1;
  if (process.getuid?.() !== 0) return complain("only root may change the network of a host");
  const open = openStored("cluster", usable.resolved.source.name.value, terminal);
  if (open === null) return 1;
  const { driver } = open;
  const running = runningAgent(driver.supervisor, machine);
  if (running !== null) return complain(`the agent of ${machine} runs here`, running);
  if (action === "leave") {
    // The file need not have it in a cluster any more.
    const left = await takeDownHost(driver.supervisor.directoryOf(agentOf(machine)));
    if (left.fault !== null) return complain(left.fault);
    terminal.write(left.hadJoined ? `${machine} has left\n` : `${machine} was no member here\n`);
    return 0;
  }
  const found = membershipIn(usable.resolved, machine, reading.line.valueOf("device"));
  if (typeof found === "string") {
    const names = usable.resolved.clusters.flatMap(({ members }) => members.map((one) => one.machine));
    return complain(found, suggestWord(machine, names));
  }
  const fault = await complaintAbout(found);
  if (fault !== null) return complain(fault);
  return serve(file, found, usable.resolved, driver.supervisor, complain);
}

async function serve(
  file: string,
  membership: HostMembership,
  resolved: ResolvedDatacenter,
  supervisor: Supervisor,
  complain: (message: string) => number,
): Promise<number> {
  const { machine } = membership;
  const directory = supervisor.directoryOf(agentOf(machine));
  // Its directory is where status and orders look for it.
  const adopted = supervisor.adopt(agentProcess(membership, resolved));
  if (adopted !== null) return complain(adopted);
  const fault = await setUpHost(membership, directory);
  if (fault !== null) {
    supervisor.forget(agentOf(machine));
    return complain(fault);
  }
  const code = await runAgent(directory, async () => {
    const loaded = loadDatacenter(file, process.env);
    const wrong = loaded.diagnostics.find(({ severity }) => severity === "error");
    if (wrong !== undefined || loaded.resolved === null)
      return `${file} is not in force: ${wrong?.message ?? "it cannot be read"}`;
    const next = membershipIn(loaded.resolved, machine, membership.device);
    if (typeof next === "string") return `${file} is not in force: ${next}`;
    if (next.cluster.address !== membership.cluster.address || next.cluster.mode !== membership.cluster.mode)
      return `${file} is not in force: with another address or mode the agent has to be started anew`;
    return (await setUpHost(next, directory)) ?? supervisor.adopt(agentProcess(next, loaded.resolved));
  });
  supervisor.forget(agentOf(machine));
  return code;
}

/** What it takes to be that member, or why nobody can. */
function membershipIn(
  { machines, clusters }: ResolvedDatacenter,
  name: string,
  device: string | null,
): HostMembership | string {
  const machine = machines.find((one) => one.name === name);
  if (machine === undefined) return `there is no machine ${name}`;
  const cluster = clusters.find((one) => one.name === machine.cluster);
  const own = machine.interfaces.find(({ network }) => network === cluster?.network);
  if (cluster === undefined || own === undefined) return `${name} is a member of no cluster`;
  return { cluster, machine: name, own, device: device ?? deviceOf(own) };
}

function agentProcess(membership: HostMembership, resolved: ResolvedDatacenter): ProcessState {
  const { cluster, machine, device } = membership;
  const { keyFile } = cluster.source;
  const key = keyFile === null ? null : resolve(dirname(keyFile.span.file), keyFile.value);
  const one = resolved.machines.find(({ name }) => name === machine)!;
  const text = JSON.stringify(memberSettings(cluster, one, device, key, resolved), null, 2);
  return {
    name: agentOf(machine),
    words: `the cluster agent of ${machine}`,
    namespace: "",
    command: [],
    workingDirectory: null,
    isIsolated: false,
    files: [{ name: "settings.json", text }],
    reload: { signal: "HUP", hash: contentHash(text) },
  };
}

/** How to end it; null when there is none. */
function runningAgent(supervisor: Supervisor, machine: string): string | null {
  const pid = supervisor.processOf(agentOf(machine));
  return pid === null ? null : `It is process ${pid}.`;
}
