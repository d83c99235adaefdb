// Which running master a command is for.
import { suggestWord } from "../diagnostic/nearest-word.ts";
import { listRegistry, type RegistryEntry } from "../server/registry.ts";

/** The running master that is meant, or one sentence why it is not clear. */
export function chooseMaster(pidText: string | null): RegistryEntry | string {
  const entries = listRegistry();
  const [first, second] = entries;
  if (first === undefined) return "nothing is running here, or it belongs to another user";
  if (pidText !== null) {
    const found = entries.find(({ pid }) => String(pid) === pidText);
    const pids = entries.map(({ pid }) => String(pid));
    return (
      found ??
      `there is no process ${pidText} of ours; ${suggestWord(pidText, pids) ?? `running: ${pids.join(", ")}`}`
    );
  }
  if (second === undefined) return first;
  const list = entries.map(({ pid, files }) => `${pid} (${files.join(" ")})`).join(", ");
  return `several are running, choose one with --pid: ${list}`;
}
