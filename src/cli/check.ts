// `sallyport check`: reads a configuration and everything that it names, and says all that is wrong. It
// starts nothing and asks no name server.
import { summarizeDiagnostics } from "../diagnostic/render.ts";
import { loadConfiguration } from "../server/prepare.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { isDatacenterFile } from "./is-datacenter-file.ts";
import { diagnosticRecord, diagnosticsText } from "./print-diagnostics.ts";
import { colour, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport check FILE… [options]
       sallyport check DATACENTER.yaml [options]

Reads the files as one configuration, and the certificates and other files that they name, and says everything that is
wrong, with place and likely fix. A directory stands for its *.cfg files, - for standard input. Nothing is started.

A file whose name ends in .yaml or .yml is a datacentre: its network is worked out, and what would not work in it is
said as well, each finding with its code; docs/checks has a page for every code.

Options:
  --json      an array of objects instead of text
  --fix       write the fixes that cannot do harm into the datacentre's files
  --watch     look again whenever a file changes, until Ctrl-C
  -h, --help  show this

Examples:
  sallyport check /etc/haproxy/haproxy.cfg
  sallyport check --json /etc/haproxy/ | jq -r '.[].message'
  sallyport check --fix datacenter.yaml

Exit codes: 0 it can be served or applied (there may be warnings), 1 it cannot.
`;

export async function check(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(
    args,
    ["json", "fix", "watch"].map((name) => ({ name, takesValue: false })),
  );
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  if (reading.kind === "wrong") return complainOfUsage(terminal, "check", reading.message, reading.help);
  const { line } = reading;
  const [first, second] = line.words;
  if (first === undefined) return complainOfUsage(terminal, "check", "which files?");
  if (isDatacenterFile(first)) {
    if (second !== undefined)
      return complainOfUsage(terminal, "check", "one datacentre at a time", `It may \`include\` ${second}.`);
    const options = { isJson: line.has("json"), isFix: line.has("fix"), isWatch: line.has("watch") };
    return (await import("./check-datacenter.ts")).checkDatacenterFile(first, options, terminal);
  }
  for (const option of ["fix", "watch"].filter((name) => line.has(name)))
    return complainOfUsage(terminal, "check", `--${option} is for a datacentre's .yaml file`);
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
