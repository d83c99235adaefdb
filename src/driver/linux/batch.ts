// Runs many steps with few processes: one for all namespaces and cables; then each namespace is entered, by
// this thread for what netlink does, and by one process for its tables. Where that is not possible the
// process does all: settings are written, nftables loaded in one transaction and `ip -batch` run. A fixed
// script goes from namespace to namespace; everything that comes from a datacentre is in files that it hands
// on, never in a shell's line. Measured: 4 processes for a namespace, 2 ms each.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setImmediate as pause } from "node:timers/promises";
import type { NamespaceName } from "../../model/network-state.ts";
import type { Stage, Step } from "../../network/plan/plan.ts";
import type { NamespaceDoor } from "../../transport/namespace-door.ts";
import type { RunOutcome } from "../contract.ts";
import { changeInside, type InsideStep, writeSettings } from "./change-inside.ts";
import { runCommand } from "./command.ts";
import { linesOf } from "./ip-lines.ts";
import { requestsOf } from "./netlink-changes.ts";

/** `index namespace` a line on its input; "-" is the namespace that it is in itself. */
const EACH_NAMESPACE = `
while read -r index namespace; do
  if [ "$namespace" = - ]; then sh "$1" "$index"; else nsenter --net="/run/netns/$namespace" sh "$1" "$index"; fi ||
    { echo "failed $index"; exit 1; }
  echo "done $index"
done
`;

const CHANGE_ONE = `
[ ! -f "$1.sysctl" ] || while read -r key value; do echo "$value" > "/proc/sys/$key" || exit 1; done < "$1.sysctl"
[ ! -f "$1.nft" ] || nft -f "$1.nft" || exit 1
[ ! -f "$1.ip" ] || ip -batch "$1.ip" || exit 1
[ ! -f "$1.bridge" ] || bridge -batch "$1.bridge" || exit 1
`;

/** Namespaces with this many steps or fewer together are not worth a second process. */
const PARALLEL_FROM = 4;

/** What one namespace gets in one stage. */
interface Unit {
  readonly namespace: NamespaceName;
  readonly steps: Step[];
  /** What is done in the namespace without a process. */
  readonly settings: Step[];
  readonly inside: InsideStep[];
  readonly files: Map<string, string[]>;
  /** The step of each line of the files. */
  readonly origins: Map<string, Step[]>;
}

export class BatchRunner {
  readonly #directory: string;
  readonly #door: NamespaceDoor | null;

