// `sallyport check` for configurations of the load balancer. With --fix old words become those of today,
// where that cannot change what the file means; with --dry-run the lines are only shown.
import type { Diagnostic } from "../diagnostic/diagnostic.ts";
import { summarizeDiagnostics } from "../diagnostic/render.ts";
import type { LineEdit } from "../model/line-edit.ts";
import {
  changesOfLines,
  combineProxyFixes,
  findProxyFixes,
  writeLineEdits,
} from "../server/fixes/proxy-fixes.ts";
import { type Loaded, loadConfiguration } from "../server/prepare.ts";
import { writeChanges } from "./print-changes.ts";
import { diagnosticRecord, diagnosticsText } from "./print-diagnostics.ts";
import { colour, type Terminal } from "./terminal.ts";

export interface ProxyCheckOptions {
  readonly isJson: boolean;
  readonly isFix: boolean;
  readonly isDryRun: boolean;
}

/** Exit code 0: it can be served (there may be warnings); 1: it cannot. */
export function checkProxyFiles(
  paths: readonly string[],
  { isJson, isFix, isDryRun }: ProxyCheckOptions,
  terminal: Terminal,
): number {
  let loaded = loadConfiguration(paths, { environment: process.env });
  if (isDryRun) showFixes(loaded, terminal);
  else if (isFix && writeFixes(loaded, isJson, terminal))
    loaded = loadConfiguration(paths, { environment: process.env });
  if (isJson) printJson(loaded, terminal);
  else printText(paths, loaded, terminal);
  return loaded.loaded === null ? 1 : 0;
}

function fixesOf({ sources, diagnostics }: Loaded): {
  readonly edits: readonly LineEdit[];
  readonly fixed: readonly Diagnostic[];
} {
  const fixes = findProxyFixes(sources, diagnostics, process.env);
  const { edits, isTaken } = combineProxyFixes(sources, [...fixes.values()], process.env);
  const taken = new Set([...fixes.keys()].filter((_, index) => isTaken[index]));
  return { edits, fixed: diagnostics.filter((one) => taken.has(one)) };
}

function showFixes(loaded: Loaded, terminal: Terminal): void {
  writeChanges(changesOfLines(fixesOf(loaded).edits), terminal);
}

/** False: there was nothing to write, or it could not be written, for which the reason is said. */
function writeFixes(loaded: Loaded, isJson: boolean, terminal: Terminal): boolean {
  const { edits, fixed } = fixesOf(loaded);
  if (edits.length === 0) return false;
  const fault = writeLineEdits(loaded.sources, edits);
  if (fault !== null) {
    terminal.error(`${colour(terminal.isErrorColour, "error", "error")}: ${fault}\n`);
    return false;
  }
  if (isJson) return true;
  for (const { span, message } of fixed) {
    const place = `${span.file}:${span.line}`;
    terminal.write(`${colour(terminal.isColour, "good", "fixed")} ${place}: ${message}\n`);
  }
  terminal.write("\n");
  return true;
}

function printJson({ sources, diagnostics }: Loaded, terminal: Terminal): void {
  const fixes = findProxyFixes(sources, diagnostics, process.env);
  const records = diagnostics.map((one) => ({ ...diagnosticRecord(one), fix: fixes.get(one) ?? null }));
  terminal.write(`${JSON.stringify(records, null, 2)}\n`);
}

function printText(paths: readonly string[], loaded: Loaded, terminal: Terminal): void {
  const { sources, diagnostics } = loaded;
  terminal.write(diagnosticsText(diagnostics, sources, terminal.isColour));
  if (diagnostics.length > 0) terminal.write("\n");
  const fixableCount = findProxyFixes(sources, diagnostics, process.env).size;
  if (fixableCount > 0) {
    const them = fixableCount === 1 ? "one of them" : `${fixableCount} of them`;
    terminal.write(`sallyport check --fix ${paths.join(" ")} mends ${them}.\n`);
  }
  const hasWarnings = diagnostics.some(({ severity }) => severity === "warning");
  const role = loaded.loaded === null ? "error" : hasWarnings ? "warning" : "good";
  const summary = summarizeDiagnostics(diagnostics);
  terminal.write(`${paths.join(" ")}: ${colour(terminal.isColour, role, summary)}\n`);
}
