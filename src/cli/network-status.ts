// `sallyport status FILE.yaml`: what of an applied datacentre is not as it was made.
import { drift } from "../driver/apply.ts";
import { openDriver } from "../server/datacenter/live-network.ts";
import { complainOfUsage } from "./command-line.ts";
import { loadUsable } from "./datacenter-file.ts";
import { planText, readLiveWords } from "./live-command.ts";
import { colour, type Terminal } from "./terminal.ts";

/** Exit code 0: everything is as it was made; 1: it is not, or nothing is applied. */
export async function networkStatus(
  args: readonly string[],
  help: string,
  terminal: Terminal,
): Promise<number> {
  const words = await readLiveWords("status", help, args, [], terminal);
  if (typeof words === "number") return words;
  const usable = loadUsable(words.file, terminal);
  if (usable === null) return 1;
  const { driver, store } = openDriver(usable.datacenter.name.value);
  const applied = store.readApplied();
  if (applied === null)
    return complainOfUsage(
      terminal,
      "status",
      `${words.file} is not applied`,
      `sallyport apply ${words.file}`,
    );
  const found = await drift(applied, driver);
  if (!found.ok) return complainOfUsage(terminal, "status", found.message);
  const { steps } = found.plan;
  const { namespaces, processes } = applied.state;
  if (words.line.has("json")) {
    const record = {
      namespaces: namespaces.length,
      programs: processes.length,
      drift: steps.map(({ words: text }) => text),
    };
    terminal.write(`${JSON.stringify(record, null, 2)}\n`);
    return steps.length === 0 ? 0 : 1;
  }
  terminal.write(`${words.file}: ${namespaces.length} namespaces, ${processes.length} programs\n`);
  if (steps.length === 0) {
    terminal.write(`${colour(terminal.isColour, "good", "everything is as it was made")}\n`);
    return 0;
  }
  terminal.write(
    `${colour(terminal.isColour, "warning", "it has changed")}; to be as it was made, this would have to be done:\n`,
  );
  terminal.write(planText(found.plan));
  terminal.write(`sallyport apply ${words.file} does it.\n`);
  return 1;
}
