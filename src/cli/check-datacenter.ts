// `sallyport check` for a datacentre file: everything that is wrong with it and with what it leads to, before
// anything is touched. With --fix the safe fixes are written into the file, with --watch it looks again at
// each change.
import { readFileSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { summarizeDiagnostics } from "../diagnostic/render.ts";
import { applyEdits } from "../language/datacenter/edit.ts";
import type { CheckFix } from "../model/dashboard-api.ts";
import type { DocumentEdit } from "../model/document-edit.ts";
import { type Finding, findAll } from "../server/datacenter/find-all.ts";
import { type LoadedDatacenter, loadDatacenter } from "../server/datacenter/load-datacenter.ts";
import { changedLines } from "../server/fixes/line-changes.ts";
import { replaceFile } from "../server/fixes/replace-file.ts";
import { writeChanges } from "./print-changes.ts";
import { diagnosticRecord, diagnosticsText } from "./print-diagnostics.ts";
import { colour, type Terminal } from "./terminal.ts";

export interface CheckOptions {
  readonly isJson: boolean;
  readonly isFix: boolean;
  readonly isDryRun: boolean;
  readonly isWatch: boolean;
}

/** Editors write a file in several steps; one look at the end is enough. */
const SETTLE_MS = 100;
/** A fix may uncover what another fix mends. */
const ROUNDS_MAX = 5;

/** Exit code 0: it can be applied (there may be warnings); 1: it cannot. */
export async function checkDatacenterFile(
  path: string,
  options: CheckOptions,
  terminal: Terminal,
): Promise<number> {
  let code = checkOnce(path, options, terminal);
  if (!options.isWatch) return code;
  for await (const _ of changesOf(path)) {
    terminal.write(terminal.isColour ? "\x1b[2J\x1b[H" : "\n");
    code = checkOnce(path, options, terminal);
  }
  return code;
}

function checkOnce(path: string, options: CheckOptions, terminal: Terminal): number {
  let loaded = loadDatacenter(path, process.env);
  let findings = findAll(loaded);
  const fixed: Finding[] = [];
  for (let round = 0; options.isFix && round < ROUNDS_MAX; round++) {
    const fixable = findings.filter(({ fix }) => fix !== null);
    if (fixable.length === 0 || !writeFixes(fixable, terminal)) break;
    fixed.push(...fixable);
    loaded = loadDatacenter(path, process.env);
    findings = findAll(loaded);
  }
  if (options.isDryRun) writeChanges(fixChanges(findings, loaded), terminal);
  if (options.isJson) printJson(findings, terminal);
  else printText(path, loaded, findings, fixed, terminal);
  return findings.some(({ severity }) => severity === "error") ? 1 : 0;
}

/** What the fixes together would do to each file. */
function fixChanges(findings: readonly Finding[], { sources }: LoadedDatacenter): CheckFix["changes"] {
  const edits = findings.flatMap(({ fix }) => fix ?? []);
  return sources.flatMap(({ name, text }) => {
    const result = applyEdits(text, edits, name);
    return result.ok ? changedLines(name, text, result.text) : [];
  });
}

function printJson(findings: readonly Finding[], terminal: Terminal): void {
  const records = findings.map((finding) => ({ ...diagnosticRecord(finding), fix: finding.fix }));
  terminal.write(`${JSON.stringify(records, null, 2)}\n`);
}

function printText(
  path: string,
  { sources }: LoadedDatacenter,
  findings: readonly Finding[],
  fixed: readonly Finding[],
  terminal: Terminal,
): void {
  for (const { span, message } of fixed) {
    const place = `${span.file}:${span.line}`;
    terminal.write(`${colour(terminal.isColour, "good", "fixed")} ${place}: ${message}\n`);
  }
  if (fixed.length > 0) terminal.write("\n");
  terminal.write(diagnosticsText(findings, sources, terminal.isColour));
  if (findings.length > 0) terminal.write("\n");
  const fixableCount = findings.filter(({ fix }) => fix !== null).length;
  if (fixableCount > 0) {
    const them = fixableCount === 1 ? "one of them" : `${fixableCount} of them`;
    terminal.write(`sallyport check --fix ${path} mends ${them}.\n`);
  }
  const isBroken = findings.some(({ severity }) => severity === "error");
  const role = isBroken ? "error" : findings.length > 0 ? "warning" : "good";
  terminal.write(`${path}: ${colour(terminal.isColour, role, summarizeDiagnostics(findings))}\n`);
}

/** Writes the fixes into their files. False when none could be written, for which the reason is said. */
function writeFixes(fixable: readonly Finding[], terminal: Terminal): boolean {
  const editsByFile = Map.groupBy(
    fixable.flatMap(({ fix }): readonly DocumentEdit[] => fix ?? []),
    ({ file }) => file,
  );
  let isWritten = false;
  for (const [file, edits] of editsByFile) {
    const before = readFileSync(file, "utf8");
    const result = applyEdits(before, edits, file);
    const fault = result.ok ? replaceFile(file, before, result.text) : result.diagnostic.message;
    if (fault === null) isWritten = true;
    else terminal.error(`${colour(terminal.isErrorColour, "error", "error")}: ${fault}\n`);
  }
  return isWritten;
}

/** One turn for each change of a file in the folder that has a part in it; ends with Ctrl-C. */
async function* changesOf(path: string): AsyncGenerator<string> {
  const folder = dirname(path);
  const relevant = (name: string | null) =>
    name === null || name === basename(path) || /\.(ya?ml|cfg)$/.test(name);
  let wake = () => {};
  let isChanged = false;
  const watcher = watch(folder, { recursive: true }, (_event, name) => {
    if (!relevant(name)) return;
    isChanged = true;
    wake();
  });
  try {
    while (true) {
      if (!isChanged) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      isChanged = false;
      yield path;
    }
  } finally {
    watcher.close();
  }
}
