// `sallyport destroy`: takes away everything that `apply` made for a datacentre.
import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { apply as applyState } from "../driver/apply.ts";
import { NOTHING } from "../driver/contract.ts";
import { appliedFrom, dataDirectoryOf } from "../driver/linux/disk-store.ts";
import { isInsideRootless } from "../driver/linux/rootless.ts";
import { loadDatacenter } from "../server/datacenter/load-datacenter.ts";
import { report } from "./apply.ts";
import { loadUsable } from "./datacenter-file.ts";
import { endProgress, openStored, progressOn, readLiveWords } from "./live-command.ts";
import { colour, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport destroy FILE [options]

Takes away what sallyport apply made for the datacentre of FILE: programs, namespaces, devices, tables, files, and the
copies of virtual machines' disks. What is not of this datacentre stays. FILE may have errors by now, or be gone.

Options:
  --rootless  from the network of your own, which ends with it
  --json      the steps as data
  -h, --help  show this

Exit codes: 0 it is gone, 1 it is not, with the reason.
`;

export async function destroy(args: readonly string[], terminal: Terminal): Promise<number> {
  const words = await readLiveWords("destroy", HELP, args, [], terminal);
  if (typeof words === "number") {
    if (words === 0 && args.includes("--rootless") && !isInsideRootless())
      await (await import("../driver/linux/rootless.ts")).removeInside();
    return words;
  }
  const name = nameToDestroy(words.file, terminal);
  if (name === null) return 1;
  const open = openStored("destroy", name, terminal);
  if (open === null) return 1;
  const { driver, store } = open;
  const outcome = await applyState({ desired: NOTHING, file: null }, driver, store, progressOn(terminal));
  endProgress(terminal);
  const code = report(words.file, outcome, words.line.has("json"), terminal);
  if (code !== 0) return code;
  for (const directory of [store.directory, dataDirectoryOf(name)])
    rmSync(directory, { recursive: true, force: true });
  return code;
}

/**
 * The name in the file, which may have errors by now; or, when the file is gone or has another name, the one
 * under which it was applied. Null, with the reason said, when nothing tells.
 */
function nameToDestroy(file: string, terminal: Terminal): string | null {
  const written = loadDatacenter(file, process.env).datacenter?.name.value ?? null;
  const applied = appliedFrom(resolve(file));
  if (written !== null && (applied.length === 0 || applied.includes(written))) return written;
  const [name] = applied;
  if (name === undefined) return loadUsable(file, terminal)?.datacenter.name.value ?? null;
  terminal.error(`${colour(terminal.isErrorColour, "notice", "note")}: ${file} was applied as ${name}\n`);
  return name;
}
