// Runs many steps with few processes: one for all namespaces and cables, then for each namespace one entry,
// in which settings are written, nftables loaded in one transaction and `ip -batch` run. A fixed script goes
// from namespace to namespace; everything that comes from a datacentre is in files that it hands on, never in
// a shell's line. Measured: 4 processes for a namespace, 2 ms each.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { NamespaceName } from "../../model/network-state.ts";
import type { Stage, Step } from "../../network/plan/plan.ts";
import type { RunOutcome } from "../contract.ts";
import { runCommand } from "./command.ts";
import { linesOf } from "./ip-lines.ts";

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
  readonly files: Map<string, string[]>;
  /** The step of each line of the files. */
  readonly origins: Map<string, Step[]>;
}

export class BatchRunner {
  readonly #directory: string;

  /** `parent`: where the files of a batch may be for as long as it runs. */
  constructor(parent: string) {
    this.#directory = mkdtempSync(join(parent, "batch-"));
    writeFileSync(join(this.#directory, "each"), EACH_NAMESPACE);
    writeFileSync(join(this.#directory, "one"), CHANGE_ONE);
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Steps of one stage, none of them about processes. */
  async run(
    stage: Stage,
    steps: readonly Step[],
    isBond: (name: string) => boolean,
    progress: (count: number) => void,
  ): Promise<RunOutcome> {
    const units = unitsOf(stage, steps, isBond);
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

function unitsOf(stage: Stage, steps: readonly Step[], isBond: (name: string) => boolean): Unit[] {
  // Namespaces and cables are made from outside, for all at once.
  const isGlobal = stage === "add-namespaces" || stage === "remove-namespaces" || stage === "connect";
  const units = new Map<NamespaceName, Unit>();
  for (const step of steps) {
    const { change } = step;
    if ("process" in change) continue;
    const namespace = isGlobal ? null : change.namespace;
    let unit = units.get(namespace);
    if (unit === undefined) {
      unit = { namespace, steps: [], files: new Map(), origins: new Map() };
      units.set(namespace, unit);
    }
    unit.steps.push(step);
    addStep(unit, step, isBond);
  }
  return [...units.values()];
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
