// `sallyport init`: a datacentre to start from, with a comment at each key.
import { writeFileSync } from "node:fs";
import { starterFile } from "../language/datacenter/starter.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { colour, type Terminal } from "./terminal.ts";

const DEFAULT_FILE = "datacenter.yaml";

const HELP = `Usage: sallyport init [FILE]

Writes a small datacentre with comments to FILE, ${DEFAULT_FILE} unless said: change it to what you have. Nothing that is
there is overwritten.

Options:
  -h, --help  show this

Exit codes: 0 written, 1 not, with the reason.
`;

export async function init(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, []);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  if (reading.kind === "wrong") return complainOfUsage(terminal, "init", reading.message, reading.help);
  const [file = DEFAULT_FILE, second] = reading.line.words;
  if (second !== undefined)
    return complainOfUsage(terminal, "init", `one file at a time: what is ${second}?`);
  try {
    writeFileSync(file, starterFile(), { flag: "wx" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "EEXIST"
      ? complainOfUsage(terminal, "init", `${file} exists`, "Give another name: sallyport init FILE.")
      : complainOfUsage(terminal, "init", `cannot write ${file}: ${message}`);
  }
  terminal.write(`${colour(terminal.isColour, "good", "written")} ${file}\n\nNow try:\n`);
  for (const words of [
    "check FILE",
    "explain FILE internet to 203.0.113.10 tcp 80",
    "draw FILE --into topology.svg",
  ])
    terminal.write(`  sallyport ${words.replace("FILE", file)}\n`);
  return 0;
}
