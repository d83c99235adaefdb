// What the running load balancer knows of the datacentre: machines are alive whose addresses are those of its
// servers, links to them carry what it exchanges with them, and its edge serves so many sessions.
import type { NodeState } from "../../model/dashboard-datacenter.ts";
import type { ResolvedDatacenter, ResolvedMachine } from "../../model/resolved-datacenter.ts";
import type { Server } from "../../proxy/runtime.ts";
import { serverStatus } from "../../proxy/stats/server-status.ts";
import { SlotCounters, type StatisticsView } from "../../proxy/stats/statistics-view.ts";
import { linkIdOf, type ServiceCounter } from "./topology-ports.ts";
import type { LinkTotals } from "./traffic-meter.ts";

type Machines = Pick<ResolvedDatacenter, "machines">;

/** By id, those that are servers. `isDemo`: by their names. */
export function balancedNodes(
  { machines }: Machines,
  view: StatisticsView,
  isDemo: boolean,
): Record<string, NodeState> {
  const servers = serversByKey(view, isDemo);
  return Object.fromEntries(
    machines.flatMap((machine) => {
      const own = keysOf(machine, isDemo).flatMap(([key]) => servers.get(key) ?? []);
      return own.length === 0 ? [] : [[`machine/${machine.name}`, stateOf(own, view)]];
    }),
  );
}

/** Of the interface that has the server's address. */
export function balancedTraffic({ machines }: Machines, view: StatisticsView, isDemo: boolean): LinkTotals[] {
  const servers = serversByKey(view, isDemo);
  return machines.flatMap((machine) => {
    const links = Map.groupBy(keysOf(machine, isDemo), ([, port]) => port);
    return [...links].flatMap(([port, keys]): LinkTotals[] => {
      const own = keys.flatMap(([key]) => servers.get(key) ?? []);
      if (own.length === 0) return [];
      const bytes = (name: "bin" | "bout") => sumOf(own, view, (one) => one.total(name));
      return [
        {
          link: linkIdOf("machine", machine.name, port),
          countedBy: "load-balancer",
          sent: { bytes: bytes("bout"), packets: null },
          received: { bytes: bytes("bin"), packets: null },
        },
      ];
    });
  });
}

/** `edges`: those in which it runs. */
export function balancerCounters(edges: readonly string[], view: StatisticsView): ServiceCounter[] {
  const frontends = view.runtime.frontends.map(({ slot }) => new SlotCounters(view, slot));
  const sum = (of: (counters: SlotCounters) => number) =>
    frontends.reduce((total, one) => total + of(one), 0);
  return edges.flatMap((owner): ServiceCounter[] => [
    { owner, kind: "sessions", value: sum((one) => one.total("scur")) },
    { owner, kind: "requests", value: sum((one) => one.rate("reqRateSecond")) },
  ]);
}

function serversByKey({ runtime }: StatisticsView, isDemo: boolean): ReadonlyMap<string, Server[]> {
  const servers = runtime.backends.flatMap((backend) => backend.servers);
  return Map.groupBy(servers, ({ host, name }) => (isDemo ? name.toLowerCase() : host));
}

/** What a server is known by, and the interface that it is behind. */
function keysOf({ name, interfaces }: ResolvedMachine, isDemo: boolean): [key: string, port: string][] {
  if (isDemo) return interfaces.slice(0, 1).map((one) => [name.toLowerCase(), one.name]);
  return interfaces.flatMap((one) => one.addresses.map(({ ip }): [string, string] => [ip, one.name]));
}

function stateOf(servers: readonly Server[], view: StatisticsView): NodeState {
  const usable = servers.filter(({ isUsable }) => isUsable).length;
  const balanced = servers.filter(({ isBalanced }) => isBalanced).length;
  const state = balanced === servers.length ? "up" : usable > 0 ? "degraded" : "down";
  const sum = (of: (counters: SlotCounters) => number) => sumOf(servers, view, of);
  return {
    state,
    text: servers
      .map((server) => `${server.backend.name}/${server.name} is ${serverStatus(view, server)}`)
      .join(", "),
    servers: servers.map((server) => `${server.backend.name}/${server.name}`),
    counters: [
      { label: "sessions", value: sum((one) => one.total("scur")), unit: "sessions", service: null },
      { label: "in", value: sum((one) => one.total("bin")), unit: "bytes", service: null },
      { label: "out", value: sum((one) => one.total("bout")), unit: "bytes", service: null },
      { label: "rate", value: sum((one) => one.rate("sessRateSecond")), unit: "per second", service: null },
    ],
  };
}

function sumOf(
  servers: readonly Server[],
  view: StatisticsView,
  of: (counters: SlotCounters) => number,
): number {
  return servers.reduce((total, { slot }) => total + of(new SlotCounters(view, slot)), 0);
}
