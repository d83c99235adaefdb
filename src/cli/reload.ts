// `sallyport reload`: asks the running master to read its files again, and says what came of it.

import { askMaster } from "../server/admin/ask-master.ts";
import { readReloadAnswer } from "../server/reload-answer.ts";
import { chooseMaster } from "./admin-client.ts";
import { complainOfUsage, readCommandLine } from "./command-line.ts";
import { colour, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport reload [--pid N]

Has the running load balancer read its files again. Open connections, checks and sticky sessions live through it. A
file with errors changes nothing: they are shown, and the old configuration goes on.

Options:
  --pid N     which one, when several are running
  -h, --help  show this

Examples:
  sallyport check haproxy.cfg && sallyport reload

Exit codes: 0 the new configuration serves, 1 the old one goes on, or nothing is running.
`;

export async function reload(args: readonly string[], terminal: Terminal): Promise<number> {
  const reading = readCommandLine(args, [{ name: "pid", takesValue: true }]);
  if (reading.kind === "help") {
    terminal.write(HELP);
    return 0;
  }
  if (reading.kind === "wrong") return complainOfUsage(terminal, "reload", reading.message, reading.help);
  if (reading.line.words.length > 0)
    return complainOfUsage(
      terminal,
      "reload",
      `what is ${reading.line.words[0]}?`,
      "The files are those that it was started with.",
    );
  const entry = chooseMaster(reading.line.valueOf("pid"));
  if (typeof entry === "string") return complain(terminal, entry);
  try {
    const answer = await askMaster(entry, "reload");
    const { isSuccess, text } = readReloadAnswer(answer);
    if (isSuccess) terminal.write(text);
    else terminal.error(text);
    return isSuccess ? 0 : 1;
  } catch (error) {
    return complain(terminal, (error as Error).message);
  }
}

function complain(terminal: Terminal, message: string): 1 {
  terminal.error(`${colour(terminal.isErrorColour, "error", "error")}: ${message}\n`);
  return 1;
}
