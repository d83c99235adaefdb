// `sallyport shell`: a shell, or one command, in a machine, edge or outside network that `apply` has made.
import { spawnSync } from "node:child_process";
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { complainOfUsage } from "./command-line.ts";
import { callOf, openFile, readLiveWords } from "./live-command.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `Usage: sallyport shell FILE NAME [-- COMMAND…] [options]

Enters a machine, an edge, a fence or a network outside, as sallyport apply has made it, with a shell or one command.

Options:
  --rootless  in the network of your own
  -h, --help  show this

Examples:
  sallyport shell --rootless datacenter.yaml web-001
  sallyport shell --rootless datacenter.yaml internet -- curl http://203.0.113.10:8001/

Exit codes: 0 or that of the shell or command; 1 when it cannot be entered.
`;

export async function shell(args: readonly string[], terminal: Terminal): Promise<number> {
  const words = await readLiveWords("shell", HELP, args, [], terminal);
  if (typeof words === "number") return words;
  const [name, ...command] = words.words;
  if (name === undefined) return complainOfUsage(terminal, "shell", "into which machine?");
  const open = await openFile("shell", words, terminal);
  if (open === null) return 1;
  const namespace = open.desired.namespaceOf.get(name);
  if (namespace === undefined)
    return complainOfUsage(
      terminal,
      "shell",
      `there is no ${name} to enter`,
      suggestWord(name, open.desired.namespaceOf.keys()),
    );
  if (open.store.readApplied() === null)
    return complainOfUsage(terminal, "shell", `${words.file} is not applied`, callOf("apply", words));
  const own = process.env["SHELL"] ?? "/bin/sh";
  const run = spawnSync(
    "nsenter",
    [`--net=/run/netns/${namespace}`, ...(command.length > 0 ? command : [own])],
    { stdio: "inherit" },
  );
  return run.status ?? complainOfUsage(terminal, "shell", run.error?.message ?? "it was ended by a signal");
}
