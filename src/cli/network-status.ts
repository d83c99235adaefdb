// `sallyport status FILE.yaml`: what of an applied datacentre is not as it was made.
import { setTimeout as pause } from "node:timers/promises";
import { drift } from "../driver/apply.ts";
import { lagFaults } from "../driver/linux/lag-state.ts";
import type { KeepsEnding, Supervisor } from "../driver/linux/supervisor.ts";
import type { Applied } from "../driver/state-store.ts";
import type { EdgeRules } from "../model/dashboard-datacenter.ts";
import type { ResolvedDatacenter } from "../model/resolved-datacenter.ts";
import type { Plan } from "../network/plan/plan.ts";
import { type LiveCounters, readLiveCounters } from "../server/datacenter/live-counters.ts";
import { complainOfUsage } from "./command-line.ts";
import { callOf, journalText, type LiveWords, openFile, planText, readLiveWords } from "./live-command.ts";
import { readEdgeRules, ruleRows } from "./rule-counts.ts";
import { formatBytes } from "./status-table.ts";
import { colour, columns, type Terminal } from "./terminal.ts";
import { EVERY_FAULT, readEvery } from "./watch-every.ts";

const CLEAR_SCREEN = "\x1b[H\x1b[2J";

/** Exit code 0: everything is as it was made; 1: it is not, or nothing is applied. */
export async function networkStatus(
  args: readonly string[],
  help: string,
  terminal: Terminal,
): Promise<number> {
  const flags = ["ports", "rules", "watch"].map((name) => ({ name, takesValue: false }));
  const options = [...flags, { name: "every", takesValue: true }];
  const words = await readLiveWords("status", help, args, options, terminal);
  if (typeof words === "number") return words;
  const everyMs = readEvery(words.line);
  if (everyMs === null) return complainOfUsage(terminal, "status", EVERY_FAULT);
  const open = await openFile("status", words, terminal);
  if (open === null) return 1;
  const { driver, store, usable } = open;
  const name = usable.datacenter.name.value;
  const { line, file } = words;
  let told = "";
  for (;;) {
    const applied = store.readApplied();
    const begun = journalText(store.readJournal(), words, terminal);
    if (begun !== told) terminal.error(begun);
    told = begun;
    if (applied === null)
      return complainOfUsage(terminal, "status", `${file} is not applied`, callOf("apply", words));
    const found = await drift(applied, driver);
    if (!found.ok) return complainOfUsage(terminal, "status", found.message);
    const counted = line.has("ports") ? await readLiveCounters(name, applied, store.directory) : null;
    if (typeof counted === "string") return complainOfUsage(terminal, "status", counted);
    const rules = line.has("rules") ? await readEdgeRules(open, applied.state) : null;
    if (typeof rules === "string") return complainOfUsage(terminal, "status", rules);
    const endings = endingsOf(applied, driver.supervisor);
    const more = { counted, rules, endings, lags: lagFaults(applied.state) };
    if (line.has("json")) terminal.write(recordText(applied, found.plan, more, line.has("watch")));
    else {
      if (line.has("watch") && terminal.isColour) terminal.write(CLEAR_SCREEN);
      terminal.write(statusText(words, applied, found.plan, more, usable.resolved, terminal));
    }
    if (!line.has("watch")) return found.plan.steps.length + more.lags.length + endings.length === 0 ? 0 : 1;
    await pause(everyMs);
  }
}

/** What is not drift: the first two are shown only when they are asked for. */
interface More {
  readonly counted: LiveCounters | null;
  readonly rules: readonly EdgeRules[] | null;
  /** Programs that are there and do not stay, which another start would not mend either. */
  readonly endings: readonly Ending[];
  /** What is wrong with LACP, which no step could mend from here. */
  readonly lags: readonly string[];
}

interface Ending extends KeepsEnding {
  /** As `program` takes it. */
  readonly name: string;
  readonly words: string;
}

function endingsOf({ state }: Applied, supervisor: Supervisor): Ending[] {
  const now = Date.now();
  return state.processes.flatMap(({ name, words }) => {
    const found = supervisor.keepsEnding(name, now);
    return found === null ? [] : [{ name, words, ...found }];
  });
}

/** Who watches gets a line each time. */
function recordText(
  { state }: Applied,
  { steps }: Plan,
  { counted, rules, endings, lags }: More,
  isOneLine: boolean,
): string {
  const record = {
    namespaces: state.namespaces.length,
    programs: state.processes.length,
    drift: steps.map(({ words }) => words),
    keepEnding: endings,
    lags,
    ...(counted ?? {}),
    ...(rules === null ? {} : { rules }),
  };
  return `${JSON.stringify(record, null, isOneLine ? 0 : 2)}\n`;
}

function statusText(
  words: LiveWords,
  { state }: Applied,
  plan: Plan,
  { counted, rules, endings, lags }: More,
  resolved: ResolvedDatacenter,
  { isColour }: Terminal,
): string {
  const rows = counted === null ? [] : [...portRows(counted, resolved), ...serviceRows(counted)];
  if (rules !== null) rows.push(...ruleRows(rules));
  const head = `${words.file}: ${state.namespaces.length} namespaces, ${state.processes.length} programs\n`;
  const endingWords = endings.map(
    ({ name, words: program, times, status }) =>
      `${program} ended ${times === 1 ? "" : `${times} times in a row, the last time `}with status ${status}, and is started again: ${callOf("program logs", words)} ${name}`,
  );
  const warnings = [...endingWords, ...lags]
    .map((words) => `${colour(isColour, "warning", words)}\n`)
    .join("");
  const text = head + rows.map((row) => `  ${row}\n`).join("") + warnings;
  if (plan.steps.length === 0) {
    const rest = endings.length === 0 ? "" : " but for that";
    const good = colour(isColour, "good", `everything is as it was made${rest}`);
    return `${text}${good}${lags.length === 0 ? "" : " on this machine: LACP takes both ends"}\n`;
  }
  const changed = colour(isColour, "warning", "it has changed");
  return `${text}${changed}; to be as it was made, this would have to be done:
${planText(plan)}${callOf("apply", words)} does it.\n`;
}

function serviceRows({ services }: LiveCounters): string[] {
  return services.map((one) => `${one.owner} ${serviceWords(one)}`);
}

function serviceWords({ kind, value, limit }: LiveCounters["services"][number]): string {
  const many = value === 1 ? "" : kind === "leases" ? "es" : "s";
  switch (kind) {
    case "connections":
      return `follows ${value}${limit === null ? "" : ` of ${limit}`} connections`;
    case "leases":
      return `has lent ${value} address${many}`;
    case "sessions":
      return `serves ${value} session${many}`;
    case "requests":
      return `serves ${value} request${many} in a second`;
  }
}

function portRows({ ports, cards, drops }: LiveCounters, resolved: ResolvedDatacenter): string[] {
  const named = [
    ...cards.map((card) => ({ ...card, owner: card.link, place: "this machine" })),
    ...ports.map((port) => ({ ...port, place: portGroupOf(port.owner, resolved) })),
  ];
  const rows = named.map(({ owner, place, sent, received }) => [
    owner,
    place,
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
