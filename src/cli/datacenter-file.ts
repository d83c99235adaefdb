// What the commands of the datacentre share: reading the file, saying what is wrong with it, and stopping
// when that leaves nothing to work on.
import { summarizeDiagnostics } from "../diagnostic/render.ts";
import type { ResolvedDatacenter } from "../model/resolved-datacenter.ts";
import { type LoadedDatacenter, loadDatacenter } from "../server/datacenter/load-datacenter.ts";
import { diagnosticsText } from "./print-diagnostics.ts";
import { colour, type Terminal } from "./terminal.ts";

export interface UsableDatacenter extends LoadedDatacenter {
  readonly datacenter: NonNullable<LoadedDatacenter["datacenter"]>;
  readonly resolved: ResolvedDatacenter;
}

/**
 * Reads the file for a command that needs it whole. Errors are said, and null is returned; warnings are left
 * to `check`, which is the command for them.
 */
export function loadUsable(path: string, terminal: Terminal): UsableDatacenter | null {
  const loaded = loadDatacenter(path, process.env);
  const { datacenter, resolved, sources } = loaded;
  const errors = loaded.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length === 0 && datacenter !== null && resolved !== null)
    return { ...loaded, datacenter, resolved };
  terminal.error(diagnosticsText(errors, sources, terminal.isErrorColour));
  const summary = colour(terminal.isErrorColour, "error", summarizeDiagnostics(errors));
  terminal.error(`\n${path}: ${summary}\n`);
  return null;
}
