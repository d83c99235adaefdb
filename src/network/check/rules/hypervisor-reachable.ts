// A host's own address, or the port of a console, in reach of everybody: who has that has everything.
import { subnetHas } from "../../../base/ip.ts";
import { natTargets, targetPort } from "../nat-targets.ts";
import type { CheckRule } from "../rule.ts";

/** VNC 5900..5999, and the console port of ESX. */
const CONSOLE_PORTS = [
  { first: 5900, last: 5999 },
  { first: 902, last: 903 },
];

export const hypervisorReachable: CheckRule = {
  code: "hypervisor-reachable",
  severity: "error",
  title: "a hypervisor or a raw console can be reached from outside",
  *run(context) {
    const { stations, resolved, ownersAnywhere, edges, networks } = context;
    // A host without machines is a router, whose place that is.
    const carriers = new Set(resolved.machines.map(({ host }) => host));
    const outside = resolved.networks.filter(({ isExternal }) => isExternal);
    for (const { owner, ip, span } of stations) {
      if (owner.kind !== "host" || !carriers.has(owner.name)) continue;
      const network = outside.find(({ subnets }) => subnets.some((subnet) => subnetHas(subnet, ip)));
      if (network === undefined) continue;
      yield {
        span,
        message: `host ${owner.name} has the address ${ip} in ${network.name}, where anybody can reach it`,
        help: "Give it an address in a management network only.",
        related: [{ span: network.span, message: `${network.name} is here` }],
      };
    }
    const isAtBorder = (edge: string): boolean =>
      edges.get(edge)!.interfaces.some(({ network }) => networks.get(network)!.isExternal);
    for (const one of natTargets(context)) {
      if (!isAtBorder(one.edge.name)) continue;
      const owner = ownersAnywhere.get(one.target)?.owner;
      const isHost = owner?.kind === "host";
      if (!isHost && !isConsole(targetPort(one))) continue;
      yield {
        span: one.rule.span,
        message: isHost
          ? `${one.edge.name} makes host ${owner.name} reachable from outside as ${one.rule.address.value}`
          : `${one.edge.name} makes port ${targetPort(one)} of ${owner?.name ?? one.target}, where consoles are, reachable from outside`,
        help: "Consoles go through `consoles: {proxy: …}`, which asks for a ticket; nothing of the host itself is published.",
      };
    }
    for (const { machine, source, steps } of resolved.publications) {
      if (!isConsole(source.port.value) || !isAtBorder(steps[0]!.edge)) continue;
      yield {
        span: source.port.span,
        message: `port ${source.port.value} of ${machine}, where consoles are, is published`,
        help: "Consoles go through `consoles: {proxy: …}`, which asks for a ticket.",
      };
    }
  },
};

function isConsole(port: number | null): boolean {
  return port !== null && CONSOLE_PORTS.some(({ first, last }) => port >= first && port <= last);
}
