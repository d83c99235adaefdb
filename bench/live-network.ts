// `npm run bench:live`: how long it takes to make a network real, on this machine's kernel, in namespaces
// that end with the run: a hundred fenced machines, one copy more, ten thousand DNAT rules and what they cost
// a packet, and a plan that finds nothing to do. Needs root. Times are those of whole calls of the command
// line, as somebody at a shell sees them, from a checkout and as the package installs it (`npm run build`),
// and beside them what is left without the start of the program.
//   npm run bench:live -- [--rounds N] [--json]
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { apply, both } from "../src/driver/apply.ts";
import { planChanges } from "../src/network/plan/plan-changes.ts";
import { openNetwork } from "../src/server/datacenter/live-network.ts";
import { loadDatacenter } from "../src/server/datacenter/load-datacenter.ts";
import { fencedDatacenter, MACHINES_PER_COPY, translatingDatacenter } from "./network/live-datacenter.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, json: { type: "boolean", default: false } },
});
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CHECKOUT = join(ROOT, "bin/sallyport");
const FLOWS = fileURLToPath(new URL("network/flows.ts", import.meta.url));
const INSIDE = "SALLYPORT_BENCH_INSIDE";
const [FEW_RULES, MANY_RULES] = [10, 10_000];
const SILENT = { phase() {}, steps() {} };

interface Figure {
  readonly name: string;
  readonly unit: "ms" | "us";
  readonly values: number[];
  /** What is wanted, at most. */
  readonly most: number | null;
}

const figures: Figure[] = [];

if (process.env[INSIDE] === undefined) goInside();
else await measure();

/** Nothing of this machine is seen or touched. */
function goInside(): void {
  const words = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"];
  const script = 'mount -t tmpfs tmpfs /run && ip link set lo up && exec "$@"';
  const own = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const run = spawnSync("unshare", [...words, script, "sh", ...own], {
    stdio: "inherit",
    env: { ...process.env, [INSIDE]: "1" },
  });
  process.exitCode = run.status ?? 1;
}

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-bench-"));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  try {
    const installed = install(join(folder, "package"));
    const copies = 100 / MACHINES_PER_COPY;
    const hundred = file("hundred.yaml", fencedDatacenter(copies));
    const [twenty, more] = [file("20.yaml", fencedDatacenter(20)), file("21.yaml", fencedDatacenter(21))];
    const few = file("few.yaml", translatingDatacenter(FEW_RULES));
    const many = file("many.yaml", translatingDatacenter(MANY_RULES));
    call("destroy", few);
    // What Node keeps of compiled code is there from the second call on.
    for (const command of ["apply", "plan", "destroy"]) call(command, few, installed);
    for (let round = 0; round < Number(values.rounds); round++) {
      timedCall("100 fenced machines from nothing", 2000, "apply", hundred);
      timedCall("plan without changes", 200, "plan", hundred);
      timedCall("plan without changes, installed", 200, "plan", hundred, installed);
      await timed("plan without changes, without the start of the program", 200, () => planOnly(hundred));
      call("apply", twenty);
      timedCall("copy number 21", 300, "apply", more);
      call("apply", twenty);
      timedCall("copy number 21, installed", 300, "apply", more, installed);
      call("apply", twenty);
      await timed("copy number 21, without the start of the program", 300, () => applyOnly(more));
      call("destroy", more);
      call("apply", few);
      flows(FEW_RULES);
      timedCall("10,000 DNAT rules instead of 10", 1000, "apply", many);
      await timed("plan without changes of 10,000 DNAT rules", null, () => planOnly(many));
      flows(MANY_RULES);
      call("destroy", many);
    }
    report();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The program as the package has it. Returns its launcher. */
function install(directory: string): string {
  const build = spawnSync(process.execPath, [join(ROOT, "tools/build.ts")], { encoding: "utf8" });
  if (build.status !== 0) throw new Error(build.stderr);
  for (const part of ["bin", "dist", "package.json"])
    cpSync(join(ROOT, part), join(directory, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"));
  return join(directory, "bin/sallyport");
}

function call(command: string, file: string, program: string = CHECKOUT): void {
  const run = spawnSync(program, [command, file], { encoding: "utf8" });
  if (run.status !== 0 && command !== "destroy") throw new Error(`${command} ${file}: ${run.stderr}`);
}

function timedCall(name: string, most: number, command: string, file: string, program?: string): void {
  const start = performance.now();
  call(command, file, program);
  note(name, "ms", performance.now() - start, most);
}

async function timed(name: string, most: number | null, work: () => Promise<void>): Promise<void> {
  const start = performance.now();
  await work();
  note(name, "ms", performance.now() - start, most);
}

async function open(file: string) {
  const { resolved, loadBalancers } = loadDatacenter(file, {});
  return openNetwork(resolved!, loadBalancers, null);
}

async function planOnly(file: string): Promise<void> {
  const { driver, store, desired } = await open(file);
  const present = await driver.read(both(store.readApplied()!.state, desired.state));
  if (!present.ok) throw new Error(present.message);
  const { steps } = planChanges(present.state, desired.state);
  if (steps.length > 0) throw new Error(`${file}: ${steps[0]!.words}`);
}

async function applyOnly(file: string): Promise<void> {
  const { driver, store, desired } = await open(file);
  const outcome = await apply({ desired: desired.state, file }, driver, store, SILENT);
  if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
}

/** The first packets of ten thousand connections. */
function flows(rules: number): void {
  const words = ["--net=/run/netns/sp.translating.internet", process.execPath, FLOWS, "203.0.113.10"];
  const run = spawnSync("nsenter", [...words, `${rules}`], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(run.stderr);
  note(`new connection behind ${rules} DNAT rules`, "us", Number(run.stdout), null);
}

function note(name: string, unit: Figure["unit"], value: number, most: number | null): void {
  const figure = figures.find((one) => one.name === name);
  if (figure !== undefined) figure.values.push(value);
  else figures.push({ name, unit, values: [value], most });
}

function report(): void {
  const rows = figures.map(({ name, unit, values: all, most }) => {
    const sorted = [...all].sort((a, b) => a - b);
    return { name, unit, median: sorted[Math.floor(sorted.length / 2)]!, min: sorted[0]!, most };
  });
  if (values.json) {
    console.log(JSON.stringify(rows, null, 2));
    return;
  }
  for (const { name, unit, median, min, most } of rows) {
    const wanted = most === null ? "" : `   (wanted: under ${most})`;
    console.log(
      `${name.padEnd(68)} ${median.toFixed(1).padStart(8)} ${unit}, least ${min.toFixed(1)}${wanted}`,
    );
  }
}
