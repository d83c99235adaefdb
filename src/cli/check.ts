// `sallyport check`: reads a configuration and everything that it names, and says all that is wrong. It
// starts nothing and asks no name server.
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { isDatacenterFile } from "./is-datacenter-file.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport check FILE… [options]
       sallyport check DATACENTER.yaml [options]

Reads the files as one configuration, and the certificates and other files that they name, and says everything that is
wrong, with place and likely fix. A directory stands for its *.cfg files, - for standard input. Nothing is started.

A file whose name ends in .yaml or .yml is a datacentre: its network is worked out, and what would not work in it is
said as well, each finding with its code; docs/checks has a page for every code.

Options:
  --json      an array of objects instead of text
  --fix       write the fixes that cannot do harm into the files; in a configuration, old words become those of today
              wherever it means the same with them
  --dry-run   show the lines that --fix would change, and change nothing
  --watch     look again whenever a file changes, until Ctrl-C
  -h, --help  show this

Examples:
  sallyport check /etc/haproxy/haproxy.cfg
  sallyport check --json /etc/haproxy/ | jq -r '.[].message'
  sallyport check --dry-run /etc/haproxy/haproxy.cfg
  sallyport check --fix datacenter.yaml

Exit codes: 0 it has no errors (there may be warnings), 1 it has.
`;

export async function check(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(
    args,
    ["json", "fix", "dry-run", "watch"].map((name) => ({ name, takesValue: false })),
  );
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  if (reading.kind === "wrong") return complainOfUsage(terminal, "check", reading.message, reading.help);
  const { line } = reading;
  const [first, second] = line.words;
  if (first === undefined) return complainOfUsage(terminal, "check", "which files?");
  const isDryRun = line.has("dry-run");
  const options = {
    isJson: line.has("json"),
    isFix: line.has("fix") && !isDryRun,
    isDryRun,
    isWatch: line.has("watch"),
  };
  if (isDatacenterFile(first)) {
    if (second !== undefined)
      return complainOfUsage(terminal, "check", "one datacentre at a time", `It may \`include\` ${second}.`);
    return (await import("./check-datacenter.ts")).checkDatacenterFile(first, options, terminal);
  }
  if (line.has("watch"))
    return complainOfUsage(terminal, "check", "--watch is for a datacentre's .yaml file");
  if (options.isFix && line.words.includes("-"))
    return complainOfUsage(
      terminal,
      "check",
      "standard input cannot be mended",
      "--dry-run shows what would be.",
    );
  return (await import("./check-proxy.ts")).checkProxyFiles(line.words, options, terminal);
}
