// The classic. Members of a unicast cluster hide their shared MAC, so that no switch learns it and all get
// every frame. A virtual switch that announces MACs by RARP teaches it to the physical one.
import type { ResolvedCluster } from "../../../model/resolved-datacenter.ts";
import { type CheckContext, portGroupOf } from "../context.ts";
import { type CheckRule, setValue } from "../rule.ts";

const CURES = [
  "One of three: `notify-switches: false` at the port group;",
  "`mode: multicast` at the cluster, with a static ARP entry for it in the router;",
  "or a load balancer at an edge instead of the cluster.",
].join("\n");

export const nlbNotifySwitches: CheckRule = {
  code: "nlb-notify-switches",
  severity: "error",
  title: "the switch learns the MAC of a unicast cluster, so one member gets everything",
  *run(context) {
    for (const cluster of context.resolved.clusters) {
      const { name, mode, mac, network: where, members, span } = cluster;
      const network = context.networks.get(where)!;
      const group = portGroupOf(context, network);
      if (mode !== "unicast" || group === null || group.notifySwitches?.value === false) continue;
      const { portGroup } = network;
      yield {
        span: (group.notifySwitches ?? group).span,
        message: `port group ${group.name} announces MACs by RARP, also ${mac}, which the members of cluster ${name} share: the switch learns it at one port, and all goes to that one of ${members.length}`,
        help: [...traceOf(cluster, context), CURES].join("\n"),
        related: [{ span, message: `cluster ${name} is here` }],
        fix: [
          setValue(
            group.span,
            ["switches", portGroup!.switch, "port-groups", group.name, "notify-switches"],
            false,
          ),
        ],
      };
    }
  },
};

/**
 * What the switches learn, and where a client's packet goes then, as the simulation has it; empty without
 * one.
 */
function traceOf(
  { network, mac, address, rules }: ResolvedCluster,
  { explain, resolved }: CheckContext,
): string[] {
  const client = resolved.machines.find(
    ({ cluster, interfaces }) => cluster === null && interfaces.some((one) => one.network === network),
  );
  if (explain === null || client === undefined) return [];
  const from = { text: client.name, vapp: null, copy: null, name: client.name };
  const port = rules[0]?.ports[0]?.value.first ?? 80;
  const { before, there } = explain({ from, to: address, protocol: "tcp", port, sourcePort: null });
  const steps = [...before, there].flatMap(({ hops }) =>
    hops.flatMap(({ node, steps: all }) =>
      all
        .filter(({ kind, facts }) => (kind === "learn" || kind === "forward") && facts["mac"] === mac)
        .map(({ text }) => `${node.name}: ${text}`),
    ),
  );
  return steps.length === 0
    ? []
    : [`What happens when ${client.name} asks: ${[...new Set(steps)].join("; ")}.`];
}
