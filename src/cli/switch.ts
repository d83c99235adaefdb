// `sallyport switch`: gives a switch of a datacentre file a newer version, and takes it back. Only what the
// upgrade is about changes, the file as it was is kept beside it, and with --live the running network goes
// along.
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { launcher } from "../base/program-files.ts";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { isInsideRootless, runInside } from "../driver/linux/rootless.ts";
import { applyEdits } from "../language/datacenter/edit.ts";
import { type SwitchStep, upgradeSteps } from "../network/switch-steps.ts";
import { planUpgrade, type SwitchUpgrade } from "../network/switch-versions.ts";
import { findAll } from "../server/datacenter/find-all.ts";
import { loadDatacenter } from "../server/datacenter/load-datacenter.ts";
import { type CommandLine, complainOfUsage, readCommandLine } from "./command-line.ts";
import { loadUsable, type UsableDatacenter } from "./datacenter-file.ts";
import { diagnosticsText } from "./print-diagnostics.ts";
import { changeSwitchLive, type LiveSwitchStage } from "./switch-live.ts";
import { colour, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport switch upgrade FILE SWITCH --to VERSION [options]
       sallyport switch restore FILE [options]

upgrade gives a switch of FILE a newer version, which decides what it may be told to do. It goes one way: the file as it
was is kept as FILE.before-VERSION. Only the lines of the switch change. restore brings the newest such backup back.

With --live the network that is applied goes along, step by step: the version, each feature, the LAGs last. Meanwhile more
than a hundred probes a second go through every port group of the switch. When one is lost, or a step fails, network and
file are as they were before. Without it, sallyport apply changes the network.

Options:
  --to VERSION      5.1, 5.5 or 6.0
  --enable FEATURE  switch this on as well; several with commas: bpdu-filter,lldp. lag: uplinks that aggregate cables
                    without LACP speak it, and the live change waits until the other end does, two minutes at most
  --dry-run         say what would change, and change nothing
  --live            change the running network too, watched by probes
  --rootless        the one in a network of your own
  --host NAME       this machine is that host of the file
  -h, --help        show this

Examples:
  sallyport switch upgrade datacenter.yaml dvs0 --to 5.5
  sallyport switch upgrade datacenter.yaml dvs0 --to 5.5 --live --rootless --enable bpdu-filter
  sallyport switch restore datacenter.yaml --live --rootless

Exit codes: 0 done, 1 not, with the reason.
`;

const OPTIONS = [
  { name: "to", takesValue: true },
  { name: "enable", takesValue: true },
  { name: "dry-run", takesValue: false },
  { name: "live", takesValue: false },
  { name: "rootless", takesValue: false },
  { name: "host", takesValue: true },
] as const;

export async function switchCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, OPTIONS);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  const complain = (message: string, help: string | null = null): 1 =>
    complainOfUsage(terminal, "switch", message, help);
  if (reading.kind === "wrong") return complain(reading.message, reading.help);
  const { line } = reading;
  const [what, file, name, ...rest] = line.words;
  if (what === undefined) return complain("switch upgrade or switch restore?");
  if (what !== "upgrade" && what !== "restore")
    return complain(`there is no switch ${what}`, suggestWord(what, ["upgrade", "restore"]));
  if (file === undefined) return complain("which file?");
  if (rest.length > 0) return complain(`one switch at a time: what is ${rest[0]}?`);
  if (what === "upgrade" && name === undefined) return complain("which switch?");
  if (what === "upgrade" && line.valueOf("to") === null)
    return complain("to which version?", `sallyport switch upgrade ${file} ${name} --to 5.5`);
  if (line.has("rootless") && !line.has("live")) return complain("--rootless goes with --live only");
  if (line.has("rootless") && !isInsideRootless()) {
    const outcome = await runInside([launcher(), "switch", ...args]);
    return typeof outcome === "number" ? outcome : complain(outcome);
  }
  const usable = loadUsable(file, terminal);
  if (usable === null) return 1;
  const host = line.valueOf("host");
  const hosts = usable.datacenter.hosts.map((one) => one.name);
  if (host !== null && !hosts.includes(host))
    return complain(`there is no host ${host}`, suggestWord(host, hosts));
  return what === "restore"
    ? restore(file, usable, line, terminal)
    : upgrade(file, name!, usable, line, terminal);
}

async function upgrade(
  file: string,
  name: string,
  usable: UsableDatacenter,
  line: CommandLine,
  terminal: Terminal,
): Promise<number> {
  const { datacenter, sources } = usable;
  const complain = (message: string, help: string | null = null): 1 =>
    complainOfUsage(terminal, "switch", message, help);
  const names = datacenter.switches.map((one) => one.name);
  const plan = planUpgrade(datacenter, name, line.valueOf("to")!);
  if (typeof plan === "string") return complain(plan, names.includes(name) ? null : suggestWord(name, names));
  const features = (line.valueOf("enable") ?? "").split(",").filter((word) => word !== "");
  const steps = upgradeSteps(datacenter, name, plan, features, line.valueOf("host"));
  if (typeof steps === "string") return complain(steps);
  const changed = plan.edits[0]!.file;
  const stages = stagesOf(steps, changed, plan);
  if ("diagnostic" in stages) {
    terminal.error(diagnosticsText([stages.diagnostic], sources, terminal.isErrorColour));
    return 1;
  }
  terminal.write(describe(name, plan, terminal));
  for (const words of steps.flatMap(({ otherEnds = [] }) => otherEnds))
    terminal.write(`  ${colour(terminal.isColour, "warning", words)}\n`);
  if (line.has("dry-run")) return 0;
  const backup = `${changed}.before-${plan.to}`;
  if (existsSync(backup) && readFileSync(backup, "utf8") !== readFileSync(changed, "utf8"))
    return complain(`${backup} exists`, "Move it away; it may be needed.");
  try {
    // Before the network is changed it has to be sure that the file can be.
    accessSync(changed, constants.W_OK);
    copyFileSync(changed, backup);
  } catch (error) {
    return complain((error as Error).message);
  }
  if (line.has("live")) {
    const host = line.valueOf("host");
    const outcome = await changeSwitchLive({ file, changed, switches: [name], host, stages }, terminal);
    if (outcome === null) {
      rmSync(backup);
      return 1;
    }
  }
  writeFileSync(changed, stages.at(-1)!.text);
  terminal.write(`${colour(terminal.isColour, "good", "written")} ${changed}; as it was: ${backup}\n`);
  return reportAfter(file, terminal);
}

/** The text of the file behind each step. */
function stagesOf(
  steps: readonly SwitchStep[],
  changed: string,
  { later }: SwitchUpgrade,
): LiveSwitchStage[] | Extract<ReturnType<typeof applyEdits>, { ok: false }> {
  let text = readFileSync(changed, "utf8");
  const stages: LiveSwitchStage[] = [];
  for (const { words, edits, convertsLags, otherEnds } of steps) {
    const result = applyEdits(text, edits, changed);
    if (!result.ok) return result;
    text = result.text;
    const hasConvertedLags = convertsLags || later.length === 0;
    stages.push({ words, text, convertsLags, hasConvertedLags, awaitsLacp: otherEnds !== undefined });
  }
  return stages;
}

function describe(name: string, { from, to, gains, later }: SwitchUpgrade, terminal: Terminal): string {
  const lines = [colour(terminal.isColour, "title", `${name}: ${from} → ${to}`)];
  if (gains.length > 0) lines.push("  from then on it can do:", ...gains.map((words) => `    ${words}`));
  for (const words of later) lines.push(`  in a second step: ${words}`);
  return `${lines.join("\n")}\n`;
}

/** The whole file is looked at again: a version decides about other lines. */
function reportAfter(file: string, terminal: Terminal): number {
  const loaded = loadDatacenter(file, process.env);
  const findings = findAll(loaded);
  if (findings.length > 0)
    terminal.write(`\n${diagnosticsText(findings, loaded.sources, terminal.isColour)}`);
  return findings.some(({ severity }) => severity === "error") ? 1 : 0;
}

async function restore(
  file: string,
  { datacenter, sources }: UsableDatacenter,
  line: CommandLine,
  terminal: Terminal,
): Promise<number> {
  const found = newestBackup([file, ...sources.map(({ name }) => name)]);
  if (found === null)
    return complainOfUsage(
      terminal,
      "switch",
      `there is no backup of ${file}`,
      "An upgrade would have made one.",
    );
  const { changed, backup } = found;
  const text = readFileSync(backup, "utf8");
  if (line.has("dry-run")) {
    terminal.write(`${changed} would be what ${backup} is\n`);
    return 0;
  }
  if (line.has("live")) {
    const words = `as in ${backup}`;
    const switches = datacenter.switches.map(({ name }) => name);
    const stages = [{ words, text, hasConvertedLags: true, convertsLags: false, awaitsLacp: false }];
    const change = { file, changed, switches, host: line.valueOf("host"), stages };
    if ((await changeSwitchLive(change, terminal)) === null) return 1;
  }
  writeFileSync(changed, text);
  terminal.write(`${colour(terminal.isColour, "good", "restored")} ${changed} from ${backup}\n`);
  return reportAfter(file, terminal);
}

/** Of the file, or of one that it includes. */
function newestBackup(
  files: readonly string[],
): { readonly changed: string; readonly backup: string } | null {
  for (const version of ["6.0", "5.5", "5.1"]) {
    const changed = files.find((one) => existsSync(`${one}.before-${version}`));
    if (changed !== undefined) return { changed, backup: `${changed}.before-${version}` };
  }
  return null;
}
