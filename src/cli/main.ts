// The command line: finds the command and runs it. Words that begin with a dash are HAProxy's.
import { IS_CHECKOUT } from "../base/program-files.ts";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { loadModulesByPath } from "./checkout-modules.ts";
import { COMMANDS } from "./commands.ts";
import { colour, columns, processTerminal, type Terminal } from "./terminal.ts";

/** Runs one command line, without the program's own name. Returns the exit code. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<number> {
  const [first, ...rest] = args;
  switch (first) {
    case undefined:
      terminal.error(overview(terminal.isErrorColour));
      return 1;
    case "--help":
    case "-h":
      terminal.write(overview(terminal.isColour));
      return 0;
    case "help":
      return showHelp(rest, terminal);
    case "version":
    case "--version":
      terminal.write(`${(await import("./version.ts")).describeVersion()}\n`);
      return 0;
  }
  if (first.startsWith("-")) return (await import("./haproxy-command.ts")).runAsHaproxy(args, terminal);
  const entry = COMMANDS.find(({ name }) => name === first);
  if (entry === undefined) return complainOfCommand(first, terminal);
  return (await entry.load())(rest, terminal);
}

function showHelp(words: readonly string[], terminal: Terminal): Promise<number> {
  return runCommandLine(words.length === 0 ? ["--help"] : [...words, "--help"], terminal);
}

function complainOfCommand(word: string, terminal: Terminal): 1 {
  const names = [...COMMANDS.map(({ name }) => name), "help", "version"];
  terminal.error(`${colour(terminal.isErrorColour, "error", "error")}: there is no command ${word}\n`);
  terminal.error(`  ${suggestWord(word, names) ?? `There are ${names.join(", ")}.`}\n`);
  return 1;
}

function overview(isColour: boolean): string {
  const rows = columns(COMMANDS.map(({ synopsis, summary }) => [`  sallyport ${synopsis}`, summary]));
  return [
    colour(isColour, "title", "Sallyport, the front door of a small datacentre"),
    "",
    "Usage:",
    ...rows,
    "",
    "  sallyport help COMMAND shows what a command takes, sallyport --version what this is.",
    "  With a dash in front the words are HAProxy's own: sallyport -c -f haproxy.cfg.",
    "",
  ].join("\n");
}

/** A reader that has gone (`sallyport check … | head`) is no fault. */
function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(1);
      throw error;
    });
  }
}

if (import.meta.main) {
  if (IS_CHECKOUT) loadModulesByPath();
  endQuietlyOnClosedPipe();
  const code = await runCommandLine(process.argv.slice(2), processTerminal());
  // Written to the end first, then out: whatever still is open has nothing more to say.
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
}
