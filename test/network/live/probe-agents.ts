// The processes that ask and answer in a datacentre that is running: one in the namespace of each machine,
// edge and network outside (`probe-agent.ts`).
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Ip } from "../../../src/base/ip.ts";
import type { ResolvedDatacenter } from "../../../src/model/resolved-datacenter.ts";
import type { Desired } from "../../../src/network/plan/desired-state.ts";
import type { AgentJob, AgentOutcome, AgentQuestion } from "./probe-agent.ts";
import { BALANCED_PORT } from "./random-plan.ts";

const AGENT = fileURLToPath(new URL("probe-agent.ts", import.meta.url));
export const CLOSED_PORT = 81;
const OUTSIDE_PORTS: readonly number[] = [80, CLOSED_PORT, 8001, 8002, BALANCED_PORT];
export const SOMEBODY_ELSE: readonly Ip[] = ["8.8.8.8" as Ip, "2001:db8:ffff::9" as Ip];

export class ProbeAgents {
  readonly #agents = new Map<string, { readonly child: ChildProcess; readonly lines: string[] }>();

  /** All of them listen when it comes back. `folder`: for their jobs. */
  async start(resolved: ResolvedDatacenter, { namespaceOf }: Desired, folder: string): Promise<void> {
    for (const [name, job] of jobsOf(resolved)) {
      const file = join(folder, `${this.#agents.size}.json`);
      writeFileSync(file, JSON.stringify(job));
      const words = [`--net=/run/netns/${namespaceOf.get(name)}`, process.execPath, AGENT, file];
      const child = spawn("nsenter", words, { stdio: ["pipe", "pipe", "inherit"] });
      const lines: string[] = [];
      let rest = "";
      child.stdout!.setEncoding("utf8").on("data", (text: string) => {
        const parts = (rest + text).split("\n");
        rest = parts.pop()!;
        lines.push(...parts);
      });
      this.#agents.set(name, { child, lines });
    }
    while ([...this.#agents.values()].some(({ lines }) => lines.length === 0)) {
      const ended = [...this.#agents].find(([, { child }]) => child.exitCode !== null);
      if (ended !== undefined) throw new Error(`nobody listens in ${ended[0]}`);
      await sleep(20);
    }
  }

  ask(from: string, questions: readonly AgentQuestion[]): void {
    this.#agents.get(from)!.child.stdin!.write(`${JSON.stringify(questions)}\n`);
  }

  /** By key: how those questions ended that had an end. */
  outcomes(): ReadonlyMap<number, AgentOutcome["outcome"]> {
    const lines = [...this.#agents.values()].flatMap((agent) => agent.lines.slice(1));
    return new Map(
      lines.map((line) => JSON.parse(line) as AgentOutcome).map(({ key, outcome }) => [key, outcome]),
    );
  }

  stop(): void {
    for (const { child } of this.#agents.values()) child.kill("SIGKILL");
  }
}

function jobsOf(resolved: ResolvedDatacenter): Map<string, AgentJob> {
  const jobs = new Map<string, AgentJob>(
    resolved.edges.map(({ name }) => [name, { name, tcpPorts: [], udpPlaces: [] }]),
  );
  for (const { name, interfaces, source } of resolved.machines) {
    const ports = (protocol: string) =>
      source.services.filter(({ value }) => value.protocol === protocol).map(({ value }) => value.port);
    const addresses = interfaces.flatMap((one) => one.addresses.map(({ ip }) => ip));
    const udpPlaces = addresses.flatMap((address) => ports("udp").map((port) => ({ address, port })));
    jobs.set(name, { name, tcpPorts: ports("tcp"), udpPlaces });
  }
  const hasIpv6 = resolved.networks.some(({ subnets }) => subnets.some(({ family }) => family === 6));
  const outside = SOMEBODY_ELSE.filter((ip) => hasIpv6 || !ip.includes(":"));
  const udpPlaces = outside.flatMap((address) => [53, 54].map((port) => ({ address, port })));
  jobs.set("internet", { name: "internet", tcpPorts: OUTSIDE_PORTS, udpPlaces });
  return jobs;
}
