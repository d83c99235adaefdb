// `sallyport switch upgrade`: gives a switch of a datacentre file a newer version. Only that value changes,
// and the file as it was is kept beside it.
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { applyEdits } from "../language/datacenter/edit.ts";
import { planUpgrade, type SwitchUpgrade } from "../network/switch-versions.ts";
import { findAll } from "../server/datacenter/find-all.ts";
import { loadDatacenter } from "../server/datacenter/load-datacenter.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { loadUsable } from "./datacenter-file.ts";
import { diagnosticsText } from "./print-diagnostics.ts";
import { colour, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport switch upgrade FILE SWITCH --to VERSION [options]
       sallyport switch restore FILE

upgrade gives a switch of FILE a newer version, which decides what it may be told to do. It goes one way: the file as it
was is kept as FILE.before-VERSION. Only the line of the version changes. restore brings the newest such backup back.

Options:
  --to VERSION  5.1, 5.5 or 6.0
  --dry-run     say what would change, and change nothing
  -h, --help    show this

Exit codes: 0 done, 1 not, with the reason.
`;

export async function switchCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, [
    { name: "to", takesValue: true },
    { name: "dry-run", takesValue: false },
  ]);
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
  if (what === "restore") return restore(file, terminal);
  const to = line.valueOf("to");
  if (name === undefined) return complain("which switch?");
  if (to === null) return complain("to which version?", `sallyport switch upgrade ${file} ${name} --to 5.5`);
  return upgrade(file, name, to, line.has("dry-run"), terminal);
}

function upgrade(file: string, name: string, to: string, isDry: boolean, terminal: Terminal): number {
  const usable = loadUsable(file, terminal);
  if (usable === null) return 1;
  const { datacenter } = usable;
  const plan = planUpgrade(datacenter, name, to);
  if (typeof plan === "string")
    return complainOfUsage(
      terminal,
      "switch",
      plan,
      suggestWord(
        name,
        datacenter.switches.map((one) => one.name),
      ),
    );
  const changed = plan.edits[0]!.file;
  const text = readFileSync(changed, "utf8");
  const result = applyEdits(text, plan.edits, changed);
  if (!result.ok) {
    terminal.error(diagnosticsText([result.diagnostic], usable.sources, terminal.isErrorColour));
    return 1;
  }
  terminal.write(describe(name, plan, terminal));
  if (isDry) return 0;
  const backup = `${changed}.before-${plan.to}`;
  if (existsSync(backup))
    return complainOfUsage(terminal, "switch", `${backup} exists`, "Move it away; it may be needed.");
  copyFileSync(changed, backup);
  writeFileSync(changed, result.text);
  terminal.write(`${colour(terminal.isColour, "good", "written")} ${changed}; as it was: ${backup}\n`);
  return reportAfter(file, terminal);
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

function restore(file: string, terminal: Terminal): number {
  for (const version of ["6.0", "5.5", "5.1"]) {
    const backup = `${file}.before-${version}`;
    if (!existsSync(backup)) continue;
    copyFileSync(backup, file);
    terminal.write(`${colour(terminal.isColour, "good", "restored")} ${file} from ${backup}\n`);
    return reportAfter(file, terminal);
  }
  return complainOfUsage(
    terminal,
    "switch",
    `there is no backup of ${file}`,
    "An upgrade would have made one.",
  );
}
