// What of the datacentre is alive: machines that are servers of the running load balancer, by its checks and
// counters, and what `apply` has made on this machine, compared with what there is.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { PortCounters } from "../../driver/linux/port-counters.ts";
import type { NodeState, TopologyState } from "../../model/dashboard-datacenter.ts";
import type { ResolvedDatacenter } from "../../model/resolved-datacenter.ts";
import { aliasPrefix, safeName } from "../../network/plan/kernel-names.ts";
import type { Server } from "../../proxy/runtime.ts";
import { serverStatus } from "../../proxy/stats/server-status.ts";
import { SlotCounters, type StatisticsView } from "../../proxy/stats/statistics-view.ts";
import type { AdminActions } from "../admin/actions.ts";
import type { DatacenterFile } from "./datacenter-file.ts";
import { viewOf } from "./server-rows.ts";

/** Reading the kernel takes several commands, so all who look share one answer for so long. */
const LIFE_MS = 5000;
const DRIFT_SHOWN_MAX = 50;

interface Applied extends Pick<TopologyState, "applied" | "drift"> {
  /** What has passed each port, as the kernel has counted it. */
  readonly ports: readonly PortCounters[];
}

export class TopologyStateReader {
  readonly #datacenter: DatacenterFile;
  readonly #actions: AdminActions;
  readonly #isDemo: boolean;
  #applied: { readonly untilMs: number; readonly answer: Promise<Applied> } | null = null;

  /** `isDemo`: all servers are on loopback, and are those machines that have their names. */
  constructor(datacenter: DatacenterFile, actions: AdminActions, isDemo: boolean) {
    this.#datacenter = datacenter;
    this.#actions = actions;
    this.#isDemo = isDemo;
  }

  async read(): Promise<TopologyState> {
    const { resolved } = this.#datacenter.loaded;
    const { nowMs } = this.#actions;
    if (resolved === null) return { atMs: nowMs, applied: "unknown", drift: [], nodes: {} };
    const { ports, ...applied } = await this.#readApplied(resolved, nowMs);
    const nodes = nodesOf(resolved, viewOf(this.#actions), this.#isDemo);
    return { atMs: nowMs, ...applied, nodes: withPorts(nodes, resolved, ports) };
  }

  #readApplied({ source }: ResolvedDatacenter, nowMs: number): Promise<Applied> {
    if (this.#applied === null || this.#applied.untilMs <= nowMs)
      this.#applied = { untilMs: nowMs + LIFE_MS, answer: readApplied(source.name.value) };
    return this.#applied.answer;
  }
}

async function readApplied(name: string): Promise<Applied> {
  try {
    // What `apply` needs is much, and nobody needs it who only looks at traffic.
    const { openDriver } = await import("../datacenter/live-network.ts");
    const { stateRoot } = await import("../../driver/linux/disk-store.ts");
    // Opening makes the directory; whoever only looks leaves nothing behind.
    if (!existsSync(join(stateRoot(), safeName(name)))) return { applied: "no", drift: [], ports: [] };
    const { driver, store } = openDriver(name);
    const applied = store.readApplied();
    if (applied === null) return { applied: "no", drift: [], ports: [] };
    const { drift } = await import("../../driver/apply.ts");
    const found = await drift(applied, driver);
    if (!found.ok) return { applied: "unknown", drift: [found.message], ports: [] };
    const words = found.plan.steps.slice(0, DRIFT_SHOWN_MAX).map((step) => step.words);
    const { readPortCounters } = await import("../../driver/linux/port-counters.ts");
    const counted = await readPortCounters(applied.state, aliasPrefix(name));
    const ports = typeof counted === "string" ? [] : counted.ports;
    return { applied: words.length === 0 ? "yes" : "changed", drift: words, ports };
  } catch (error) {
    // No state directory, no tools, another system than Linux: nothing is known, and nothing is wrong.
    return { applied: "unknown", drift: [(error as Error).message], ports: [] };
  }
}

function nodesOf(
  { machines }: ResolvedDatacenter,
  view: StatisticsView,
  isDemo: boolean,
): Record<string, NodeState> {
  const servers = Map.groupBy(
    view.runtime.backends.flatMap((backend) => backend.servers),
    ({ host, name }) => (isDemo ? name.toLowerCase() : host),
  );
  return Object.fromEntries(
    machines.flatMap(({ name, interfaces }) => {
      const addresses = interfaces.flatMap((one) => one.addresses.map(({ ip }): string => ip));
      const keys = isDemo ? [name.toLowerCase()] : addresses;
      const own = keys.flatMap((address) => servers.get(address) ?? []);
      return own.length === 0 ? [] : [[`machine/${name}`, stateOf(own, view)]];
    }),
  );
}

/** Whoever has a port is there, and has these counters besides its servers'. */
export function withPorts(
  nodes: Readonly<Record<string, NodeState>>,
  { machines, edges }: Pick<ResolvedDatacenter, "machines" | "edges">,
  ports: readonly PortCounters[],
): Record<string, NodeState> {
  const kinds = new Map<string, string>([
    ...edges.map(({ name, kind }) => [name, kind] as const),
    ...machines.map(({ name }) => [name, "machine"] as const),
  ]);
  const all: Record<string, NodeState> = { ...nodes };
  for (const { owner, sent, received } of ports) {
    const name = owner.slice(0, owner.lastIndexOf("/"));
    const kind = kinds.get(name);
    if (kind === undefined) continue;
    const id = `${kind}/${name}`;
    const port = owner.slice(name.length + 1);
    const node = all[id] ?? { state: "up", text: "is made on this machine", servers: [], counters: [] };
    const counters = [
      { label: `${port} sent`, value: sent.bytes, unit: "bytes" as const },
      { label: `${port} received`, value: received.bytes, unit: "bytes" as const },
      { label: `${port} dropped`, value: sent.dropped + received.dropped, unit: "packets" as const },
    ];
    all[id] = { ...node, counters: [...node.counters, ...counters] };
  }
  return all;
}

function stateOf(servers: readonly Server[], view: StatisticsView): NodeState {
  const usable = servers.filter(({ isUsable }) => isUsable).length;
  const balanced = servers.filter(({ isBalanced }) => isBalanced).length;
  const state = balanced === servers.length ? "up" : usable > 0 ? "degraded" : "down";
  const sum = (of: (counters: SlotCounters) => number) =>
    servers.reduce((total, { slot }) => total + of(new SlotCounters(view, slot)), 0);
  return {
    state,
    text: servers
      .map((server) => `${server.backend.name}/${server.name} is ${serverStatus(view, server)}`)
      .join(", "),
    servers: servers.map((server) => `${server.backend.name}/${server.name}`),
    counters: [
      { label: "sessions", value: sum((one) => one.total("scur")), unit: "sessions" },
      { label: "in", value: sum((one) => one.total("bin")), unit: "bytes" },
      { label: "out", value: sum((one) => one.total("bout")), unit: "bytes" },
      { label: "rate", value: sum((one) => one.rate("sessRateSecond")), unit: "per second" },
    ],
  };
}
