// Clients are told of a name server that is not there: everything works, but nothing has a name.
import { subnetHas } from "../../../base/ip.ts";
import { ownerIn } from "../context.ts";
import type { CheckRule } from "../rule.ts";

export const dnsNobodyHas: CheckRule = {
  code: "dns-nobody-has",
  severity: "warning",
  title: "DHCP announces a name server that nobody is",
  *run(context) {
    for (const { dhcp } of context.datacenter.networks) {
      for (const { value: ip, span } of dhcp?.dns ?? []) {
        const home = context.resolved.networks.find(
          ({ kind, isExternal, subnets }) =>
            kind === "network" && !isExternal && subnets.some((subnet) => subnetHas(subnet, ip)),
        );
        if (
          home === undefined ||
          ownerIn(context, home, ip) !== null ||
          context.ownersAnywhere.get(ip)?.owner.kind === "host"
        )
          continue;
        yield {
          span,
          message: `DHCP announces the name server ${ip}, but nobody in ${home.name} has that address`,
          help: "Names would not be found, and every login would wait for the timeout.",
          related: [{ span: home.span, message: `${home.name} is here` }],
        };
      }
    }
  },
};