  /** `parent`: where the files of a batch may be for as long as it runs. */
  constructor(parent: string, door: NamespaceDoor | null) {
    this.#door = door;
    this.#directory = mkdtempSync(join(parent, "batch-"));
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Steps of one stage, none of them about processes. Throws like node:fs when there is no room. */
  async run(
    stage: Stage,
    steps: readonly Step[],
    isBond: (name: string) => boolean,
    progress: (count: number) => void,
  ): Promise<RunOutcome> {
    const all = unitsOf(stage, steps, isBond, this.#door !== null);
    const settings = this.#writeSettings(all);
    if (!settings.ok) return settings;
    const byProcess = await this.#runProcesses(stage, all, progress);
    return byProcess.ok ? this.#changeInside(all, progress) : byProcess;
  }

  /** Before tables, as a process does. */
  #writeSettings(units: readonly Unit[]): RunOutcome {
    for (const { namespace, settings } of units) {
      if (namespace === null || settings.length === 0) continue;
      const outcome = writeSettings(this.#door!, namespace, settings) ?? notEntered(namespace);
      if (!outcome.ok) return outcome;
    }
    return { ok: true };
  }

  /** Behind tables, which are of no use without the devices that these steps set up. */
  async #changeInside(units: readonly Unit[], progress: (count: number) => void): Promise<RunOutcome> {
    for (const [index, { namespace, inside, files, steps }] of units.entries()) {
      if (index % WITHOUT_PAUSE === WITHOUT_PAUSE - 1) await pause();
      if (namespace === null || inside.length === 0) continue;
      const outcome = changeInside(this.#door!, namespace, inside) ?? notEntered(namespace);
      if (!outcome.ok) return outcome;
      if (files.size === 0) progress(steps.length);
    }
    return { ok: true };
  }

  async #runProcesses(
    stage: Stage,
    all: readonly Unit[],
    progress: (count: number) => void,
  ): Promise<RunOutcome> {
    const units = all.filter(({ files }) => files.size > 0);
    if (units.length === 0) return { ok: true };
    writeFileSync(join(this.#directory, "each"), EACH_NAMESPACE);
    writeFileSync(join(this.#directory, "one"), CHANGE_ONE);
    units.forEach((unit, index) => {
      for (const [kind, lines] of unit.files)
        writeFileSync(join(this.#directory, `${stage}-${index}.${kind}`), `${lines.join("\n")}\n`);
    });
    const names = units.map(({ namespace }, index) => `${stage}-${index} ${namespace ?? "-"}\n`);
    const share = units.length < PARALLEL_FROM ? 1 : availableParallelism();
    const shares = Array.from({ length: share }, (_, at) => names.filter((_name, i) => i % share === at));
    const results = await Promise.all(
      shares.map((lines) =>
        runCommand(["sh", "./each", "./one"], {
          directory: this.#directory,
          input: lines.join(""),
          onOutput: (text) => {
            for (const [, index] of text.matchAll(/^done \S+-(\d+)$/gm))
              progress(units[Number(index)]!.steps.length);
          },
        }),
      ),
    );
    const failure = results.find(({ status }) => status !== 0);
    if (failure === undefined) return { ok: true };
    const failed = /^failed \S+-(\d+)$/m.exec(failure.output);
    if (failed === null) return { ok: false, step: null, message: firstLine(failure.errors) };
    return faultOf(units[Number(failed[1])]!, failure.errors);
  }
}

/** Namespaces between two pauses, so that a progress display goes on. */
const WITHOUT_PAUSE = 50;

function notEntered(namespace: string): RunOutcome {
  return { ok: false, step: null, message: `the namespace ${namespace} cannot be entered` };
}

/** `canEnter`: what is possible is done without processes. */
function unitsOf(
  stage: Stage,
  steps: readonly Step[],
  isBond: (name: string) => boolean,
  canEnter: boolean,
): Unit[] {
  // Namespaces and cables are made from outside, for all at once.
  const isGlobal = stage === "add-namespaces" || stage === "remove-namespaces" || stage === "connect";
  const places = Map.groupBy(
    steps.filter(({ change }) => !("process" in change)),
    ({ change }) => (isGlobal || "process" in change ? null : change.namespace),
  );
  return [...places].map(([namespace, own]) => {
    const unit: Unit = {
      namespace,
      steps: own,
      settings: [],
      inside: [],
      files: new Map(),
      origins: new Map(),
    };
    const inside = canEnter && namespace !== null ? insideSteps(own, isBond) : null;
    for (const step of own) {
      const isSetting = step.change.kind === "set-sysctl";
      if (inside !== null && isSetting) unit.settings.push(step);
      else if (inside === null || isAboutTables(step)) addStep(unit, step, isBond);
    }
    unit.inside.push(...(inside ?? []));
    return unit;
  });
}

/** Null when one of them needs a program: then all are done by programs, in their order. */
function insideSteps(steps: readonly Step[], isBond: (name: string) => boolean): InsideStep[] | null {
  const inside: InsideStep[] = [];
  for (const step of steps) {
    if (step.change.kind === "set-sysctl" || isAboutTables(step)) continue;
    const requests = requestsOf(step.change, isBond);
    if (requests === null) return null;
    inside.push({ step, requests });
  }
  return inside;
}

function isAboutTables({ change }: Step): boolean {
  return change.kind === "put-table" || change.kind === "delete-table";
}

function addStep(unit: Unit, step: Step, isBond: (name: string) => boolean): void {
  const add = (kind: string, lines: readonly string[]) => {
    if (lines.length === 0) return;
    const [file, origins] = [unit.files.get(kind) ?? [], unit.origins.get(kind) ?? []];
    unit.files.set(kind, file);
    unit.origins.set(kind, origins);
    for (const line of lines) {
      file.push(line);
      origins.push(step);
    }
  };
  const { change } = step;
  if (change.kind === "set-sysctl") add("sysctl", [`${change.sysctl.key} ${change.sysctl.value}`]);
  else if (change.kind === "put-table") add("nft", (change.table.text ?? "").split("\n"));
  else if (change.kind === "delete-table")
    add("nft", [`delete table ${change.table.family} ${change.table.name}`]);
  else {
    const { ip, bridge } = linesOf(change, isBond);
    add("ip", ip);
    add("bridge", bridge);
  }
}

/** Which step a program's complaint is about, by the line that it names. */
function faultOf(unit: Unit, errors: string): RunOutcome {
  const place = /^(?:Command failed )?\S+?-\d+\.(ip|bridge|nft):(\d+)/m.exec(errors);
  const setting = /\/proc\/sys\/([\w/.-]+)/.exec(errors);
  const step =
    place !== null
      ? unit.origins.get(place[1]!)?.[Number(place[2]) - 1]
      : unit.steps.find(({ change }) => change.kind === "set-sysctl" && change.sysctl.key === setting?.[1]);
  return { ok: false, step: step ?? unit.steps[0] ?? null, message: firstLine(errors) };
}

function firstLine(errors: string): string {
  const line = errors.split("\n").find((one) => one.trim() !== "") ?? "it ended without a word";
  return line
    .replace(/^(?:RTNETLINK answers: |Error: |\S+\.nft:\d+:\d+-\d+: Error: )/, "")
    .replace(/\.$/, "");
}
