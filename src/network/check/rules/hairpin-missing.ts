// An inside client uses the outside address. The packet is turned round at the edge, but the answer goes
// straight from the server to the client, from an address that it never asked.
import { subnetHas } from "../../../base/ip.ts";
import { natTargets } from "../nat-targets.ts";
import { type CheckRule, setValue } from "../rule.ts";

export const hairpinMissing: CheckRule = {
  code: "hairpin-missing",
  severity: "notice",
  title: "neighbours of a published machine cannot use its outside address",
  *run(context) {
    const counts = new Map<string, number>();
    for (const { interfaces } of context.resolved.machines)
      for (const { network } of interfaces) counts.set(network, (counts.get(network) ?? 0) + 1);
    for (const { edge, rule, index, target } of natTargets(context)) {
      if (rule.hairpin !== null) continue;
      const near = edge.interfaces
        .map(({ network }) => context.networks.get(network)!)
        .find(({ subnets }) => subnets.some((subnet) => subnetHas(subnet, target)));
      if (near === undefined || near.isExternal || (counts.get(near.name) ?? 0) < 2) continue;
      yield {
        span: rule.address.span,
        message: `machines of ${near.name} that use ${rule.address.value} get their answer straight from ${target}, which they never asked`,
        help: "Write `hairpin: true`; or `hairpin: false` if they never do.",
        related: [{ span: near.span, message: `${near.name} is here` }],
        fix: [setValue(rule.span, ["edges", edge.name, "nat", index, "hairpin"], true)],
      };
    }
  },
};
