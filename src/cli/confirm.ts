// `sallyport confirm`: ends the trial of `apply --confirm`: the change stays.
import { confirm as confirmTrial } from "../driver/apply.ts";
import { complainOfUsage } from "./command-line.ts";
import { loadUsable } from "./datacenter-file.ts";
import { openStored, readLiveWords } from "./live-command.ts";
import { colour, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport confirm FILE [options]

Keeps the change that sallyport apply --confirm has made on trial.

Options:
  --rootless  in the network of your own
  -h, --help  show this

Exit codes: 0 it stays, 1 there is nothing on trial.
`;

export async function confirm(args: readonly string[], terminal: Terminal): Promise<number> {
  const words = await readLiveWords("confirm", HELP, args, [], terminal);
  if (typeof words === "number") return words;
  const usable = loadUsable(words.file, terminal);
  if (usable === null) return 1;
  const open = openStored("confirm", usable.datacenter.name.value, terminal);
  if (open === null) return 1;
  const { store } = open;
  if (!confirmTrial(store))
    return complainOfUsage(terminal, "confirm", `nothing of ${words.file} is on trial`);
  terminal.write(`${words.file}: ${colour(terminal.isColour, "good", "confirmed")}\n`);
  return 0;
}
