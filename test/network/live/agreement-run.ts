// Runs in namespaces of its own (`inside.ts`): makes the datacentre of each seed real by the command line,
// asks all questions about it, takes it away again, and prints a line of JSON for each. Words: the first
// seed, the last, and perhaps a part of the words of the questions that are asked alone.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { loadDatacenter } from "../../../src/server/datacenter/load-datacenter.ts";
import { LAUNCHER } from "./inside.ts";
import { probeLeases } from "./probe-leases.ts";
import { type Agreement, probeTopology } from "./probe-topology.ts";
import { BALANCED_PORT, BALANCER_FILE, PUBLIC } from "./random-plan.ts";
import { randomTopology } from "./random-topology.ts";
import { desiredOf } from "./state-of.ts";

export interface SeedReport extends Agreement {
  readonly seed: number;
  readonly thrownAway: number;
  /** Addresses that were given by DHCP. */
  readonly leases: number;
  readonly text: string;
}

const SETTLED = `
for name in $(ls /run/netns); do
  nsenter --net=/run/netns/$name sh -c '
    # How often errors may be told is no matter here.
    echo 0 > /proc/sys/net/ipv4/icmp_ratemask; echo 0 > /proc/sys/net/ipv6/icmp/ratelimit
    # Somebody outside answers from whatever address was asked.
    echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind'
done
for name in $(ls /run/netns); do
  for i in $(seq 200); do
    nsenter --net=/run/netns/$name sh -c '[ -z "$(ip -6 addr show tentative)" ] && ! bridge link | grep -q "state [^f]"' && break
    sleep 0.05
  done
done`;

function sallyport(...words: string[]): void {
  const run = spawnSync(LAUNCHER, words, { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`sallyport ${words.join(" ")}: ${run.stdout}${run.stderr}`);
}

const CONVERGED = `
for i in $(seq 400); do "$1" cluster status "$2" > /dev/null && exit 0; sleep 0.05; done
"$1" cluster status "$2" >&2`;

const SERVED = `
for i in $(seq 400); do
  nsenter --net=/run/netns/$1 bash -c '< /dev/tcp/${PUBLIC[0]}/${BALANCED_PORT}' 2>/dev/null && break
  sleep 0.05
done`;

function wait(script: string, ...words: string[]): void {
  spawnSync("bash", ["-c", script, "bash", ...words], { stdio: ["ignore", "inherit", "inherit"] });
}

async function examine(seed: number, only: string | null): Promise<SeedReport> {
  const { text, balancer, thrownAway } = randomTopology(seed);
  const folder = `/run/t${seed}`;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "datacenter.yaml");
  writeFileSync(file, text);
  if (balancer !== null) writeFileSync(join(folder, BALANCER_FILE), balancer);
  sallyport("apply", file);
  const { resolved, ...loaded } = loadDatacenter(file, {});
  if (resolved === null) throw new Error("it cannot be read");
  const desired = desiredOf(file);
  wait(SETTLED);
  const leases = await probeLeases(resolved, desired);
  if (resolved.clusters.length > 0) wait(CONVERGED, LAUNCHER, file);
  if (balancer !== null) wait(SERVED, desired.namespaceOf.get("border")!);
  const agreement = await probeTopology({ ...loaded, resolved }, desired, only);
  sallyport("destroy", file);
  const verdicts = [...leases.verdicts, ...agreement.verdicts];
  return { seed, thrownAway, text, leases: leases.count, ...agreement, verdicts };
}

const [first, last, words = ""] = process.argv.slice(2);
for (let seed = Number(first); seed <= Number(last); seed++) {
  try {
    process.stdout.write(`${JSON.stringify(await examine(seed, words === "" ? null : words))}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ seed, text: randomTopology(seed).text, fault: `${error}` })}\n`);
    process.exit(1);
  }
}
