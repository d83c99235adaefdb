// What `--live` adds to `sallyport switch`: the running network follows the file step by step, watched by
// probes, and file and network are as they were when a probe is lost.
import type { Undone } from "../driver/apply.ts";
import { faultsOfLag } from "../driver/linux/lag-state.ts";
import { findProgram } from "../driver/linux/program-path.ts";
import type { Datacenter } from "../model/datacenter.ts";
import { changeLive, type LiveOutcome, type LiveStage } from "../server/datacenter/live-change.ts";
import { type LiveNetwork, openNetwork } from "../server/datacenter/live-network.ts";
import { loadDatacenter } from "../server/datacenter/load-datacenter.ts";
import { complainOfUsage } from "./command-line.ts";
import { endProgress, progressOn, undoneText } from "./live-command.ts";
import { diagnosticsText } from "./print-diagnostics.ts";
import { colour, columns, type Terminal } from "./terminal.ts";

export interface LiveSwitchChange {
  /** The datacentre's file, and which of those that it includes is changed. */
  readonly file: string;
  readonly changed: string;
  /** The switches that are changed, by name. */
  readonly switches: readonly string[];
  readonly host: string | null;
  readonly stages: readonly LiveSwitchStage[];
}

export interface LiveSwitchStage {
  readonly words: string;
  /** What the changed file says from then on. */
  readonly text: string;
  readonly hasConvertedLags: boolean;
  /** It converts them: they must be whole before. */
  readonly convertsLags: boolean;
  /** It makes them speak LACP: they must be whole in the end. */
  readonly awaitsLacp: boolean;
}

/**
 * Changes the network; the file is the caller's to write. Null, with everything said, when it did not work.
 */
export async function changeSwitchLive(
  change: LiveSwitchChange,
  terminal: Terminal,
): Promise<Extract<LiveOutcome, { readonly kind: "done" }> | null> {
  const complain = (message: string, help: string | null = null): null => {
    complainOfUsage(terminal, "switch", message, help);
    return null;
  };
  if (findProgram("ping") === null)
    return complain("there is no ping, by which the network is watched", "apt-get install iputils-ping");
  const { file, switches, stages } = change;
  // LAGs are what they are until a step says otherwise.
  const first = stages.every((stage) => stage.hasConvertedLags) ? [] : switches;
  const now = await openAs(change, null, first, terminal);
  const last = await openAs(change, stages.at(-1)!.text, [], terminal);
  if (now === null || last === null) return null;
  const opened: LiveStage[] = [];
  for (const stage of stages) {
    const one = await openAs(change, stage.text, stage.hasConvertedLags ? [] : switches, terminal);
    if (one === null) return null;
    const obstacle = () => (stage.convertsLags ? lagsFault(change, now.datacenter) : null);
    const awaited = () => lagsFault(change, one.datacenter);
    const desired = one.probed.desired.state;
    opened.push({ words: stage.words, desired, obstacle, ...(stage.awaitsLacp ? { awaited } : {}) });
  }
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, interrupt);
  const { driver, store, desired } = now.plain;
  const outcome = await changeLive(
    {
      file,
      before: desired.state,
      beforeProbed: now.probed.desired.state,
      stages: opened,
      after: last.plain.desired.state,
      probes: now.probed.desired.probes,
      signal: interruption.signal,
    },
    driver,
    store,
    progressOn(terminal),
  ).finally(() => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(name, interrupt);
  });
  endProgress(terminal);
  if (outcome.kind === "refused") return complain(outcome.message, outcome.help);
  terminal.write(stagesText(outcome, terminal));
  if (outcome.kind === "done") return outcome;
  complain(outcome.message);
  terminal.error(undoneText(outcome.undone satisfies Undone, terminal));
  return null;
}

interface Opened {
  readonly plain: LiveNetwork;
  readonly probed: LiveNetwork;
  readonly datacenter: Datacenter;
}

/** The network for another text of the changed file; null: for what it says now. */
async function openAs(
  { file, changed, switches, host }: LiveSwitchChange,
  text: string | null,
  unconvertedLags: readonly string[],
  terminal: Terminal,
): Promise<Opened | null> {
  const texts = new Map(text === null ? [] : [[changed, text]]);
  const { diagnostics, sources, datacenter, resolved, loadBalancers } = loadDatacenter(
    file,
    process.env,
    texts,
  );
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0 || datacenter === null || resolved === null) {
    terminal.error(diagnosticsText(errors, sources, terminal.isErrorColour));
    return null;
  }
  try {
    const plain = await openNetwork(resolved, loadBalancers, host, { unconvertedLags });
    const more = { unconvertedLags, probedSwitches: switches };
    return { plain, probed: await openNetwork(resolved, loadBalancers, host, more), datacenter };
  } catch (error) {
    complainOfUsage(terminal, "switch", `the state directory cannot be made: ${(error as Error).message}`);
    return null;
  }
}

/** Null, or why a LAG of these switches is not whole now. */
function lagsFault({ switches, host }: LiveSwitchChange, datacenter: Datacenter): string | null {
  if (host === null) return null;
  const bonds = datacenter.hosts.find(({ name }) => name === host)?.bonds ?? [];
  const uplinks = datacenter.switches
    .filter(({ name }) => switches.includes(name))
    .flatMap((one) => one.uplinks.filter((uplink) => uplink.host.value === host));
  for (const { link } of uplinks) {
    const bond = bonds.find(({ name }) => name === link.value);
    const fault = bond?.mode?.value === "802.3ad" ? faultsOfLag(bond.name)[0] : undefined;
    if (fault !== undefined) return fault;
  }
  return null;
}

function stagesText(outcome: Exclude<LiveOutcome, { kind: "refused" }>, terminal: Terminal): string {
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  const seconds = (timeMs: number) => `${(timeMs / 1000).toFixed(2)} s`;
  const stages = outcome.stages.map(({ words, steps, elapsedMs, lost }) => [
    words,
    count(steps, "step"),
    seconds(elapsedMs),
    `${lost} lost`,
  ]);
  // The probes see this machine's own bridges. What a stop costs beyond, frames over the cables, is said.
  const stops = outcome.stages.flatMap(({ words, stops: each, awaitedMs }) => [
    ...each.map((step) => `${words}: ${step}`),
    ...(awaitedMs === null ? [] : [`${words}: both ends agreed on LACP after ${seconds(awaitedMs)}`]),
  ]);
  if (stops.length > 0) stops.push("frames over an uplink that stops are lost until it is up and agreed on");
  const probes = outcome.probes.map(({ switch: name, portGroup, sent, perSecond, lost, unwatched }) => {
    const place = `${name}/${portGroup}`;
    if (unwatched !== null) return [place, `not watched: ${unwatched}`];
    const role = lost === 0 ? "good" : "error";
    return [
      place,
      `${count(sent, "probe")}, ${perSecond} a second`,
      colour(terminal.isColour, role, `${lost} lost`),
    ];
  });
  return [...columns(stages), ...columns(probes), ...stops].map((line) => `  ${line}\n`).join("");
}
