// `sallyport check`: reads a configuration and everything that it names, and says all that is wrong. It
// starts nothing and asks no name server.
import process from "node:process";
import { summarizeDiagnostics } from "../diagnostic/render.ts";
import { loadConfiguration } from "../server/prepare.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { diagnosticRecord, diagnosticsText } from "./print-diagnostics.ts";
import { colour, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport check FILE… [options]

Reads the files as one configuration, and the certificates and other files that they name, and says everything that is
wrong, with place and likely fix. A directory stands for its *.cfg files, - for standard input. Nothing is started.

Options:
  --json      an array of objects instead of text
  -h, --help  show this

Examples:
  sallyport check /etc/haproxy/haproxy.cfg
  sallyport check --json /etc/haproxy/ | jq -r '.[].message'

Exit codes: 0 it can be served (there may be warnings), 1 it cannot.
`;

export async function check(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, [{ name: "json", takesValue: false }]);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  if (reading.kind === "wrong") return complainOfUsage(terminal, "check", reading.message, reading.help);
  const { line } = reading;
  if (line.words.length === 0) return complainOfUsage(terminal, "check", "which files?");
  const { diagnostics, sources, loaded } = loadConfiguration(line.words, { environment: process.env });
  if (line.has("json")) {
    terminal.write(`${JSON.stringify(diagnostics.map(diagnosticRecord), null, 2)}\n`);
    return loaded === null ? 1 : 0;
  }
  terminal.write(diagnosticsText(diagnostics, sources, terminal.isColour));
  if (diagnostics.length > 0) terminal.write("\n");
  const hasWarnings = diagnostics.some(({ severity }) => severity === "warning");
  const role = loaded === null ? "error" : hasWarnings ? "warning" : "good";
  const summary = summarizeDiagnostics(diagnostics);
  terminal.write(`${line.words.join(" ")}: ${colour(terminal.isColour, role, summary)}\n`);
  return loaded === null ? 1 : 0;
}
