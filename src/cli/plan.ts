// `sallyport plan`: what `apply` would do, and nothing else.
import { both } from "../driver/apply.ts";
import { NOTHING } from "../driver/contract.ts";
import { planChanges } from "../network/plan/plan-changes.ts";
import { complainOfUsage } from "./command-line.ts";
import { checkText, journalText, lackText, openFile, planText, readLiveWords } from "./live-command.ts";
import { colour, type Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport plan FILE [options]

Shows what sallyport apply would do on this machine, step by step, and what the machine lacks for it. Changes nothing.

Options:
  --rootless   for a network of your own
  --host NAME  this machine is that host of the file
  --json       the steps as data
  -h, --help   show this

Exit codes: 0 it could be done, 1 it could not, with the reason.
`;

export async function plan(args: readonly string[], terminal: Terminal): Promise<number> {
  const words = await readLiveWords("plan", HELP, args, [], terminal);
  if (typeof words === "number") return words;
  const open = await openFile("plan", words, terminal);
  if (open === null) return 1;
  const { driver, store, desired } = open;
  const journal = store.readJournal();
  terminal.error(journalText(journal, words, terminal));
  // What an interrupted change has made is ours as well.
  const applied = both(store.readApplied()?.state ?? NOTHING, journal?.desired ?? NOTHING);
  const lacks = await driver.preflight(desired.state, applied);
  terminal.error(lackText(lacks, terminal));
  const present = await driver.read(both(applied, desired.state));
  if (!present.ok) return complainOfUsage(terminal, "plan", present.message);
  const changes = planChanges(present.state, desired.state);
  if (changes.steps.length > 0) terminal.error(checkText(words.file, open.usable, terminal));
  if (words.line.has("json")) {
    const steps = changes.steps.map(({ stage, words: text }) => ({ stage, words: text }));
    terminal.write(`${JSON.stringify({ steps, notes: desired.notes, lacks }, null, 2)}\n`);
  } else {
    for (const note of desired.notes)
      terminal.write(`${colour(terminal.isColour, "notice", "note")}: ${note}\n`);
    terminal.write(planText(changes));
    const count = changes.steps.length;
    terminal.write(
      `${words.file}: ${count === 0 ? "nothing to change" : `${count} step${count === 1 ? "" : "s"}`}\n`,
    );
  }
  return lacks.some(({ isFatal }) => isFatal) ? 1 : 0;
}
