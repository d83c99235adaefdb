// Translation is not permission: the firewall of the same edge drops what the rule is for.
import { subnetHas } from "../../../base/ip.ts";
import type { ResolvedEdge } from "../../../model/resolved-datacenter.ts";
import { addressesHave, portsMeet } from "../address-sets.ts";
import type { CheckContext } from "../context.ts";
import { type NatTarget, natTargets, targetPort } from "../nat-targets.ts";
import { Openings } from "../openings.ts";
import type { CheckRule } from "../rule.ts";

export const natWithoutOpening: CheckRule = {
  code: "nat-without-opening",
  severity: "error",
  title: "the firewall lets nothing through to a translated address",
  *run(context) {
    const openingsOf = new Map<ResolvedEdge, Openings>();
    for (const one of natTargets(context)) {
      const { edge, rule, target } = one;
      const { firewall } = edge;
      const seen = firewall.match === "original" ? rule.address.value : target;
      const otherWay = firewall.match === "original" ? target : rule.address.value;
      const openings = openingsOf.get(edge) ?? new Openings(edge);
      openingsOf.set(edge, openings);
      if (firewall.default === "allow" || isOpen(one, seen, openings, context)) continue;
      const byOther = openings.namesAddress(otherWay);
      const port = firewall.match === "original" ? (one.resolved.ports[0]?.first ?? null) : targetPort(one);
      const protocol = (rule.kind === "dnat" ? rule.protocol?.value : null) ?? "any";
      const opening = `{allow: ${protocol}, to: ${seen}${port === null ? "" : `, ports: ${port}`}}`;
      yield {
        span: rule.span,
        message:
          byOther === null
            ? `${edge.name} translates ${rule.address.value} to ${target}, but its firewall lets nothing through to ${seen}`
            : `${edge.name} translates ${rule.address.value} to ${target}, but its firewall compares the ${firewall.match} address ${seen}, and the opening names ${otherWay}`,
        help:
          byOther === null
            ? `Add \`${opening}\` to its rules.`
            : `Name ${seen} in that rule, or set \`match: ${firewall.match === "original" ? "translated" : "original"}\`.`,
        related: [
          {
            span: byOther?.origin.span ?? firewall.span,
            message: byOther === null ? "its firewall is here" : "the opening is here",
          },
        ],
      };
    }
  },
};

function isOpen(
  { edge, resolved, rule, target }: NatTarget,
  seen: NatTarget["target"],
  openings: Openings,
  { networks }: CheckContext,
): boolean {
  const toPort = resolved.action.kind === "dnat" ? resolved.action.toPort : null;
  const isShifted = edge.firewall.match === "translated" && toPort !== null;
  const ports = isShifted ? [{ first: toPort, last: toPort }] : resolved.ports;
  const protocol = rule.kind === "dnat" ? (rule.protocol?.value ?? null) : null;
  // A rule that names an external network is for what leaves there, which this does not.
  const leavesTo = (network: string): boolean =>
    networks.get(network)?.subnets.some((subnet) => subnetHas(subnet, target)) === true;
  return openings
    .candidates(seen, ports)
    .some(
      (one) =>
        (one.out === null || leavesTo(one.out)) &&
        addressesHave(one.to, seen) &&
        (one.protocol === null || protocol === null || one.protocol === protocol) &&
        portsMeet(one.ports, ports),
    );
}
