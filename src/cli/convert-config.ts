// `sallyport convert config`: the vocabulary of HAProxy 1.5 as the rules of today, everything else untouched.
import { copyFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { modernise } from "../language/haproxy/convert.ts";
import type { SourceText } from "../server/prepare.ts";
import { readSources } from "../server/source-files.ts";
import { type CommandLine, complainOfUsage, readCommandLine } from "./command-line.ts";
import { machineEnvironment } from "./machine-environment.ts";
import { diagnosticsText } from "./print-diagnostics.ts";
import { colour, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport convert config FILE… [options]

Writes configurations for HAProxy 1.5 (reqadd, rspdel, reqrep, …) as configurations for today. Lines that are fine stay
as they are, byte for byte; rules of 1.5 go to where they were done, behind those of today. Lines that cannot be
converted stay too and are named. The result goes to standard output.

Options:
  -o, --output FILE  write FILE instead
  --in-place         write the file itself; the old one is kept as FILE.bak
  -h, --help         show this

Examples:
  sallyport convert config haproxy.cfg | diff -u haproxy.cfg -
  sallyport convert config --in-place /etc/haproxy/haproxy.cfg

Exit codes: 0 converted, 1 something was left for you to change, or a file could not be read or written.
`;

const OPTIONS = [
  { name: "output", letter: "o", takesValue: true },
  { name: "in-place", takesValue: false },
] as const;

export async function convertConfig(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, OPTIONS);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  const complaint = reading.kind === "wrong" ? reading.message : complaintOf(reading.line);
  if (reading.kind === "wrong" || complaint !== null) {
    const help = reading.kind === "wrong" ? reading.help : null;
    return complainOfUsage(terminal, "convert config", complaint ?? "", help);
  }
  const { sources, diagnostics } = readSources(reading.line.words);
  terminal.error(diagnosticsText(diagnostics, sources, terminal.isErrorColour));
  if (diagnostics.length > 0) return 1;
  const result = modernise(sources, machineEnvironment());
  terminal.error(diagnosticsText(result.diagnostics, sources, terminal.isErrorColour));
  const isWritten = writeResult(sources, result.files, reading.line, terminal);
  return isWritten && result.diagnostics.length === 0 ? 0 : 1;
}

function complaintOf(line: CommandLine): string | null {
  if (line.words.length === 0) return "which file?";
  if (line.has("output") && line.has("in-place")) return "--output or --in-place, not both";
  if (line.has("in-place") && line.words.includes("-")) return "standard input cannot be written in place";
  if (line.has("output") && line.words.length > 1)
    return "--output is for one file; --in-place is for several";
  return null;
}

function writeResult(
  before: readonly SourceText[],
  after: readonly SourceText[],
  line: CommandLine,
  terminal: Terminal,
): boolean {
  const output = line.valueOf("output");
  if (output === null && !line.has("in-place")) {
    for (const { text } of after) terminal.write(text);
    return true;
  }
  if (output !== null)
    return writeFiles([{ path: output, text: after.map(({ text }) => text).join("") }], terminal);
  const changed = after.filter(({ text }, i) => text !== before[i]!.text);
  if (changed.length < after.length) terminal.error(`${after.length - changed.length} unchanged\n`);
  return writeFiles(
    changed.map(({ name, text }) => ({ path: name, text, keep: `${name}.bak` })),
    terminal,
  );
}

interface Writing {
  readonly path: string;
  readonly text: string;
  /** Where the old file goes. */
  readonly keep?: string;
}

function writeFiles(writings: readonly Writing[], terminal: Terminal): boolean {
  for (const { path, text, keep } of writings) {
    try {
      if (keep === undefined) writeFileSync(path, text);
      else replace(path, text, keep);
      const kept = keep === undefined ? "" : `, the old one is ${keep}`;
      terminal.error(`${colour(terminal.isErrorColour, "good", "written")} ${path}${kept}\n`);
    } catch (error) {
      const message = `cannot write ${path}: ${(error as Error).message}`;
      terminal.error(`${colour(terminal.isErrorColour, "error", "error")}: ${message}\n`);
      return false;
    }
  }
  return true;
}

/** At every moment there is a whole file of that name. */
function replace(path: string, text: string, keep: string): void {
  const { mode } = statSync(path);
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, text, { mode: mode & 0o777, flag: "wx" });
  copyFileSync(path, keep);
  renameSync(draft, path);
}
