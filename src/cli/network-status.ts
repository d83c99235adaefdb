// `sallyport status FILE.yaml`: what of an applied datacentre is not as it was made.
import { drift } from "../driver/apply.ts";
import { readPortCounters } from "../driver/linux/port-counters.ts";
import type { ResolvedDatacenter } from "../model/resolved-datacenter.ts";
import { aliasPrefix } from "../network/plan/kernel-names.ts";
import { openDriver } from "../server/datacenter/live-network.ts";
import { complainOfUsage } from "./command-line.ts";
import { loadUsable } from "./datacenter-file.ts";
import { planText, readLiveWords } from "./live-command.ts";
import { formatBytes } from "./status-table.ts";
import { colour, columns, type Terminal } from "./terminal.ts";

type CountedPorts = Exclude<Awaited<ReturnType<typeof readPortCounters>>, string>;

/** Exit code 0: everything is as it was made; 1: it is not, or nothing is applied. */
export async function networkStatus(
  args: readonly string[],
  help: string,
  terminal: Terminal,
): Promise<number> {
  const words = await readLiveWords("status", help, args, [{ name: "ports", takesValue: false }], terminal);
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
  const counted = words.line.has("ports")
    ? await readPortCounters(applied.state, aliasPrefix(usable.datacenter.name.value))
    : null;
  if (typeof counted === "string") return complainOfUsage(terminal, "status", counted);
  if (words.line.has("json")) {
    const record = {
      namespaces: namespaces.length,
      programs: processes.length,
      drift: steps.map(({ words: text }) => text),
      ...(counted ?? {}),
    };
    terminal.write(`${JSON.stringify(record, null, 2)}\n`);
    return steps.length === 0 ? 0 : 1;
  }
  terminal.write(`${words.file}: ${namespaces.length} namespaces, ${processes.length} programs\n`);
  if (counted !== null) for (const row of portRows(counted, usable.resolved)) terminal.write(`  ${row}\n`);
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

function portRows({ ports, drops }: CountedPorts, resolved: ResolvedDatacenter): string[] {
  const rows = ports.map(({ owner, sent, received }) => [
    owner,
    portGroupOf(owner, resolved),
    `sent ${sent.packets}, ${formatBytes(sent.bytes)}`,
    `received ${received.packets}, ${formatBytes(received.bytes)}`,
    ...(sent.dropped + received.dropped === 0 ? [] : [`${sent.dropped + received.dropped} dropped`]),
  ]);
  return [...columns(rows), ...drops.map(({ words, packets }) => `${packets} dropped by ${words}`)];
}

/** "dvs0/org", or the network where it is in no port group. */
function portGroupOf(owner: string, { machines, edges, networks }: ResolvedDatacenter): string {
  const end = owner.lastIndexOf("/");
  const [name, device] = [owner.slice(0, end), owner.slice(end + 1)];
  const interfaces = [...machines, ...edges].find((one) => one.name === name)?.interfaces ?? [];
  // Those of edges are called like their networks.
  const network = interfaces.find((one) => one.name === device || one.network === device)?.network ?? name;
  const place = networks.find((one) => one.name === network)?.portGroup ?? null;
  return place === null ? network : `${place.switch}/${place.portGroup}`;
}
