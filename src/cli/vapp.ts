// `sallyport vapp`: more copies of an application in a datacentre file, and fewer.
import { readFileSync, writeFileSync } from "node:fs";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { applyEdits } from "../language/datacenter/edit.ts";
import type { ResolvedDatacenter } from "../model/resolved-datacenter.ts";
import { addCopies, type CopyChange, removeCopies } from "../network/vapp-copies.ts";
import { loadDatacenter } from "../server/datacenter/load-datacenter.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { loadUsable, type UsableDatacenter } from "./datacenter-file.ts";
import { diagnosticsText } from "./print-diagnostics.ts";
import { colour, columns, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport vapp copy FILE VAPP [NAME…] [options]
       sallyport vapp remove FILE VAPP NAME…

copy adds copies of a vApp to FILE, by the names that are given and as many more as --count says. Inside they are what the
others are; outside each gets addresses of the parent's pool, which are shown. remove takes copies out of FILE. Only the
lines of the copies change.

Options:
  --count N   so many copies with names of their own: copy-1, copy-2 …
  -h, --help  show this

Examples:
  sallyport vapp copy datacenter.yaml shop test-c
  sallyport vapp copy datacenter.yaml shop --count 20
  sallyport vapp remove datacenter.yaml shop copy-7

Exit codes: 0 done, 1 not, with the reason.
`;

export async function vapp(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, [{ name: "count", takesValue: true }]);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  const complain = (message: string, help: string | null = null): 1 =>
    complainOfUsage(terminal, "vapp", message, help);
  if (reading.kind === "wrong") return complain(reading.message, reading.help);
  const { line } = reading;
  const [what, file, name, ...names] = line.words;
  if (what === undefined) return complain("vapp copy or vapp remove?");
  if (what !== "copy" && what !== "remove")
    return complain(`there is no vapp ${what}`, suggestWord(what, ["copy", "remove"]));
  if (file === undefined) return complain("which file?");
  if (name === undefined) return complain("which vApp?");
  const count = line.valueOf("count");
  if (count !== null && (what === "remove" || !/^[1-9]\d{0,3}$/.test(count)))
    return complain(
      what === "remove" ? "remove takes names, not --count" : `--count ${count} is no number of copies`,
    );
  if (names.length === 0 && count === null)
    return complain(what === "copy" ? "which name, or --count how many?" : "which copies?");
  const usable = loadUsable(file, terminal);
  if (usable === null) return 1;
  const { datacenter } = usable;
  const change =
    what === "copy"
      ? addCopies(datacenter, name, names, Number(count ?? 0))
      : removeCopies(datacenter, name, names);
  if (typeof change === "string")
    return complain(
      change,
      suggestWord(
        name,
        datacenter.vapps.map((one) => one.name).filter((one) => one !== name),
      ),
    );
  return write(file, what, change, usable, terminal);
}

function write(
  file: string,
  what: "copy" | "remove",
  change: CopyChange,
  usable: UsableDatacenter,
  terminal: Terminal,
): number {
  const changed = change.edits[0]!.file;
  const text = readFileSync(changed, "utf8");
  const result = applyEdits(text, change.edits, changed);
  if (!result.ok) {
    terminal.error(diagnosticsText([result.diagnostic], usable.sources, terminal.isErrorColour));
    return 1;
  }
  writeFileSync(changed, result.text);
  const after = loadDatacenter(file, process.env);
  const errors = after.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0 || after.resolved === null) {
    // Mostly an exhausted pool: then the file stays as it was.
    writeFileSync(changed, text);
    terminal.error(diagnosticsText(errors, after.sources, terminal.isErrorColour));
    return 1;
  }
  terminal.write(`${colour(terminal.isColour, "good", "written")} ${changed}\n`);
  if (what === "copy") for (const row of copyRows(change.names, after.resolved)) terminal.write(`  ${row}\n`);
  return 0;
}

function copyRows(names: readonly string[], { edges }: ResolvedDatacenter): string[] {
  return columns(
    names.map((name) => {
      const fence = edges.find((edge) => edge.name === name)?.fence;
      const pairs = fence?.mode === "ip-translation" ? fence.pairs : [];
      return [
        name,
        fence?.address ?? "",
        ...pairs.map(({ machine, outside }) => `${machine.slice(name.length + 1)} ${outside}`),
      ];
    }),
  );
}
